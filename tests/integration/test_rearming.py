"""A calendar loaded for a provisional year: open cases reckon again, and the ledger says so.

The cases live in 2037 by clocks of their own; its dates fall on the weekdays of 2026.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.testing import ActivityEnvironment

from activities.calendar import CalendarActivities
from casework.calendars import terms_for
from casework.engine import Engine, workflow_id
from models.case import Case
from models.codec import data_converter
from models.messages import Terms
from models.rearming import Publication, SweepRequest
from models.terms import CalendarYear
from tests.support.books import checked_fold
from tests.support.cases import triage
from tests.support.house import KEYRING
from tests.support.office import Office, SetClock, open_office, services_at, slug
from tests.support.shell import LiveCase, Shell, at, seen
from tests.support.temporal import TemporalServer
from worker import build_workers

WITHIN = 30.0
OFF = ["2037-01-01", "2037-02-16", "2037-02-17", "2037-02-18"]
NOTICE: dict[str, Any] = {"off": [*OFF, "2037-03-04"], "work": [], "source": "关于2037年部分节假日安排的通知"}
UNMOVED = NOTICE | {"off": OFF}


@dataclass
class Desk:
    """The API, the workers, and cases in 2037."""

    office: Office
    shell: Shell
    rearming: set[str] = field(default_factory=set)

    async def publish(self, notice: dict[str, Any], **params: Any) -> dict[str, Any]:
        """Load a notice for 2037."""
        answer = await self.office.call("PUT", "calendar/2037", "admin", json=notice, params=params)
        assert answer.status_code == 202, answer.text
        self.rearming.add(f"calendar-{answer.json()['version']}")
        return dict(answer.json())

    async def handled(self, hall: str = "guilin") -> LiveCase:
        """A simple case of Monday 2 March: due on Thursday, its citizen told of the dispatch."""
        terms = await terms_for(self.office.services, hall, at("03-02 09:10"))
        case = await self.shell.file("03-02 09:10", terms=terms)
        await case.give(triage("simple"), "03-02 09:30")
        await case.give("sign", "03-02 10:00")
        return await case.give("inform", "03-02 10:10")

    async def case(self, live: LiveCase) -> Case:
        """The case as lists show it."""
        async with self.office.services.database.read() as session:
            return await session.get_one(Case, live.case_id)

    async def until(self, live: LiveCase, reached: Callable[[Case], bool]) -> Case:
        """The case once it is so."""
        async with asyncio.timeout(WITHIN):
            while not reached(case := await self.case(live)):
                await asyncio.sleep(0.05)
        return case

    async def end(self) -> None:
        """End what is under way: the workers of a later test must not take it up."""
        await self.shell.end()
        for name in self.rearming:
            with suppress(RPCError):
                await self.shell.client.get_workflow_handle(name).terminate()


@pytest.fixture
async def desk(furnished_url: str, temporal_server: TemporalServer, tmp_path: Path) -> AsyncIterator[Desk]:
    """Opened on Monday 2 March 2037; runs on SQLite and on PostgreSQL."""
    client = await temporal_server.client(data_converter=data_converter(KEYRING))
    services = services_at(furnished_url, tmp_path, clock=SetClock(at("03-02 09:00")))
    shell = Shell(client, services.database, KEYRING)
    services = replace(services, engine=shell.engine)
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(open_office(services))
        opened = Desk(office, shell)
        # After the workers: a sweep under way would start a case again that was ended before.
        stack.push_async_callback(opened.end)
        for worker in build_workers(shell.client, services):
            await stack.enter_async_context(worker)
        yield opened


async def test_a_notice_re_arms_open_cases_and_the_ledger_shows_old_and_new(desk: Desk) -> None:
    live = await desk.handled()
    before = await desk.case(live)
    assert (seen(before.due_at), before.due_provisional) == ("03-05 17:30", True)  # type: ignore[arg-type]
    assert (before.next_alarm_name, seen(before.next_alarm_at)) == ("due_soon_1", "03-04 09:00")  # type: ignore[arg-type]

    published = await desk.publish(NOTICE)
    assert published["open_cases"] == 1
    after = await desk.until(live, lambda case: case.calendar_version == published["version"])
    assert (seen(after.due_at), after.due_provisional) == ("03-06 17:30", False)  # type: ignore[arg-type]
    assert (after.next_alarm_name, seen(after.next_alarm_at)) == ("due_soon_1", "03-05 09:00")  # type: ignore[arg-type]
    event = (await live.ledger())[-1]
    assert (event.type, event.actor) == ("calendar_changed", {"role": "system"})
    assert event.data["calendar"] == published["version"]
    assert (event.data["previous_due_at"], event.data["due_at"]) == (
        "2037-03-05T09:30:00Z",
        "2037-03-06T09:30:00Z",
    )
    await live.until("03-05 10:00")
    assert (await live.story())[-1] == "due_soon_1 03-05 09:00"
    terms = await terms_for(desk.office.services, "guilin", at("03-02 09:10"))
    await checked_fold(desk.office.services.database, live.case_id, terms)


async def test_a_halls_own_days_move_that_halls_cases_only(desk: Desk) -> None:
    mine, other = await desk.handled("guilin"), await desk.handled("chengzhong")
    own = {"off": ["2037-03-04"], "work": [], "source": "三月三"}
    published = await desk.publish(own, hall="guilin")
    assert published["open_cases"] == 1
    await desk.until(mine, lambda case: case.calendar_version == published["version"])
    national = await desk.publish(UNMOVED)
    assert national["open_cases"] == 2
    moved = await desk.until(other, lambda case: case.calendar_version == national["version"])
    assert seen(moved.due_at) == "03-05 17:30"  # type: ignore[arg-type]
    assert [row.type for row in await other.ledger()].count("calendar_changed") == 1


async def test_a_dry_run_names_the_cases_that_would_move_and_moves_none(desk: Desk) -> None:
    mine, other = await desk.handled("guilin"), await desk.handled("chengzhong")
    params = {"dry_run": "true"}
    answer = await desk.office.call("PUT", "calendar/2037", "admin", json=NOTICE, params=params)
    assert answer.status_code == 200
    tried = answer.json()
    assert tried["open_cases"] == 2
    assert sorted(case["id"] for case in tried["would_move"]) == sorted([mine.case_id, other.case_id])
    case = next(case for case in tried["would_move"] if case["id"] == mine.case_id)
    assert case == {
        "id": mine.case_id,
        "number": mine.number,
        "hall": "guilin",
        "previous_due_at": "2037-03-05T17:30:00+08:00",
        "due_at": "2037-03-06T17:30:00+08:00",
    }
    params["hall"] = "chengzhong"
    answer = await desk.office.call("PUT", "calendar/2037", "admin", json=NOTICE, params=params)
    assert [case["id"] for case in answer.json()["would_move"]] == [other.case_id]
    answer = await desk.office.call("PUT", "calendar/2037", "admin", json=UNMOVED, params={"dry_run": "1"})
    assert answer.json()["would_move"] == []
    assert (await desk.case(mine)).seq == (await desk.case(other)).seq
    assert (await desk.office.get("calendar/2037", "admin")).json()["provisional"] is True
    published = await desk.publish(NOTICE)
    assert published == {"version": tried["version"], "open_cases": 2}


async def test_a_notice_may_be_corrected_back_and_forth(desk: Desk) -> None:
    live = await desk.handled()
    for notice, expected in ((NOTICE, "03-06"), (UNMOVED, "03-05"), (NOTICE, "03-06"), (UNMOVED, "03-05")):
        version = (await desk.publish(notice))["version"]
        case = await desk.until(live, lambda case, version=version: case.calendar_version == version)  # type: ignore[misc]
        assert seen(case.due_at)[:5] == expected  # type: ignore[arg-type]
    terms = await terms_for(desk.office.services, "guilin", at("03-02 09:10"))
    await checked_fold(desk.office.services.database, live.case_id, terms)


async def test_a_closed_case_is_archived_by_the_new_calendar(desk: Desk) -> None:
    live = await desk.handled()
    await live.give("reply", "03-02 11:00", resolved=True)
    await live.give("check_reply", "03-02 11:10", accept=True)
    await live.give("revisit", "03-02 11:20", reached=True, rating=3, resolved=True)
    closed = await desk.case(live)
    if closed.status != "closed":
        pytest.fail(f"the case is {closed.status}")
    assert (closed.next_alarm_name, seen(closed.next_alarm_at)[:5]) == ("auto_archive", "03-16")  # type: ignore[arg-type]
    published = await desk.publish(NOTICE)
    assert published["open_cases"] == 0
    moved = await desk.until(live, lambda case: case.calendar_version == published["version"])
    assert (moved.next_alarm_name, seen(moved.next_alarm_at)[:5]) == ("auto_archive", "03-17")  # type: ignore[arg-type]


async def test_a_case_whose_workflow_was_lost_is_started_from_its_ledger(desk: Desk) -> None:
    live = await desk.handled()
    await desk.shell.client.get_workflow_handle(workflow_id(live.case_id)).terminate()
    published = await desk.publish(NOTICE)
    case = await desk.until(live, lambda case: case.calendar_version == published["version"])
    assert seen(case.due_at) == "03-06 17:30"  # type: ignore[arg-type]


async def test_without_the_engine_a_notice_that_concerns_cases_is_not_loaded(desk: Desk) -> None:
    await desk.handled()
    app = desk.office.http._transport.app  # type: ignore[attr-defined]

    async def refuse() -> Client:
        raise RuntimeError("no engine")

    app.state.services = replace(desk.office.services, engine=Engine(refuse))
    answer = await desk.office.call("PUT", "calendar/2037", "admin", json=NOTICE)
    assert slug(answer) == (503, "engine-unavailable")
    assert int(answer.headers["retry-after"]) > 0
    async with desk.office.services.database.read() as session:
        assert (await session.exec(select(CalendarYear))).all() == []


class Told:
    """Remembers who was told, and may break down at a case."""

    def __init__(self) -> None:
        self.cases: list[str] = []
        self.halls: list[str] = []
        self.breaks_at: str | None = None

    async def calendar_changed(self, case_id: str, terms: Terms) -> None:
        if case_id == self.breaks_at:
            raise ConnectionError("the engine is gone")
        self.cases.append(case_id)

    async def reporting_changed(self, hall: str) -> None:
        self.halls.append(hall)


async def test_a_sweep_goes_on_where_it_broke_down_and_passes_over_who_knows(
    desk: Desk,
) -> None:
    first, second = await desk.handled(), await desk.handled()
    early, late = sorted([first.case_id, second.case_id])
    published = await desk.publish(UNMOVED)
    for live in (first, second):
        await desk.until(live, lambda case: case.calendar_version == published["version"])
    database = desk.office.services.database
    told = Told()
    activities = CalendarActivities(database, told, page=1)
    request = SweepRequest(None, at("03-02 12:00"))
    assert await ActivityEnvironment().run(activities.sweep, request) == 0
    assert told.halls == ["chengzhong", "guilin", "lingui"]  # their reports are reckoned again, too

    async with database.begin() as session:
        row = CalendarYear(
            year=2037,
            version=9,
            off=[*OFF, "2037-03-05"],
            source="x",
            loaded_by="admin",
            loaded_at=request.now,
        )
        session.add(row)
    told.breaks_at = late
    heartbeats: list[tuple[Any, ...]] = []
    broken = ActivityEnvironment()
    broken.on_heartbeat = lambda *details: heartbeats.append(details)
    with pytest.raises(ConnectionError):
        await broken.run(activities.sweep, request)
    assert (heartbeats, told.cases) == ([(early, 1)], [early])

    told.breaks_at = None
    again = ActivityEnvironment()
    again.info = replace(again.info, heartbeat_details=heartbeats[-1])
    assert await again.run(activities.sweep, request) == 2
    assert told.cases == [early, late]
    assert await ActivityEnvironment().run(activities.sweep, replace(request, hall="chengzhong")) == 0


async def test_the_workflow_waits_for_the_commit(desk: Desk) -> None:
    activities = CalendarActivities(desk.office.services.database, Told())
    with pytest.raises(ApplicationError, match="not committed"):
        await ActivityEnvironment().run(activities.committed, Publication(None, 2037, 1))
    await desk.publish(NOTICE)
    await ActivityEnvironment().run(activities.committed, Publication(None, 2037, 1))
