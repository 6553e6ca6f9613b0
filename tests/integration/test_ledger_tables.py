"""What the tables of record promise, on both dialects: append-only rows and whole chains."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from models.access_log import append
from models.act import NewAct, append_act
from models.chain import EVENT_CHAIN, verify_access_log, verify_chain
from models.crypto import CaseKey, generate_key
from models.crypto import Keyring as Ring
from models.database import Database
from models.migrate import upgrade
from models.tables import (
    AccessLog,
    CaseSecret,
    LedgerEvent,
    Notification,
)
from tests.support.rows import (
    AT,
    add,
    event,
    execute,
    filing,
    notification,
    read_events,
    write_events,
    write_rows,
)

RING = Ring.parse(generate_key())
APPEND_ONLY = ["events", "access_log", "acts"]


# Append-only


@pytest.fixture
async def filled(db: Database) -> Database:
    """A database with rows in the append-only tables."""
    await write_events(db)
    act = NewAct("bulletin", 1, "case-1", AT, "drafted", {"role": "system"})
    await db.write(lambda session: append_act(session.connection(), act))
    async with db.begin() as session:
        await append(session, at=AT, action="sign_in", username="guilin.clerk")
    return db


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET at = at",
        "UPDATE {} SET hash = 'f' WHERE id = 1",
        "DELETE FROM {} WHERE id = 1",
        "DELETE FROM {}",
    ],
)
async def test_a_row_of_the_record_can_be_neither_changed_nor_deleted(
    filled: Database, table: str, statement: str
) -> None:
    with pytest.raises(IntegrityError, match=f"{table} is append-only"):
        await execute(filled, statement.format(table))
    assert verify_chain(await read_events(filled), last_seq=4) is None


@pytest.mark.parametrize("table", APPEND_ONLY)
async def test_the_record_can_not_be_emptied_at_one_stroke(postgres_url: str, table: str) -> None:
    """SQLite has no TRUNCATE."""
    await upgrade(postgres_url)
    db = Database(postgres_url)
    with pytest.raises(IntegrityError, match=f"{table} is append-only"):
        await execute(db, f"TRUNCATE {table}")
    await db.close()


@pytest.mark.parametrize("same", ["id", "seq", "command_id"])
async def test_a_row_of_the_ledger_can_not_be_replaced(filled: Database, same: str) -> None:
    """SQLite's REPLACE deletes without asking the delete trigger; PostgreSQL's upsert updates."""
    taken: dict[str, Any] = {"id": 2} if same == "id" else {same: event(2)[same]}
    row = {**event(9), **taken, "prev_hash": "0" * 64, "hash": "f" * 64}
    statement = insert(LedgerEvent).values(row)
    if filled.dialect == "sqlite":
        statement = statement.prefix_with("OR REPLACE")
    with pytest.raises(IntegrityError):
        await filled.write(lambda session: session.connection().execute(statement))
    assert verify_chain(await read_events(filled), last_seq=4) is None


async def test_a_case_has_each_number_once(filled: Database) -> None:
    with pytest.raises(IntegrityError):
        await write_rows(filled, EVENT_CHAIN.link([event(4)]))


async def test_a_command_that_is_written_twice_is_refused(filled: Database) -> None:
    again = EVENT_CHAIN.link([event(5, command_id="command-4")])
    with pytest.raises(IntegrityError):
        await write_rows(filled, again)


async def test_a_command_may_have_several_events(filled: Database) -> None:
    last = (await read_events(filled))[-1].hash
    rows = EVENT_CHAIN.link([event(5), event(6, part=1, command_id="command-5")], last)
    await write_rows(filled, rows)
    assert verify_chain(await read_events(filled), last_seq=6) is None


# The chain, over rows as they come back from the database


async def test_the_chain_holds_over_what_was_read_back(db: Database) -> None:
    await write_events(db)
    assert verify_chain(await read_events(db), last_seq=4) is None


@pytest.mark.parametrize(
    ("tampering", "bad"),
    [
        ("UPDATE events SET type = 'reply' WHERE seq = 2", 2),
        ("UPDATE events SET command_id = 'other' WHERE seq = 4", 4),
        ("UPDATE events SET sealed = 'other' WHERE seq = 1", 1),
        ("DELETE FROM events WHERE seq = 3", 3),
        ("DELETE FROM events WHERE seq = 1", 1),
        ("DELETE FROM events WHERE seq >= 3", 3),
        ("UPDATE events SET seq = 10 - seq WHERE seq IN (2, 3)", 2),
    ],
)
async def test_what_an_owner_of_the_database_changes_is_found(db: Database, tampering: str, bad: int) -> None:
    await write_events(db)
    await disarm(db)
    await execute(db, tampering)
    if "10 - seq" in tampering:  # the two rows change places
        await execute(db, "UPDATE events SET seq = seq - 5 WHERE seq IN (7, 8)")
    assert verify_chain(await read_events(db), last_seq=4) == bad


async def disarm(db: Database) -> None:
    if db.dialect == "postgresql":
        await execute(db, "ALTER TABLE events DISABLE TRIGGER events_append_only")
        return
    for act in ("update", "delete", "replace"):
        await execute(db, f"DROP TRIGGER events_no_{act}")


async def test_the_chain_holds_after_the_key_of_the_case_is_gone(db: Database) -> None:
    key = CaseKey.create()
    rows = EVENT_CHAIN.link([event(1, sealed=key.seal_text('{"reason": "材料不齐"}', "event:case-1:1"))])
    async with db.begin() as session:
        session.add(filing("case-1"))
        session.add(CaseSecret(case_id="case-1", wrapped_key=key.wrap(RING, "case-1")))
    await write_rows(db, rows)
    await execute(db, "DELETE FROM case_secrets")
    assert verify_chain(await read_events(db), last_seq=1) is None


async def test_the_access_log_stays_one_chain_under_many_writers(tables_url: str) -> None:
    """Two Database objects stand for two processes."""
    processes = [Database(tables_url), Database(tables_url)]

    async def sign_in(number: int) -> None:
        async with processes[number % 2].begin() as session:
            await append(session, at=AT, action="sign_in", username=f"user-{number}", address="::1")

    await asyncio.gather(*(sign_in(number) for number in range(20)))
    async with processes[0].read() as session:
        rows = list(await session.exec(select(AccessLog).order_by(col(AccessLog.id))))
    assert len(rows) == 20
    assert verify_access_log(rows) is None
    await asyncio.gather(*(process.close() for process in processes))


async def test_an_update_through_the_projection_leaves_the_ledger_alone(filled: Database) -> None:
    """The triggers stand on the two tables of the record and on no other."""
    await add(filled, notification(1))
    await filled.write(lambda session: session.connection().execute(update(Notification).values(read=True)))
    await execute(filled, "DELETE FROM notifications")
