"""Which cases a report tells of, and each of them as it stood at the cut-off.

Every event of a hall is news in exactly one report of a kind: one that reaches the ledger after its
own report was made is news in the next, and marked as late.
"""

from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from activities.projection import texts_of
from casework.history import Row, decided
from casework.ledger_texts import read_events
from models.case import Case, LedgerEvent
from models.crypto import Keyring
from models.filing import Filing
from models.report import Report, ReportCase
from rules.case.events import Event, evolve
from rules.case.state import CaseState
from rules.reporting import Due

PAGE = 100  # cases whose ledgers are in memory at once


@dataclass(frozen=True, repr=False)
class Told:
    """A case at the cut-off: its ledger up to there, and the states after each of its events.

    `fresh` are the events that are news, `late` those of them that belong to an earlier report.
    """

    rows: Sequence[Row]
    events: Sequence[Event]
    states: Sequence[CaseState]
    fresh: Sequence[LedgerEvent]
    late: Sequence[LedgerEvent]

    @property
    def state(self) -> CaseState:
        """How it stood at the cut-off."""
        return self.states[-1]

    @property
    def before(self) -> CaseState | None:
        """How it stood before the news: at the cut-off of the report before, where one told of it."""
        known = len(self.states) - len(self.fresh)
        return self.states[known - 1] if known else None

    @property
    def news(self) -> Iterator[tuple[LedgerEvent, CaseState | None, CaseState]]:
        """Yield each event that is news, between the states before and after it."""
        known = len(self.states) - len(self.fresh)
        befores = [self.before, *self.states[known:]]
        yield from zip(self.fresh, befores, self.states[known:], strict=False)

    @property
    def is_new(self) -> bool:
        """Whether the case itself is news: it was registered."""
        return bool(self.fresh) and self.fresh[0].seq == 1

    @property
    def texts(self) -> Mapping[str, str]:
        """What lists show of the texts: matter, problem, reply."""
        found: dict[str, str] = {}
        for event in self.events:
            found |= texts_of(event)
        return found

    def listed(self, report_id: str) -> ReportCase:
        """Return the row that remembers it."""
        last = self.rows[-1][0].seq
        after = self.fresh[0].seq - 1 if self.fresh else last
        return ReportCase(
            report_id=report_id,
            case_id=self.state.case_id,
            after_seq=after,
            seq=last,
            late=len(self.late),
        )


async def told_cases(session: AsyncSession, keyring: Keyring, hall: str, due: Due) -> AsyncIterator[Told]:
    """Yield the cases that a report is to tell of: with news, or open at the cut-off; by their ids."""
    before = await _before(session, hall, due)
    ids = (await session.exec(_candidates(hall, due, before).order_by(col(Case.id)))).all()
    for start in range(0, len(ids), PAGE):
        page = ids[start : start + PAGE]
        for case_id, rows in (await _ledgers(session, keyring, page)).items():
            kept = [row for row in rows if row[0].at <= due.end]
            if kept and (told := _told(kept, hall, due, before, case_id)):
                yield told


async def told_again(session: AsyncSession, keyring: Keyring, report: Report) -> AsyncIterator[Told]:
    """Yield the cases that a report told of when it was made, as they stood then."""
    wanted = select(ReportCase).where(ReportCase.report_id == report.id).order_by(col(ReportCase.case_id))
    listed = (await session.exec(wanted)).all()
    for start in range(0, len(listed), PAGE):
        page = {each.case_id: each for each in listed[start : start + PAGE]}
        for case_id, rows in (await _ledgers(session, keyring, page)).items():
            own = page[case_id]
            kept = [row for row in rows if row[0].seq <= own.seq]
            fresh = [row for row, _ in kept if row.seq > own.after_seq]
            yield _made(kept, fresh, report.covers_from)


@dataclass(frozen=True)
class _Before:
    """The reports made before: what they covered, and how far they told of each case."""

    covered: Sequence[tuple[datetime, datetime]]
    reached: Mapping[str, int]

    @property
    def begun(self) -> datetime | None:
        """Since when there are reports; None for the first one."""
        return min((start for start, _ in self.covered), default=None)

    def missed(self, at: datetime) -> bool:
        """Whether an event of that instant should have been told of already."""
        return any(start < at <= end for start, end in self.covered)


async def _before(session: AsyncSession, hall: str, due: Due) -> _Before:
    earlier = Report.hall == hall, Report.kind == due.kind, Report.due_at < due.at
    periods = await session.exec(select(Report.covers_from, Report.covers_to).where(*earlier))
    reached = (
        select(ReportCase.case_id, func.max(ReportCase.seq))
        .join(Report, col(Report.id) == ReportCase.report_id)
        .where(*earlier)
        .group_by(col(ReportCase.case_id))
    )
    return _Before([(start, end) for start, end in periods], dict((await session.exec(reached)).all()))


def _candidates(hall: str, due: Due, before: _Before) -> SelectOfScalar[str]:
    """More cases than the report tells of, and never fewer; their ledgers decide."""
    reached = (
        select(ReportCase.case_id, func.max(ReportCase.seq).label("seq"))
        .join(Report, col(Report.id) == ReportCase.report_id)
        .where(Report.hall == hall, Report.kind == due.kind, Report.due_at < due.at)
        .group_by(col(ReportCase.case_id))
        .subquery()
    )
    asked = [
        col(Case.updated_at) > due.start,
        col(Case.open).is_(True),
        col(Case.closed_at) > due.end,
        col(Case.seq) > reached.c.seq,
    ]
    if before.begun is not None:
        asked.append(and_(reached.c.seq.is_(None), col(Case.registered_at) > before.begun))
    # A case that was transferred since the cut-off was this hall's then: filed here, or come from elsewhere.
    came = exists().where(
        col(LedgerEvent.case_id) == Case.id, col(LedgerEvent.changes)["hall"].as_string() == hall
    )
    went_on = and_(or_(col(Case.updated_at) > due.end, col(Case.open).is_(True)), came)
    return (
        select(Case.id)
        .join(Filing, col(Filing.case_id) == Case.id)
        .outerjoin(reached, reached.c.case_id == Case.id)
        .where(or_(col(Case.hall) == hall, col(Filing.hall) == hall, went_on))
        .where(col(Case.registered_at) <= due.end, or_(*asked))
    )


async def _ledgers(
    session: AsyncSession, keyring: Keyring, case_ids: Collection[str]
) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in await read_events(session, keyring, case_ids):
        found.setdefault(row[0].case_id, []).append(row)
    return found


def _told(rows: Sequence[Row], hall: str, due: Due, before: _Before, case_id: str) -> Told | None:
    """Return the case, unless it is another hall's at the cut-off, or closed and without news."""
    reached = before.reached.get(case_id, 0)
    news = [r.seq for r, _ in rows if r.seq > reached and (r.at > due.start or before.missed(r.at))]
    # What comes after news is news: a ledger is in order.
    fresh = [row for row, _ in rows if news and row.seq >= news[0]]
    told = _made(rows, fresh, due.start)
    return told if told.state.hall == hall and (fresh or told.state.is_open) else None


def _made(rows: Sequence[Row], fresh: Sequence[LedgerEvent], start: datetime) -> Told:
    events, states = decided(rows), list[CaseState]()
    for event in events:
        states.append(evolve(states[-1] if states else None, event))
    received = states[-1].received_at
    late = [row for row in fresh if (received if row.type == "registered" else row.at) <= start]
    return Told(rows, events, states, fresh, late)
