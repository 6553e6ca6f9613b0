"""Reporting on the working calendar: the right report, once, whatever was off or down.

The dates are those of the specification's list, in 2037; on SQLite and on PostgreSQL where tables count.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import select
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Replayer

from activities.reporting import Made, ReportingActivities, make_once
from casework.report_making import ReportMaker
from casework.report_running import run_reports
from casework.reporting import start_missing, start_reporting, tell_reporting
from models.codec import data_converter
from models.inbox import Notification
from models.report import ReportCase
from models.reporting import DueRequest
from rules.case.commands import Progress
from rules.reporting import Due, ReportKind
from tests.support.cases import triage
from tests.support.crashing_reporter import CrashingReporter
from tests.support.house import KEYRING, KEYS
from tests.support.reporting import Newsroom, open_newsroom
from tests.support.shell import YEAR, at, seen
from tests.support.temporal import TemporalServer
from workflows.reporting import ReportingWorkflow
from workflows.runner import RUNNER

SECOND = timedelta(seconds=1)


@pytest.fixture
async def newsroom(
    furnished_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> AsyncIterator[Newsroom]:
    """A hall with its notice; runs on SQLite and on PostgreSQL."""
    async with open_newsroom(furnished_url, temporal_server, tmp_path) as opened:
        yield opened


@pytest.fixture
async def sqlite_newsroom(
    furnished_sqlite_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> AsyncIterator[Newsroom]:
    """The same on SQLite."""
    async with open_newsroom(furnished_sqlite_url, temporal_server, tmp_path) as opened:
        yield opened


async def test_a_hall_without_cases_reports_through_spring_festival(sqlite_newsroom: Newsroom) -> None:
    """The week of 02-16 has no working day; Mondays 02-16 and 02-23, the 20th and the 22nd are off."""
    news = sqlite_newsroom
    async with news.workers():
        await news.begin("02-09 12:00")
        assert seen((await news.planned()).due_at) == "02-13 17:30"
        assert await news.until("03-02 12:00") == [
            "hall_weekly 02-13 17:30 (02-06 17:30, 02-13 17:30]",
            "centre_weekly 02-24 09:00 (02-06 17:30, 02-13 17:30]",
            "monthly_lists 02-24 17:30 (01-20 17:30, 02-24 17:30]",
            "monthly 02-25 17:30 (01-20 17:30, 02-24 17:30]",
            "hall_weekly 02-27 17:30 (02-13 17:30, 02-27 17:30]",
            "centre_weekly 03-02 09:00 (02-13 17:30, 02-27 17:30]",
        ]
    for report in await news.reports():
        assert timedelta() <= report.made_at - report.due_at < SECOND
        assert (report.facts["cases"], report.provisional) == (0, False)


async def test_national_day_brings_friday_forward_and_puts_monday_off(sqlite_newsroom: Newsroom) -> None:
    news = sqlite_newsroom
    async with news.workers():
        await news.begin("09-28 12:00")
        assert await news.until("10-09 18:00") == [
            "hall_weekly 09-30 17:30 (09-24 17:30, 09-30 17:30]",
            "centre_weekly 10-08 09:00 (09-24 17:30, 09-30 17:30]",
            "hall_weekly 10-09 17:30 (09-30 17:30, 10-09 17:30]",
        ]


async def test_a_worker_down_over_the_cut_offs_makes_each_report_once(newsroom: Newsroom) -> None:
    async with newsroom.workers():
        case = await newsroom.case("03-05 10:00")
    async with newsroom.workers():  # nobody was there on two Fridays and two Mondays
        await newsroom.begin("03-18 10:00", since="03-05 12:00")
        assert await newsroom.story() == [
            "hall_weekly 03-06 17:30 (02-27 17:30, 03-06 17:30]",
            "centre_weekly 03-09 09:00 (02-27 17:30, 03-06 17:30]",
            "hall_weekly 03-13 17:30 (03-06 17:30, 03-13 17:30]",
            "centre_weekly 03-16 09:00 (03-06 17:30, 03-13 17:30]",
        ]
    made = await newsroom.reports()
    assert {seen(report.made_at)[:5] for report in made} == {"03-18"}  # when it was made, beside when due
    assert [report.facts["figures"]["period"].get("registered", 0) for report in made] == [1, 1, 0, 0]
    async with newsroom.workers():  # a second start makes nothing again
        await start_reporting(newsroom.office.services.engine, newsroom.hall)
        assert len(await newsroom.until("03-19 10:00")) == 4
    assert (await news_of(newsroom, case.case_id)) == [(0, True), (0, True), (1, False), (1, False)]


async def test_a_friday_that_is_the_20th_has_the_report_of_the_week_and_the_lists_of_the_month(
    sqlite_newsroom: Newsroom,
) -> None:
    """Both are due at one instant; the 22nd is a Sunday, so the month is summed up on Monday evening."""
    news = sqlite_newsroom
    async with news.workers():
        await news.begin("03-19 12:00")
        assert await news.until("03-24 12:00") == [
            "hall_weekly 03-20 17:30 (03-13 17:30, 03-20 17:30]",
            "monthly_lists 03-20 17:30 (02-24 17:30, 03-20 17:30]",
            "centre_weekly 03-23 09:00 (03-13 17:30, 03-20 17:30]",
            "monthly 03-23 17:30 (02-24 17:30, 03-20 17:30]",
        ]


async def test_a_worker_down_over_the_20th_and_the_22nd_makes_each_report_once(
    sqlite_newsroom: Newsroom,
) -> None:
    """Both lie in Spring Festival: lists on the 24th, their summary a working day later."""
    news = sqlite_newsroom
    async with news.workers():
        await news.begin("02-26 10:00", since="02-12 12:00")
        assert await news.story() == [
            "hall_weekly 02-13 17:30 (02-06 17:30, 02-13 17:30]",
            "centre_weekly 02-24 09:00 (02-06 17:30, 02-13 17:30]",
            "monthly_lists 02-24 17:30 (01-20 17:30, 02-24 17:30]",
            "monthly 02-25 17:30 (01-20 17:30, 02-24 17:30]",
        ]
    assert {seen(report.made_at)[:5] for report in await news.reports()} == {"02-26"}


async def test_a_worker_killed_over_the_cut_off_of_a_month_leaves_its_report_once(
    sqlite_newsroom: Newsroom, furnished_sqlite_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    """Killed between the commit of the lists and the activity's answer: nobody has heard of them."""
    with CrashingReporter(furnished_sqlite_url, temporal_server.address, KEYS, tmp_path) as worker:
        await kill_over_a_month(sqlite_newsroom, worker, [("monthly_lists", "after")])


@pytest.mark.drill
@pytest.mark.timeout(400)
async def test_workers_killed_before_and_after_both_commits_leave_each_report_once(
    newsroom: Newsroom, furnished_url: str, temporal_server: TemporalServer, tmp_path: Path
) -> None:
    kills = [(kind, side) for kind in ("monthly_lists", "monthly") for side in ("before", "after")]
    with CrashingReporter(furnished_url, temporal_server.address, KEYS, tmp_path) as worker:
        await kill_over_a_month(newsroom, worker, kills)


async def kill_over_a_month(
    newsroom: Newsroom, worker: CrashingReporter, kills: Sequence[tuple[str, str]]
) -> None:
    """Let February pass; each worker is killed at its report, before or after that one is stored."""
    async with newsroom.workers():
        case = await newsroom.case("02-12 10:00")
        await case.give(triage("commitment", "market"), "02-12 10:30")
        await newsroom.begin("02-24 12:00")
        assert seen((await newsroom.planned()).due_at) == "02-24 17:30"
    passing = asyncio.create_task(newsroom.clock("02-25 18:00"))
    for kind, side in kills:
        await worker.held(kind, side)
        worker.kill()
        stored = {report.kind for report in await newsroom.reports()}
        assert (kind in stored) == (side == "after")
    async with newsroom.workers():
        await passing
        assert await newsroom.until("02-26 12:00") == [
            "monthly_lists 02-24 17:30 (01-20 17:30, 02-24 17:30]",
            "monthly 02-25 17:30 (01-20 17:30, 02-24 17:30]",
        ]
    lists, summary = await newsroom.reports()
    assert lists.facts["figures"]["causes"] == summary.facts["figures"]["causes"] != {}
    async with newsroom.office.services.database.read() as session:
        lines = (await session.exec(select(Notification))).all()
    told = [(line.username, line.kind) for line in lines if line.kind in tuple(ReportKind)]
    assert sorted(told) == [("guilin.centre", "monthly_lists"), ("guilin.supervisor", "monthly")]


async def news_of(newsroom: Newsroom, case_id: str) -> list[tuple[int, bool]]:
    """For each report in order: after which event it tells of a case, and whether it has news of it."""
    found = []
    async with newsroom.office.services.database.read() as session:
        for report in await newsroom.reports():
            row = await session.get_one(ReportCase, (report.id, case_id))
            found.append((row.after_seq, row.seq > row.after_seq))
    return found


async def test_what_reaches_the_ledger_too_late_is_in_the_next_report_and_marked(
    newsroom: Newsroom,
) -> None:
    async with newsroom.workers():
        case = await newsroom.case("03-03 10:00")
        await case.give(triage("commitment", "market"), "03-03 10:30")
        await case.give("sign", "03-03 11:00")
        await case.give("inform", "03-03 11:30")
        await newsroom.begin("03-03 12:00")
        await newsroom.until("03-06 18:00")
        await newsroom.slip_in(
            case, Progress(text="周五下午已联系银行"), "guilin.market.contact", "03-06 16:00"
        )
        await newsroom.until("03-13 18:00")
    hall = [report for report in await newsroom.reports() if report.kind == "hall_weekly"]
    assert [report.facts["figures"]["period"].get("late", 0) for report in hall] == [0, 1]
    async with newsroom.office.services.database.read() as session:
        first, second = [await session.get_one(ReportCase, (r.id, case.case_id)) for r in hall]
    assert (first.after_seq, first.seq, first.late) == (0, 4, 0)
    assert (second.after_seq, second.late) == (4, 1)


async def test_a_new_calendar_moves_the_report_that_is_armed(sqlite_newsroom: Newsroom) -> None:
    """The Friday of the armed report is set free: it is due the day before. What was made stays."""
    news = sqlite_newsroom
    async with news.workers():
        await news.begin("03-02 12:00")
        await news.until("03-06 18:00")
        await news.until("03-09 12:00")
        assert seen((await news.planned()).due_at) == "03-13 17:30"
        own = {"off": [f"{YEAR}-03-06", f"{YEAR}-03-13"], "work": [], "source": "本地放假"}
        answer = await news.office.call(
            "PUT", f"calendar/{YEAR}", "admin", json=own, params={"hall": "guilin"}
        )
        assert answer.status_code == 202, answer.text
        while seen((await news.planned()).due_at) != "03-12 17:30":
            await asyncio.sleep(0.05)
        assert await news.until("03-12 18:00") == [
            "hall_weekly 03-06 17:30 (02-27 17:30, 03-06 17:30]",
            "centre_weekly 03-09 09:00 (02-27 17:30, 03-06 17:30]",
            "hall_weekly 03-12 17:30 (03-06 17:30, 03-12 17:30]",
        ]
        await news.shell.client.get_workflow_handle(f"calendar-{answer.json()['version']}").terminate()


async def test_who_a_report_goes_to_is_told_once(sqlite_newsroom: Newsroom) -> None:
    news = sqlite_newsroom
    async with news.workers():
        await news.begin("03-05 12:00")
        await news.until("03-09 12:00")
    async with news.office.services.database.read() as session:
        lines = (await session.exec(select(Notification).order_by(Notification.id))).all()  # type: ignore[arg-type]
    assert [(line.username, line.kind) for line in lines] == [
        ("guilin.centre", "hall_weekly"),
        ("guilin.supervisor", "centre_weekly"),
    ]
    assert lines[0].text == "桂林市政务服务中心(演示)窗口周报已生成，截止 2037-03-06 17:30，请接收"
    inbox = (await news.office.get("notifications", "guilin.centre")).json()
    assert [(line["kind"], line["case_id"], line["number"]) for line in inbox["items"]] == [
        ("hall_weekly", None, None)
    ]


async def test_a_report_run_again_is_equal_byte_for_byte(newsroom: Newsroom) -> None:
    """Also after the cases have gone on: a report shows them as they stood at its cut-off."""
    services = newsroom.office.services
    async with newsroom.workers():
        case = await newsroom.case("03-03 10:00")
        await case.give(triage("commitment", "market"), "03-03 10:30")
        await newsroom.begin("03-03 12:00")
        await newsroom.until("03-24 12:00")
        await case.give("sign", "03-24 14:00")
        await case.give("reply", "03-24 15:00", resolved=True)
    services.clock.fixed = at("03-25 09:00")  # type: ignore[attr-defined]
    for kind, on in (("hall_weekly", 6), ("centre_weekly", 9), ("monthly_lists", 1), ("monthly", 31)):
        [run] = await run_reports(services, kind, date(YEAR, 3, on), "guilin")
        assert (run.again, run.differs) == (True, ())
        assert run.report.facts["figures"]["period"]["registered"] == 1


async def test_a_missed_report_can_be_made_by_hand_and_is_not_made_again(sqlite_newsroom: Newsroom) -> None:
    news, services = sqlite_newsroom, sqlite_newsroom.office.services
    services.clock.fixed = at("03-07 10:00")  # type: ignore[attr-defined]
    [run] = await run_reports(services, "hall_weekly", date(YEAR, 3, 4), "guilin")
    assert (run.again, seen(run.report.due_at), seen(run.report.made_at)) == (
        False,
        "03-06 17:30",
        "03-07 10:00",
    )
    async with news.workers():
        await news.begin("03-02 12:00")
        assert await news.until("03-09 12:00") == [
            "hall_weekly 03-06 17:30 (02-27 17:30, 03-06 17:30]",
            "centre_weekly 03-09 09:00 (02-27 17:30, 03-06 17:30]",
        ]


async def test_every_hall_has_one_reporting_workflow(sqlite_newsroom: Newsroom) -> None:
    news = sqlite_newsroom
    engine = news.office.services.engine
    started: set[str] = set()
    await start_missing(news.office.services, started)
    assert started == {"chengzhong", "guilin", "lingui"}
    handles = [news.shell.client.get_workflow_handle(f"reporting-{hall}") for hall in sorted(started)]
    runs = [(await handle.describe()).run_id for handle in handles]
    await start_missing(news.office.services, set())  # another worker's start finds them
    assert [(await handle.describe()).run_id for handle in handles] == runs
    for handle in handles:
        await handle.terminate()
    await tell_reporting(engine, "guilin")  # who is not there is told at its start


async def test_the_activity_may_be_run_again_after_its_commit(newsroom: Newsroom) -> None:
    """A worker that dies between the commit and its answer leaves a report that is not made twice."""
    services = newsroom.office.services
    maker = ReportMaker(services.database, services.keyring)
    activities = ReportingActivities(services.database, {}, maker)
    request = DueRequest("guilin", at("03-05 12:00"), at("03-06 17:30"))
    due = Due(ReportKind.HALL_WEEKLY, at("03-06 17:30"), at("02-27 17:30"), at("03-06 17:30"))
    first = await make_once(services.database, maker, "guilin", due, request.now)
    assert await make_once(services.database, maker, "guilin", due, request.now) == first
    for _ in range(2):
        following = await ActivityEnvironment().run(activities.make_due, request)
        assert (following.kind, seen(following.at)) == ("centre_weekly", "03-09 09:00")
    assert len(await newsroom.reports()) == 1


class Failing:
    """A maker that comes as far as the last file."""

    async def make(self, hall: str, due: Due, made_at: datetime) -> Made:
        raise ConnectionError("the disk is full")


async def test_a_report_that_cannot_be_made_leaves_nothing_and_is_tried_again(
    sqlite_newsroom: Newsroom,
) -> None:
    services = sqlite_newsroom.office.services
    request = DueRequest("guilin", at("03-05 12:00"), at("03-06 17:30"))
    failing = ReportingActivities(services.database, {}, Failing())
    with pytest.raises(ConnectionError):
        await ActivityEnvironment().run(failing.make_due, request)
    assert await sqlite_newsroom.reports() == []
    maker = ReportMaker(services.database, services.keyring)
    again = ReportingActivities(services.database, {}, maker)
    later = DueRequest("guilin", at("03-05 12:00"), at("03-06 18:30"))
    await ActivityEnvironment().run(again.make_due, later)
    [report] = await sqlite_newsroom.reports()
    assert (seen(report.due_at), seen(report.made_at)) == ("03-06 17:30", "03-06 18:30")


async def test_the_history_of_a_month_replays(sqlite_newsroom: Newsroom) -> None:
    news = sqlite_newsroom
    async with news.workers():
        await news.begin("03-02 12:00")
        await news.until("03-31 12:00")
    replayer = Replayer(
        workflows=[ReportingWorkflow], workflow_runner=RUNNER, data_converter=data_converter(KEYRING)
    )
    await replayer.replay_workflow(await news.handle.fetch_history())


async def test_reporting_continues_as_new_and_misses_nothing(
    furnished_sqlite_url: str, tmp_path: Path
) -> None:
    server = TemporalServer(tmp_path, **{"limit.historyCount.suggestContinueAsNew": "40"})
    server.start()
    try:
        async with open_newsroom(furnished_sqlite_url, server, tmp_path) as news, news.workers():
            await news.begin("03-02 12:00")
            run = (await news.handle.describe()).run_id
            story = await news.until("04-30 18:00")
            assert (await news.handle.describe()).run_id != run
    finally:
        server.kill()
    hall, centre, lists, month = (
        [line for line in story if line.startswith(f"{kind} ")] for kind in ReportKind
    )
    assert [line.split()[1] for line in hall] == [
        *("03-06", "03-13", "03-20", "03-27", "04-03", "04-10", "04-17", "04-24", "04-30")
    ]
    assert len(centre) == 8
    assert [line.split()[1] for line in lists] == ["03-20", "04-20"]
    assert [line.split()[1] for line in month] == ["03-23", "04-22"]
    assert len(story) == sum(map(len, (hall, centre, lists, month)))
