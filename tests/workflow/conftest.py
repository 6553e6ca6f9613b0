"""A shell per test: fresh tables, the shared Temporal server, and a worker while the test runs."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from models.codec import data_converter
from models.crypto import Keyring, generate_key
from models.database import Database
from tests.support.books import make_ready
from tests.support.postgres import Databases
from tests.support.shell import CHENGZHONG, GUILIN, Shell
from tests.support.temporal import TemporalServer

KEYRING = Keyring.parse(generate_key())


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with all tables, furnished, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    asyncio.run(make_ready(f"sqlite+aiosqlite:///{path}", GUILIN, CHENGZHONG))
    return path


@pytest.fixture(scope="session")
def migrated_postgres(postgres_databases: Databases) -> str:
    """The name of a PostgreSQL database with all tables, furnished, to be copied."""
    url = postgres_databases.create_database()
    asyncio.run(make_ready(url, GUILIN, CHENGZHONG))
    return str(make_url(url).database)


@pytest.fixture
async def shell(
    migrated_sqlite: Path, tmp_path: Path, temporal_server: TemporalServer
) -> AsyncIterator[Shell]:
    """A shell on SQLite. It has no worker yet: the test runs `shell.worker()`."""
    path = shutil.copy(migrated_sqlite, tmp_path / "ledger.db")
    async with _shell(f"sqlite+aiosqlite:///{path}", temporal_server) as made:
        yield made


@pytest.fixture
async def postgres_shell(
    postgres_databases: Databases, migrated_postgres: str, temporal_server: TemporalServer
) -> AsyncIterator[Shell]:
    """A shell on PostgreSQL."""
    url = postgres_databases.create_database(migrated_postgres)
    async with _shell(url, temporal_server) as made:
        yield made
    postgres_databases.drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def either_shell(request: pytest.FixtureRequest) -> Shell:
    """A shell; the test runs once on SQLite and once on PostgreSQL."""
    shell: Shell = request.getfixturevalue("shell" if request.param == "sqlite" else "postgres_shell")
    return shell


@asynccontextmanager
async def _shell(url: str, server: TemporalServer) -> AsyncIterator[Shell]:
    database = Database(url)
    shell = Shell(await server.client(data_converter=data_converter(KEYRING)), database, KEYRING)
    try:
        yield shell
        await shell.end()
    finally:
        await database.close()
