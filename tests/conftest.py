"""Real services for every test: PostgreSQL, SQLite and Temporal. Each xdist worker has its own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url
from temporalio.client import Client
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from tests.support.postgres import URL_VARIABLE, Databases, PostgresDatabases, postgres_server
from tests.support.temporal import TemporalServer

pytest_plugins = ["tests.support.limits"]


@pytest.fixture(scope="session")
def postgres_databases() -> Iterator[Databases]:
    """The PostgreSQL server of this test run, started when the first test wants it."""
    if given := os.environ.get(URL_VARIABLE):
        yield PostgresDatabases(make_url(given))
        return
    with postgres_server() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_databases: Databases) -> Iterator[str]:
    """URL of a fresh, empty PostgreSQL database."""
    url = postgres_databases.create_database()
    yield url
    postgres_databases.drop_database(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """URL of a fresh SQLite file."""
    return f"sqlite+aiosqlite:///{tmp_path / 'test.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a fresh, empty database; the test runs once on SQLite and once on PostgreSQL."""
    wanted = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    url: str = request.getfixturevalue(wanted)
    return url


@pytest.fixture(scope="session")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """The Temporal server that tests share; a test that kills it takes `own_temporal_server`."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_temporal_server(tmp_path: Path) -> Iterator[TemporalServer]:
    """A Temporal server for one test alone, which may kill it and start it again."""
    server = TemporalServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def temporal_client(temporal_server: TemporalServer) -> Client:
    """A client of the shared server, in real time."""
    return await temporal_server.client()


@pytest.fixture
def time_skipper(temporal_client: Client) -> TimeSkipper:
    """Starts workflows (through its `client`) whose own clock `fast_forward` moves."""
    return TimeSkipper(temporal_client, config=TimeSkippingConfig(enabled=False))
