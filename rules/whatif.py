"""What-if: the recorded commands of a case, decided again under another policy or calendar.

People's commands keep their instants and their values; alarms of the past are left out and arise
anew. What people would have done differently nobody knows: the replay takes their acts as given
(docs/adr/0026). Under its own terms a case comes out as it was recorded.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime

from rules.calendar import Calendar
from rules.case.alarms import REMINDERS, Alarm, next_alarm
from rules.case.commands import AnswerOrder, Command, OrderCommand, Register
from rules.case.decide import decide
from rules.case.errors import Forbidden, Illegal, Refusal
from rules.case.events import SYSTEM, Actor, Event, evolve
from rules.case.notices import material
from rules.case.state import CaseState, Order, PolicyRef
from rules.facts import verdict
from rules.policy import Policy

MOST_ALARMS = 1_000
"""No case fires more: a guard against a policy whose alarms never end."""

ONLY_REMIND = REMINDERS | {"sign_late_1"}

Outage = tuple[datetime, datetime]
"""Half-open: what came due in it fired at its end."""


@dataclass(frozen=True)
class Step:
    """A command of the past and the terms it is decided under; alarms after it arise under them.

    ``order`` is the id that a supervision order had, where the command gave one.
    """

    at: datetime
    actor: Actor
    command: Command
    policy: Policy
    calendar: Calendar
    order: str | None = None


@dataclass(frozen=True)
class NotApplicable:
    """A recorded command that the other terms refuse, and the name of the rule."""

    command: str
    at: datetime
    rule: str


@dataclass(frozen=True)
class Replayed:
    """A case as it would be: its events and the state they make, the commands left out."""

    state: CaseState
    events: tuple[Event, ...]
    not_applicable: tuple[NotApplicable, ...]


def outages_of(instants: Iterable[tuple[datetime, datetime | None]]) -> tuple[Outage, ...]:
    """Return when alarms had to wait, from each event's instant and, of an alarm's, its due instant.

    An alarm that was due before the event in front of it was armed by that event and did not wait.
    """
    found: list[Outage] = []
    before: datetime | None = None
    for at, due in instants:
        if before is not None and due is not None and max(due, before) < at:
            found.append((max(due, before), at))
        before = at
    return tuple(found)


def replay(
    steps: Sequence[Step], outages: Sequence[Outage], orders: Sequence[Order], until: datetime
) -> Replayed:
    """Decide the steps of one case again; the first one registers it. Alarms arise up to `until`.

    ``orders`` are the case's orders as recorded: an answer finds its order by them, however many
    others the new terms give. Raises ValueError where alarms never end.
    """
    again = _Replay(steps[0], outages, orders)
    for step in steps[1:]:
        again.fire_until(step.at)
        again.give(step)
    again.fire_until(until)
    return Replayed(again.state, tuple(again.events), tuple(again.refused))


class _Replay:
    """One case on its way through its past."""

    def __init__(self, first: Step, outages: Sequence[Outage], orders: Sequence[Order]) -> None:
        command = first.command
        if not isinstance(command, Register):
            raise ValueError("the first step of a case registers it")
        self._policy, self._calendar, self._now = first.policy, first.calendar, first.at
        pinned = PolicyRef(first.policy.id, first.policy.version)
        command = replace(command, policy=pinned, calendar=first.calendar.version)
        (event,) = decide(None, command, first.at, first.actor, self._policy, self._calendar)
        self.state = evolve(None, event)
        self.events = [event]
        self._alarms = 0
        self.refused: list[NotApplicable] = []
        self._outages, self._recorded = outages, orders
        self._begins = [start for start, _ in outages]
        self._ids: dict[str, str] = {}

    def fire_until(self, end: datetime) -> None:
        """Fire what comes due up to and including `end`, each at its instant."""
        while (alarm := next_alarm(self.state, self._policy, self._calendar)) is not None:
            at = self._reached(max(alarm.at, self._now))
            if at > end:
                return
            if self._alarms >= MOST_ALARMS:
                raise ValueError(f"more than {MOST_ALARMS} alarms in case {self.state.number}")
            self._now = at
            self._decide(alarm, SYSTEM)
            self._alarms += 1

    def give(self, step: Step) -> None:
        """Decide a recorded command; where it is refused the case goes on without it."""
        self._now, self._policy, self._calendar = step.at, step.policy, step.calendar
        command = step.command
        if isinstance(command, AnswerOrder):
            command = replace(command, order=self._id_now(command.order))
        try:
            self._decide(command, step.actor)
        except Refusal as refusal:
            self.refused.append(NotApplicable(command.name, step.at, _rule(refusal)))
            return
        if isinstance(command, OrderCommand) and step.order is not None:
            self._ids[step.order] = self.state.orders[-1].id

    def _decide(self, command: Command | Alarm, actor: Actor) -> None:
        for event in decide(self.state, command, self._now, actor, self._policy, self._calendar):
            self.state = evolve(self.state, event)
            self.events.append(event)

    def _reached(self, at: datetime) -> datetime:
        """Return when an alarm due at this instant fires: an outage of the past holds it up, too."""
        index = bisect_right(self._begins, at) - 1
        return max(at, self._outages[index][1]) if index >= 0 else at

    def _id_now(self, recorded: str) -> str:
        """Return the id that an order of the past has here; the ladder's go by their turn."""
        ladder = [order.id for order in self._recorded if order.ladder is not None]
        if recorded not in ladder:
            return self._ids.get(recorded, "")
        given = [order.id for order in self.state.orders if order.ladder is not None]
        turn = ladder.index(recorded)
        return given[turn] if turn < len(given) else ""


def _rule(refusal: Refusal) -> str:
    if isinstance(refusal, Illegal):
        return refusal.rule
    return "role" if isinstance(refusal, Forbidden) else "values"


@dataclass(frozen=True)
class Tally:
    """Counts over cases. ``handled``, ``on_time``, ``excused``, ``escalated``: as the figures count them.

    ``alarms`` counts every alarm that fired, ``reminders`` those that only remind, ``orders``
    supervision orders, the ladder's and people's, ``drafts`` the drafts of a 通报批评 on every ground
    that the machine finds.
    """

    cases: int = 0
    handled: int = 0
    on_time: int = 0
    excused: int = 0
    escalated: int = 0
    alarms: int = 0
    reminders: int = 0
    orders: int = 0
    drafts: int = 0
    not_applicable: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        """Return both together."""
        return Tally(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    @property
    def on_time_rate(self) -> float | None:
        """On time among the handled, 0 to 1; None where none was handled."""
        return self.on_time / self.handled if self.handled else None


def tally(events: Iterable[Event], at: datetime, not_applicable: int = 0) -> Tally:
    """Count one case as it stood at `at`, from its whole ledger. Raises ValueError for an empty one."""
    state: CaseState | None = None
    escalated, drafts = False, 0
    alarms: list[str] = []
    for event in events:
        before, state = state, evolve(state, event)
        escalated = escalated or state.escalated
        drafts += sum(1 for _ in material(before, state, event))
        if event.fired:
            alarms.append(event.type)
    if state is None:
        raise ValueError("a case without events")
    judged = verdict(state, escalated, at)
    return Tally(
        cases=1,
        handled=judged.handled,
        on_time=judged.on_time,
        excused=judged.excused,
        escalated=judged.escalated,
        alarms=len(alarms),
        reminders=sum(name in ONLY_REMIND for name in alarms),
        orders=len(state.orders),
        drafts=drafts,
        not_applicable=not_applicable,
    )
