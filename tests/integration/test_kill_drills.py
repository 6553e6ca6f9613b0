"""The long form of the kills: at random, again and again, under load, for a minute.

Set BANCHENG_DRILL_SEED to repeat a drill; each prints its seed. What is killed when depends on the
machine all the same.
"""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rules.case.state import CaseState
from tests.support.onlooker import Onlooker, at_work, work_every_day
from tests.support.plant import PARTS, Plant

pytestmark = [pytest.mark.drill, pytest.mark.timeout(900)]

CONTACT = "guilin.market.contact"
CASES, ACTS = 24, 6
GROUPS = 4  # so many closing times, one after the other
LASTING = 60.0  # seconds
SEED = int(os.environ.get("BANCHENG_DRILL_SEED", random.SystemRandom().randrange(1_000_000)))


@pytest.fixture
async def seen(furnished_url: str, tmp_path: Path) -> AsyncIterator[Onlooker]:
    """A plant of this drill's own, on either database."""
    await work_every_day(furnished_url)
    async with at_work(Plant(tmp_path, furnished_url)) as seen:
        yield seen


async def prepared(seen: Onlooker) -> dict[str, datetime]:
    """Cases by their id, each with its due instant; groups come due one after the other."""
    first = datetime.now(UTC) + timedelta(seconds=LASTING / 2)
    found: dict[str, datetime] = {}
    for group in range(GROUPS):
        closing = await seen.close_at(first - datetime.now(UTC) + timedelta(seconds=8 * group))
        for _ in range(CASES // GROUPS):
            found[await seen.due_case(closing)] = closing
    return found


async def work(seen: Onlooker, chance: random.Random, case_id: str) -> None:
    """Write lines of the progress ledger, each insisted upon."""
    for number in range(ACTS):
        await asyncio.sleep(chance.uniform(0, 2 * LASTING / ACTS))
        text = {"text": f"第 {number} 行"}
        key = f"{case_id}-{number}"
        path = f"cases/{case_id}/progress"
        answer = await seen.insist(path, text, by=CONTACT, key=key, within=300)
        assert answer.status_code == 200, answer.text


async def havoc(seen: Onlooker, chance: random.Random) -> int:
    """Kill and restart parts until the time is over; return how often."""
    end = asyncio.get_running_loop().time() + LASTING
    kills = 0
    while asyncio.get_running_loop().time() < end:
        await asyncio.sleep(chance.uniform(0.5, 5))
        victims = chance.sample(PARTS, chance.choice((1, 1, 2, 3)))
        seen.plant.kill(*victims)
        kills += len(victims)
        await asyncio.sleep(chance.uniform(0, 3))
        seen.plant.start(*victims)
        if chance.random() < 0.7:  # else something may die that has not come up yet
            await seen.up()
    await seen.up()
    return kills


def sound(state: CaseState, due: datetime) -> None:
    """A case that was due has climbed, once."""
    assert state.due_at == due
    fired = [mark for mark in state.fired if mark.key.startswith("overdue_1/")]
    assert len(fired) == 1
    assert fired[0].at >= due + timedelta(seconds=1)


async def test_kills_at_random_lose_and_double_nothing(seen: Onlooker) -> None:
    print(f"BANCHENG_DRILL_SEED={SEED}")
    chance = random.Random(SEED)
    cases = await prepared(seen)
    working = [asyncio.create_task(work(seen, chance, case_id)) for case_id in cases]
    kills = await havoc(seen, chance)
    await asyncio.gather(*working)
    for case_id, due in cases.items():
        await seen.happened(case_id, "overdue_1")
        sound(await seen.whole(case_id), due)
        assert (await seen.types(case_id)).count("progress") == ACTS
    print(f"{kills} kills, {len(cases)} cases, {len(cases) * ACTS} acts")
