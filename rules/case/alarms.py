"""The alarms that a case arms: names, keys, instants and order (domain.md, section 4, alarms).

Everything is derived from the state, so a moved due date, a new calendar or a restart arms the
right alarms by itself. An alarm fires once per key; what an alarm does stands in rungs.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime

from rules.calendar import Calendar, local
from rules.case.clock import OVERDUE_AFTER
from rules.case.context import Context
from rules.case.events import SYSTEM
from rules.case.guards import objection_ends
from rules.case.state import CaseState
from rules.case.vocabulary import LADDER, WORKING, Kind, Request, Status
from rules.policy import Policy

# At one instant they fire in this order.
RESUMING, DECIDING, OVERDUE, ORDERS, REMINDING, ARCHIVING = range(6)

# These only remind: where several are already past when armed, one event stands for all.
REMINDERS = frozenset(
    {
        "triage_late",
        "return_undecided",
        "limit_missing",
        "extension_undecided",
        "unsolvable_unconfirmed",
        "judgement_late",
        "check_late",
        "due_soon_1",
        "due_soon_2",
        "response_late",
        "opinion_late",
        "progress_late",
        "revisit_late",
    }
)


@dataclass(frozen=True)
class Alarm:
    """An alarm: a command that the timer gives. ``at`` is when it is due (UTC).

    ``armed_at`` is when it came to be; ``merged`` holds reminders that this one stands for.
    """

    name: str
    instance: str
    at: datetime
    armed_at: datetime
    rank: int
    occurrence: int = 1
    merged: tuple["Alarm", ...] = ()

    @property
    def key(self) -> str:
        """Name, instance and occurrence: unique in the life of a case."""
        return f"{self.name}/{self.instance}/{self.occurrence}"

    @property
    def past_when_armed(self) -> bool:
        """A reminder whose instant lay behind when it was armed."""
        return self.name in REMINDERS and self.at <= self.armed_at


def next_alarm(case: CaseState, policy: Policy, calendar: Calendar) -> Alarm | None:
    """Return the alarm to arm, or None. Reminders past when armed come merged into their last."""
    waiting = alarms(case, policy, calendar)
    if not waiting:
        return None
    first = min(waiting, key=lambda alarm: (alarm.at, alarm.rank, alarm.name))
    if not first.past_when_armed:
        return first
    group = sorted((a for a in waiting if a.past_when_armed), key=lambda a: (a.at, a.rank, a.name))
    return replace(group[-1], merged=tuple(group[:-1]))


def alarms(case: CaseState, policy: Policy, calendar: Calendar) -> list[Alarm]:
    """Return every armed alarm that has not fired, in no particular order."""
    ctx = Context(case.stage_since, SYSTEM, policy, calendar)
    fired = {mark.key for mark in case.fired}
    return [alarm for alarm in _armed(case, ctx) if alarm.key not in fired]


def _armed(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    yield from _order_alarms(case, ctx)
    if case.status is Status.SUSPENDED:
        left = ctx.policy.suspension_total - case.suspended_days
        yield _stage(case, "auto_resume", ctx.closing_after(case.stage_since, left), RESUMING)
        return
    yield from _stage_alarms(case, ctx)
    if case.status in LADDER:
        yield from _due_ladder(case, ctx)
        yield from _duties(case, ctx)


def _stage(case: CaseState, name: str, at: datetime, rank: int = DECIDING) -> Alarm:
    return Alarm(name, str(case.stage), at, case.stage_since, rank)


def _stage_alarms(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    policy, since = ctx.policy, case.stage_since
    match case.status:
        case Status.REGISTERED:
            late = _stage(case, "triage_late", ctx.hours_after(since, policy.triage))
            yield replace(late, armed_at=max(since, case.registered_at))
        case Status.DISPATCHED:
            yield from _unsigned(case, ctx)
        case Status.RETURN_REVIEW:
            yield _stage(case, "return_undecided", ctx.hours_after(since, policy.return_decision))
        case Status.LIMIT_PENDING:
            yield _limit_missing(case, ctx)
        case Status.REPLIED:
            yield _stage(case, "check_late", ctx.hours_after(since, policy.check_reply))
        case Status.REVISITING:
            yield from _judgement(case, ctx)
        case Status.CLOSED:
            yield _stage(case, "auto_archive", objection_ends(case, ctx), ARCHIVING)
        case Status.HANDLING:
            yield from _decisions(case, ctx)


def _unsigned(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    """Once a dispatch: a refused return brings the case back under the same one, with its limit anew."""
    limit = ctx.policy.sign_simple if case.kind is Kind.SIMPLE else ctx.policy.sign_other
    for name, limits in (("sign_late_1", 1), ("sign_late_2", 2)):
        at = ctx.hours_after(case.stage_since, limits * limit)
        yield Alarm(name, str(case.dispatches), at, case.stage_since, DECIDING)


def _judgement(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    """The revisit is owed until it was made, whatever else is."""
    if case.judgement_since:
        at = ctx.closing_after(case.judgement_since, ctx.policy.judgement)
        yield Alarm("judgement_late", str(case.stage), at, case.judgement_since, DECIDING)
    if case.round.told_at and not case.round.revisited:
        at = ctx.closing_after(case.stage_since, ctx.policy.revisit)
        yield _stage(case, "revisit_late", at, REMINDING)


def _limit_missing(case: CaseState, ctx: Context) -> Alarm:
    """A daily reminder from the end of supervision's limit on."""
    times, last = _fired(case, "limit_missing", str(case.stage))
    days = ctx.policy.set_limit + times
    return Alarm(
        "limit_missing",
        str(case.stage),
        ctx.closing_after(case.stage_since, days),
        last or case.stage_since,
        DECIDING,
        times + 1,
    )


def _fired(case: CaseState, name: str, instance: str) -> tuple[int, datetime | None]:
    """Return how often an alarm has fired for an instance, and when last."""
    prefix = f"{name}/{instance}/"
    marks = [mark.at for mark in case.fired if mark.key.startswith(prefix)]
    return len(marks), max(marks, default=None)


def _decisions(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    policy = ctx.policy
    if case.leader_since:
        at = ctx.closing_after(case.leader_since, policy.leader_decision)
        instance = case.leader_since.isoformat()
        yield Alarm("leader_undecided", instance, at, case.leader_since, DECIDING)
    if case.pending:
        name, days = (
            ("extension_undecided", policy.extension_decision)
            if case.pending.request is Request.EXTENSION
            else ("unsolvable_unconfirmed", policy.unsolvable_confirmation)
        )
        at = ctx.closing_after(case.pending.at, days)
        armed = max(case.pending.at, case.stage_since)
        yield Alarm(name, str(case.pending.serial), at, armed, DECIDING)
    if case.due_at and case.due_set_at and case.opinions_missing():
        day = _days_before(case.due_at, policy.opinion_before_due, ctx.calendar)
        asked = max(c.asked_at for c in case.co_units)
        instance = f"{case.convenings}.{case.due_epoch}"
        armed = max(asked, case.due_set_at, case.stage_since)
        yield Alarm("opinion_late", instance, ctx.calendar.closing(day), armed, REMINDING)


def _days_before(due: datetime, days: int, calendar: Calendar) -> date:
    """Return the `days`-th working day before the date of `due`."""
    day = local(due).date()
    for _ in range(days):
        day = calendar.previous_working_day(day)
    return day


def _due_ladder(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    if case.due_at is None or case.due_set_at is None:
        return
    calendar, due, instance = ctx.calendar, case.due_at, str(case.due_epoch)
    armed = max(case.due_set_at, case.stage_since)
    for name, days in (("due_soon_1", 1), ("due_soon_2", 0)):
        opening = calendar.opening(_days_before(due, days, calendar))
        yield Alarm(name, instance, opening, armed, REMINDING)
    yield Alarm("overdue_1", instance, due + OVERDUE_AFTER, armed, OVERDUE)
    given = [order for order in case.orders if order.ladder == case.due_epoch]
    climbed = ctx.closing_after(case.ladder_from or due, ctx.policy.overdue_2)
    times, _ = _fired(case, "overdue_2", instance)
    if not times:
        yield Alarm("overdue_2", instance, climbed, armed, OVERDUE)
    # Waiting for a limit, the unit is given no order, so none is repeated either.
    elif given and given[-1].answered_at and case.status is not Status.LIMIT_PENDING:
        again = ctx.closing_after(given[-1].answered_at, ctx.policy.order)
        if given[-1].lapsed:  # a reply was refused since: never sooner than after any other refusal
            again = max(again, climbed)
        yield Alarm("overdue_2", instance, again, given[-1].answered_at, OVERDUE, times + 1)


def _duties(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    """What is owed to the citizen and to the ledger while the unit works."""
    first = case.responses_owed - len(case.response_since) + 1
    for number, since in enumerate(case.response_since, first):
        at = ctx.closing_after(since, ctx.policy.response)
        yield Alarm("response_late", str(number), at, max(since, case.stage_since), REMINDING)
    if case.status in WORKING and case.kind is Kind.COMPLEX and case.progress_at:
        instance = case.progress_at.isoformat()
        times, last = _fired(case, "progress_late", instance)
        at = ctx.closing_after(case.progress_at, ctx.policy.progress * (times + 1))
        armed = max(last or case.progress_at, case.stage_since)
        yield Alarm("progress_late", instance, at, armed, REMINDING, times + 1)


def _order_alarms(case: CaseState, ctx: Context) -> Iterator[Alarm]:
    if not case.is_open:
        return
    for order in case.orders:
        if order.answered_at is None and not order.lapsed:
            yield Alarm("order_unanswered", order.id, order.due_at, order.given_at, ORDERS)
