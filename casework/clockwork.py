"""The arithmetic of a case's clock, for people: day 0, the days counted, the days off, every move.

Nothing is decided here: the due date is the one of the ledger, and this shows how it comes about in
the calendar that the case is pinned to, not in today's. Source: domain.md, section 3.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.calendar import Calendar, local
from rules.case.events import Event, evolve
from rules.case.state import CaseState
from rules.case.vocabulary import Status
from rules.policy import Policy

EACH_DAY = 31  # so many days are shown one by one; a longer limit in stretches
_DAY = timedelta(days=1)


class What(StrEnum):
    """What a date is to the count."""

    START = "start"
    """Day 0."""
    COUNTED = "counted"
    MAKE_UP = "make_up"
    """A weekend day that is worked (调休), and counted."""
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    """Off by a notice, national or of the hall."""
    PAUSED = "paused"
    """A working day on which the clock stood still (暂停)."""


COUNTS = frozenset({What.COUNTED, What.MAKE_UP})


@dataclass(frozen=True)
class Days:
    """A date, or several in a row of the same sort; numbers are those of the count, if counted."""

    first: date
    last: date
    what: What
    from_number: int | None = None
    to_number: int | None = None


@dataclass(frozen=True)
class Pause:
    """The clock stood still in (start, end], ``days`` working days; ``end`` None: it still does."""

    start: datetime
    end: datetime | None
    days: int


@dataclass(frozen=True)
class Move:
    """A due date that was set or moved, by which event; ``days`` working days, negative backwards."""

    seq: int
    type: str
    at: datetime
    round: int
    previous: datetime | None
    due: datetime
    days: int
    reason: str | None


@dataclass(frozen=True)
class Clockwork:
    """How the due date of the round under way comes about.

    ``start`` is the instant that day 0 belongs to; ``set_on`` the date that a person set instead of a
    limit. ``limit`` counts the working days from day 0 to the due date, pauses left out.
    """

    start: datetime
    declared: bool
    set_on: date | None
    due_at: datetime
    provisional: bool
    limit: int
    days: tuple[Days, ...]
    pauses: tuple[Pause, ...]
    moves: tuple[Move, ...]
    calendar: str


def clockwork(events: Sequence[Event], policy: Policy, calendar: Calendar) -> Clockwork | None:
    """Return the arithmetic of a case from its whole ledger; None while no clock runs.

    ``policy`` and ``calendar`` are those that the case is pinned to.
    """
    states = list(_states(events))
    now = states[-1]
    if now.due is None or now.due_at is None:
        return None
    start = now.due.start or now.round.started_at
    zero = local(calendar.add_working_days(start, 0, policy.after_hours)).date()
    pauses = _pauses(events, states)
    stopped = _stopped(pauses, calendar)
    each = list(_each_day(zero, local(now.due_at).date(), calendar, stopped))
    numbers = [day.to_number for day in each if day.to_number]
    return Clockwork(
        start=start,
        declared=start != now.round.started_at,
        set_on=now.due.on,
        due_at=now.due_at,
        provisional=now.due_provisional,
        limit=max(numbers, default=0),
        days=tuple(each if len(each) <= EACH_DAY else _joined(each)),
        pauses=tuple(pauses),
        moves=tuple(_moves(events, states, calendar)),
        calendar=calendar.version,
    )


def _states(events: Sequence[Event]) -> Iterator[CaseState]:
    state: CaseState | None = None
    for event in events:
        state = evolve(state, event)
        yield state


def _each_day(zero: date, last: date, calendar: Calendar, stopped: frozenset[date]) -> Iterator[Days]:
    yield Days(zero, zero, What.START)
    number, day = 0, zero
    while day < last:
        day += _DAY
        what = _what(day, calendar, stopped)
        number += what in COUNTS
        counted = number if what in COUNTS else None
        yield Days(day, day, what, counted, counted)


def _what(day: date, calendar: Calendar, stopped: frozenset[date]) -> What:
    if calendar.is_working_day(day):
        if day in stopped:
            return What.PAUSED
        return What.MAKE_UP if day in calendar.work else What.COUNTED
    return What.HOLIDAY if day in calendar.off else What.WEEKEND


def _joined(each: Sequence[Days]) -> list[Days]:
    """Return stretches of days of one sort, working weeks whole."""
    joined: list[Days] = []
    for day in each:
        last = joined[-1] if joined else None
        if last and last.what is day.what and last.last + _DAY == day.first:
            joined[-1] = Days(last.first, day.last, day.what, last.from_number, day.to_number)
        else:
            joined.append(day)
    return joined


def _pauses(events: Sequence[Event], states: Sequence[CaseState]) -> list[Pause]:
    """Return the pauses of the round under way."""
    found: list[Pause] = []
    begun: datetime | None = None
    days = 0  # added by pauses so far
    for event, state in zip(events, states, strict=True):
        paused = state.status is Status.SUSPENDED
        if paused and begun is None:
            begun = event.at
        elif not paused and begun is not None:
            if state.round.round == states[-1].round.round:
                found.append(Pause(begun, event.at, state.suspended_days - days))
            begun = None
        days = state.suspended_days
    return [*found, Pause(begun, None, 0)] if begun else found


def _stopped(pauses: Sequence[Pause], calendar: Calendar) -> frozenset[date]:
    """Return the working days on which the clock stood still."""
    stopped: set[date] = set()
    for pause in pauses:
        day = local(pause.start).date()
        for _ in range(pause.days):
            day = calendar.next_working_day(day)
            stopped.add(day)
    return frozenset(stopped)


def _moves(events: Sequence[Event], states: Sequence[CaseState], calendar: Calendar) -> Iterator[Move]:
    asked: str | None = None  # an extension is granted for the reason that it was asked for
    before: CaseState | None = None
    for seq, (event, after) in enumerate(zip(events, states, strict=True), 1):
        if event.type == "request_extension":
            asked = event.texts.get("reason")
        previous = before.due_at if before else None
        # A new round's due date is a new one, even where it falls on the old one.
        if after.due_at is not None and (before is None or after.due_epoch != before.due_epoch):
            reason = event.texts.get("reason") or (asked if event.type == "decide_extension" else None)
            days = _between(previous, after.due_at, calendar)
            number = after.round.round
            yield Move(seq, event.type, event.at, number, previous, after.due_at, days, reason)
        before = after


def _between(previous: datetime | None, due: datetime, calendar: Calendar) -> int:
    if previous is None:
        return 0
    forwards = calendar.working_days_between(previous, due)
    return forwards or -calendar.working_days_between(due, previous)
