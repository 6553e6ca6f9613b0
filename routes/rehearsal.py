"""`/api/rehearsal`: the clock of a rehearsal (演练), and moving it. Mounted in rehearsals only."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Self

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, model_validator

from casework.calendars import reckon
from casework.errors import NotFound
from casework.rehearsal import RehearsalClock, Unsettled, advance
from casework.services import Services
from routes.bodies import Body, body_of, read_body
from routes.dependencies import Given
from routes.fields import Moment, fault
from routes.openapi import public_refusals
from routes.problems import RETRY_AFTER, problem
from rules.calendar import local

router = APIRouter(prefix="/api/rehearsal", tags=["rehearsal"])

HALL = "guilin"  # whose calendar counts working days and hours; the halls of a rehearsal share theirs


class Now(BaseModel):
    """The time of the rehearsal."""

    now: datetime


class Advance(Body):
    """How far to go: to an instant, or by working time on the calendar of the demonstration halls."""

    to: Moment | None = None
    working_hours: Annotated[Decimal, Field(ge=0, le=4000)] | None = None
    working_days: Annotated[int, Field(ge=0, le=400)] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or None in self.model_dump(exclude_unset=True).values():
            raise fault("one_of_three")
        return self


@router.get("/clock", responses=public_refusals(503))
async def get_clock(given: Given) -> Now:
    """Return the time of the rehearsal."""
    return Now(now=local(await _clock(given).now()))


@router.post(
    "/advance",
    responses=public_refusals(413, 422, 503),
    openapi_extra=body_of(Advance),
    response_model=Now,
)
async def post_advance(request: Request, given: Given) -> Now | JSONResponse:
    """Move time forward; answers once what was due by then is in ledger and inboxes."""
    _clock(given)
    try:
        return Now(now=local(await move(given, await read_body(request, Advance))))
    except Unsettled:
        return problem(503, "rehearsal-unsettled", headers={"Retry-After": str(RETRY_AFTER)})


async def move(given: Services, wanted: Advance) -> datetime:
    """Move time as far as is wanted; return the time then.

    Raises `NotFound` outside a rehearsal, `BadInput`, `Unsettled`, `EngineUnavailable`.
    """

    async def target(now: datetime) -> datetime:
        return wanted.to or await _after_working_time(given, wanted, now)

    return await advance(given, _clock(given), target)


async def _after_working_time(given: Services, wanted: Advance, start: datetime) -> datetime:
    """Return when that much working time from `start` is over, as `GET /api/calendar/due` reckons."""
    hours = wanted.working_hours
    reckoned = await reckon(
        given,
        HALL,
        start,
        working_days=wanted.working_days,
        working_hours=None if hours is None else timedelta(hours=float(hours)),
    )
    return reckoned.due_at


def _clock(given: Services) -> RehearsalClock:
    if not isinstance(given.clock, RehearsalClock):
        raise NotFound("rehearsal")
    return given.clock
