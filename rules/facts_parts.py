"""Parts of a case's facts that stand in no state: who did what of it, and when, by its ledger."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from itertools import pairwise

from rules.calendar import Calendar
from rules.case.clock import reckon
from rules.case.context import Context
from rules.case.events import SYSTEM, Event
from rules.case.state import CaseState
from rules.holding import Holder, Stretch
from rules.policy import Policy

RESPONSES = frozenset({"inform", "reply", "revisit"})
REMINDER = "sign_late_1/"
_MINUTE = timedelta(minutes=1)
Held = Mapping[tuple[Holder, str | None], int]


@dataclass(frozen=True)
class Parts:
    """What one unit has to do with a case; the rest of a case cannot be divided among units."""

    dispatches: int = 0
    signed: int = 0
    signed_in_time: int = 0
    returns: int = 0
    refused_returns: int = 0
    orders: int = 0
    contact_minutes: int = 0
    deputy_leader_minutes: int = 0

    def __add__(self, other: "Parts") -> "Parts":
        """Add the parts of two units."""
        return Parts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


def held(spans: Sequence[Stretch], calendar: Calendar) -> Held:
    """Return the working minutes of each holder, and unit where one held it, until the last change.

    A stretch that still lasts is left out: nobody knows its end.
    """
    spent: dict[tuple[Holder, str | None], timedelta] = {}
    for each in spans:
        if each.end is not None:
            time = calendar.working_hours_between(each.start, each.end)
            spent[each.holder, each.unit] = spent.get((each.holder, each.unit), timedelta()) + time
    return {who: time // _MINUTE for who, time in spent.items()}


def parts_by_unit(events: Sequence[Event], states: Sequence[CaseState], minutes: Held) -> dict[str, Parts]:
    """Return what each unit had to do with a case: `states` are those after each of the events."""
    found: dict[str, Parts] = {}

    def add(unit: str | None, **values: int) -> None:
        if unit is not None and any(values.values()):
            found[unit] = found.get(unit, Parts()) + Parts(**values)

    reminded = False  # of the dispatch under way
    for event, before, after in zip(events[1:], states, states[1:], strict=False):
        reminded = reminded or any(key.startswith(REMINDER) for key in event.fired)
        reminded = reminded and after.dispatches == before.dispatches
        add(after.unit, dispatches=after.dispatches - before.dispatches)
        add(before.unit, returns=after.returns - before.returns)
        add(before.unit, refused_returns=after.refused_returns - before.refused_returns)
        add(after.unit, orders=len(after.orders) - len(before.orders))
        if event.type == "sign":
            add(before.unit, signed=1, signed_in_time=int(not reminded))
    for (holder, unit), spent in minutes.items():
        if holder in (Holder.CONTACT, Holder.DEPUTY_LEADER):
            add(unit, **{f"{holder}_minutes": spent})
    return found


def responded(
    events: Sequence[Event], states: Sequence[CaseState], policy: Policy, calendar: Calendar
) -> bool:
    """Whether the citizen heard something within the response limit of the first dispatch."""
    first = next((i for i, state in enumerate(states) if state.dispatches), None)
    if first is None:
        return False
    answers = (event.at for event in events[first + 1 :] if event.type in RESPONSES)
    at = next(answers, None)
    return at is not None and at <= calendar.add_working_days(events[first].at, policy.response)


def unextended_due(
    states: Sequence[CaseState], number: int, policy: Policy, calendar: Calendar
) -> datetime | None:
    """Return the due date of a round as it would stand had no extension been granted; None: none was.

    A due date that was set anew (another kind, a date of supervision's) has no extension in it.
    """
    granted = 0
    last: CaseState | None = None
    for before, after in pairwise(states):
        if after.round.round != number or after.due is None:
            continue
        last = after
        if after.extensions > before.extensions and before.due is not None:
            granted += after.due.days - before.due.days
        elif before.round.round == number and _set_anew(before, after):
            granted = 0
    if not granted or last is None or last.due is None:
        return None
    ctx = Context(last.received_at, SYSTEM, policy, calendar)
    return reckon(replace(last.due, days=last.due.days - granted), ctx)


def _set_anew(before: CaseState, after: CaseState) -> bool:
    """Whether a due date was reckoned from another start, or for another kind of case."""
    if before.due is None or after.due is None or before.due == after.due:
        return False
    return (before.due.start, before.due.on, before.kind) != (after.due.start, after.due.on, after.kind)
