"""A transaction that is cancelled, wherever it is: it lets the next writer in, and it ends."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from sqlmodel import text

from models.database import Database
from models.migrate import upgrade
from tests.support.rows import add, notification

# A second of counting, in one statement.
SLOW = text(
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000000) SELECT max(i) FROM n"
)


async def write(database: Database) -> None:
    """Write in a transaction that may be cancelled at any moment."""
    async with database.begin() as session:
        session.add(notification(1))
        await session.flush()
        await session.exec(SLOW)


@contextmanager
def busy(file: Path) -> Iterator[None]:
    """Another process writes while the block runs."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("COMMIT")


async def cancel_whatever_runs() -> set[asyncio.Task[object]]:
    """Cancel every task but this one, those of the libraries too, as the end of an event loop does."""
    tasks = {task for task in asyncio.all_tasks() if task is not asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.sleep(0.1)
    return tasks


@pytest.fixture
async def file(sqlite_url: str, tmp_path: Path) -> Path:
    """A SQLite file with our tables."""
    await upgrade(sqlite_url)
    return tmp_path / "test.db"


async def test_cancelled_in_a_statement_it_lets_the_next_writer_in(tables_url: str) -> None:
    """Also while somebody holds what it ended with, and so its statement: whoever logs it."""
    mine, other = Database(tables_url), Database(tables_url)
    held: list[BaseException] = []

    async def write_and_remember() -> None:
        try:
            await write(mine)
        except asyncio.CancelledError as cancelled:
            held.append(cancelled)

    task = asyncio.create_task(write_and_remember())
    await asyncio.sleep(0.2)
    task.cancel()
    await task
    assert held
    await asyncio.wait_for(add(other, notification(1)), 5)
    await asyncio.gather(mine.close(), other.close())


async def test_cancelled_twice_before_its_turn_it_ends(file: Path) -> None:
    """The second time is the end of the event loop, which waits for every task. Its thread ends, too."""
    before = set(threading.enumerate())
    mine = Database(f"sqlite:///{file}")
    with busy(file):
        asyncio.get_running_loop().create_task(write(mine))
        await asyncio.sleep(0.3)
        tasks = await cancel_whatever_runs()
        tasks |= await cancel_whatever_runs()
    assert len(tasks) > 1, "the libraries tidy up in tasks of their own"
    _, pending = await asyncio.wait(tasks, timeout=5)
    assert not pending
    await asyncio.wait_for(add(mine, notification(1)), 5)
    await mine.close()
    async with asyncio.timeout(5):
        while set(threading.enumerate()) - before:
            await asyncio.sleep(0.02)
