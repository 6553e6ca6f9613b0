"""How the house stands, in numbers for Prometheus: every one a cheap question to an index.

All are read in one snapshot, on the clock of the domain. Every metric stands in docs/reference/metrics.md.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session, col, exists, func, select

from casework.delivery_record import unsent_to_people
from casework.imports import came_at, in_hand
from models.case import Case
from models.command import SentCommand
from models.directory import Hall
from models.evidence import CaseRun, HeadPublication, HistoryExport, LedgerCheck, LedgerHead
from models.filing import Filing
from models.inbox import Delivery
from models.outside import DROPPED
from models.report import ReportingPlan
from rules.case.vocabulary import Light
from rules.evidence import latest_head_due, next_head_due
from rules.reporting import ReportKind

# Younger ones are still in somebody's hands (as the relay's patience).
PATIENCE = timedelta(seconds=15)
# An unanswered command that is older was given up by its client; the relay has settled what it did.
COMMANDS_WITHIN = timedelta(hours=1)

MOST_FACTS = 1000
# Word for word the conditions of partial indexes: a bound value would hide them from a planner.
_ENDED = text("case_runs.state = 'ended'")
_LOST = text("history_exports.outcome = 'lost'")
_UNSENT = text("deliveries.status <> 'sent'")
_BEHIND = text("cases.facts_due")

HELP = {
    "bancheng_open_cases": ("Cases that are open.", ("hall", "light")),
    "bancheng_alarms_overdue": ("Open cases whose next alarm is due and has not fired.", ()),
    "bancheng_alarms_overdue_oldest_seconds": ("For how long the oldest of them has been due.", ()),
    "bancheng_filings_unregistered": ("Filings without a number.", ()),
    "bancheng_filings_unregistered_oldest_seconds": ("Age of the oldest of them.", ()),
    "bancheng_commands_unanswered": ("Commands of the last hour that nobody got an answer to.", ()),
    "bancheng_commands_unanswered_oldest_seconds": ("Age of the oldest of them.", ()),
    "bancheng_facts_waiting": ("Cases whose rows for the figures are older than their ledger.", ()),
    "bancheng_facts_waiting_oldest_seconds": ("For how long nothing has happened to the oldest of them.", ()),
    "bancheng_notifications_unsent": (
        "Messages for people outside, not sent.",
        ("channel", "status"),
    ),
    "bancheng_reports_late": ("Halls whose next report is due and not made.", ("kind",)),
    "bancheng_reports_late_oldest_seconds": ("For how long the oldest of them has been due.", ()),
    "bancheng_heads_late_seconds": ("For how long a head over the ledger has been due.", ()),
    "bancheng_heads_unpublished": ("Heads that have not left by an outlet.", ("outlet",)),
    "bancheng_histories_waiting": ("Runs that ended and whose history is not exported.", ()),
    "bancheng_histories_lost": ("Runs whose history was gone before it was exported.", ()),
    "bancheng_ledger_check_ok": ("1 if the last check of the whole ledger found nothing wrong.", ()),
    "bancheng_ledger_check_age_seconds": ("Age of the last check of the whole ledger.", ()),
}
"""Name → what it says, and its labels."""


@dataclass(frozen=True)
class Sample:
    """One value of a metric; `labels` in the order of `HELP`."""

    name: str
    value: float
    labels: tuple[str, ...] = ()


def read_gauges(session: Session, now: datetime, wall: datetime, outlets: Sequence[str]) -> list[Sample]:
    """Return every sample; `now` is the domain's clock, `wall` the real one, on which commands are sent.

    `outlets` are the ways by which heads are to leave.
    """
    parts = (_cases(session), _alarms(session, now), _filings(session, now, wall), _commands(session, wall))
    more = (
        _facts(session, now),
        _notifications(session, now),
        _reports(session, now),
        _heads(session, now, outlets),
        _evidence(session, now),
    )
    return [sample for part in parts + more for sample in part]


def _aged(name: str, count: int, oldest: datetime | None, now: datetime) -> Iterator[Sample]:
    yield Sample(name, count)
    yield Sample(f"{name}_oldest_seconds", _since(oldest, now))


def _since(then: datetime | None, now: datetime) -> float:
    return 0.0 if then is None else max(0.0, (now - then).total_seconds())


def _cases(session: Session) -> Iterator[Sample]:
    wanted = select(Case.hall, Case.light, func.count()).where(col(Case.open))
    grouped = session.exec(wanted.group_by(Case.hall, Case.light))
    counts = {(hall, light): count for hall, light, count in grouped}
    # None is said too: a series that vanishes keeps its last value on a screen for a while.
    for hall in session.exec(select(Hall.code).order_by(Hall.code)):
        for light in Light:
            yield Sample("bancheng_open_cases", counts.get((hall, light.value), 0), (hall, light.value))


def _alarms(session: Session, now: datetime) -> Iterator[Sample]:
    due = col(Case.next_alarm_at) <= now - PATIENCE
    count, oldest = session.exec(select(func.count(), func.min(Case.next_alarm_at)).where(due)).one()
    yield from _aged("bancheng_alarms_overdue", count, oldest, now)


def _filings(session: Session, now: datetime, wall: datetime) -> Iterator[Sample]:
    """What an import has in hand is not late: its last rows come long after its file."""
    waiting = col(Filing.registered_at).is_(None), came_at() <= now - PATIENCE, ~in_hand(wall)
    wanted = select(func.count(), func.min(came_at())).where(*waiting)
    count, oldest = session.exec(wanted).one()
    yield from _aged("bancheng_filings_unregistered", count, oldest, now)


def _commands(session: Session, wall: datetime) -> Iterator[Sample]:
    lately = col(SentCommand.sent_at).between(wall - COMMANDS_WITHIN, wall - PATIENCE)
    open_ones = lately, col(SentCommand.answered).is_(False)
    count, oldest = session.exec(select(func.count(), func.min(SentCommand.sent_at)).where(*open_ones)).one()
    yield from _aged("bancheng_commands_unanswered", count, oldest, wall)


def _facts(session: Session, now: datetime) -> Iterator[Sample]:
    """They are written by the relay once a case has been at rest for 15 s: late is twice that.

    After a change of what is counted every case waits, so no more than `MOST_FACTS` are looked at.
    """
    since = select(Case.updated_at).where(_BEHIND).order_by(col(Case.received_at), col(Case.id))
    some = since.limit(MOST_FACTS).subquery()
    waiting = select(func.count(), func.min(some.c.updated_at)).where(some.c.updated_at <= now - 2 * PATIENCE)
    count, oldest = session.exec(waiting).one()
    yield from _aged("bancheng_facts_waiting", count, oldest, now)


def _notifications(session: Session, now: datetime) -> Iterator[Sample]:
    wanted = select(Delivery.channel, Delivery.status, func.count())
    wanted = wanted.where(_UNSENT, Delivery.status != DROPPED)
    for channel, status, count in session.exec(wanted.group_by(Delivery.channel, Delivery.status)):
        yield Sample("bancheng_notifications_unsent", count, (channel, status))
    for means, status, count in unsent_to_people(session, now - PATIENCE):
        yield Sample("bancheng_notifications_unsent", count, (means, status))


def _reports(session: Session, now: datetime) -> Iterator[Sample]:
    wanted = select(ReportingPlan.kind, func.count(), func.min(ReportingPlan.due_at))
    due = ReportingPlan.due_at <= now - PATIENCE
    late = list(session.exec(wanted.where(due).group_by(ReportingPlan.kind)))
    counts = {kind: count for kind, count, _ in late}
    for kind in ReportKind:
        yield Sample("bancheng_reports_late", counts.get(kind.value, 0), (kind.value,))
    oldest = min((at for _, _, at in late), default=None)
    yield Sample("bancheng_reports_late_oldest_seconds", _since(oldest, now))


def _heads(session: Session, now: datetime, outlets: Sequence[str]) -> Iterator[Sample]:
    newest = session.exec(select(LedgerHead.due_at).order_by(col(LedgerHead.number).desc()).limit(1)).first()
    since = next_head_due(newest) if newest else _first_head_due(session)
    late = since is not None and since <= latest_head_due(now)
    yield Sample("bancheng_heads_late_seconds", _since(since, now) if late else 0.0)
    # Each by itself: the folder takes every head, and says nothing of a webhook that is dead. What was taken
    # by hand goes with the next evening's.
    tried = LedgerHead.due_at <= latest_head_due(now)
    for outlet in outlets:
        left = exists().where(
            col(HeadPublication.head) == col(LedgerHead.number), col(HeadPublication.outlet) == outlet
        )
        inside = session.exec(select(func.count()).select_from(LedgerHead).where(tried, ~left)).one()
        yield Sample("bancheng_heads_unpublished", inside, (outlet,))


def _first_head_due(session: Session) -> datetime | None:
    """Return when the first head was due: none is needed before there is a filing.

    Every filing is looked at, but only until the first evening: those with the oldest T0 were imported.
    """
    first = session.exec(select(func.min(came_at()))).one()
    return next_head_due(first) if first else None


def _evidence(session: Session, now: datetime) -> Iterator[Sample]:
    waiting = session.exec(select(func.count()).select_from(CaseRun).where(_ENDED)).one()
    yield Sample("bancheng_histories_waiting", waiting)
    lost = session.exec(select(func.count()).select_from(HistoryExport).where(_LOST)).one()
    yield Sample("bancheng_histories_lost", lost)
    newest = select(LedgerCheck.ok, LedgerCheck.at).order_by(col(LedgerCheck.id).desc()).limit(1)
    if (check := session.exec(newest).first()) is not None:
        ok, at = check
        yield Sample("bancheng_ledger_check_ok", float(ok))
        yield Sample("bancheng_ledger_check_age_seconds", _since(at, now))
