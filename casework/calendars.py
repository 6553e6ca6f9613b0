"""Calendars as people use them: the terms of a new case, due times, and the notice of a year."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import BadInput, NotFound
from casework.services import Services
from casework.texts import is_code
from models.calendar_source import notice_in_force
from models.database import Database
from models.directory import Hall
from models.hall_calendar import (
    FIRST_YEAR,
    LAST_YEAR,
    calendar_in,
    keep_terms,
    loaded_notices,
    read_calendar,
    span,
    terms_are_kept,
)
from models.messages import Terms
from rules.calendar import Calendar, Notice, local


class Reckoned(NamedTuple):
    """When a limit ends, whether a notice is still missing for that, and in which calendar."""

    due_at: datetime
    provisional: bool
    calendar_version: str


@dataclass(frozen=True)
class Year:
    """The days of one year that are not as the week says. `hall` None: of the whole country."""

    year: int
    hall: str | None
    notice: Notice
    provisional: bool
    version: str


async def terms_for(services: Services, hall: str, at: datetime) -> Terms:
    """Return what a case of this hall, received at `at`, is pinned to; it is stored if it is new.

    The calendar reaches from the year before to three years after. Raises `NotFound` for a hall
    that is none, DatabaseUnavailable.
    """

    def read(session: Session) -> tuple[Calendar, Terms, bool]:
        place = session.get(Hall, hall) if is_code(hall) else None
        if place is None:
            raise NotFound("hall")
        calendar = calendar_in(session, place, span(local(at).year))
        terms = Terms.of(services.policies[place.policy_id], calendar)
        kept = services.pinned.knows(terms.policy, calendar) or terms_are_kept(session, terms)
        return calendar, terms, kept

    calendar, terms, kept = await services.database.look(read)
    if not kept:
        await store_terms(services.database, terms)
    services.pinned.remember(terms.policy, calendar)
    return terms


async def store_terms(database: Database, terms: Terms) -> None:
    """Store a policy version and a calendar in a transaction of their own."""
    async with database.begin() as session:
        await keep_terms(session, terms)


async def hall_of(session: AsyncSession, code: str) -> Hall:
    """Return a hall by its code. Raises `NotFound`."""
    hall = await session.get(Hall, code) if is_code(code) else None
    if hall is None:
        raise NotFound("hall")
    return hall


async def reckon(
    services: Services,
    hall: str,
    start: datetime,
    *,
    working_days: int | None = None,
    working_hours: timedelta | None = None,
) -> Reckoned:
    """Return when a limit that starts at `start` (aware) ends in a hall, under its policy.

    One of the two amounts is given. Raises `BadInput` for another hall than there is, and for a
    year that no calendar reaches.
    """
    faults = {}
    # Three years on, for the longest limit there is; whatever the zone, local() can take these.
    if not FIRST_YEAR < start.year <= LAST_YEAR - 3:
        faults["start"] = "out_of_range"
    async with services.database.read() as session:
        place = await session.get(Hall, hall) if is_code(hall) else None
        if place is None:
            faults["hall"] = "unknown_hall"
        if place is None or faults:
            raise BadInput(faults)
        calendar = await read_calendar(session, place, span(local(start).year))
    if working_hours is not None:
        due_at = calendar.add_working_hours(start, working_hours)
    else:
        policy = services.policies[place.policy_id]
        due_at = calendar.add_working_days(start, working_days or 0, policy.after_hours)
    return Reckoned(due_at, calendar.is_provisional(start, due_at), calendar.version)


async def year_of(services: Services, year: int, hall: str | None = None) -> Year:
    """Return the national notice that counts for a year, or a hall's own days of it.

    Raises `NotFound` for another hall than there is, and for a year that no calendar reaches.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound("year")
    now = await services.clock.now()
    async with services.database.read() as session:
        place = await hall_of(session, hall) if hall is not None else None
        national, own = await loaded_notices(session, hall, [year])
        calendar = await current_calendar(session, place, now, year)
    notice, published = notice_in_force(year, national)
    if hall is not None:
        notice = own.get(year, Notice(frozenset(), frozenset(), ""))
    return Year(year, hall, notice, not published, calendar.version)


async def current_calendar(session: AsyncSession, hall: Hall | None, now: datetime, year: int) -> Calendar:
    """Return the calendar that cases of today reckon by, the given year included.

    For a year near enough its version is the one that `reckon` names for a start of today.
    """
    return await read_calendar(session, hall, {*span(local(now).year), year})


async def check_hall(services: Services, code: str) -> None:
    """Raise `NotFound` for a hall that is none."""
    async with services.database.read() as session:
        await hall_of(session, code)
