"""Clusters of cases by matter and cause over a period: bottlenecks (办事瓶颈) and repeats. Source: S0.

They are counted over `case_facts`, whose rows are narrow and know a matter by a number; the wide rows of
cases are read for what is shown. Open and late cases have indexes of their own. Cases are those that the
figures count as registered, repeats those that they count as repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import NotFound
from casework.facts_filling import fill_facts
from casework.figure_rows import Period
from casework.finding import case_row
from casework.places import Places, places_of
from casework.rows import Row, read_rows
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.facts import CASE_FACTS
from rules.repeats import matter_key

MOST = 50  # clusters on the page
EXPORTED = 5_000  # clusters in a sheet
PER_PAGE = 50  # cases of one cluster
SMALLEST = 2

# Word for word the condition of the partial index: a bound value would hide it from a planner.
_LATE: Any = text("cases.light = 'red'")
_F = CASE_FACTS.c
Key = tuple[int, str | None]
"""The matter's number and the cause."""


@dataclass
class Cluster:
    """Cases of one matter and cause; ``units`` counts them by hall and unit, ``number`` names one of them.

    It is called as its newest case calls the matter.
    """

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
    """A page of the cases of one cluster, newest first; `more`: there is another page."""

    matter: str
    cause: str | None
    rows: Sequence[Row]
    page: int
    more: bool
    places: Places


def _within(scope: Scope, period: Period) -> ColumnElement[bool]:
    """Return the condition on `case_facts`: what the viewer oversees, as the figures count it."""
    of_halls = [_F.hall.in_(sorted(scope.halls))] if scope.halls is not None else []
    return and_(period.received, *of_halls)


def _cases(period: Period) -> ColumnElement[bool]:
    """Return the condition on `Case`, for the indexes that know when a case was received."""
    return and_(col(Case.received_at) >= period.start, col(Case.received_at) < period.end)


async def clusters(services: Services, viewer: Viewer, period: Period, most: int = MOST) -> Clusters:
    """Return the clusters of at least two cases, the largest first, up to `most`."""
    await fill_facts(services)
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        within = _within(scope, period)
        sums: Any = select(func.count(), func.coalesce(func.sum(_F.repeated), 0)).where(within)
        count, repeats = (await session.exec(sums)).one()
        found, newest = await _largest(session, within, most)
        # Not by the index of matters, which would read their cases of all years.
        of_found = and_(within, (_F.matter_key + 0).in_({key for key, _ in found}))
        await _add_units(session, of_found, found)
        for name, condition in (("open", col(Case.open)), ("late", _LATE)):
            of_cases = and_(within, scope.cases, _cases(period), condition)
            for key, number in await _counted(session, of_cases, found):
                setattr(found[key], name, number)
        await _name(session, found, newest)
        places = await places_of(session, scope)
    return Clusters(list(found.values()), count, repeats, places)


async def _largest(
    session: AsyncSession, within: ColumnElement[bool], most: int
) -> tuple[dict[Key, Cluster], dict[Key, str]]:
    """Return the largest clusters, not named yet, and the id of the newest case of each."""
    count, repeats = func.count(), func.sum(_F.repeated)
    # Ids grow with time.
    columns: tuple[Any, ...] = (_F.matter_key, _F.cause, count, repeats, func.max(_F.case_id))
    grouped: Any = select(*columns).where(within, _F.matter_key.is_not(None)).group_by(*columns[:2])
    order = (count.desc(), repeats.desc(), _F.matter_key, _F.cause)
    rows = (await session.exec(grouped.having(count >= SMALLEST).order_by(*order).limit(most))).all()
    found = {
        (key, cause): Cluster("", cause, "", count=number, repeats=again)
        for key, cause, number, again, _ in rows
    }
    return found, {(row[0], row[1]): row[4] for row in rows}


async def _add_units(
    session: AsyncSession, of_found: ColumnElement[bool], found: Mapping[Key, Cluster]
) -> None:
    by: tuple[Any, ...] = (_F.matter_key, _F.cause, _F.hall, _F.unit)
    columns: tuple[Any, ...] = (*by, func.count())
    counted: Any = select(*columns).where(of_found, _F.unit.is_not(None)).group_by(*by)
    for key, cause, hall, unit, number in await session.exec(counted.order_by(_F.hall, _F.unit)):
        if (key, cause) in found:
            found[key, cause].units[hall, unit] = number


async def _counted(
    session: AsyncSession, cases: ColumnElement[bool], found: Mapping[Key, Cluster]
) -> list[tuple[Key, int]]:
    """Count cases by cluster."""
    by: tuple[Any, ...] = (_F.matter_key, _F.cause)
    columns: tuple[Any, ...] = (*by, func.count())
    counted: Any = select(*columns).select_from(Case).join(CASE_FACTS, _F.case_id == col(Case.id))
    rows = await session.exec(counted.where(cases).group_by(*by))
    return [((row[0], row[1]), row[2]) for row in rows if (row[0], row[1]) in found]


async def _name(session: AsyncSession, found: Mapping[Key, Cluster], newest: Mapping[Key, str]) -> None:
    wanted = select(Case.id, Case.number, Case.matter).where(col(Case.id).in_(newest.values()))
    names = {id: (number, matter) for id, number, matter in (await session.exec(wanted)).all()}
    for key, cluster in found.items():
        number, matter = names.get(newest[key], (None, None))
        cluster.number, cluster.matter = number or newest[key], matter or ""


async def cluster_of(
    services: Services, viewer: Viewer, number: str, period: Period, page: int = 1
) -> ClusterCases:
    """Return cases of the period that are of one cluster with a case. Raises `NotFound`."""
    await fill_facts(services)
    now = await services.clock.now()
    async with services.database.read() as session:
        scope, case, same = await _of_cluster(session, viewer, number, period)
        newest = select(_F.case_id.label("id")).where(same).order_by(_F.received_at.desc(), _F.case_id.desc())
        ids: Any = newest.offset((page - 1) * PER_PAGE).limit(PER_PAGE + 1)
        order = (col(Case.received_at).desc(), col(Case.id).desc())
        rows = await read_rows(services, session, ids, order, now)
        places = await places_of(session, scope)
    return ClusterCases(case.matter or "", case.cause, rows[:PER_PAGE], page, len(rows) > PER_PAGE, places)


async def cluster_condition(
    session: AsyncSession, viewer: Viewer, number: str, period: Period
) -> tuple[Scope, Case, ColumnElement[bool]]:
    """Return the scope, the case that names a cluster, and the condition of its cases. Raises `NotFound`."""
    scope, case, same = await _of_cluster(session, viewer, number, period)
    return scope, case, and_(scope.cases, col(Case.id).in_(select(_F.case_id).where(same)))


async def _of_cluster(
    session: AsyncSession, viewer: Viewer, number: str, period: Period
) -> tuple[Scope, Case, ColumnElement[bool]]:
    """Return the same, with the condition on `case_facts`."""
    scope = await scope_of(session, viewer)
    case = await case_row(session, number)
    if case is None or not scope.covers(case):
        raise NotFound("case")
    same = _F.matter_key.is_not_distinct_from(matter_key(case.matter))
    return scope, case, and_(_within(scope, period), same, _F.cause.is_not_distinct_from(case.cause))
