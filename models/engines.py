"""SQLAlchemy engines for the two dialects, and the settings that each of them needs."""

import json
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from models.outage import translate_outages
from models.sqlite_driver import connect

BUSY_SECONDS = 10.0  # how long a SQLite writer waits for one in another process
CONNECT_SECONDS = 5.0
POOL_SECONDS = 10.0

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}


def database_url(text: str) -> URL:
    """Read DATABASE_URL, with any driver named or none; the driver becomes ours.

    Raises ValueError for other databases and for SQLite in memory (each connection would have
    its own).
    """
    url = make_url(text)
    backend = "postgresql" if url.drivername == "postgres" else url.drivername.partition("+")[0]
    if backend not in DRIVERS:
        raise ValueError(f"the database must be SQLite or PostgreSQL, not {backend}")
    if backend == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("SQLite needs a file")
    if "sslmode" in url.query:  # libpq's name; asyncpg takes the same words as `ssl`
        mode = url.query["sslmode"]
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url.set(drivername=DRIVERS[backend])


def to_json(value: Any) -> str:
    """Serialise a JSON column: Chinese as it is, else no JSON filter on SQLite finds it."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def sqlite_engine(url: URL, *, begin: str, pool_size: int = 1, read_only: bool = False) -> AsyncEngine:
    """Return an engine on aiosqlite whose transactions open with the statement `begin`."""
    engine = create_async_engine(url, **_sqlite_options(pool_size, async_creator_fn=connect))
    _prepare_sqlite(engine.sync_engine, begin, read_only)
    return engine


def sqlite_sync_engine(url: URL, *, begin: str, read_only: bool = False) -> Engine:
    """Return an engine on the standard library's sqlite3, with one connection."""
    engine = create_engine(url.set(drivername="sqlite"), **_sqlite_options(1))
    _prepare_sqlite(engine, begin, read_only)
    return engine


def postgres_engine(url: URL, *, pool_size: int, command_seconds: float | None = None) -> AsyncEngine:
    """Return an engine on asyncpg with up to twice `pool_size` connections."""
    engine = create_async_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=POOL_SECONDS,
        connect_args={"timeout": CONNECT_SECONDS, "command_timeout": command_seconds},
        json_serializer=to_json,
        hide_parameters=True,  # they hold personal data, and errors are logged
    )
    translate_outages(engine.sync_engine)

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_closed(connection: Any, record: Any, proxy: Any) -> None:
        # Costs no round trip, unlike pool_pre_ping: asyncpg knows that the server hung up.
        if connection.driver_connection.is_closed():
            raise InvalidatePoolError

    return engine


def _sqlite_options(pool_size: int, **driver: Any) -> dict[str, Any]:
    return {
        "pool_size": pool_size,
        "max_overflow": 0,
        "pool_timeout": POOL_SECONDS,
        "connect_args": {"timeout": BUSY_SECONDS, **driver},
        "json_serializer": to_json,
        "hide_parameters": True,
    }


def _prepare_sqlite(engine: Engine, begin: str, read_only: bool) -> None:
    pragmas = ["journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"]
    if read_only:
        pragmas.append("query_only=ON")
    translate_outages(engine)

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        # The driver must not open transactions by itself: it would open them too late.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def open_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)
