"""Telling an outage of the database (wait, try again) from a fault of ours (report it)."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, ExceptionContext, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

# Classes of SQLSTATE: connection, authorisation, no such database, resources, system error.
UNREACHABLE_CLASSES = frozenset({"08", "28", "3D", "53", "58"})
# Shut down by an admin or a crash, not up yet, the database was dropped, too slow to be idle.
UNREACHABLE_STATES = frozenset({"57P01", "57P02", "57P03", "57P04", "57P05"})
UNREACHABLE_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    }
)


class DatabaseUnavailable(Exception):
    """The database can't be reached or can't take part now; the same call may succeed later.

    Raised by a commit it leaves open whether the commit took place.
    """


def is_unavailable(error: BaseException) -> bool:
    """Say whether this error means an outage, whichever layer raised it."""
    if isinstance(error, DatabaseUnavailable | PoolTimeoutError):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _driver_unreachable(error.orig)
    return False


def _driver_unreachable(error: BaseException | None) -> bool:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        # The low byte is the error, the others say more about it: READONLY alone is somebody who
        # writes inside a read, READONLY_DBMOVED a file that is gone.
        return code is not None and (
            code & 0xFF in UNREACHABLE_SQLITE or code == sqlite3.SQLITE_READONLY_DBMOVED
        )
    state = getattr(error, "sqlstate", None) or ""
    return state[:2] in UNREACHABLE_CLASSES or state in UNREACHABLE_STATES


def translate_outages(engine: Engine) -> None:
    """Make every outage that a statement or a commit meets a DatabaseUnavailable."""

    @event.listens_for(engine, "handle_error")
    def translate(context: ExceptionContext) -> BaseException | None:
        original = context.original_exception
        # asyncpg raises these as they are: the socket broke, or command_timeout is over.
        error = context.sqlalchemy_exception or original
        if isinstance(original, OSError) or is_unavailable(error):
            return DatabaseUnavailable(type(original).__name__)
        return None


@contextmanager
def connecting() -> Iterator[None]:
    """Make a refused or timed-out connection inside the block a DatabaseUnavailable."""
    try:
        yield
    except (OSError, PoolTimeoutError) as error:
        raise DatabaseUnavailable(type(error).__name__) from error
