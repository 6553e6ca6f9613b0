"""What the figures count of one case, taken from its ledger: the only place where a case is judged.

Every figure of domain.md, section 9, is a sum over cases of the fields below, or a ratio of two such
sums (rules/figures.py). So they are written beside the case as its events are (activities/facts.py),
and a year is one addition over narrow rows. Working time is counted in whole minutes, seconds dropped.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from rules.calendar import Calendar, local
from rules.case.clock import is_late
from rules.case.events import Event, evolve
from rules.case.state import CaseState, Round
from rules.case.vocabulary import Kind, Light, Outcome, Status
from rules.counts import Counts
from rules.facts_parts import Held, Parts, held, parts_by_unit, responded, unextended_due
from rules.holding import HOLDERS, Stretch, stretches
from rules.policy import Policy

HANDLED = frozenset({Kind.SIMPLE, Kind.COMMITMENT, Kind.COMPLEX})
"""The kinds of N."""
SATISFIED = 3  # ratings from here on are satisfied ones
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Running:
    """Who holds an open case since when: that stretch is no part of the minutes yet."""

    holder: str
    unit: str | None
    since: datetime
    calendar: str


@dataclass(frozen=True)
class CaseFacts:
    """A case as the figures see it.

    ``counts_at`` is the instant that puts it into a period: the earlier of the effective due time and
    the accepted reply, of the round that is judged; None while it is in no N (a stopped clock, a
    consultation, a merged case). ``counts_on`` and ``received_on`` are dates of Shanghai. ``apart``:
    complex or referred upward, shown apart where time is averaged. ``elsewhere`` holds what belongs to
    units that had the case before the present one; it is part of ``counts`` as well.
    """

    case_id: str
    hall: str
    unit: str | None
    kind: Kind | None
    cause: str | None
    received_at: datetime
    received_on: date
    consulted: int = 0
    out_of_scope: int = 0
    merged: int = 0
    apart: bool = False
    counts_at: datetime | None = None
    counts_on: date | None = None
    counts: Counts = field(default_factory=Counts)
    elsewhere: Mapping[str, Parts] = field(default_factory=dict)
    running: Running | None = None


def outline(case: CaseState) -> CaseFacts:
    """Return what is known of a case from its state alone: when it will count, and where; no counts yet."""
    counts_at = _counts_at(case)
    return CaseFacts(
        case_id=case.case_id,
        hall=case.hall,
        unit=case.unit,
        kind=case.kind,
        cause=case.cause,
        received_at=case.received_at,
        received_on=local(case.received_at).date(),
        consulted=int(case.kind is Kind.CONSULTATION),
        out_of_scope=int(case.kind is Kind.OUT_OF_SCOPE),
        merged=int(case.outcome is Outcome.MERGED),
        apart=case.kind is Kind.COMPLEX or case.referred,
        counts_at=counts_at,
        counts_on=counts_at and local(counts_at).date(),
    )


def facts_of(events: Iterable[Event], policy: Policy, calendar: Calendar) -> CaseFacts:
    """Return the facts of a case from its whole ledger, under the terms that it is pinned to.

    Raises ValueError for a ledger without events.
    """
    history = list(events)
    states: list[CaseState] = []
    for event in history:
        states.append(evolve(states[-1] if states else None, event))
    if not states:
        raise ValueError("a case without events")
    case, found = states[-1], outline(states[-1])
    if found.counts_at is None:
        return found
    spans = stretches(history)
    minutes = held(spans, calendar)
    parts = parts_by_unit(history, states, minutes)
    heard = int(responded(history, states, policy, calendar))
    counts = replace(_counts(states, parts, policy, calendar), responded=heard, **_by_holder(minutes))
    return replace(
        found,
        counts=counts,
        elsewhere={unit: part for unit, part in parts.items() if unit != case.unit},
        running=_running(case, spans[-1]),
    )


def _by_holder(minutes: Held) -> dict[str, int]:
    return {
        f"{who}_minutes": sum(n for (held_by, _), n in minutes.items() if held_by == who) for who in HOLDERS
    }


def stirs(before: CaseState | None, event: Event, after: CaseState) -> bool:
    """Whether an event changes facts that are written as it happens.

    A case that is neither late nor told counts in no period yet: of its events only those matter that
    say where and when it will. What the others did is read from the ledger once it counts.
    """
    if before is None:
        return True
    if settled(after, event.at) or settled(before, event.at):
        return not (before.status is Status.CLOSED and after.status is Status.ARCHIVED)
    # A reply in time puts the judgement off; nothing is added up of the case before that anyway.
    return after.status is not Status.REPLIED and outline(before) != outline(after)


def settled(case: CaseState, at: datetime) -> bool:
    """Whether a case counts, or may do so at any moment: late, told, or at its end."""
    late = case.light is Light.RED or case.round.late
    past = case.due_at is not None and at > case.due_at
    return late or past or not case.is_open or any(r.told_at or r.late for r in case.rounds)


def judged_round(case: CaseState) -> Round | None:
    """Return the round that a case is judged by: the first that had a limit and came to something.

    A round that was withdrawn in time and then reopened came to nothing: the next one counts.
    """
    return next((r for r in case.rounds if r.due_at and (r.on_time is not None or r == case.round)), None)


def verdict(case: CaseState, ever_escalated: bool, at: datetime) -> Counts:
    """Return what a case adds at `at` to those handled, on time, excused and escalated; nothing else.

    For who has no whole ledger with its terms: the same four that `facts_of` gives. A case adds nothing
    before it was told or its `counts_at` has passed.
    """
    counts_at, judged = _counts_at(case), judged_round(case)
    if judged is None or counts_at is None:
        return Counts()
    told = any(r.told_at for r in case.rounds)
    return Counts(**_verdict(case, judged, ever_escalated)) if told or counts_at < at else Counts()


def _verdict(case: CaseState, judged: Round, ever_escalated: bool) -> dict[str, int]:
    on_time = judged.on_time is True
    return {
        "handled": 1,
        "on_time": int(on_time),
        "excused": int(case.excused and not on_time),
        "escalated": int(ever_escalated),
    }


def _counts_at(case: CaseState) -> datetime | None:
    judged = judged_round(case)
    if judged is None or case.kind not in HANDLED or case.outcome is Outcome.MERGED:
        return None
    assert judged.due_at is not None
    if judged.replied_at:
        return min(judged.due_at, judged.replied_at)
    if case.status is Status.SUSPENDED:
        return None
    # Given in time and waiting for its check, a reply is neither on time nor late yet.
    if case.status is Status.REPLIED and case.reply and not is_late(case.reply.at, judged.due_at):
        return None
    # Withdrawn in time: nobody's case. Withdrawn late: late for ever.
    withdrawn = case.outcome is Outcome.WITHDRAWN
    return None if withdrawn and judged.on_time is not False else judged.due_at


def _counts(
    states: Sequence[CaseState], parts: Mapping[str, Parts], policy: Policy, calendar: Calendar
) -> Counts:
    case = states[-1]
    judged = judged_round(case)
    assert judged is not None
    last = next((r for r in reversed(case.rounds) if r.told_at), None)
    own = sum(parts.values(), Parts())
    hard = case.kind is Kind.COMPLEX or case.referred
    rated = (judged.rating, case.round.rating)
    return Counts(
        **_verdict(case, judged, any(state.escalated for state in states)),
        **_punctual(states, judged, policy, calendar),
        dispatched=int(case.dispatches > 0),
        **{name: getattr(own, name) for name in ("dispatches", "signed", "signed_in_time")},
        **{name: getattr(own, name) for name in ("returns", "refused_returns", "orders")},
        solved=int(case.outcome is Outcome.SOLVED),
        unsolved=int(case.outcome is Outcome.EXPLAINED),
        rated_first=int(rated[0] is not None),
        satisfied_first=int((rated[0] or 0) >= SATISFIED),
        rated_final=int(rated[1] is not None),
        satisfied_final=int((rated[1] or 0) >= SATISFIED),
        told=int(last is not None),
        revisited=int(last is not None and last.revisited),
        reached=int(last is not None and last.reached),
        extended=int(case.extensions > 0),
        reopened=int(case.round.round > judged.round),
        ordered=int(bool(case.orders)),
        hard_solved=int(hard and case.outcome is Outcome.SOLVED),
        **_handling(case, last, calendar),
    )


def _punctual(
    states: Sequence[CaseState], judged: Round, policy: Policy, calendar: Calendar
) -> dict[str, int]:
    """Judge a case by what the unit itself can answer for, and both ways without extensions."""
    assert judged.due_at is not None
    on_time = judged.on_time is True
    replied = judged.replied_at
    unit = replied is not None and not is_late(replied, judged.due_at) and not judged.late
    without = unextended_due(states, judged.round, policy, calendar) or judged.due_at
    judged_at = judged.told_at if policy.judged_by == "told" else replied
    return {
        "unit_on_time": int(unit),
        "unit_excused": int(states[-1].excused and not unit),
        "on_time_unextended": int(on_time and judged_at is not None and not is_late(judged_at, without)),
        "unit_on_time_unextended": int(unit and replied is not None and not is_late(replied, without)),
    }


def _handling(case: CaseState, last: Round | None, calendar: Calendar) -> dict[str, int]:
    """Measure from T0 to the last accepted reply."""
    if last is None or last.replied_at is None:
        return {}
    hours = calendar.working_hours_between(case.received_at, last.replied_at)
    return {
        "handling_days": calendar.working_days_between(case.received_at, last.replied_at),
        "handling_minutes": hours // _MINUTE,
    }


def _running(case: CaseState, last: Stretch) -> Running | None:
    return Running(last.holder, last.unit, last.start, case.calendar) if last.end is None else None
