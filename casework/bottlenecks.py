"""Clusters of cases by matter and cause over a period: bottlenecks (办事瓶颈) and repeats. Source: S0.

Cases are those that the figures count as registered, repeats those that they count as repeated.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import NotFound
from casework.figure_rows import Period
from casework.finding import case_row
from casework.places import Places, places_of
from casework.rows import Row, read_rows
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.facts import CASE_FACTS as FACTS
from rules.case.vocabulary import Light
from rules.repeats import plain_matter

MOST = 50  # clusters on the page
CASES = 200  # of one cluster
SMALLEST = 2


@dataclass
class Cluster:
    """Cases of one matter and cause; ``units`` counts them by hall and unit, ``number`` names one of them."""

    matter: str
    cause: str | None
    number: str
    count: int = 0
    repeats: int = 0
    open: int = 0
    late: int = 0
    units: dict[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Clusters:
    """The largest clusters, and over all cases of the period: how many, and how many repeat another."""

    items: Sequence[Cluster]
    count: int
    repeats: int
    places: Places


@dataclass(frozen=True)
class ClusterCases:
    """The cases of one cluster, newest first; `more`: there are others."""

    matter: str
    cause: str | None
    rows: Sequence[Row]
    more: bool
    places: Places


async def clusters(services: Services, viewer: Viewer, period: Period, most: int | None = MOST) -> Clusters:
    """Return the clusters of at least two cases, the largest first; all of them where `most` is None."""
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        groups = await _groups(session, scope, period)
        places = await places_of(session, scope)
    found = _merged(groups)
    count, repeats = sum(each.count for each in found), sum(each.repeats for each in found)
    large = sorted(
        (each for each in found if each.count >= SMALLEST and each.matter),
        key=lambda each: (-each.count, -each.repeats, each.number),
    )
    return Clusters(large[:most], count, repeats, places)


async def _groups(session: AsyncSession, scope: Scope, period: Period) -> Iterable[Mapping[str, Any]]:
    by: tuple[Any, ...] = (Case.matter, Case.cause, Case.hall, Case.unit)
    counts: tuple[Any, ...] = (
        func.count().label("count"),
        func.sum(FACTS.c.repeated).label("repeats"),
        func.count().filter(col(Case.open)).label("open"),
        func.count().filter(col(Case.light) == Light.RED).label("late"),
        func.max(Case.number).label("number"),
    )
    chosen: Any = select(*by, *counts)
    counted = chosen.select_from(Case).join(FACTS, FACTS.c.case_id == Case.id)
    wanted = counted.where(scope.cases, period.received).group_by(*by)
    return [dict(row) for row in (await session.exec(wanted)).mappings()]


def _merged(groups: Iterable[Mapping[str, Any]]) -> list[Cluster]:
    """Bring together what is written a little differently; the most frequent wording names the cluster."""
    found: dict[tuple[str, str | None], Cluster] = {}
    largest: dict[tuple[str, str | None], int] = {}
    for group in groups:
        key = plain_matter(group["matter"]), group["cause"]
        cluster = found.setdefault(key, Cluster(group["matter"] or "", group["cause"], group["number"]))
        if group["count"] > largest.get(key, 0):
            largest[key], cluster.matter = group["count"], group["matter"] or ""
        cluster.number = max(cluster.number, group["number"])
        for name in ("count", "repeats", "open", "late"):
            setattr(cluster, name, getattr(cluster, name) + int(group[name]))
        if group["unit"]:
            unit = group["hall"], group["unit"]
            cluster.units[unit] = cluster.units.get(unit, 0) + int(group["count"])
    return list(found.values())


async def cluster_of(services: Services, viewer: Viewer, number: str, period: Period) -> ClusterCases:
    """Return the cases of the period that are of one cluster with a case. Raises `NotFound`."""
    now = await services.clock.now()
    async with services.database.read() as session:
        scope, case, cases = await cluster_condition(session, viewer, number, period)
        order = (col(Case.received_at).desc(), col(Case.id).desc())
        ids: Any = select(Case.id).where(cases).order_by(*order).limit(CASES + 1)
        rows = await read_rows(services, session, ids, order, now)
        places = await places_of(session, scope)
    return ClusterCases(case.matter or "", case.cause, rows[:CASES], len(rows) > CASES, places)


async def cluster_condition(
    session: AsyncSession, viewer: Viewer, number: str, period: Period
) -> tuple[Scope, Case, ColumnElement[bool]]:
    """Return the scope, the case that names a cluster, and the condition of its cases. Raises `NotFound`."""
    scope = await scope_of(session, viewer)
    case = await case_row(session, number)
    if case is None or not scope.covers(case):
        raise NotFound("case")
    cause = col(Case.cause)
    # As they are counted: by their facts.
    received = col(Case.id).in_(select(FACTS.c.case_id).where(period.received))
    alike = and_(scope.cases, received, cause.is_(None) if case.cause is None else cause == case.cause)
    matters = (await session.exec(select(Case.matter).where(alike).distinct())).all()
    same = [each for each in matters if plain_matter(each) == plain_matter(case.matter)]
    return scope, case, and_(alike, col(Case.matter).in_(same))
