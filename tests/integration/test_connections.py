"""Connections to a database: what counts as an outage, and which databases are ours."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from models import backends, engines
from models.database import Database, DatabaseUnavailable, is_unavailable
from models.migrate import upgrade
from models.tables import (
    Notification,
)
from tests.support.rows import (
    add,
    execute,
    notification,
)


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
