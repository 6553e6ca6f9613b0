"""`/api/figures`: the figures of a period (domain.md, section 9), of the halls that somebody oversees."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field

from casework.figures import read_figures
from casework.periods import asked_for
from casework.trends import Step
from casework.viewer import Viewer
from routes.dependencies import Given, only
from routes.fields import Code, PeriodEnd, PeriodStart
from routes.openapi import refusals
from rules.case.vocabulary import Cause, Kind, Role

router = APIRouter(prefix="/api/figures", tags=["figures"])

READERS = (Role.SUPERVISOR, Role.CENTRE, Role.AUDITOR)
Reader = Annotated[Viewer, Depends(only(*READERS))]
Share = float | None


class FiguresAnswer(BaseModel):
    """Counts, rates (null: an empty denominator), and the same by group; see docs/reference/figures.md."""

    model_config = ConfigDict(extra="allow")

    hall: str | None
    unit: str | None
    kind: str | None
    cause: str | None
    from_: str = Field(alias="from")
    to: str
    as_of: str
    registered: int
    consulted: int
    out_of_scope: int
    handled: int
    on_time: int
    excused: int
    late: int
    on_time_rate: Share
    unit_on_time_rate: Share
    response_rate: Share
    solved_rate: Share
    satisfaction_first: Share
    satisfaction_final: Share
    repeat_rate: Share
    return_rate: Share
    handling: dict[str, Any]
    by_hall: list[dict[str, Any]]
    by_unit: list[dict[str, Any]]
    by_kind: list[dict[str, Any]]
    by_cause: list[dict[str, Any]]
    trend: dict[str, Any]
    bottlenecks: dict[str, Any]
    ranking: list[dict[str, Any]]


@router.get("", responses={**refusals(403, 404), 200: {"model": FiguresAnswer}}, response_class=JSONResponse)
async def get_figures(
    given: Given,
    viewer: Reader,
    hall: Annotated[Code | None, Query()] = None,
    unit: Annotated[Code | None, Query()] = None,
    kind: Annotated[Kind | None, Query()] = None,
    cause: Annotated[Cause | None, Query()] = None,
    from_: Annotated[PeriodStart | None, Query(alias="from")] = None,
    to: Annotated[PeriodEnd | None, Query()] = None,
    step: Annotated[Step, Query()] = "month",
) -> JSONResponse:
    """Return the figures of [from, to), dates of Shanghai or instants; twelve months where none is given."""
    asked = await asked_for(given, from_, to, hall=hall, unit=unit, kind=kind, cause=cause, step=step)
    return JSONResponse(await read_figures(given, viewer, asked))
