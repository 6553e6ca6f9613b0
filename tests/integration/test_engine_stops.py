"""Whoever waits for the engine can be stopped: the SDK words a stop as an outage, to be waited out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from casework.calendars import terms_for
from models.messages import CommandMessage, Terms, encode_command
from models.tracing import new_command_id
from rules.case.commands import Progress
from tests.support.books import person
from tests.support.house import House, form, open_house
from tests.support.temporal import TemporalServer


@pytest.fixture
async def idle_house(
    furnished_sqlite_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> AsyncIterator[House]:
    """A house where nobody works: whoever asks the engine waits."""
    async with open_house(furnished_sqlite_url, temporal_server, tmp_path, workers=False) as opened:
        yield opened


async def kept(house: House) -> tuple[str, Terms]:
    """File a case that the engine has not heard of; return its id and its terms."""
    async with house.down():
        case = (await house.post("cases", form())).json()
    return case["id"], await terms_for(house.services, "guilin", await house.services.clock.now())


async def stopped(waiting: Awaitable[object]) -> None:
    """Stop somebody who waits; the stop must reach whoever asked for the work."""
    task = asyncio.ensure_future(waiting)
    await asyncio.sleep(0.5)
    assert not task.done()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_a_stop_while_a_case_is_started_is_a_stop(idle_house: House) -> None:
    case_id, terms = await kept(idle_house)
    await stopped(idle_house.services.engine.start(case_id, terms))


async def test_a_stop_while_a_command_is_under_way_is_a_stop(idle_house: House) -> None:
    case_id, terms = await kept(idle_house)
    engine = idle_house.services.engine
    await engine.resume(case_id, terms)
    command = Progress(text="已联系")
    message = CommandMessage(new_command_id(), person("guilin.market.contact"), encode_command(command))
    await stopped(engine.command(case_id, command.name, message))
