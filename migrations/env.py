"""How alembic runs our migrations: the database from `-x url=…`, the caller or the settings."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from models.engines import database_url
from models.migrate import migration_engine
from models.outage import connecting
from models.tables import metadata

MIGRATION_LOCK = 0x6D696772617465  # an advisory lock that nothing else takes


def _url() -> str:
    given = context.config.attributes.get("url")
    given = given or context.get_x_argument(as_dictionary=True).get("url")
    if given:
        return str(given)
    from settings import Settings  # only here: tests and the command line pass the URL in

    return Settings().database


def _migrate(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    context.run_migrations()


async def _migrate_online(url: str) -> None:
    engine = migration_engine(url)
    try:
        connection = engine.connect()
        with connecting():
            await connection.start()
        try:
            # Ours and not alembic's: a failed migration leaves nothing behind on either dialect.
            async with connection.begin():
                await connection.run_sync(_migrate)
        finally:
            await connection.close()
    finally:
        await engine.dispose()


def _print_sql(url: str) -> None:
    context.configure(
        dialect_name=database_url(url).get_backend_name(),
        target_metadata=metadata,
        literal_binds=True,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    _print_sql(_url())
else:
    asyncio.run(_migrate_online(_url()))
