"""Rows of the tables, written and read without a house."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, text
from sqlmodel import Session, SQLModel, col, select

from models.chain import EVENT_CHAIN
from models.database import Database
from models.tables import (
    Filing,
    LedgerEvent,
    Notification,
)
from rules.calendar import SHANGHAI

AT = datetime(2026, 9, 20, 17, 30, 0, 123456, tzinfo=SHANGHAI)


def event(seq: int, **other: Any) -> dict[str, Any]:
    """Return an event of one case as a row, to be linked into its chain."""
    row = {
        "case_id": "case-1",
        "seq": seq,
        "part": 0,
        "at": AT + timedelta(minutes=seq),
        "type": "sign",
        "actor": {"role": "contact", "name": "张三"},
        "data": {"reason": "材料不齐", "working_days": 2.0, "limits": [1, None]},
        "sealed": None,
        "changes": {"status": "handling", "level": "contact"},
        "fired": [],
        "command_id": f"command-{seq}",
    }
    return row | other


def notification(seq: int, at: datetime = AT, text: str = "已签收") -> Notification:
    """Return a line of an inbox."""
    return Notification(username="guilin.lead", case_id="case-1", seq=seq, kind="sign", text=text, at=at)


def filing(case_id: str) -> Filing:
    """Return a filing."""
    return Filing(
        case_id=case_id,
        hall="guilin",
        channel="counter",
        received_at=AT,
        clerk="guilin.clerk",
        body_hash="0" * 64,
        query_code_hash=case_id,
    )


async def write_rows(db: Database, rows: list[dict[str, Any]]) -> None:
    """Write rows of the ledger as they are."""
    await db.write(lambda session: session.connection().execute(insert(LedgerEvent), rows))


async def write_events(db: Database, count: int = 4) -> None:
    """Write a whole chain."""
    await write_rows(db, EVENT_CHAIN.link([event(seq) for seq in range(1, count + 1)]))


async def add(db: Database, *rows: SQLModel) -> None:
    """Write rows of any tables in one transaction."""

    def work(session: Session) -> None:
        session.add_all(rows)
        session.flush()

    await db.write(work)


async def read_events(db: Database) -> list[LedgerEvent]:
    """Return the ledger."""
    async with db.read() as session:
        return list(await session.exec(select(LedgerEvent).order_by(col(LedgerEvent.seq))))


async def execute(db: Database, statement: str) -> None:
    """Run a statement as an owner of the database might."""
    async with db.begin() as session:
        await (await session.connection()).execute(text(statement))
