"""Heads that are asked for at the same time, by the worker and at the command line, on either database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.archiving import take_head
from casework.heads import take_now
from casework.services import Services
from casework.verifying import verify_ledger
from models.heads import Head
from tests.support.ledgers import more, write_story
from tests.support.office import services_at

EVENING = datetime(2026, 3, 9, 15, 50, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def other(furnished_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """What another process has of the same database."""
    given = services_at(furnished_url, tmp_path)
    yield given
    await given.database.close()


async def taken(services: Services, due_at: datetime) -> Head:
    """A head over an instant."""
    signer = services.evidence.signer
    return await services.database.write(lambda session: take_head(session, signer, due_at, due_at))


@asynccontextmanager
async def in_hand(services: Services, due_at: datetime) -> AsyncIterator[Head]:
    """A head that is taken and not yet committed while the block runs."""
    signer = services.evidence.signer

    def take(session: Any) -> Head:
        return take_head(session, signer, due_at, due_at)

    async with services.database.begin() as session:
        yield await session.run_sync(take)


async def test_who_waits_for_a_head_links_his_own_to_it(services: Services, other: Services) -> None:
    """What the first one covers, the second one knows to be covered."""
    case_id = await write_story(services)
    async with in_hand(services, EVENING) as first:
        waiting = asyncio.create_task(taken(other, EVENING + MINUTE))
        await asyncio.sleep(0.5)
        assert not waiting.done()
    second = await waiting
    assert (first.number, second.number, second.prev_root) == (1, 2, first.root)
    assert (first.leaves, second.leaves) == (1, 0)
    await more(services, case_id)
    assert (await verify_ledger(services)).ok


async def test_who_waits_for_a_head_over_the_same_instant_gets_that(
    services: Services, other: Services
) -> None:
    async with in_hand(services, EVENING) as first:
        waiting = asyncio.create_task(taken(other, EVENING))
        await asyncio.sleep(0.5)
        assert not waiting.done()
    assert await waiting == first


async def test_many_at_once_give_one_head_for_each_instant(services: Services, other: Services) -> None:
    await write_story(services)
    asked = [(who, EVENING + n * MINUTE) for n in range(3) for who in (services, other, services)]
    heads = await asyncio.gather(*(taken(who, due_at) for who, due_at in asked))
    assert sorted({head.number for head in heads}) == [1, 2, 3]
    assert [head.due_at for head in heads] == [due_at for _, due_at in asked]
    assert len({head.due_at for head in heads}) == 3
    report = await verify_ledger(services)
    assert (report.heads, report.ok) == (3, True)


async def test_the_command_line_takes_one_beside_the_daily_one(services: Services, other: Services) -> None:
    await write_story(services)
    paths, daily = await asyncio.gather(
        asyncio.gather(take_now(services), take_now(other)), taken(other, EVENING)
    )
    assert len(set(paths)) == 2 and all(path.exists() for path in paths)
    report = await verify_ledger(services)
    assert (report.heads, report.ok) == (3, True)
    assert daily.due_at == EVENING
