"""A year as people look at it: every day of it with its kind, and which notices stood for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import col, select

from casework.calendars import hall_of, year_of
from casework.errors import NotFound
from casework.services import Services
from models.calendar_source import notice_in_force
from models.hall_calendar import FIRST_YEAR, LAST_YEAR, assembled, hours_of, loaded_notices
from models.terms import CalendarYear
from rules.calendar import Calendar, Notice

SATURDAY = 5
WORK, WEEKEND, OFF, SWAP, OWN_OFF, OWN_WORK = "work", "weekend", "off", "swap", "own_off", "own_work"


@dataclass(frozen=True)
class Day:
    """A day; its kind is work, weekend, off, swap (a weekend day worked), own_off or own_work."""

    on: date
    kind: str


@dataclass(frozen=True)
class YearView:
    """A year of the country, or of a hall with its own days. `months` are weeks, None pads them."""

    year: int
    hall: str | None
    hall_name: str | None
    notice: Notice
    own: Notice | None
    provisional: bool
    months: Sequence[Sequence[Sequence[Day | None]]]
    versions: Sequence[CalendarYear]


async def view_year(services: Services, year: int, hall: str | None = None) -> YearView:
    """Return a year. Raises `NotFound` for a hall that is none and a year that no calendar reaches."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise NotFound("year")
    async with services.database.read() as session:
        place = await hall_of(session, hall) if hall is not None else None
        national, own = await loaded_notices(session, hall, [year])
        wanted = select(CalendarYear).where(CalendarYear.year == year, CalendarYear.hall == hall)
        versions = (await session.exec(wanted.order_by(col(CalendarYear.version).desc()))).all()
    country = assembled([year], national, {}, hours_of(None))
    calendar = assembled([year], national, own, hours_of(place)) if place else country
    notice, published = notice_in_force(year, national)
    return YearView(
        year=year,
        hall=hall,
        hall_name=place.name if place else None,
        notice=notice,
        own=own.get(year) if hall is not None else None,
        provisional=not published,
        months=[_month(calendar, country, year, month) for month in range(1, 13)],
        versions=versions,
    )


async def notice_to_edit(services: Services, year: int, hall: str | None) -> Notice:
    """Return what a form for this year begins with: what stands, or nothing for a provisional year."""
    found = await year_of(services, year, hall)
    if hall is None and found.provisional:
        return Notice(frozenset(), frozenset(), "")
    return found.notice


def _month(calendar: Calendar, country: Calendar, year: int, month: int) -> list[list[Day | None]]:
    first = date(year, month, 1)
    days: list[Day | None] = [None] * first.weekday()
    on = first
    while on.month == month:
        days.append(Day(on, _kind(calendar, country, on)))
        on += timedelta(1)
    days += [None] * (-len(days) % 7)
    return [days[i : i + 7] for i in range(0, len(days), 7)]


def _kind(calendar: Calendar, country: Calendar, on: date) -> str:
    works, as_country = calendar.is_working_day(on), country.is_working_day(on)
    if works != as_country:
        return OWN_WORK if works else OWN_OFF
    weekend = on.weekday() >= SATURDAY
    if works:
        return SWAP if weekend else WORK
    return WEEKEND if weekend else OFF
