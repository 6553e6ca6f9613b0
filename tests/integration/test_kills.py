"""Kill -9 of every process, in the middle of a command and between the commit and the task's end.

After the restart the case goes on: the workflow holds the fold of the ledger, no event is lost or
doubled, and what came due meanwhile has fired once. Source: design.md, "Record, then evolve".
"""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.support.house import form
from tests.support.plant import PARTS, Onlooker, Plant, eventually, look_on, work_every_day

CONTACT = "guilin.market.contact"
PROGRESS = {"text": "已联系反映人"}
INFORM = {"means": "phone", "text": "已告知"}


@pytest.fixture(scope="module")
def plant(furnished_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    """One plant for all kills, on SQLite."""
    folder = tmp_path_factory.mktemp("plant")
    url = f"sqlite+aiosqlite:///{shutil.copy(furnished_sqlite, folder / 'ledger.db')}"
    asyncio.run(work_every_day(url))
    plant = Plant(folder, url)
    plant.start()
    yield plant
    plant.kill()


@pytest.fixture
async def seen(plant: Plant) -> AsyncIterator[Onlooker]:
    """The plant, up and looked at."""
    async with look_on(plant) as seen:
        await seen.up()
        yield seen


@pytest.mark.parametrize("victims", [("worker",), ("api",), ("temporal",), PARTS], ids="+".join)
async def test_a_killed_process_loses_and_doubles_nothing(seen: Onlooker, victims: tuple[str, ...]) -> None:
    """A command is held before its commit, one after it, and an alarm; another comes due meanwhile."""
    plant = seen.plant
    closing = await seen.close_at(timedelta(seconds=6))
    early, late, alarmed = [await seen.due_case(closing) for _ in range(3)]
    meanwhile = await seen.due_case(await seen.close_at(closing - datetime.now(UTC) + timedelta(seconds=2)))
    gates = [
        plant.hold(early, "progress", "before"),
        plant.hold(late, "inform", "after"),
        plant.hold(alarmed, "overdue_1", "after"),
    ]
    acts = [
        asyncio.create_task(seen.insist(f"cases/{early}/progress", PROGRESS, by=CONTACT, key="early")),
        asyncio.create_task(seen.insist(f"cases/{late}/inform", INFORM, by=CONTACT, key="late")),
    ]
    await eventually(lambda: all(gate.holds for gate in gates))
    plant.kill(*victims)
    for gate in gates:
        gate.open()
    await asyncio.sleep(1)
    plant.start(*victims)
    await seen.up()
    answers = await asyncio.gather(*acts)
    assert [answer.status_code for answer in answers] == [200, 200], [answer.text for answer in answers]
    for case_id, act in [(early, "progress"), (late, "inform"), (alarmed, ""), (meanwhile, "")]:
        await seen.happened(case_id, "overdue_1")
        await seen.whole(case_id)
        types = await seen.types(case_id)
        assert types.count("overdue_1") == 1
        assert not act or types.count(act) == 1
        await seen.act(case_id, "coordinate", "guilin.market.leader", {"text": "继续办理"})
        await seen.whole(case_id)


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_filing_is_registered_once_when_everything_dies_around_its_commit(
    seen: Onlooker, side: str
) -> None:
    plant, key = seen.plant, f"filing-{side}"
    gate = plant.hold("any", "registered", side)
    filing = asyncio.create_task(seen.insist("cases", form(), by="guilin.clerk", key=key))
    await eventually(lambda: gate.holds)
    received = await seen.received()
    plant.kill()
    gate.open()
    plant.start()
    await seen.up()
    answer = await filing
    assert answer.status_code in {200, 201, 202}
    case = await seen.registered(answer.json()["id"])
    assert datetime.fromisoformat(case["received_at"]) == received
    assert await seen.types(case["id"]) == ["registered"]
    again = await seen.insist("cases", form(), by="guilin.clerk", key=key)
    assert (again.status_code, again.json()["number"]) == (200, case["number"])
    assert again.json()["query_code"] == answer.json()["query_code"]
    await seen.whole(case["id"])


async def test_an_act_whose_caller_engine_and_worker_died_reaches_the_workflow_by_itself(
    seen: Onlooker,
) -> None:
    """The update is gone with the server; the ledger's row is found by the relay, not by a client."""
    plant = seen.plant
    case_id = await seen.due_case(await seen.close_at(timedelta(minutes=1)))
    gate = plant.hold(case_id, "progress", "after")
    act = asyncio.create_task(seen.post(f"cases/{case_id}/progress", PROGRESS, by=CONTACT))
    await eventually(lambda: gate.holds)
    plant.kill()
    gate.open()
    with pytest.raises(httpx.TransportError):
        await act
    plant.start()
    await seen.up()
    await seen.whole(case_id)
    assert (await seen.types(case_id)).count("progress") == 1
