"""The calendar of a hall as the tables have it now, and the snapshots that cases are pinned to."""

from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any

from sqlalchemy import bindparam, or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.calendar_source import build_calendar
from models.directory import Hall
from models.messages import Terms, encode_policy
from models.statutory import YEARS
from models.terms import CalendarSnapshot, CalendarYear, PolicyVersion
from rules.calendar import OPENING_HOURS, Calendar, Hours, Notice

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

FIRST_YEAR, LAST_YEAR = 2004, max(YEARS)
"""The years for which some layer knows the working days."""

Notices = Mapping[int, Notice]
Loaded = tuple[dict[int, Notice], dict[int, Notice]]
_NOTICES = (
    select(CalendarYear)
    .where(or_(col(CalendarYear.hall).is_(None), col(CalendarYear.hall) == bindparam("hall")))
    .where(col(CalendarYear.year).in_(bindparam("years", expanding=True)))
    .order_by(col(CalendarYear.version))
)


def span(first: int, last: int | None = None) -> range:
    """Return the years that a calendar needs to reckon from `first` (to `last`): one before, three on.

    The longest limit is 400 working days; a swap of days may reach into the year before.
    """
    last = first if last is None else max(first, last)
    return range(max(first - 1, FIRST_YEAR), min(last + 3, LAST_YEAR) + 1)


async def loaded_notices(session: AsyncSession, hall: str | None, years: Iterable[int]) -> Loaded:
    """Return the newest national notices, and the hall's own days, of these years and the next one.

    (The notice of the next year may still move days of December.)
    """
    return await session.run_sync(_notices, hall, years)


def _notices(session: Session, hall: str | None, years: Iterable[int]) -> Loaded:
    wanted = {*years} | {year + 1 for year in years}
    national: dict[int, Notice] = {}
    own: dict[int, Notice] = {}
    for row in session.scalars(_NOTICES, {"hall": hall, "years": [*wanted]}):
        (national if row.hall is None else own)[row.year] = read_notice(row)
    return national, own


def read_notice(row: CalendarYear) -> Notice:
    """Return a stored notice, typed."""
    return Notice(_dates(row.off), _dates(row.work), row.source)


def hours_of(hall: Hall | None) -> Hours:
    """Return a hall's opening hours, the default where it has none of its own."""
    if hall is None or hall.hours is None:
        return OPENING_HOURS
    return tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in hall.hours)


async def read_calendar(session: AsyncSession, hall: Hall | None, years: Iterable[int]) -> Calendar:
    """Return the calendar of a hall (None: the national one) for these years as it stands now.

    Raises ValueError for years outside FIRST_YEAR to LAST_YEAR.
    """
    return await session.run_sync(calendar_in, hall, years)


def calendar_in(session: Session, hall: Hall | None, years: Iterable[int]) -> Calendar:
    """Do what `read_calendar` does, in a plain session: for `Database.look`."""
    years = [*years]
    national, own = _notices(session, hall.code if hall else None, years)
    return assembled(years, national, own, hours_of(hall))


def assembled(years: Iterable[int], national: Notices, own: Notices, hours: Hours) -> Calendar:
    """Return the calendar made of these notices; the same ones are put together once."""
    return _assembled(
        tuple(sorted(years)), tuple(sorted(national.items())), tuple(sorted(own.items())), hours
    )


@lru_cache(maxsize=256)
def _assembled(
    years: tuple[int, ...],
    national: tuple[tuple[int, Notice], ...],
    own: tuple[tuple[int, Notice], ...],
    hours: Hours,
) -> Calendar:
    return build_calendar(years, dict(national), dict(own), hours)


def terms_are_kept(session: Session, terms: Terms) -> bool:
    """Whether the policy version and the calendar stand in their tables."""
    policy = session.get(PolicyVersion, (terms.policy.id, terms.policy.version))
    calendar = session.get(CalendarSnapshot, str(terms.calendar["version"]))
    return policy is not None and calendar is not None


async def keep_terms(session: AsyncSession, terms: Terms) -> None:
    """Store the policy version and the calendar, inside a write transaction, unless they are there.

    Two writers may come at once: the second one's rows are dropped, they are the same.
    """
    policy, calendar = terms.policy, terms.calendar
    insert = _INSERT[session.get_bind().dialect.name]
    rows: tuple[tuple[type[PolicyVersion | CalendarSnapshot], dict[str, object]], ...] = (
        (PolicyVersion, {"id": policy.id, "version": policy.version, "values": encode_policy(policy)}),
        (CalendarSnapshot, {"version": calendar["version"], "values": calendar}),
    )
    for table, values in rows:
        await session.exec(insert(table).values(**values).on_conflict_do_nothing())


def _dates(texts: Iterable[str]) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, texts))
