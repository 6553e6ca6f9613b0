"""`/api/calendar`: due times, and the working days of a year, of the country and of one hall."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, Field

from casework.calendars import check_hall, reckon, year_of
from casework.drafts import SOURCE, Draft
from casework.errors import BadInput
from casework.moments import shown
from casework.preview import Move, preview
from casework.publishing import publish
from casework.viewer import Viewer
from models.hall_calendar import FIRST_YEAR, LAST_YEAR
from routes.bodies import Body, body_of, read_body
from routes.dependencies import Given, SignedIn
from routes.fields import Day, Moment, text_type
from routes.openapi import refusals
from rules.case.errors import Forbidden
from rules.case.typed import Typed
from rules.case.vocabulary import Role

router = APIRouter(prefix="/api/calendar", tags=["calendar"])

MICROSECONDS = 3_600_000_000  # of an hour
_Source: Any = text_type(Typed(1, SOURCE))


def _with_plus(text: Any) -> Any:
    """Give an offset back its plus sign: unquoted in a query it arrives as a space."""
    return text.replace(" ", "+") if isinstance(text, str) and "T" in text else text


class Due(BaseModel):
    """When a limit ends; `provisional`: a notice that it depends on is not published yet."""

    due_at: str
    provisional: bool
    calendar_version: str


class YearNotice(Body):
    """A published notice: the whole year, replacing what stood; all three are needed."""

    off: Annotated[list[Day], Field(max_length=400)]
    work: Annotated[list[Day], Field(max_length=400)]
    source: _Source


class YearDays(BaseModel):
    """The days of a year that are not as the week says. A hall's own ones come on top."""

    year: int
    hall: str | None
    off: list[date]
    work: list[date]
    source: str
    provisional: bool
    version: str


class Published(BaseModel):
    """The calendar version that cases reckon by from now on, and how many of them are open."""

    version: str
    open_cases: int


class CaseMove(BaseModel):
    """An open case whose due date moves."""

    id: str
    number: str | None
    hall: str
    previous_due_at: str
    due_at: str


class DryRun(Published):
    """What the notice would do; nothing was changed."""

    would_move: list[CaseMove]


async def _may_publish(request: Request, given: Given, viewer: SignedIn) -> Viewer:
    """Let the admin through: 404 for a hall that is none, then 403."""
    hall = request.query_params.get("hall")
    if hall is not None:
        await check_hall(given, hall)
    if viewer.role is not Role.ADMIN:
        raise Forbidden("put_year", viewer.role)
    return viewer


@router.get("/due", responses=refusals())
async def get_due(
    given: Given,
    viewer: SignedIn,
    hall: str,
    start: Annotated[Moment, BeforeValidator(_with_plus)],
    working_days: Annotated[int | None, Query(ge=1, le=400)] = None,
    working_hours: Annotated[Decimal | None, Query(gt=0, le=400)] = None,
) -> Due:
    """Return when so many working days, or working hours, after `start` are over."""
    if (working_days is None) == (working_hours is None):
        raise BadInput({"working_days": "one_of_two", "working_hours": "one_of_two"})
    found = await reckon(
        given,
        hall,
        start,
        working_days=working_days,
        working_hours=None if working_hours is None else _span(working_hours),
    )
    return Due(
        due_at=shown(found.due_at),
        provisional=found.provisional,
        calendar_version=found.calendar_version,
    )


@router.get("/{year}", responses=refusals(404))
async def get_year(
    given: Given,
    viewer: SignedIn,
    year: Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR)],
    hall: str | None = None,
) -> YearDays:
    """Return the notice that counts for a year, or (with `hall`) that hall's own days."""
    found = await year_of(given, year, hall)
    return YearDays(
        year=found.year,
        hall=found.hall,
        off=sorted(found.notice.off),
        work=sorted(found.notice.work),
        source=found.notice.source,
        provisional=found.provisional,
        version=found.version,
    )


@router.put(
    "/{year}",
    status_code=202,
    response_model=Published,
    responses={**refusals(403, 404, 413), 200: {"model": DryRun, "description": "dry run"}},
    openapi_extra=body_of(YearNotice),
)
async def put_year(
    request: Request,
    given: Given,
    viewer: Annotated[Viewer, Depends(_may_publish)],
    year: Annotated[int, Path(ge=FIRST_YEAR, le=LAST_YEAR)],
    hall: str | None = None,
    dry_run: bool = False,
) -> JSONResponse:
    """Load a notice; open cases are re-armed in the background. A dry run says which would move."""
    body = await read_body(request, YearNotice)
    draft = Draft(year, hall, frozenset(body.off), frozenset(body.work), body.source)
    if not dry_run:
        published = await publish(given, draft, viewer.username)
        answer = Published(version=published.version, open_cases=published.open_cases)
        return JSONResponse(answer.model_dump(), 202)
    tried = await preview(given, draft)
    moves = list(_moves(tried.moves))
    found = DryRun(version=tried.version, open_cases=tried.open_cases, would_move=moves)
    return JSONResponse(found.model_dump(), 200)


def _moves(moves: Iterable[Move]) -> Iterable[CaseMove]:
    for move in moves:
        yield CaseMove(
            id=move.case_id,
            number=move.number,
            hall=move.hall,
            previous_due_at=shown(move.due_at),
            due_at=shown(move.new_due_at),
        )


def _span(hours: Decimal) -> timedelta:
    return timedelta(microseconds=int(hours * MICROSECONDS))
