"""A holiday notice before it is in force: what it must hold, and the calendar that it would make."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from casework.calendars import hall_of
from casework.errors import BadInput
from casework.services import Services
from casework.texts import text_fault
from models.calendar_source import stray_days
from models.directory import Hall
from models.hall_calendar import FIRST_YEAR, LAST_YEAR, assembled, hours_of, loaded_notices
from rules.calendar import Calendar, Notice

SOURCE = 2000  # characters
SATURDAY = 5


@dataclass(frozen=True)
class Draft:
    """A notice as somebody wants to load it; `hall` None means for the whole country."""

    year: int
    hall: str | None
    off: frozenset[date]
    work: frozenset[date]
    source: str

    @property
    def notice(self) -> Notice:
        """Return it as a notice. Raises ValueError where a date is both off and worked."""
        return Notice(self.off, self.work, self.source)


async def check(services: Services, draft: Draft) -> None:
    """Raise `BadInput` with every fault of a draft, `NotFound` for another hall than there is."""
    async with services.database.read() as session:
        hall = await hall_of(session, draft.hall) if draft.hall is not None else None
        faults = _faults(draft)
        if not faults and not await _leaves_working_days(session, hall, draft):
            faults = {"off": "no_working_day_left"}
    if faults:
        raise BadInput(faults)


def _faults(draft: Draft) -> dict[str, str]:
    faults: dict[str, str] = {}
    if fault := text_fault(draft.source, SOURCE):
        faults["source"] = fault
    if not FIRST_YEAR <= draft.year <= LAST_YEAR:
        faults["year"] = "year_out_of_range"
    # A hall may well work on a day that is free everywhere else; the country swaps weekends only.
    if draft.hall is None and any(day.weekday() < SATURDAY for day in draft.work):
        faults["work"] = "not_a_weekend"
    if draft.off & draft.work:
        faults |= {"off": "off_and_work", "work": "off_and_work"}
    nothing: frozenset[date] = frozenset()
    for field, alone in (("off", Notice(draft.off, nothing, "")), ("work", Notice(nothing, draft.work, ""))):
        if stray_days(draft.year, alone):
            faults[field] = "not_this_year"
    return faults


async def _leaves_working_days(session: AsyncSession, hall: Hall | None, draft: Draft) -> bool:
    calendar = await calendar_with(session, hall, [draft.year], draft)
    first = date(draft.year, 1, 1)
    days = (date(draft.year + 1, 1, 1) - first).days
    return any(calendar.is_working_day(first + timedelta(offset)) for offset in range(days))


async def calendar_with(
    session: AsyncSession, hall: Hall | None, years: Iterable[int], draft: Draft
) -> Calendar:
    """Return the calendar of a hall as it would be with the draft in force."""
    years = [*years]
    national, own = await loaded_notices(session, hall.code if hall else None, years)
    changed = {draft.year: draft.notice}
    if draft.hall is None:
        national |= changed
    else:
        own |= changed
    return assembled(years, national, own, hours_of(hall))
