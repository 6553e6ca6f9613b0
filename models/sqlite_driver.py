"""SQLite connections that may be cancelled at any moment.

The drivers as they come have two faults there: a cancelled transaction could stay open and keep every
writer out, and a task that was cancelled a second time could wait for ever. ADR 38.
"""

import asyncio
import sqlite3
from contextlib import suppress
from typing import Any

import aiosqlite

CHUNK = 64  # rows that the thread hands over at once


class RollingBack(sqlite3.Connection):
    """Ends its transaction before it closes.

    SQLite closes a connection for good only once its last statement is gone, and its locks go with it. A
    cancelled statement is held by the traceback of its cancellation, for as long as anybody holds that.
    """

    def close(self) -> None:
        """Roll back what is open, and close."""
        with suppress(sqlite3.Error):  # closed already, or its file is gone
            self.rollback()
        super().close()


class StoppedOnce(aiosqlite.Connection):
    """Asks its thread once to stop: who asks again would wait for the answer of a thread that is gone."""

    _asked = False

    def stop(self) -> asyncio.Future[Any] | None:
        """Stop the thread; return what to wait for, None where somebody else has asked."""
        if self._asked:
            return None
        self._asked = True
        return super().stop()


def connect(database: str, **options: Any) -> StoppedOnce:
    """Return a connection that is not open yet, as `aiosqlite.connect` does; no process waits for it."""

    def open_now() -> sqlite3.Connection:
        return sqlite3.connect(database, factory=RollingBack, **options)

    made = StoppedOnce(open_now, CHUNK)
    made._thread.daemon = True
    return made
