"""The counter's queue of today, which A岗 and B岗 share: what to triage, whom to ask, whom to tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.finding import Found, opened
from casework.reading import filing_views, masked_petitioners
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.filing import Filing
from rules.case.alarms import alarms
from rules.case.context import Context
from rules.case.errors import Illegal
from rules.case.permits import possible

MOST = 25  # of each kind; a counter that is further behind works off the oldest first


@dataclass(frozen=True)
class Entry:
    """A case that waits for the counter. `late`: its time is over, and the reminder has gone out."""

    number: str | None
    matter: str | None
    petitioner: str | None
    """The masked name; None once erased."""
    received_at: datetime
    by: datetime | None
    late: bool


@dataclass(frozen=True)
class Part:
    """The most urgent entries of one kind, `MOST` at most; `more`: there are others behind them."""

    entries: Sequence[Entry]
    more: bool

    @property
    def count(self) -> str:
        """How many there are: 3, or 25+."""
        return f"{len(self.entries)}{'+' if self.more else ''}"


@dataclass(frozen=True)
class Queue:
    """`unnumbered` are filings kept while the engine was away; the most urgent stands first."""

    unnumbered: Sequence[dict[str, Any]]
    untriaged: Part
    revisits: Part
    untold: Part


async def read_queue(services: Services, viewer: Viewer, whole: bool = False) -> Queue:
    """Return the queue of the viewer's hall; the whole of it also beyond what a page shows."""
    now = await services.clock.now()
    reader = _Reader(services, viewer, now, None if whole else MOST)
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        unnumbered = await _unnumbered(services, session, scope, reader.most)
        # What it waits for, not its status: a judgement that is owed stands before a revisit.
        untriaged, unvisited = col(Case.step) == "triage", col(Case.step) == "revisit"
        untold = col(Case.response_since).is_not(None)
        wanted = ((untriaged, "triage_late"), (unvisited, "revisit_late"), (untold, "response_late"))
        found = [await reader.found(session, and_(scope.cases, condition)) for condition, _ in wanted]
        ids = [each.case.id for several in found for each in several]
        # At once for all three: each asking is a way to the database and back.
        people = await masked_petitioners(services, session, ids)
    commands = ("triage", "revisit", "inform")
    parts = [
        reader.part(several, people, command, alarm)
        for several, command, (_, alarm) in zip(found, commands, wanted, strict=True)
    ]
    return Queue(unnumbered, *parts)


async def _unnumbered(
    services: Services, session: AsyncSession, scope: Scope, most: int | None
) -> list[dict[str, Any]]:
    waiting = select(Filing).where(scope.filings, col(Filing.registered_at).is_(None))
    rows = (await session.exec(waiting.order_by(col(Filing.received_at)).limit(most))).all()
    return await filing_views(services, session, rows)


@dataclass(frozen=True)
class _Reader:
    services: Services
    viewer: Viewer
    now: datetime
    most: int | None

    async def found(self, session: AsyncSession, condition: ColumnElement[bool]) -> list[Found]:
        """Return the oldest open cases that pass, one more than are shown; all where the whole is wanted."""
        oldest = col(Case.received_at), col(Case.id)
        room = None if self.most is None else self.most + 1
        # An index alone says which; only what is shown is fetched from the wide rows.
        ids: Any = select(Case.id).where(condition, col(Case.open)).order_by(*oldest).limit(room)
        read = ids.subquery()
        shown = select(Case).join(read, read.c.id == col(Case.id)).order_by(*oldest)
        return [await opened(self.services, session, case) for case in (await session.exec(shown)).all()]

    def part(
        self, found: Sequence[Found], people: Mapping[str, dict[str, Any]], command: str, alarm: str
    ) -> Part:
        """Return those on which the counter may give `command` now, with the instant of its alarm."""
        made = [
            self._entry(each, people[each.case.id]["name"], alarm)
            for each in found[: self.most]
            if self._may(each, command)
        ]
        # Late ones first: they have no instant to wait for any more.
        made.sort(key=lambda entry: (not entry.late, entry.by or self.now))
        return Part(made, self.most is not None and len(found) > self.most)

    def _may(self, found: Found, command: str) -> bool:
        terms = found.pinned
        try:
            possible(found.state, command, Context(self.now, self.viewer.actor, terms.policy, terms.calendar))
        except Illegal:
            return False
        return True

    def _entry(self, found: Found, name: str | None, alarm: str) -> Entry:
        armed = alarms(found.state, found.pinned.policy, found.pinned.calendar)
        by = min((each.at for each in armed if each.name == alarm), default=None)
        case = found.case
        return Entry(case.number, case.matter, name, case.received_at, by, by is None or by < self.now)
