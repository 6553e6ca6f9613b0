"""Who held a case for how many working hours: the heart of 督查问责.

Holders by status: contract.md, The case; working hours: domain.md, section 3. Source: S0 督查问责.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from rules.calendar import Calendar
from rules.case.events import Event, evolve
from rules.case.state import CaseState
from rules.case.vocabulary import Level, Status


class Holder(StrEnum):
    """In whose hands a case lies."""

    WINDOW = "window"
    CONTACT = "contact"
    DEPUTY_LEADER = "deputy_leader"
    SUPERVISION = "supervision"
    SUPERIOR = "superior"
    CITIZEN = "citizen"


HOLDERS = tuple(Holder)

_BY_LEVEL = {
    Level.CONTACT: Holder.CONTACT,
    Level.DEPUTY_LEADER: Holder.DEPUTY_LEADER,
    Level.SUPERVISION: Holder.SUPERVISION,
}
_BY_STATUS = {
    Status.LIMIT_PENDING: Holder.SUPERVISION,
    Status.REFERRED: Holder.SUPERIOR,
    Status.SUSPENDED: Holder.CITIZEN,
}
_WITH_UNIT = frozenset({Status.DISPATCHED, Status.HANDLING, Status.EXPLAINING})


@dataclass(frozen=True)
class Stretch:
    """One holder's time, [start, end); ``end`` is None while it lasts. ``unit`` is None for others."""

    holder: Holder
    unit: str | None
    start: datetime
    end: datetime | None


def holder_of(case: CaseState) -> tuple[Holder, str | None] | None:
    """Return who holds the case, and the unit where a unit's people do; None once it is closed."""
    if not case.is_open:
        return None
    if case.status in _WITH_UNIT:
        holder = _BY_LEVEL[case.level]
        return holder, None if holder is Holder.SUPERVISION else case.unit
    return _BY_STATUS.get(case.status, Holder.WINDOW), None


def stretches(events: Iterable[Event]) -> list[Stretch]:
    """Return the holding times of a case, in order, from its whole ledger.

    The first begins at T0, not at registration: until then the window held what it had received.
    """
    found: list[Stretch] = []
    state: CaseState | None = None
    for event in events:
        state = evolve(state, event)
        held = holder_of(state)
        last = found[-1] if found else None
        if last and last.end is None:
            if held == (last.holder, last.unit):
                continue
            found[-1] = Stretch(last.holder, last.unit, last.start, event.at)
        if held:
            found.append(Stretch(*held, event.at if found else state.received_at, None))
    return found


def working_hours(stretch: Stretch, calendar: Calendar, until: datetime) -> timedelta:
    """Return the working time of a stretch; one that still lasts is counted to `until`."""
    return calendar.working_hours_between(stretch.start, stretch.end or until)
