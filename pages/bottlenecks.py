"""`/bottlenecks`: repeat reports and bottlenecks (重复反映与办事瓶颈), clustered by matter and cause."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from casework.bottlenecks import cluster_of, clusters
from casework.figure_rows import Period
from casework.services import Services
from casework.viewer import Viewer
from pages import list_words
from pages.figure_words import percent
from pages.frame import SIGNED_IN
from pages.list_filters import code
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.dependencies import Given
from routes.pages import Page
from rules.calendar import SHANGHAI, local
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

Overseer = Annotated[Viewer, Depends(page_only(Role.SUPERVISOR, Role.AUDITOR, Role.CENTRE))]
USUAL = timedelta(days=90)


@dataclass(frozen=True)
class Chosen:
    """The period as it was chosen, and as texts to show and to link with."""

    period: Period
    since: str
    until: str
    hall: str
    faults: dict[str, str]

    @property
    def typed(self) -> dict[str, str | None]:
        """Return what the address of the same period says."""
        return {"since": self.since, "until": self.until, "hall": self.hall}


@router.get("/bottlenecks")
async def bottlenecks(
    request: Request, given: Given, viewer: Overseer, since: str = "", until: str = "", hall: str = ""
) -> Response:
    """Show the clusters of a period, the largest first; the last 90 days where none is chosen."""
    chosen = await chosen_period(given, since, until, hall)
    found = await clusters(given, viewer, chosen.period)
    return render(
        request,
        "lists/bottlenecks.html",
        status=422 if chosen.faults else 200,
        found=found,
        chosen=chosen,
        share=percent(found.repeats / found.count if found.count else None),
        figures=linker("/figures", {"from": chosen.since, "to": chosen.until, "hall": chosen.hall})(),
        link=linker("", chosen.typed),
        export=linker("/bottlenecks/export.xlsx", chosen.typed),
    )


@router.get("/bottlenecks/{number}")
async def cluster(
    request: Request,
    number: str,
    given: Given,
    viewer: Overseer,
    since: str = "",
    until: str = "",
    hall: str = "",
    page: Page = 1,
) -> Response:
    """Show the cases of one cluster: of the same matter and cause as a case. A matter is in no address."""
    chosen = await chosen_period(given, since, until, hall)
    found = await cluster_of(given, viewer, number, chosen.period, page)
    return render(
        request,
        "lists/cluster.html",
        found=found,
        chosen=chosen,
        words=list_words,
        back=linker("/bottlenecks", chosen.typed)(),
        link=linker("", chosen.typed),
        export=linker(f"/bottlenecks/{number}/export.xlsx", chosen.typed)(),
    )


async def chosen_period(services: Services, since: str, until: str, hall: str) -> Chosen:
    """Read the period, days of Shanghai with both ends; what is no day is told, and the usual one shown."""
    now = await services.clock.now()
    today = local(now).date()
    faults: dict[str, str] = {}
    start = _day("since", since, today - USUAL, faults)
    end = _day("until", until, today, faults)
    if start > end:
        faults["until"] = "不能早于开始日期"
        start = end
    of_hall = code(hall)
    halls = None if of_hall is None else frozenset({of_hall})
    period = Period(_midnight(start), _midnight(end + timedelta(days=1)), now, halls)
    return Chosen(period, start.isoformat(), end.isoformat(), of_hall or "", faults)


def _day(name: str, typed: str, usual: date, faults: dict[str, str]) -> date:
    if not typed.strip():
        return usual
    try:
        day = date.fromisoformat(typed.strip())
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year < 2100:
        faults[name] = "应为日期(YYYY-MM-DD)"
        return usual
    return day


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), SHANGHAI)
