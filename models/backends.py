"""How each dialect takes its turns: what `Database` needs behind one face."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import URL, Connection

from models.engines import postgres_engine, sqlite_engine, sqlite_sync_engine
from models.outage import connecting

Result = TypeVar("Result")


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
        # The connection of `_direct` lives in this thread and never leaves it.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite-writer")

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in a write transaction in the writer's thread."""

        def transact() -> Result:
            with self._direct.begin() as connection:
                return work(connection)

        return await asyncio.get_running_loop().run_in_executor(self._thread, transact)

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._direct.dispose)
        self._thread.shutdown()
        await self.writing.dispose()
        await self.reading.dispose()


class PostgresBackend:
    """Many writers; a read sees one snapshot (REPEATABLE READ), as it does on SQLite."""

    def __init__(self, url: URL, pool_size: int) -> None:
        self.turn: AbstractAsyncContextManager[Any] = nullcontext()
        self.writing = postgres_engine(url, pool_size=pool_size)
        self.reading = self.writing.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )

    async def write(self, work: Callable[[Connection], Result]) -> Result:
        """Run `work` in a write transaction."""
        connection = self.writing.connect()
        with connecting():
            await connection.start()
        try:
            async with connection.begin():
                return await connection.run_sync(work)
        finally:
            await connection.close()

    async def close(self) -> None:
        """Close all connections."""
        await self.writing.dispose()
