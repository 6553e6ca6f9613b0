"""What a transaction promises on both dialects: writers in turn, readers of one moment."""

import asyncio

import pytest
from sqlalchemy import func
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import Session, select

from models.database import Database
from models.tables import (
    Notification,
    NumberCounter,
)
from tests.support.rows import (
    AT,
    add,
    notification,
)


async def count_up(db: Database, times: int) -> None:
    """Read, give way, write: what fails or loses a count where writers don't take turns."""
    for _ in range(times):
        async with db.begin() as session:
            wanted = select(NumberCounter).where(NumberCounter.hall == "guilin").with_for_update()
            counter = (await session.exec(wanted)).one()
            await asyncio.sleep(0)
            counter.last += 1


async def test_read_then_write_never_fails_as_locked(tables_url: str) -> None:
    """Each Database object stands for a process, each task in it for a request."""
    processes = [Database(tables_url) for _ in range(3)]
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
