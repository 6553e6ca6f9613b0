"""The database as the rest of the house sees it: write transactions, reads, and outages."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import text
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

from models.backends import PostgresBackend, SqliteBackend, transaction
from models.engines import database_url
from models.outage import DatabaseUnavailable, is_unavailable

__all__ = ["Database", "DatabaseUnavailable", "is_unavailable"]

Result = TypeVar("Result")
POOL_SIZE = 10


class Database:
    """A SQLite file or a PostgreSQL database; nothing is opened before the first use.

    One object belongs to one event loop. Every method raises DatabaseUnavailable in an outage.
    """

    def __init__(self, url: str, pool_size: int = POOL_SIZE) -> None:
        parsed = database_url(url)
        self.dialect = parsed.get_backend_name()
        self._file = Path(str(parsed.database)) if self.dialect == "sqlite" else None
        self._backend: SqliteBackend | PostgresBackend
        if self.dialect == "sqlite":
            self._backend = SqliteBackend(parsed, pool_size)
        else:
            self._backend = PostgresBackend(parsed, pool_size)

    @property
    def is_missing(self) -> bool:
        """Whether it is a SQLite file that was not made yet (looking into it would make one)."""
        return self._file is not None and not self._file.exists()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Open a write transaction: commits at the end of the block, rolls back on any error.

        On SQLite it is the only writer from its first moment (BEGIN IMMEDIATE), so that what was
        read stays true until the commit; on PostgreSQL lock what you read (`with_for_update`).
        Never open a second one inside the block.
        """
        async with self._backend.turn, transaction(self._backend.writing) as session:
            yield session

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        """Open a read-only transaction that sees one snapshot throughout; writing raises."""
        async with transaction(self._backend.reading) as session:
            yield session

    async def write(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a write transaction and return its result: the way for hot paths.

        `work` is a plain function that gets a plain session and waits for nothing else. On SQLite
        it runs in the writer's thread, one hop for the whole transaction: less than half the CPU
        of `begin`, which hops four times for each statement. A cancelled call may still commit.
        """
        async with self._backend.turn:
            return await self._backend.write(work)

    async def look(self, work: Callable[[Session], Result]) -> Result:
        """Run `work` in a read-only transaction and return its result: `read` for hot paths.

        As with `write`, the whole transaction is one hop on SQLite; `work` only reads.
        """
        return await self._backend.look(work)

    async def ping(self) -> None:
        """Return if the database answers."""
        async with self.read() as session:
            await session.scalar(text("SELECT 1"))

    async def close(self) -> None:
        """Close all connections; to be called once, by whoever made the object."""
        await self._backend.close()
