"""What lies on the counter beside the form: the hall, and what a citizen can be promised there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from casework.calendars import hall_of
from casework.finding import Found
from casework.services import Services
from models.directory import Unit
from models.hall_calendar import read_calendar, span
from rules.calendar import Calendar, local
from rules.case.clock import limit_of
from rules.case.context import Context
from rules.case.events import SYSTEM
from rules.case.vocabulary import Kind
from rules.policy import Policy

WITH_LIMIT = (Kind.SIMPLE, Kind.COMMITMENT, Kind.COMPLEX)


@dataclass(frozen=True)
class Promise:
    """When a case of a kind would be due. `guarding`: only until supervision has set a date."""

    kind: Kind
    working_days: int
    due_at: datetime
    provisional: bool
    guarding: bool


@dataclass(frozen=True)
class Desk:
    """A hall's counter: its name, its units by code, and the promises for a filing of `at`."""

    hall: str
    at: datetime
    promises: Sequence[Promise]
    units: Sequence[tuple[str, str]]


async def desk_of(services: Services, hall: str, at: datetime | None = None) -> Desk:
    """Return a hall's desk for a filing received at `at` (aware; now if None). Raises `NotFound`."""
    at = at or await services.clock.now()
    async with services.database.read() as session:
        place = await hall_of(session, hall)
        calendar = await read_calendar(session, place, span(local(at).year))
        wanted = select(Unit.code, Unit.name).where(Unit.hall == hall).order_by(col(Unit.code))
        units = [(code, name) for code, name in (await session.exec(wanted)).all()]
    return Desk(place.name, at, promises(services.policies[place.policy_id], calendar, at), units)


def promises(policy: Policy, calendar: Calendar, at: datetime) -> list[Promise]:
    """Return the due date of each kind that has one, for a filing received at `at` (T0)."""
    made = []
    for kind in WITH_LIMIT:
        days = limit_of(kind, Context(at, SYSTEM, policy, calendar))
        due_at = calendar.add_working_days(at, days, policy.after_hours)
        provisional = calendar.is_provisional(at, due_at)
        made.append(Promise(kind, days, due_at, provisional, kind is Kind.COMPLEX))
    return made


def promises_for(found: Found) -> list[Promise]:
    """Return the same for a case, by the terms that it was accepted under."""
    return promises(found.pinned.policy, found.pinned.calendar, found.state.received_at)
