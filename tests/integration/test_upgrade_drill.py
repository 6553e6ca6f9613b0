"""An upgrade with cases open, as an operator does it: stop, migrate, start the next release.

Cases go on where they were, under the rules that they began with; none is lost, and every alarm fires once.
"""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from temporalio.worker import Replayer

from casework.engine import workflow_id
from models.codec import data_converter
from models.migrate import alembic_config, downgrade
from rules.case.vocabulary import Status
from tests.support.house import form
from tests.support.next_release import GONE, NextCase
from tests.support.onlooker import Onlooker, at_work, work_every_day
from tests.support.plant import KEYS, Plant, eventually
from tests.support.processes import ServerProcess
from tests.support.running import bancheng
from workflows.runner import RUNNER

pytestmark = [pytest.mark.drill, pytest.mark.timeout(600)]

CONTACT = "guilin.market.contact"
CASES = 8  # of each sort
WITHIN = 120.0  # seconds, for what takes ten on an idle machine
PROGRESS = {"text": "已联系反映人"}


@pytest.fixture
async def seen(furnished_url: str, tmp_path: Path) -> AsyncIterator[Onlooker]:
    """A plant of this drill's own, on either database, up."""
    await work_every_day(furnished_url)
    async with at_work(Plant(tmp_path, furnished_url)) as seen:
        yield seen


async def due_cases(seen: Onlooker, after: timedelta) -> list[str]:
    """Cases that come due together, so much from now."""
    closing = await seen.close_at(after)
    return [await seen.due_case(closing) for _ in range(CASES)]


async def climbed(seen: Onlooker, cases: Sequence[str]) -> None:
    """Wait until all of them are due and were escalated."""
    async with asyncio.timeout(WITHIN):
        for case_id in cases:
            due = datetime.fromisoformat((await seen.case(case_id))["due_at"])
            await asyncio.sleep(max(0.0, (due - datetime.now(UTC)).total_seconds()))
            await seen.happened(case_id, "overdue_1")


async def stop_with_work_in_hand(seen: Onlooker, case_id: str) -> None:
    """The worker is asked to stop while a command waits for its ledger: it is carried out, and answered."""
    plant = seen.plant
    gate = plant.hold(case_id, "progress", "before")
    act = asyncio.create_task(seen.post(f"cases/{case_id}/progress", PROGRESS, by=CONTACT))
    await eventually(lambda: gate.holds)
    stopping = asyncio.create_task(asyncio.to_thread(plant.worker.end, signal.SIGTERM))
    await asyncio.sleep(1)
    assert not stopping.done()
    gate.open()
    answer = await act
    assert answer.status_code == 200, answer.text
    assert await stopping == 0
    assert (await seen.types(case_id)).count("progress") == 1
    assert await asyncio.to_thread(plant.api.end, signal.SIGTERM) == 0


async def migrate_from_the_revision_before(plant: Plant, folder: Path) -> None:
    """As if the release before had run until now: its tables, today's cases in them."""
    scripts = ScriptDirectory.from_config(alembic_config(plant.url))
    head = scripts.get_revision("head")
    assert head is not None and head.down_revision is not None
    await downgrade(plant.url, str(head.down_revision))
    code, said = await asyncio.to_thread(
        bancheng, folder, "migrate", database_url=plant.url, payload_keys=KEYS
    )
    assert code == 0, said


def next_worker(plant: Plant) -> ServerProcess:
    """The worker of the release to come."""
    command = [sys.executable, "-m", "tests.support.next_worker", plant.gates]
    env = plant.worker._env
    return ServerProcess(command, log=plant.folder / "worker.log", env=env)


async def replays(seen: Onlooker, case_id: str) -> None:
    """The case's history fits the new code."""
    converter = data_converter(seen.keyring)
    history = await (await seen.client()).get_workflow_handle(workflow_id(case_id)).fetch_history()
    await Replayer(workflows=[NextCase], workflow_runner=RUNNER, data_converter=converter).replay_workflow(
        history
    )


async def sound(seen: Onlooker, cases: Sequence[str]) -> None:
    """Each holds what its ledger folds to, and every alarm of it fired once."""
    for case_id in cases:
        state = await seen.whole(case_id)
        fired = Counter(mark.key for mark in state.fired)
        assert set(fired.values()) == {1}, case_id
        commands = [row.command_id for row in await seen.ledger(case_id)]
        assert len(commands) == len(set(commands))
        assert (await seen.types(case_id)).count("overdue_1") == 1
        await replays(seen, case_id)


async def test_an_upgrade_loses_and_doubles_nothing(seen: Onlooker, tmp_path: Path) -> None:
    plant = seen.plant
    before = await due_cases(seen, timedelta(seconds=20))
    await climbed(seen, before)
    meanwhile = await due_cases(seen, timedelta(seconds=25))
    after = await due_cases(seen, timedelta(seconds=90))
    await stop_with_work_in_hand(seen, before[0])
    await migrate_from_the_revision_before(plant, tmp_path)
    plant.api.start(lambda: True)
    plant.worker = next_worker(plant)
    # A citizen comes while there is an API and no worker yet.
    await eventually(lambda: plant.api.running)
    filed = await seen.insist("cases", form(), by="guilin.clerk", key="meanwhile", within=WITHIN)
    assert filed.status_code == 202 and filed.json()["number"] is None
    plant.worker.start(lambda: True)
    await seen.up()
    assert (await seen.registered(filed.json()["id"]))["number"]
    await climbed(seen, [*meanwhile, *after])
    await sound(seen, [*before, *meanwhile, *after])
    await finished_under_the_new_code(seen, before[0])
    assert GONE & set(await seen.types(before[1])), "what began before keeps its reminders"
    new = await seen.due_case(await seen.close_at(timedelta(seconds=20)))
    await climbed(seen, [new])
    assert not GONE & set(await seen.types(new)), "what begins now has none"
    await sound(seen, [new])


async def finished_under_the_new_code(seen: Onlooker, case_id: str) -> None:
    """A case of the old release goes to the archive under the new one."""
    await seen.act(case_id, "reply", CONTACT, {"text": "已办结", "resolved": True})
    await seen.act(case_id, "check_reply", "guilin.lead", {"accept": True})
    await seen.act(case_id, "revisit", "guilin.clerk", {"reached": True, "rating": 5, "resolved": True})
    await seen.act(case_id, "archive", "guilin.lead", {})
    await replays(seen, case_id)
    state = await seen.whole(case_id)
    assert state.status is Status.ARCHIVED
