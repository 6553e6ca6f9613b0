"""Rehearsals (演练): time moves only by hand, and every rung fires at its own instant."""

import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from api import create_app
from casework import rehearsal
from casework.engine import Engine
from embedded import TimeSkippingServer
from tests.support.books import file_case
from tests.support.office import services_at
from tests.support.running import House

SECOND = timedelta(seconds=1)
SLACK = timedelta(seconds=3)  # what a busy machine takes; rehearsal time runs on meanwhile


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One rehearsal for the module; every test begins on a working day of its own."""
    house = House(tmp_path_factory.mktemp("rehearsal"), "rehearse").start()
    yield house
    assert house.stop() == 0
    assert list(house.folder.glob("bancheng-rehearsal-*")) == []  # nothing of it is kept


def begin_day(house: House) -> datetime:
    """Go to 09:30 of the next working day."""
    day = house.due(house.now(), working_days=1).date()
    return house.advance(to=datetime.combine(day, time(9, 30), house.now().tzinfo))


def alarms(house: House, case: dict[str, Any]) -> list[tuple[str, datetime]]:
    """The alarms of a case with the instants that they were due at; none fired early, or late."""
    found = []
    for event in house.events(case):
        if due := event["data"].get("was_due_at"):
            instant = datetime.fromisoformat(due)
            assert timedelta() <= datetime.fromisoformat(event["at"]) - instant < SLACK, event
            found.append((event["type"], instant))
    return found


def test_nothing_but_advance_skips_time(house: House) -> None:
    before = house.now()
    case = house.file()
    house.triage(case, "simple")
    assert house.now() - before < 30 * SECOND


def test_three_weeks_of_a_case_that_nobody_touches(house: House) -> None:
    begin_day(house)
    case = house.file()
    received = datetime.fromisoformat(case["received_at"])
    house.advance(to=received + timedelta(weeks=3))
    assert alarms(house, case) == [("triage_late", house.due(received, working_hours=2))]


def test_a_dispatched_case_climbs_by_itself_to_supervision(house: House) -> None:
    begin_day(house)
    case = house.triage(house.file(), "simple")
    dispatched = datetime.fromisoformat(house.events(case)[-1]["at"])
    due = datetime.fromisoformat(case["due_at"])
    overdue_2 = house.due(due, working_days=1)
    assert due == house.due(datetime.fromisoformat(case["received_at"]), working_days=3)

    house.advance(to=due - 10 * SECOND)  # its time runs on while we look
    assert standing(house, case) == ("deputy_leader", "yellow")
    house.advance(to=due + SECOND)
    assert standing(house, case) == ("deputy_leader", "red")
    house.advance(to=overdue_2)
    assert standing(house, case) == ("supervision", "red")
    house.advance(to=dispatched + timedelta(weeks=3))

    opening = time(9, tzinfo=due.tzinfo)
    day_before = house.due(dispatched, working_days=2).date()
    assert alarms(house, case) == [
        ("sign_late_1", house.due(dispatched, working_hours=2)),
        ("sign_late_2", house.due(dispatched, working_hours=4)),
        ("response_late", house.due(dispatched, working_days=1)),
        ("due_soon_1", datetime.combine(day_before, opening)),
        ("due_soon_2", datetime.combine(due.date(), opening)),
        ("overdue_1", due + SECOND),
        ("overdue_2", overdue_2),
        ("order_unanswered", house.due(overdue_2, working_days=2)),
    ]
    with house.as_user("guilin.market.leader") as client:
        lines = client.get("/api/notifications").json()["items"]
    assert "overdue_1" in {line["kind"] for line in lines if line["case_id"] == case["id"]}


def test_a_contact_who_can_do_nothing_hands_up_step_by_step(house: House) -> None:
    begin_day(house)
    case = house.triage(house.file(), "commitment")
    house.give("guilin.market.contact", case, "sign")
    unable = house.give("guilin.market.contact", case, "mark_unable", reason="需要跨部门协调")
    assert unable["level"] == "deputy_leader"
    marked = datetime.fromisoformat(house.events(case)[-1]["at"])
    undecided = house.due(marked, working_days=1)
    house.advance(to=undecided - 10 * SECOND)
    assert house.case(case)["level"] == "deputy_leader"
    house.advance(to=undecided)
    assert house.case(case)["level"] == "supervision"
    assert ("leader_undecided", undecided) in alarms(house, case)


@pytest.mark.drill
def test_a_year_at_once_fires_every_daily_reminder_of_it(house: House) -> None:
    begin_day(house)
    case = house.triage(house.file(), "complex")
    asked = datetime.fromisoformat(house.events(case)[-1]["at"])
    year_later = asked + timedelta(days=365)
    assert house.advance(to=year_later) - year_later < SLACK

    daily = [instant for name, instant in alarms(house, case) if name == "limit_missing"]
    assert len(daily) > 240
    assert daily[0] == house.due(asked, working_days=2)
    assert daily[-1] == house.due(asked, working_days=len(daily) + 1)
    assert year_later < house.due(asked, working_days=len(daily) + 2)


def test_reports_are_made_as_time_moves(house: House) -> None:
    """`advance` answers once they are there: five weeks have each kind, each report made at its instant."""
    house.advance(working_days=6)  # past the cut-off of whatever other tests filed
    begin_day(house)
    case = house.file()
    received = datetime.fromisoformat(case["received_at"])
    house.advance(to=received + timedelta(weeks=5))
    with house.as_user("guilin.supervisor") as client:
        items = client.get("/api/reports", params={"per_page": 200}).json()["items"]
    made = [item for item in items if datetime.fromisoformat(item["due_at"]) > received]
    kinds = Counter(item["kind"] for item in made)
    assert kinds["hall_weekly"] >= 4 and kinds["centre_weekly"] >= 4
    assert kinds["monthly_lists"] in {1, 2} and kinds["monthly"] in {1, 2}
    assert len({(item["kind"], item["due_at"]) for item in made}) == len(made)
    for item in items:
        due, at = (datetime.fromisoformat(item[name]) for name in ("due_at", "made_at"))
        assert timedelta() <= at - due < SLACK
    first = min((item for item in made if item["kind"] == "hall_weekly"), key=lambda item: item["due_at"])
    assert first["registered"] == 1
    month = min((item for item in made if item["kind"] == "monthly"), key=lambda item: item["due_at"])
    lists = [item for item in items if item["kind"] == "monthly_lists" and item["to"] == month["to"]]
    assert [(each["from"], each["registered"]) for each in lists] == [(month["from"], month["registered"])]
    with house.as_user("guilin.centre") as client:
        lines = client.get("/api/notifications").json()["items"]
    assert "hall_weekly" in {line["kind"] for line in lines}


def test_a_head_over_the_ledger_is_taken_for_the_latest_evening_passed(house: House) -> None:
    """As after an outage: one for several evenings, none where no evening has passed."""
    day = begin_day(house)
    before = heads(house)
    house.advance(to=day + timedelta(hours=1))
    assert heads(house) == before
    for days in (1, 4):
        house.advance(to=datetime.combine(day.date() + timedelta(days=days), time(0), day.tzinfo))
    assert heads(house) == [*before, f"{day.date()}", f"{day.date() + timedelta(days=3)}"]


def heads(house: House) -> list[str]:
    """The days of the heads that the rehearsal has taken, as its tables have them."""
    [file] = house.folder.glob("bancheng-rehearsal-*/bancheng.db")
    with closing(sqlite3.connect(file)) as connection:
        return [day for (day,) in connection.execute("SELECT day FROM ledger_heads ORDER BY number")]


def test_working_time_moves_by_the_calendar(house: House) -> None:
    now = begin_day(house)
    assert house.advance(working_hours=2) - now < timedelta(hours=2) + SLACK
    now = house.now()
    assert house.advance(working_days=2) - house.due(now, working_days=2) < SLACK


def test_moves_at_the_same_time_go_one_after_the_other(house: House) -> None:
    now = begin_day(house)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda hours: house.advance(working_hours=hours), [0.5, 0.5, 0.5]))
    assert timedelta(hours=1.5) <= house.now() - now < timedelta(hours=1.5) + SLACK


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": "2020-01-01T00:00:00+08:00"}, "to"),
        ({"to": "2400-01-01T00:00:00+08:00"}, "to"),
        ({"to": "2030-01-01T00:00:00"}, "to"),
        ({"working_days": -1}, "working_days"),
        ({"working_hours": -0.5}, "working_hours"),
        ({"working_days": 1, "working_hours": 1}, "body"),
        ({}, "body"),
        ({"years": 1}, "years"),
    ],
)
def test_a_move_backwards_or_without_sense_is_refused(house: House, body: dict[str, Any], field: str) -> None:
    before = house.now()
    answer = httpx.post(f"{house.url}/api/rehearsal/advance", json=body)
    assert answer.status_code == 422
    assert field in {fault["field"] for fault in answer.json()["errors"]}
    assert house.now() - before < SLACK


def test_a_rehearsal_whose_engine_dies_ends_and_says_so(tmp_path: Path) -> None:
    house = House(tmp_path, "rehearse").start()
    pid = house.process.pid
    [engine] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    os.kill(int(engine), signal.SIGKILL)
    assert house.process.wait() == 1
    assert "start anew" in house.output


async def test_what_is_not_in_the_ledger_in_time_is_admitted(
    furnished_sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "SETTLE_WITHIN", 0.2)
    server = TimeSkippingServer(tmp_path)
    await server.start()
    try:
        engine = Engine(lambda: Client.connect(server.address))
        clock = rehearsal.RehearsalClock(engine)
        services = services_at(furnished_sqlite_url, tmp_path, engine, clock)
        # Nobody registers it: there is no worker.
        await file_case(services.database, services.keyring, await clock.now())
        app = create_app(services=services, rehearsal=True)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://rehearsal") as client,
        ):
            before = await clock.now()
            answer = await client.post("/api/rehearsal/advance", json={"working_days": 1})
        assert (answer.status_code, answer.json()["type"]) == (503, "rehearsal-unsettled")
        assert int(answer.headers["Retry-After"]) > 0
        assert await clock.now() - before > timedelta(hours=1)
        await services.database.close()
    finally:
        await server.stop()


def standing(house: House, case: dict[str, Any]) -> tuple[str, str]:
    """Level and light of a case now."""
    now = house.case(case)
    return now["level"], now["light"]
