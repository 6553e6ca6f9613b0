"""What the tables promise, on both dialects: append-only, whole chains, UTC, and writers in turn."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError
from sqlmodel import Session, SQLModel, col, select

from models import backends, engines
from models.access_log import append
from models.act import NewAct, append_act
from models.chain import EVENT_CHAIN, verify_access_log, verify_chain
from models.crypto import CaseKey, generate_key
from models.crypto import Keyring as Ring
from models.database import Database, DatabaseUnavailable, is_unavailable
from models.migrate import upgrade
from models.tables import (
    AccessLog,
    CalendarYear,
    CaseSecret,
    Filing,
    LedgerEvent,
    Notification,
    NumberCounter,
    Petitioner,
    Unit,
)
from rules.calendar import SHANGHAI

AT = datetime(2026, 9, 20, 17, 30, 0, 123456, tzinfo=SHANGHAI)
RING = Ring.parse(generate_key())
APPEND_ONLY = ["events", "access_log", "acts"]


@pytest.fixture
async def url(database_url: str) -> str:
    """URL of a database with our tables."""
    await upgrade(database_url)
    return database_url


@pytest.fixture
async def db(url: str) -> AsyncIterator[Database]:
    """A database with our tables."""
    database = Database(url)
    yield database
    await database.close()


def event(seq: int, **other: Any) -> dict[str, Any]:
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


async def write_rows(db: Database, rows: list[dict[str, Any]]) -> None:
    await db.write(lambda session: session.connection().execute(insert(LedgerEvent), rows))


async def write_events(db: Database, count: int = 4) -> None:
    await write_rows(db, EVENT_CHAIN.link([event(seq) for seq in range(1, count + 1)]))


async def add(db: Database, *rows: SQLModel) -> None:
    def work(session: Session) -> None:
        session.add_all(rows)
        session.flush()

    await db.write(work)


async def read_events(db: Database) -> list[LedgerEvent]:
    async with db.read() as session:
        return list(await session.exec(select(LedgerEvent).order_by(col(LedgerEvent.seq))))


async def execute(db: Database, statement: str) -> None:
    async with db.begin() as session:
        await (await session.connection()).execute(text(statement))


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


async def test_the_access_log_stays_one_chain_under_many_writers(url: str) -> None:
    """Two Database objects stand for two processes."""
    processes = [Database(url), Database(url)]

    async def sign_in(number: int) -> None:
        async with processes[number % 2].begin() as session:
            await append(session, at=AT, action="sign_in", username=f"user-{number}", address="::1")

    await asyncio.gather(*(sign_in(number) for number in range(20)))
    async with processes[0].read() as session:
        rows = list(await session.exec(select(AccessLog).order_by(col(AccessLog.id))))
    assert len(rows) == 20
    assert verify_access_log(rows) is None
    await asyncio.gather(*(process.close() for process in processes))


# Values


@pytest.mark.parametrize("zone", [UTC, SHANGHAI, timezone(-timedelta(hours=11, minutes=30))])
async def test_an_instant_comes_back_in_aware_utc(db: Database, zone: Any) -> None:
    await add(db, notification(1, at=AT.astimezone(zone)))
    async with db.read() as session:
        stored = (await session.exec(select(Notification.at))).one()
        found = await session.exec(select(Notification.id).where(Notification.at == AT.astimezone(zone)))
        assert len(found.all()) == 1
    assert stored == AT
    assert stored.tzinfo is UTC


async def test_a_naive_datetime_is_refused(db: Database) -> None:
    naive = datetime(2026, 9, 20, 17, 30)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"):
        await add(db, notification(1, at=naive))
    with pytest.raises(StatementError, match="naive"):
        async with db.read() as session:
            await session.exec(select(Notification).where(Notification.at < naive))


async def test_chinese_inside_json_can_be_searched(db: Database) -> None:
    await write_events(db, 1)
    reason = col(LedgerEvent.data)["reason"].as_string()
    async with db.read() as session:
        for query in (reason == "材料不齐", reason.contains("不齐")):
            assert (await session.exec(select(LedgerEvent.seq).where(query))).all() == [1]


async def test_json_that_no_dialect_can_hold_is_refused(db: Database) -> None:
    row = EVENT_CHAIN.link([event(1)])[0] | {"data": {"n": float("nan")}}
    with pytest.raises(StatementError, match="JSON"):
        await write_rows(db, [row])


async def test_none_in_a_json_column_is_null(db: Database) -> None:
    year = CalendarYear(year=2027, version=1, source="国办发明电", loaded_by="admin", loaded_at=AT)
    await add(db, year)
    async with db.read() as session:
        stored = (await session.exec(select(CalendarYear))).one()
        assert (stored.off, stored.hall) == ([], None)


@pytest.mark.parametrize("hall", [None, "guilin"])
async def test_a_version_of_a_year_is_loaded_once(db: Database, hall: str | None) -> None:
    def notice() -> CalendarYear:
        return CalendarYear(
            hall=hall, year=2027, version=1, source="国办发明电", loaded_by="admin", loaded_at=AT
        )

    await add(db, notice())
    with pytest.raises(IntegrityError):
        await add(db, notice())


def notification(seq: int, at: datetime = AT, text: str = "已签收") -> Notification:
    return Notification(username="guilin.lead", case_id="case-1", seq=seq, kind="sign", text=text, at=at)


def filing(case_id: str) -> Filing:
    return Filing(
        case_id=case_id,
        hall="guilin",
        channel="counter",
        received_at=AT,
        clerk="guilin.clerk",
        body_hash="0" * 64,
        query_code_hash=case_id,
    )


# Keys between tables


async def test_rows_of_one_filing_may_be_added_in_any_order(db: Database) -> None:
    async with db.begin() as session:
        session.add(Petitioner(case_id="case-1", kind="person"))
        session.add(CaseSecret(case_id="case-1", wrapped_key="x"))
        await session.flush()
        session.add(filing("case-1"))
    async with db.read() as session:
        assert await session.get(Petitioner, "case-1") is not None


async def test_a_unit_without_its_hall_is_refused_at_the_commit(db: Database) -> None:
    with pytest.raises(IntegrityError):
        async with db.begin() as session:
            session.add(Unit(hall="nowhere", code="market", name="市场监管局"))
            await session.flush()


# Transactions


async def count_up(db: Database, times: int) -> None:
    """Read, give way, write: what fails or loses a count where writers don't take turns."""
    for _ in range(times):
        async with db.begin() as session:
            wanted = select(NumberCounter).where(NumberCounter.hall == "guilin").with_for_update()
            counter = (await session.exec(wanted)).one()
            await asyncio.sleep(0)
            counter.last += 1


async def test_read_then_write_never_fails_as_locked(url: str) -> None:
    """Each Database object stands for a process, each task in it for a request."""
    processes = [Database(url) for _ in range(3)]
    await add(processes[0], NumberCounter(hall="guilin", day=AT.date()))
    await asyncio.gather(*(count_up(process, 5) for process in processes for _ in range(4)))
    async with processes[0].read() as session:
        assert (await session.exec(select(NumberCounter.last))).one() == 60
    await asyncio.gather(*(process.close() for process in processes))


async def test_both_ways_of_writing_take_turns(db: Database) -> None:
    await add(db, NumberCounter(hall="guilin", day=AT.date()))

    def count(session: Session) -> int:
        wanted = select(NumberCounter).with_for_update()
        counter = session.exec(wanted).one()
        counter.last += 1
        return counter.last

    results = await asyncio.gather(*(db.write(count) for _ in range(20)), count_up(db, 20))
    assert len(set(results[:-1])) == 20
    assert await db.write(count) == 41


async def test_an_error_leaves_nothing_behind(db: Database) -> None:
    def fail(session: Session) -> None:
        session.add(notification(1))
        session.flush()
        raise LookupError("on the way")

    with pytest.raises(LookupError, match="on the way"):
        await db.write(fail)
    with pytest.raises(LookupError):
        async with db.begin() as session:
            session.add(notification(2))
            await session.flush()
            raise LookupError
    async with db.read() as session:
        assert (await session.exec(select(func.count()).select_from(Notification))).one() == 0


async def test_a_cancelled_transaction_lets_the_next_one_in(db: Database) -> None:
    entered = asyncio.Event()

    async def hold() -> None:
        async with db.begin() as session:
            session.add(notification(1))
            await session.flush()
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(hold())
    await entered.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(add(db, notification(1)), 5)


async def test_a_read_refuses_to_write(db: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"):
        async with db.read() as session:
            session.add(notification(1))
            await session.flush()


async def test_a_read_sees_one_moment(db: Database) -> None:
    count = select(func.count()).select_from(Notification)
    async with db.read() as session:
        before = (await session.exec(count)).one()
        await add(db, notification(1))
        assert (await session.exec(count)).one() == before == 0
    async with db.read() as session:
        assert (await session.exec(count)).one() == 1


async def test_errors_show_no_values(db: Database) -> None:
    await add(db, notification(1, text="张三来电"))
    with pytest.raises(IntegrityError) as refused:
        await add(db, notification(1, text="张三来电"))
    assert "张三" not in str(refused.value)


# Outages


async def test_a_server_that_is_down_is_an_outage(unused_tcp_port: int) -> None:
    db = Database(f"postgresql://postgres@127.0.0.1:{unused_tcp_port}/bancheng")
    with pytest.raises(DatabaseUnavailable) as raised:
        await db.ping()
    assert is_unavailable(raised.value)
    with pytest.raises(DatabaseUnavailable):
        async with db.begin():
            pass
    with pytest.raises(DatabaseUnavailable):
        await db.write(lambda session: None)
    await db.close()


async def test_a_connection_that_the_server_ended_is_an_outage_once(postgres_url: str) -> None:
    await upgrade(postgres_url)
    db, other = Database(postgres_url), Database(postgres_url)
    with pytest.raises(DatabaseUnavailable):
        async with db.begin() as session:
            session.add(notification(1))
            await session.flush()
            await end_others(other)
            await session.exec(select(Notification))
    await db.ping()
    await db.close()
    await other.close()


async def test_connections_that_died_in_the_pool_are_not_handed_out(postgres_url: str) -> None:
    await upgrade(postgres_url)
    db, other = Database(postgres_url), Database(postgres_url)
    await asyncio.gather(*(db.ping() for _ in range(5)))
    await end_others(other)
    await asyncio.sleep(0.2)
    await asyncio.gather(*(db.ping() for _ in range(5)))
    await add(db, notification(1))
    await db.close()
    await other.close()


async def test_a_statement_that_takes_too_long_is_an_outage(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backends, "COMMAND_SECONDS", 0.3)
    db = Database(postgres_url)
    with pytest.raises(DatabaseUnavailable):
        await execute(db, "SELECT pg_sleep(30)")
    await db.ping()
    await db.close()


async def end_others(db: Database) -> None:
    await execute(
        db,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )


async def test_a_file_that_another_process_keeps_locked_is_an_outage(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await upgrade(sqlite_url)
    monkeypatch.setattr(engines, "BUSY_SECONDS", 0.1)
    holder, db = Database(sqlite_url), Database(sqlite_url)
    async with holder.begin():
        with pytest.raises(DatabaseUnavailable):
            async with db.begin():
                pass
        with pytest.raises(DatabaseUnavailable):
            await add(db, notification(1))
        await db.ping()  # readers don't wait for writers
    await add(db, notification(1))
    await holder.close()
    await db.close()


async def test_a_file_that_can_not_be_opened_is_an_outage(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/none/bancheng.db")
    with pytest.raises(DatabaseUnavailable):
        await db.ping()
    with pytest.raises(DatabaseUnavailable):
        await add(db, notification(1))
    await db.close()


async def test_a_fault_of_ours_is_no_outage(db: Database) -> None:
    with pytest.raises(DBAPIError) as fault:
        await execute(db, "SELECT * FROM no_such_table")
    assert not is_unavailable(fault.value)
    with pytest.raises(FileNotFoundError):
        async with db.begin():
            raise FileNotFoundError("an attachment")
    with pytest.raises(TimeoutError):
        await db.write(lambda session: _raise(TimeoutError()))


def _raise(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    ("url", "fault"),
    [("sqlite://", "a file"), ("sqlite:///:memory:", "a file"), ("mysql://db/x", "not mysql")],
)
def test_other_databases_are_refused(url: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Database(url)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("postgres://u:p@db/x", "postgresql+asyncpg://u:p@db/x"),
        ("postgresql+psycopg2://u:p@db/x", "postgresql+asyncpg://u:p@db/x"),
        ("postgresql://u@db/x?sslmode=require", "postgresql+asyncpg://u@db/x?ssl=require"),
        ("sqlite:////data/x.db", "sqlite+aiosqlite:////data/x.db"),
    ],
)
def test_urls_may_name_any_driver_or_none(given: str, used: str) -> None:
    assert engines.database_url(given).render_as_string(hide_password=False) == used


async def test_an_update_through_the_projection_leaves_the_ledger_alone(filled: Database) -> None:
    """The triggers stand on the two tables of the record and on no other."""
    await add(filled, notification(1))
    await filled.write(lambda session: session.connection().execute(update(Notification).values(read=True)))
    await execute(filled, "DELETE FROM notifications")
