"""aiosqlite with one trip to its thread for each statement.

SQLAlchemy's adapter makes four (make a cursor, execute, fetch, close), and the trips cost more than
SQLite itself: a ledger transaction took twice the CPU. A cursor here is made without a trip,
executes and fetches its first rows in one, and needs no closing once it is read to the end.
"""

import sqlite3
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Any

import aiosqlite

ROWS_PER_TRIP = 256
Row = tuple[Any, ...]


class DirectConnection(aiosqlite.Connection):
    """A connection of aiosqlite whose cursors save trips."""

    def cursor(self) -> "DirectCursor":  # type: ignore[override]
        """Return a cursor at once."""
        return DirectCursor(self)

    async def run(self, work: Callable[[sqlite3.Connection], Any]) -> Any:
        """Run `work` in the thread of the connection."""
        return await self._execute(work, self._conn)


class DirectCursor:
    """What SQLAlchemy's adapter asks of a cursor; rows beyond the first come in portions."""

    def __init__(self, connection: DirectConnection) -> None:
        self._connection = connection
        self._cursor: sqlite3.Cursor | None = None
        self._rows: deque[Row] = deque()
        self._exhausted = True
        self.arraysize = 1

    async def __aenter__(self) -> "DirectCursor":
        return self

    async def execute(self, sql: str, parameters: Iterable[Any] = ()) -> "DirectCursor":
        """Execute a statement and fetch its first rows."""
        await self._connection.run(partial(self._execute, sql, parameters))
        return self

    async def executemany(self, sql: str, parameters: Iterable[Iterable[Any]]) -> "DirectCursor":
        """Execute a statement once for each set of parameters."""
        await self._connection.run(partial(self._executemany, sql, parameters))
        return self

    async def fetchall(self) -> list[Row]:
        """Return all rows that are left."""
        if not self._exhausted:
            await self._connection.run(partial(self._fetch, -1))
        rows = list(self._rows)
        self._rows.clear()
        return rows

    async def fetchmany(self, size: int | None = None) -> list[Row]:
        """Return up to `size` rows."""
        wanted = size or self.arraysize
        if not self._exhausted and len(self._rows) < wanted:
            await self._connection.run(partial(self._fetch, max(wanted, ROWS_PER_TRIP)))
        return [self._rows.popleft() for _ in range(min(wanted, len(self._rows)))]

    async def fetchone(self) -> Row | None:
        """Return the next row."""
        rows = await self.fetchmany(1)
        return rows[0] if rows else None

    async def __aiter__(self) -> AsyncIterator[Row]:
        while rows := await self.fetchmany(ROWS_PER_TRIP):
            for row in rows:
                yield row

    async def close(self) -> None:
        """Let go of the statement, if it isn't read to its end."""
        self._rows.clear()
        if not self._exhausted and self._cursor is not None:
            self._exhausted = True
            cursor = self._cursor
            await self._connection.run(lambda _: cursor.close())

    @property
    def description(self) -> Any:
        """The columns of the result, None where there is none."""
        return self._cursor.description if self._cursor else None

    @property
    def rowcount(self) -> int:
        """How many rows were changed, -1 where that says nothing."""
        return self._cursor.rowcount if self._cursor else -1

    @property
    def lastrowid(self) -> int | None:
        """The id of the row inserted last."""
        return self._cursor.lastrowid if self._cursor else None

    def _execute(self, sql: str, parameters: Any, connection: sqlite3.Connection) -> None:
        self._cursor = connection.execute(sql, parameters)
        self._rows.clear()
        self._exhausted = self._cursor.description is None
        if not self._exhausted:
            self._fetch(ROWS_PER_TRIP, connection)

    def _executemany(self, sql: str, parameters: Any, connection: sqlite3.Connection) -> None:
        self._cursor = connection.executemany(sql, parameters)
        self._rows.clear()
        self._exhausted = True

    def _fetch(self, size: int, connection: sqlite3.Connection) -> None:
        assert self._cursor is not None
        rows = self._cursor.fetchall() if size < 0 else self._cursor.fetchmany(size)
        self._rows.extend(rows)
        self._exhausted = size < 0 or len(rows) < size
