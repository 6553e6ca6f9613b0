"""Bringing a database to the newest schema, from the command line, at a start and in tests."""

import asyncio
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import event, inspect, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry
from sqlmodel import Session

from models.engines import database_url, postgres_engine, sqlite_engine

# Beside this package in a checkout and in an installed wheel alike.
SCRIPTS = Path(__file__).resolve().parent.parent / "migrations"
_ALONE = threading.Lock()  # alembic keeps what it works on in globals


async def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at `url` up to `revision`; a SQLite file and its folder are made.

    Two processes may call it at once: the second waits, and finds nothing to do.
    Raises DatabaseUnavailable, ValueError for another kind of database.
    """
    await asyncio.to_thread(_run, command.upgrade, url, revision)


async def downgrade(url: str, revision: str = "base") -> None:
    """Take the database at `url` back to `revision`. What the later tables held is lost."""
    await asyncio.to_thread(_run, command.downgrade, url, revision)


@cache
def newest_revision() -> str:
    """Return the revision that this code needs."""
    return str(ScriptDirectory(str(SCRIPTS)).get_current_head())


def revision_of(session: Session) -> str | None:
    """Return the revision that a database has; None where it has no tables of ours."""
    connection = session.connection()
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _run(operation: Callable[[Config, str], None], url: str, revision: str) -> None:
    # In a thread of its own: alembic is synchronous, and env.py runs an event loop.
    with _ALONE:
        operation(alembic_config(url), revision)


def alembic_config(url: str) -> Config:
    """Return alembic's configuration for this database; no file is read."""
    config = Config(attributes={"url": url})
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def migration_engine(url: str) -> AsyncEngine:
    """Return the engine that migrations run on; for SQLite the file is made, its owner's alone."""
    parsed = database_url(url)
    if parsed.get_backend_name() == "postgresql":
        return postgres_engine(parsed, pool_size=1)
    file = Path(str(parsed.database))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.touch(mode=0o600)  # it holds what people wrote; SQLite's side files take its mode
    engine = sqlite_engine(parsed, begin="BEGIN IMMEDIATE")

    @event.listens_for(engine.sync_engine, "connect")
    def allow_rebuilding(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        # Batch operations drop and rebuild a table: enforced keys would delete what points to it.
        cursor = connection.cursor()
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.close()

    return engine
