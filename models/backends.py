"""How each dialect takes its turns: what `Database` needs behind one face."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Engine
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from models.engines import postgres_engine, sqlite_engine, sqlite_sync_engine
from models.outage import connecting

Result = TypeVar("Result")
COMMAND_SECONDS = 60.0  # a statement that takes longer counts as an outage (PostgreSQL)


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncSession]:
    """Open a session in a transaction that has begun; commits at the end of the block."""
    async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
        with connecting():
            await session.connection()
        yield session


class SqliteBackend:
    """One writer at a time, readers beside it.

    Writers of this process queue in `turn`, in order and without waiting in vain; SQLite's own
    queue sleeps up to 0.1 s between two looks, and is left to writers of other processes.
    """

    def __init__(self, url: URL, pool_size: int) -> None:
        self.turn: AbstractAsyncContextManager[Any] = asyncio.Lock()
        # Without IMMEDIATE a transaction that reads first and then writes fails as locked.
        self.writing = sqlite_engine(url, begin="BEGIN IMMEDIATE")
        self.reading = sqlite_engine(url, begin="BEGIN", pool_size=pool_size, read_only=True)
        self._direct = sqlite_sync_engine(url, begin="BEGIN IMMEDIATE")
        # A connection of either lives in its thread and never leaves it.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")
        self._looking = sqlite_sync_engine(url, begin="BEGIN", read_only=True)
        self._looker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-reader")

    async def write(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a write transaction in the writer's thread."""
        return await _hop(self._thread, self._direct, work)

    async def look(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a read-only transaction in the reader's thread: for short reads."""
        return await _hop(self._looker, self._looking, work)

    async def close(self) -> None:
        """Close all connections."""
        for thread, engine in ((self._thread, self._direct), (self._looker, self._looking)):
            await asyncio.get_running_loop().run_in_executor(thread, engine.dispose)
            thread.shutdown()
        await self.writing.dispose()
        await self.reading.dispose()


async def _hop(thread: ThreadPoolExecutor, engine: Engine, work: Callable[[Session], Result]) -> Result:
    """Run `work` in a transaction in the thread that the engine's connection belongs to."""

    def transact() -> Result:
        with Session(engine, expire_on_commit=False) as session, session.begin():
            session.connection()
            return work(session)

    return await asyncio.get_running_loop().run_in_executor(thread, transact)


class PostgresBackend:
    """Many writers; a read sees one snapshot (REPEATABLE READ), as it does on SQLite."""

    def __init__(self, url: URL, pool_size: int) -> None:
        self.turn: AbstractAsyncContextManager[Any] = nullcontext()
        self.writing = postgres_engine(url, pool_size=pool_size, command_seconds=COMMAND_SECONDS)
        self.reading = self.writing.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def write(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a write transaction."""
        async with transaction(self.writing) as session:
            # run_sync passes a Session of the class that AsyncSession wraps: SQLModel's.
            return await session.run_sync(cast(Callable[..., Result], work))

    async def look(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a read-only transaction."""
        async with transaction(self.reading) as session:
            return await session.run_sync(cast(Callable[..., Result], work))

    async def close(self) -> None:
        """Close all connections."""
        await self.writing.dispose()
