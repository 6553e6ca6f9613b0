"""Alarms through the durable shell: each at its instant, once, and one armed timer at a time."""

import asyncio
from datetime import datetime, timedelta

from sqlmodel import col, select
from temporalio.api.enums.v1 import EventType

from models.case import Bulletin
from models.inbox import Notification
from rules.case.vocabulary import Level, Light, Status
from tests.support.books import person
from tests.support.cases import Story, shown, triage
from tests.support.shell import LiveCase, Shell, at, seen

STARTED = EventType.EVENT_TYPE_TIMER_STARTED
CANCELED = EventType.EVENT_TYPE_TIMER_CANCELED


def told(story: Story) -> list[str]:
    """What the rules alone make of the same case, written as `LiveCase.story` writes it."""
    return [f"{event.type} {shown(event.at)}" for event in story.events]


async def timers(case: LiveCase) -> tuple[int, int]:
    """How many timers were started and cancelled so far."""
    return await case.count(STARTED), await case.count(CANCELED)


async def test_a_case_that_nobody_touches_climbs_as_the_rules_say(either_shell: Shell) -> None:
    async with either_shell.worker():
        case = await either_shell.file("09-30 16:50")
        await case.give(triage("commitment"), "09-30 16:55")
        await case.until("10-20 09:10")
        state = await case.checked()
        story = Story("09-30 16:50").give(triage("commitment"), "09-30 16:55").until("10-20 09:10")
        assert await case.story() == told(story)
        assert (state.level, state.light) == (Level.SUPERVISION, Light.RED)
        async with either_shell.database.read() as session:
            drafts = list(await session.exec(select(Bulletin.ground, Bulletin.unit)))
        assert [tuple(draft) for draft in drafts] == [("order_unanswered", "housing")]


async def test_an_untouched_filing_reminds_the_window_lead(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        await case.until("03-10 09:00")
        assert await case.story() == ["registered 03-09 09:20", "triage_late 03-09 11:20"]
        async with shell.database.read() as session:
            wanted = select(Notification.username).where(col(Notification.kind) == "triage_late")
            assert list(await session.exec(wanted)) == ["guilin.lead"]


async def test_an_alarm_says_when_it_was_due_and_when_it_fired(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        await case.until("03-09 11:20")
        alarm = (await case.ledger())[-1]
    assert alarm.type == "triage_late"
    assert alarm.data["was_due_at"] == at("03-09 11:20").isoformat().replace("+00:00", "Z")
    assert timedelta() <= alarm.at - at("03-09 11:20") < timedelta(seconds=5)


async def test_late_is_recorded_as_late(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
    await case.move_clock(at("03-09 11:19:59"))  # nobody is there when the alarm comes due
    await asyncio.sleep(2.5)
    async with shell.worker():
        await case.idle()
        alarm = (await case.ledger())[-1]
        await case.checked()
    assert alarm.type == "triage_late"
    assert alarm.data["was_due_at"] == at("03-09 11:20").isoformat().replace("+00:00", "Z")
    assert timedelta(seconds=1) < alarm.at - at("03-09 11:20") < timedelta(seconds=60)


async def test_what_is_due_fires_before_a_command_of_the_same_instant(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
    await case.move_clock(at("03-09 11:19:59"))
    late = asyncio.ensure_future(case.send(triage("simple"), person("guilin.clerk")))
    await asyncio.sleep(1.5)
    async with shell.worker():
        await late
        assert [row.type for row in await case.ledger()] == ["registered", "triage_late", "triage"]
        await case.checked()


async def test_the_timer_is_replaced_only_when_the_next_alarm_moved(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        await case.give(triage("commitment"), "03-09 09:40")
        await case.give("sign", "03-09 10:00")
        assert await timers(case) == (3, 2)
        await case.give("progress")
        await case.give("remind")
        assert await timers(case) == (3, 2)
        await case.give("inform")  # response_late is settled
        assert await timers(case) == (4, 3)
        await case.give("inform")
        assert await timers(case) == (4, 3)


async def test_a_suspended_case_resumes_by_itself(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        await case.give(triage("commitment"), "03-09 09:40")
        await case.give("sign", "03-09 10:00")
        await case.give("inform")
        await case.give("suspend", "03-10 10:00")
        await case.until("03-18 09:00")
        state = await case.checked()
        story = Story("03-09 09:20").give(triage("commitment"), "03-09 09:40").give("sign", "03-09 10:00")
        story.give("inform").give("suspend", "03-10 10:00").until("03-18 09:00")
        assert await case.story() == told(story)
        assert state.status is Status.HANDLING
        assert seen(state.due_at or at("01-01 00:00")) == story.due


async def test_a_closed_case_archives_itself_and_its_workflow_ends(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("05-08 10:00")
        await case.give(triage("consultation"), "05-08 10:05")
        await case.until("06-30 09:00")
        await case.handle.result()
        assert (await case.checked()).status is Status.ARCHIVED
    assert (await case.story())[-1] == f"auto_archive {shown(_archived())}"


def _archived() -> datetime:
    return Story("05-08 10:00").give(triage("consultation"), "05-08 10:05").until("06-30 09:00").events[-1].at


async def test_reminders_past_when_armed_come_as_one(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        await case.give(triage("simple"), "03-12 10:00")
        await case.until("03-12 10:00")
        story = Story("03-09 09:20").give(triage("simple"), "03-12 10:00")
        story.until("03-12 10:00")
        assert await case.story() == told(story)
        assert len((await case.ledger())[-1].fired) == 2
        await case.checked()
