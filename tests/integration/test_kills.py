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
from tests.support.onlooker import Onlooker, look_on, work_every_day
from tests.support.plant import PARTS, Plant, eventually

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
    alarmed = await seen.due_case(closing)
    gates = [plant.hold(alarmed, "overdue_1", "after")]
    early, late = await seen.due_case(closing), await seen.due_case(closing)
    gates += [plant.hold(early, "progress", "before"), plant.hold(late, "inform", "after")]
    meanwhile = await seen.due_case(await seen.close_at(closing - datetime.now(UTC) + timedelta(seconds=1)))
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


@pytest.mark.parametrize("side", ["after", pytest.param("before", marks=pytest.mark.drill)])
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
    case_id = await seen.due_case(await seen.close_at(timedelta(minutes=2)))
    gate = plant.hold(case_id, "progress", "after")
    act = asyncio.create_task(seen.post(f"cases/{case_id}/progress", PROGRESS, by=CONTACT))
    await eventually(lambda: gate.holds)
    plant.kill()
    gate.open()
    with pytest.raises(httpx.TransportError):
        await act
    plant.start()
    await seen.up()
    async with asyncio.timeout(30):  # long before the next alarm would find it
        await seen.whole(case_id)
    assert (await seen.types(case_id)).count("progress") == 1


async def test_what_is_filed_while_the_engine_is_down_is_kept_and_registered_once(seen: Onlooker) -> None:
    plant = seen.plant
    working = await seen.due_case(await seen.close_at(timedelta(minutes=2)))
    plant.kill("temporal")
    answer, refused = await asyncio.gather(
        seen.post("cases", form(), by="guilin.clerk", key="in-the-dark"),
        seen.post(f"cases/{working}/progress", PROGRESS, by=CONTACT, key="in-vain"),
    )
    assert (answer.status_code, answer.json()["number"]) == (202, None)
    assert answer.json()["query_code"]
    assert refused.status_code == 503
    assert refused.json()["type"] == "engine-unavailable"
    assert int(refused.headers["Retry-After"]) > 0
    assert "progress" not in await seen.types(working)
    kept = answer.json()
    plant.start("temporal")
    await seen.up()
    case = await seen.registered(kept["id"])
    assert case["received_at"] == kept["received_at"]
    assert await seen.types(kept["id"]) == ["registered"]
    again = await seen.insist("cases", form(), by="guilin.clerk", key="in-the-dark")
    assert (again.status_code, again.json()["id"]) == (200, kept["id"])
    done = await seen.insist(f"cases/{working}/progress", PROGRESS, by=CONTACT, key="in-vain")
    assert done.status_code == 200
    assert (await seen.types(working)).count("progress") == 1
    await seen.whole(working)
