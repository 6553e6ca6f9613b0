"""The real services behind the other tests: fresh per test, and as hard to kill as they claim."""

import asyncio
import os
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from temporalio.client import Client
from temporalio.testing import TimeSkipper
from temporalio.worker import Worker

from tests.support.postgres import URL_VARIABLE, PostgresServer
from tests.support.sleeper import Sleeper
from tests.support.temporal import TemporalServer

QUEUE = "support"


async def _create_table_and_count(url: str) -> int:
    engine = create_async_engine(url)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("CREATE TABLE notes (words TEXT)"))
            await connection.execute(text("INSERT INTO notes VALUES ('办不成事')"))
            found = await connection.execute(text("SELECT count(*) FROM notes WHERE words = '办不成事'"))
            return int(found.scalar_one())
    finally:
        await engine.dispose()


@pytest.mark.parametrize("visit", ["first", "second"])
async def test_each_test_gets_an_empty_database(database_url: str, visit: str) -> None:
    assert await _create_table_and_count(database_url) == 1, visit


@pytest.mark.postgres
async def test_postgresql_is_real(postgres_url: str) -> None:
    engine = create_async_engine(postgres_url)
    async with engine.connect() as connection:
        version = (await connection.execute(text("SELECT version()"))).scalar_one()
    await engine.dispose()
    assert str(version).startswith("PostgreSQL ")


@pytest.mark.postgres
@pytest.mark.skipif(URL_VARIABLE in os.environ, reason="a given server is not ours to kill")
async def test_postgresql_comes_back_on_its_port_after_a_kill() -> None:
    server = PostgresServer()
    try:
        server.create_cluster()
        server.start()
        url = server.create_database()
        assert await _create_table_and_count(url) == 1
        server.kill()
        server.start()
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            assert (await connection.execute(text("SELECT count(*) FROM notes"))).scalar_one() == 1
        await engine.dispose()
    finally:
        server.remove()


async def test_a_workflow_runs_in_real_time(temporal_client: Client) -> None:
    async with Worker(temporal_client, task_queue=QUEUE, workflows=[Sleeper]):
        slept = await temporal_client.execute_workflow(Sleeper.run, 0, id="real-time", task_queue=QUEUE)
    assert slept < 60


async def test_a_workflow_clock_can_be_moved_by_weeks(time_skipper: TimeSkipper) -> None:
    three_weeks = timedelta(weeks=3)
    async with Worker(time_skipper.client, task_queue=QUEUE, workflows=[Sleeper]):
        handle = await time_skipper.client.start_workflow(
            Sleeper.run, int(three_weeks.total_seconds()), id="three-weeks", task_queue=QUEUE
        )
        await time_skipper.fast_forward(handle, three_weeks + timedelta(hours=1))
        slept = await handle.result()
    assert three_weeks.total_seconds() <= slept < three_weeks.total_seconds() + 3600


async def test_a_workflow_survives_a_killed_server(own_temporal_server: TemporalServer) -> None:
    await _survive_kills(own_temporal_server, times=1)


@pytest.mark.drill
async def test_a_workflow_survives_a_server_killed_again_and_again(
    own_temporal_server: TemporalServer,
) -> None:
    await _survive_kills(own_temporal_server, times=10)


async def _survive_kills(server: TemporalServer, *, times: int) -> None:
    client = await server.client()
    handles = [
        await client.start_workflow(Sleeper.run, 1, id=f"survivor-{number}", task_queue=QUEUE)
        for number in range(20)
    ]
    for _ in range(times):
        server.kill()
        server.start()
    async with Worker(await server.client(), task_queue=QUEUE, workflows=[Sleeper]):
        slept = await asyncio.gather(*(handle.result() for handle in handles))
    assert all(seconds >= 1 for seconds in slept)
