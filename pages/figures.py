"""`/figures`: the figures with charts and tables, the units in order, the bottlenecks; and lost points."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from casework.figures import Asked, read_figures
from casework.lost_points import lost_points
from casework.periods import asked_for
from casework.places import Places, places_of
from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from pages import figure_words, labels
from pages.charts import bars, lines
from pages.figure_filters import FigureFilters, presets, read_figure_filters
from pages.frame import SIGNED_IN
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.dependencies import Given
from routes.figures import READERS
from rules.calendar import local

router = APIRouter(dependencies=SIGNED_IN)

Reader = Annotated[Viewer, Depends(page_only(*READERS))]


@router.get("/figures")
async def figures(request: Request, given: Given, viewer: Reader) -> Response:
    """Show the figures of a period, of all halls overseen or narrowed down."""
    filters = read_figure_filters(request.query_params)
    asked = await asked_as(given, filters)
    found = await read_figures(given, viewer, asked)
    async with given.database.read() as session:
        places = await places_of(session, await scope_of(session, viewer))
    return render(
        request,
        "figures/page.html",
        found=found,
        filters=filters,
        places=places,
        words=figure_words,
        charts=await _charts(found, places),
        names=_Names(places),
        presets=presets(local(await given.clock.now()).date()),
        period=(asked.start, asked.end),
        link=linker("/figures", dict(filters.typed)),
        lost_link=_lost_link(filters),
        clusters=_clusters_link(asked),
        export=linker("/figures/export.xlsx", dict(filters.typed)),
    )


@router.get("/figures/{hall}/{unit}")
async def lost(request: Request, given: Given, viewer: Reader, hall: str, unit: str) -> Response:
    """Show the cases that cost a unit points."""
    filters = read_figure_filters({**request.query_params, "hall": hall, "unit": unit})
    asked = await asked_as(given, filters)
    period = {"from": filters.typed["from"], "to": filters.typed["to"]}
    return render(
        request,
        "figures/lost.html",
        lost=await lost_points(given, viewer, asked),
        asked=asked,
        words=figure_words,
        back=linker("/figures", period)(),
        export=linker(f"/figures/{quote(hall)}/{quote(unit)}/export.xlsx", period)(),
    )


def _lost_link(filters: FigureFilters) -> Callable[[str, str], str]:
    """Return what makes the address of a unit's lost points, of the same period."""
    period = {name: filters.typed[name] for name in ("from", "to")}
    return lambda hall, unit: linker(f"/figures/{quote(hall)}/{quote(unit)}", period)()


def _clusters_link(asked: Asked) -> str:
    """Return the address of the repeats and bottlenecks of the same period and hall."""
    last = local(asked.end - timedelta(microseconds=1)).date()
    first = local(asked.start).date()
    period = {"since": first.isoformat(), "until": last.isoformat(), "hall": asked.hall or ""}
    return linker("/bottlenecks", period)()


class _Names:
    """The names of groups of cases."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def hall(self, group: Mapping[str, Any]) -> str:
        """Name a hall."""
        return self._places.hall(group["hall"])

    def unit(self, group: Mapping[str, Any]) -> str:
        """Name a unit, with its hall where there are several."""
        name = self._places.unit(group["hall"], group["unit"]) or figure_words.names_of({}, None)
        return name if len(self._places.halls) == 1 else f"{name}({self.hall(group)})"

    def kind(self, group: Mapping[str, Any]) -> str:
        """Name a kind."""
        return figure_words.names_of(labels.KIND, group["kind"])

    def cause(self, group: Mapping[str, Any]) -> str:
        """Name a cause."""
        return figure_words.names_of(labels.CAUSE, group["cause"])


async def asked_as(given: Services, filters: FigureFilters) -> Asked:
    """Return what the filters ask for; the last twelve months where they name no period."""
    return await asked_for(given, filters.start, filters.end, **filters.narrowed, step=filters.step)


async def _charts(found: dict[str, Any], places: Places) -> dict[str, Any]:
    holding = [
        {"name": labels.word("holder", holder), "hours": hours} for holder, hours in found["holding"].items()
    ]
    causes = [
        {"name": figure_words.names_of(labels.CAUSE, each["cause"]), "hours": each["working_hours"]}
        for each in found["bottlenecks"]["causes"]
    ]
    several = len({each["hall"] for each in found["ranking"]}) > 1
    ranked = [
        {
            "name": each["name"] + (f"({places.hall(each['hall'])[:4]})" if several else ""),
            "score": each["score"],
        }
        for each in found["ranking"]
        if each["rank"] is not None
    ]
    months = found["trend"]["step"] == "month"
    steps = [
        {**each, "label": each["from"][:7] if months else each["from"][5:]}
        for each in found["trend"]["items"]
    ]
    shares = {name: figure_words.RATE[name][0] for name in ("unit_on_time_rate", "solved_rate")}
    return {
        "trend": await lines(steps, "label", "handled", shares),
        "holding": await bars(holding, "name", "hours"),
        "causes": await bars(causes, "name", "hours"),
        "ranking": await bars(ranked, "name", "score"),
    }
