"""The ledger suffices: cases whose engine is lost are started from it, at the state and alarms they had."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, col, delete, update
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from casework import resuming as resuming_module
from casework.calendars import terms_for
from casework.engine import Engine, EngineUnavailable, workflow_id
from casework.filing import file_case
from casework.reporting import reporting_id
from casework.resuming import (
    EMPTIED,
    empty_if_restored,
    engine_identity,
    resume_all,
    resume_if_new,
    resuming,
)
from casework.services import Services
from models.case import Case
from models.directory import Hall
from models.house_key import KnownEngine
from models.messages import encode_state
from models.terms import CalendarYear
from rules.calendar import local
from tests.support.books import checked_fold, events_of
from tests.support.house import House, form, open_house, triage
from tests.support.office import SetClock, no_engine
from tests.support.onlooker import CLERK, LIMIT, work_every_day
from tests.support.temporal import TemporalServer
from workflows.case import CaseWorkflow
from workflows.evidence import HEADS_ID


async def handle_of(house: House, workflow: str) -> Any:
    return (await house.services.engine.client()).get_workflow_handle(workflow)


async def runs(house: House, workflow: str) -> bool:
    """Whether a workflow runs."""
    try:
        described = await (await handle_of(house, workflow)).describe()
    except RPCError as error:
        assert error.status is RPCStatusCode.NOT_FOUND
        return False
    return bool(described.status == WorkflowExecutionStatus.RUNNING)


async def lose(house: House, *cases: dict[str, Any]) -> None:
    """Take the workflows of these cases away, as a lost engine would."""
    for case in cases:
        await (await handle_of(house, workflow_id(case["id"]))).terminate()


async def known(services: Services) -> KnownEngine | None:
    return await services.database.look(lambda session: session.get(KnownEngine, 1))


async def believe(services: Services, identity: str | None) -> None:
    """Have the database know this engine, or none at all: a restored one."""

    def write(session: Session) -> None:
        session.exec(delete(KnownEngine))
        if identity is not None:
            session.add(KnownEngine(id=1, identity=identity))

    await services.database.write(write)


async def end(house: House) -> None:
    """End what resuming starts beside the cases: other tests share the engine."""
    for workflow in (HEADS_ID, *(reporting_id(hall) for hall in ("guilin", "chengzhong", "lingui"))):
        if await runs(house, workflow):
            await (await handle_of(house, workflow)).terminate()


async def test_cases_of_a_lost_engine_go_on_where_they_were(house: House) -> None:
    services = house.services
    working, waiting, archived = await house.handled(), await house.file(), await house.closed()
    await house.act(archived, "archive", "guilin.lead")
    alive = await house.handled()
    await believe(services, "another/engine")
    await lose(house, working, waiting)
    assert await resume_if_new(services) == 2
    assert not await runs(house, workflow_id(archived["id"]))
    for case in (working, waiting, alive):
        handle = await handle_of(house, workflow_id(case["id"]))
        held = await handle.query(CaseWorkflow.state)
        assert held == encode_state(await checked_fold(services.database, case["id"]))
    for workflow in (HEADS_ID, reporting_id("guilin"), reporting_id("lingui")):
        assert await runs(house, workflow)
    assert (found := await known(services)) and found.identity == await engine_identity(services)
    replied = await house.act(working, "reply", "guilin.market.contact", text="已补办。", resolved=True)
    assert replied["status"] == "replied"
    assert await resume_if_new(services) == 0
    await end(house)


async def test_what_came_due_meanwhile_fires_at_once_and_once(
    furnished_sqlite_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    await work_every_day(furnished_sqlite_url)
    async with open_house(furnished_sqlite_url, temporal_server, tmp_path) as house:
        services = house.services
        closing = (datetime.now(UTC) + timedelta(seconds=6)).replace(microsecond=0)
        async with services.database.begin() as session:
            hall = await session.get_one(Hall, "guilin")
            hall.hours = [["00:00:00", local(closing).time().isoformat()]]
        then = replace(services, engine=Engine(no_engine), clock=SetClock(closing - LIMIT))
        case = (await file_case(then, CLERK, form(), None)).case
        await services.engine.start(case["id"], await terms_for(services, "guilin", closing - LIMIT))
        await house.act(case, "triage", "guilin.clerk", **triage())
        await house.act(case, "sign", "guilin.market.contact")
        await lose(house, case)
        await asyncio.sleep((closing - datetime.now(UTC)).total_seconds() + 1.5)
        assert await resume_all(services) == 1
        async with asyncio.timeout(20):
            while "overdue_1" not in (types := await types_of(services, case["id"])):
                await asyncio.sleep(0.05)
        await lose(house, case)
        assert await resume_all(services) == 1
        handle = await handle_of(house, workflow_id(case["id"]))
        assert await handle.query(CaseWorkflow.state) == encode_state(
            await checked_fold(services.database, case["id"])
        )
        types = await types_of(services, case["id"])
        assert types.count("overdue_1") == 1 and len(types) == len(set(types))
        await end(house)


async def types_of(services: Services, case_id: str) -> list[str]:
    return [row.type for row in await events_of(services.database, case_id)]


async def test_the_first_start_believes_its_engine(sqlite_house: House) -> None:
    """An upgrade from a version that knew no engines: nothing is known to be lost."""
    case = await sqlite_house.file()
    await lose(sqlite_house, case)
    assert (await known(sqlite_house.services)) is not None
    assert await resume_if_new(sqlite_house.services) == 0
    assert not await runs(sqlite_house, workflow_id(case["id"]))
    await believe(sqlite_house.services, "another/engine")
    assert await resume_if_new(sqlite_house.services) == 1
    await end(sqlite_house)


async def test_what_an_engine_holds_beyond_a_restored_ledger_is_ended_first(house: House) -> None:
    """The database went back; the engine did not: its workflows know of events that are no more."""
    services = house.services
    case = await house.handled()
    client = await services.engine.client()
    await believe(services, None)
    async with asyncio.timeout(20):
        while not [each async for each in client.list_workflows(f"WorkflowId = '{workflow_id(case['id'])}'")]:
            await asyncio.sleep(0.1)  # visibility comes a moment later
    ended = await asyncio.gather(empty_if_restored(services), empty_if_restored(services))
    assert min(ended) == 0 < max(ended), "one worker empties the engine, the other waits for it"
    assert not await runs(house, workflow_id(case["id"]))
    assert (found := await known(services)) and found.identity == EMPTIED
    assert await empty_if_restored(services) == 0
    assert await resume_if_new(services) == 1
    assert await runs(house, workflow_id(case["id"]))
    await end(house)


async def test_a_case_that_cannot_be_started_holds_up_no_other(sqlite_house: House) -> None:
    broken, sound = await sqlite_house.file(), await sqlite_house.file()
    await lose(sqlite_house, broken, sound)

    def spoil(session: Session) -> None:
        session.exec(update(Case).where(col(Case.id) == broken["id"]).values(policy_version="none"))

    await sqlite_house.services.database.write(spoil)
    assert await resume_all(sqlite_house.services) == 1
    await end(sqlite_house)


async def test_an_engine_that_is_away_is_waited_for(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    services = sqlite_house.services
    case = await sqlite_house.file()
    await lose(sqlite_house, case)
    await believe(services, "another/engine")
    async with sqlite_house.down():
        with pytest.raises(EngineUnavailable):
            await resume_if_new(sqlite_house.services)
        with pytest.raises(EngineUnavailable):
            await empty_if_restored(await _restored(sqlite_house.services))
    monkeypatch.setattr(resuming_module, "AT_ONCE", 1)
    await believe(services, "another/engine")
    working = asyncio.create_task(resuming(services, timedelta(seconds=0.05)))
    async with asyncio.timeout(20):
        while not await runs(sqlite_house, workflow_id(case["id"])):
            await asyncio.sleep(0.05)
    working.cancel()
    await asyncio.wait([working])
    await end(sqlite_house)


async def _restored(services: Services) -> Services:
    await believe(services, None)
    return services


@pytest.mark.parametrize(("ago", "told"), [(timedelta(minutes=5), True), (timedelta(hours=3), False)])
async def test_only_a_calendar_that_was_being_told_is_told_again(
    sqlite_house: House, ago: timedelta, told: bool
) -> None:
    """Hours that somebody changed since are no publication: they move no due date."""
    services = sqlite_house.services
    case = await sqlite_house.handled()
    now = datetime.now(UTC)

    def change(session: Session) -> None:
        hall = session.get_one(Hall, "guilin")
        hall.hours = [["08:00:00", "16:00:00"]]
        session.add(hall)
        about = {
            "year": now.year,
            "version": 9,
            "source": "测试",
            "loaded_by": "admin",
            "loaded_at": now - ago,
        }
        session.add(CalendarYear(hall="guilin", **about))

    await services.database.write(change)
    await lose(sqlite_house, case)
    assert await resume_all(services) == 1
    async with asyncio.timeout(20):
        while told and "calendar_changed" not in await types_of(services, case["id"]):
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)
    assert ("calendar_changed" in await types_of(services, case["id"])) is told
    for workflow in ("calendar-resumed",):
        if await runs(sqlite_house, workflow):
            await (await handle_of(sqlite_house, workflow)).terminate()
    await end(sqlite_house)
