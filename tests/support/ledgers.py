"""Ledgers written as the worker writes them, without an engine; and hands that may do anything to them."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, text, update
from sqlmodel import Session, col, select

from activities.archiving import FileOutlet, read_head, take_head
from activities.inbox import Inbox, Outside
from activities.tables import CASES, EVENTS
from activities.writing import Head, LedgerWriter
from casework.services import Services
from casework.verifying import LedgerReport, verify_ledger
from models.case import LedgerEvent
from models.chain import EVENT_CHAIN, GENESIS
from models.filing import CaseSecret
from models.heads import HeadFile
from models.messages import encode_event
from tests.support.books import file_case
from tests.support.cases import Story, handled, told

GUARDED = ("events", "acts", "access_log", "ledger_heads", "head_leaves", "history_exports")


def story() -> Story:
    """A case that was handled and told."""
    return told(handled("03-09 09:20"), "03-10 15:00")


async def write_story(
    services: Services, told_by: Story | None = None, channels: tuple[Outside, ...] = ()
) -> str:
    """Write the events of a story as those of a new case; return its id."""
    told_by = told_by or story()
    received = told_by.events[0].at
    case_id = await file_case(services.database, services.keyring, received)
    number = f"guilin-20260309-{uuid.UUID(case_id).int % 10**9:09d}"
    encoded = json.dumps([encode_event(event) for event in told_by.events], ensure_ascii=False)
    encoded = encoded.replace('"case"', f'"{case_id}"').replace("guilin-20260101-0001", number)
    writer = LedgerWriter(services.keyring, Inbox(channels))

    def write(session: Session) -> None:
        key = session.get_one(CaseSecret, case_id).wrapped_key
        writer.append(session.connection(), Head(case_id, key), "story", json.loads(encoded), None)

    await services.database.write(write)
    return case_id


async def more(services: Services, case_id: str, count: int = 1) -> None:
    """Add events to a case: lines of progress, linked to what is there."""

    def write(session: Session) -> None:
        connection = session.connection()
        last = session.exec(
            select(LedgerEvent).where(LedgerEvent.case_id == case_id).order_by(col(LedgerEvent.seq).desc())
        ).first()
        assert last is not None
        rows = [_line(case_id, last.seq + n + 1) for n in range(count)]
        linked = EVENT_CHAIN.link(rows, last.hash)
        connection.execute(insert(EVENTS), linked)
        stands = {"seq": linked[-1]["seq"], "last_hash": linked[-1]["hash"]}
        connection.execute(update(CASES).where(CASES.c.id == case_id).values(**stands))

    await services.database.write(write)


def _line(case_id: str, seq: int) -> dict[str, Any]:
    return {
        "case_id": case_id,
        "seq": seq,
        "part": 0,
        "at": datetime(2026, 3, 11, 1, seq, tzinfo=UTC),
        "type": "progress",
        "actor": {"role": "contact", "name": "张某"},
        "data": {},
        "sealed": None,
        "changes": {},
        "fired": [],
        "command_id": f"line-{seq}",
    }


async def head_now(services: Services, at: datetime) -> HeadFile:
    """Take a head and return it as it is published."""

    def take(session: Session) -> int:
        return take_head(session, services.evidence.signer, at, at).number

    number = await services.database.write(take)
    file = await services.database.look(lambda session: read_head(session, number))
    await FileOutlet(services.evidence.heads).publish(file)
    return file


async def found(services: Services, *published: HeadFile) -> list[tuple[str, str | None, int | None]]:
    """What verifying the ledger finds: what, whose, and at which number."""
    report: LedgerReport = await verify_ledger(services, published)
    return [(each.what, each.case_id, each.seq) for each in report.findings]


class Owner:
    """The owner of the database, who is stopped by no trigger."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def run(self, *statements: str, **values: Any) -> None:
        """Run statements with the triggers out of the way."""

        def work(session: Session) -> None:
            connection = session.connection()
            _unguard(connection)
            for statement in statements:
                connection.execute(text(statement), values)

        await self._services.database.write(work)

    async def rewrite(self, case_id: str, seq: int, **changed: Any) -> None:
        """Change an event and compute every hash after it anew, the projection's too."""

        def work(session: Session) -> None:
            connection = session.connection()
            _unguard(connection)
            wanted = EVENTS.select().where(EVENTS.c.case_id == case_id).order_by(EVENTS.c.seq)
            rows = [dict(row) for row in connection.execute(wanted).mappings()]
            for row in rows:
                row |= changed if row["seq"] == seq else {}
            self._put(connection, case_id, rows)

        await self._services.database.write(work)

    async def cut(self, case_id: str, after: int) -> None:
        """Delete what comes after an event, and let the projection say that this was all."""

        def work(session: Session) -> None:
            connection = session.connection()
            _unguard(connection)
            wanted = EVENTS.select().where(EVENTS.c.case_id == case_id).order_by(EVENTS.c.seq)
            rows = [dict(row) for row in connection.execute(wanted).mappings() if row["seq"] <= after]
            connection.execute(EVENTS.delete().where(EVENTS.c.case_id == case_id))
            self._put(connection, case_id, rows, fresh=True)

        await self._services.database.write(work)

    async def forge_heads(self, at: datetime) -> None:
        """Throw the heads away and take one over what stands there now, with a key of their own."""
        await self.run("DELETE FROM head_leaves", "DELETE FROM ledger_heads")
        await head_now(self._services, at)

    @staticmethod
    def _put(
        connection: Connection, case_id: str, rows: list[dict[str, Any]], *, fresh: bool = False
    ) -> None:
        linked: list[Mapping[str, Any]] = list(EVENT_CHAIN.link(rows, GENESIS))
        if not fresh:
            connection.execute(EVENTS.delete().where(EVENTS.c.case_id == case_id))
        connection.execute(insert(EVENTS), linked)
        stands = {"seq": linked[-1]["seq"], "last_hash": linked[-1]["hash"]}
        connection.execute(update(CASES).where(CASES.c.id == case_id).values(**stands))


def _unguard(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        for table in GUARDED:
            connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        return
    names = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
    for name in names.all():
        connection.execute(text(f"DROP TRIGGER {name}"))
