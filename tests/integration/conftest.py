"""A house per test: fresh tables, everybody at work, on SQLite or on PostgreSQL."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from casework.services import Services
from models.database import Database
from models.migrate import upgrade
from tests.support.house import House, furnish, open_house
from tests.support.office import Office, open_office, services_at
from tests.support.postgres import Databases
from tests.support.receivers import Receiver, http_receiver
from tests.support.temporal import TemporalServer


@pytest.fixture
async def tables_url(database_url: str) -> str:
    """URL of a database with our tables, and nothing in them."""
    await upgrade(database_url)
    return database_url


@pytest.fixture
async def db(tables_url: str) -> AsyncIterator[Database]:
    """A database with our tables, and nothing in them."""
    database = Database(tables_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def furnished_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with tables and people, to be copied."""
    folder = tmp_path_factory.mktemp("house")
    path = folder / "furnished.db"
    asyncio.run(furnish(f"sqlite+aiosqlite:///{path}", folder))
    return path


@pytest.fixture(scope="session")
def furnished_postgres(postgres_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a PostgreSQL database with tables and people, to be copied."""
    url = postgres_databases.create_database()
    asyncio.run(furnish(url, tmp_path_factory.mktemp("house")))
    return str(make_url(url).database)


@pytest.fixture
def furnished_sqlite_url(furnished_sqlite: Path, tmp_path: Path) -> str:
    """URL of a SQLite file of this test's own, furnished."""
    path = shutil.copy(furnished_sqlite, tmp_path / "house.db")
    return f"sqlite+aiosqlite:///{path}"


@pytest.fixture
def furnished_postgres_url(postgres_databases: Databases, furnished_postgres: str) -> Iterator[str]:
    """URL of a PostgreSQL database of this test's own, furnished."""
    url = postgres_databases.create_database(furnished_postgres)
    yield url
    postgres_databases.drop_database(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def furnished_url(request: pytest.FixtureRequest) -> str:
    """URL of a furnished database; the test runs once on SQLite and once on PostgreSQL."""
    wanted = "furnished_sqlite_url" if request.param == "sqlite" else "furnished_postgres_url"
    url: str = request.getfixturevalue(wanted)
    return url


@pytest.fixture
async def services(furnished_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """Services over a furnished database, without an engine; once on SQLite and once on PostgreSQL."""
    given = services_at(furnished_url, tmp_path)
    yield given
    await given.database.close()


@pytest.fixture
async def house(furnished_url: str, temporal_server: TemporalServer, tmp_path: Path) -> AsyncIterator[House]:
    """The house; the test runs once on SQLite and once on PostgreSQL."""
    async with open_house(furnished_url, temporal_server, tmp_path) as opened:
        yield opened


@pytest.fixture
async def sqlite_house(
    furnished_sqlite_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> AsyncIterator[House]:
    """The house on SQLite, for what has nothing to do with the dialect."""
    async with open_house(furnished_sqlite_url, temporal_server, tmp_path) as opened:
        yield opened


@pytest.fixture
async def office(furnished_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """The API without an engine, on both databases: what needs no engine must work without."""
    async with open_office(services_at(furnished_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
async def sqlite_office(furnished_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Office]:
    """The same on SQLite, for what has nothing to do with the dialect."""
    async with open_office(services_at(furnished_sqlite_url, tmp_path)) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Whoever is posted to over HTTP."""
    with http_receiver() as running:
        yield running
