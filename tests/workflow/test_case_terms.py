"""Terms of a running case: pinned at the start, changed on purpose by a calendar or a transfer."""

from dataclasses import replace
from datetime import date, time

from temporalio.api.enums.v1 import EventType

from models.messages import Terms
from rules.calendar import Calendar
from tests.support.books import keep_terms, terms_with
from tests.support.cases import make, triage
from tests.support.shell import CALENDAR, CHENGZHONG, GUILIN, YEAR, LiveCase, Shell, at, seen

CANCELED = EventType.EVENT_TYPE_TIMER_CANCELED


def without(*days: str, version: str) -> Calendar:
    """The calendar with more days off."""
    off = CALENDAR.off | {date.fromisoformat(f"{YEAR}-{day}") for day in days}
    return replace(CALENDAR, version=version, off=off)


HOLIDAY = terms_with("guilin", calendar=without("03-11", version="with-a-holiday"))
# Opens an hour later than Guilin and closes an hour later.
LATE_HOURS = replace(
    CALENDAR, version="late-hours", hours=((time(10), time(12)), (time(13, 30), time(18, 30)))
)
LATE_HALL = terms_with("chengzhong", calendar=LATE_HOURS)


async def handling(shell: Shell) -> LiveCase:
    """A commitment case in the unit's hands, due 03-16 17:30."""
    case = await shell.file("03-09 09:20")
    await case.give(triage("commitment"), "03-09 09:40")
    await case.give("sign", "03-09 09:50")
    return await case.give("inform", "03-09 10:00")


async def publish(case: LiveCase, terms: Terms) -> None:
    """Publish a calendar and tell the case, as the re-arming does."""
    await keep_terms(case.shell.database, terms)
    await case.shell.engine.calendar_changed(case.case_id, terms)
    case.terms = terms
    await case.idle()


async def test_a_new_calendar_moves_what_is_open_and_records_old_and_new(either_shell: Shell) -> None:
    async with either_shell.worker():
        case = await handling(either_shell)
        canceled = await case.count(CANCELED)
        await publish(case, HOLIDAY)
        state = await case.checked()
        event = (await case.ledger())[-1]
        assert (event.type, event.actor) == ("calendar_changed", {"role": "system"})
        assert event.data["previous_due_at"] == "2037-03-16T09:30:00Z"
        assert event.data["due_at"] == "2037-03-17T09:30:00Z"
        assert state.calendar == "with-a-holiday"
        assert await case.count(CANCELED) == canceled + 1
        await case.until("03-17 09:00")
        assert await case.story() == [
            "registered 03-09 09:20",
            "triage 03-09 09:40",
            "sign 03-09 09:50",
            "inform 03-09 10:00",
            "calendar_changed 03-09 10:00",
            "due_soon_1 03-16 09:00",
            "due_soon_2 03-17 09:00",
        ]


async def test_a_calendar_that_the_case_follows_already_changes_nothing(shell: Shell) -> None:
    async with shell.worker():
        case = await handling(shell)
        await publish(case, HOLIDAY)
        await publish(case, HOLIDAY)
        await publish(case, HOLIDAY)
        assert [row.type for row in await case.ledger()].count("calendar_changed") == 1


async def test_a_calendar_may_be_taken_back(shell: Shell) -> None:
    async with shell.worker():
        case = await handling(shell)
        for terms, due in [(HOLIDAY, "03-17"), (GUILIN, "03-16"), (HOLIDAY, "03-17"), (GUILIN, "03-16")]:
            await publish(case, terms)
            state = await case.checked()
            assert seen(state.due_at or at("01-01 00:00")) == f"{due} 17:30"
        assert [row.type for row in await case.ledger()].count("calendar_changed") == 4


async def test_a_calendar_does_not_touch_an_archived_case(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("05-08 10:00")
        await case.give(triage("consultation"))
        await case.until("06-30 09:00")
        await case.handle.result()
        assert (await case.story())[-1].startswith("auto_archive")


async def test_a_transferred_case_follows_the_other_halls_terms(either_shell: Shell) -> None:
    shell = either_shell
    await keep_terms(shell.database, LATE_HALL)
    async with shell.worker():
        case = await shell.file("03-09 08:20")
        await case.move_clock(at("03-09 09:30"))
        lead = await case.usual("transfer")
        await case.send(make("transfer", hall="chengzhong"), lead, terms=LATE_HALL)
        case.terms = LATE_HALL
        state = await case.checked()
        assert (state.hall, state.policy.id, state.calendar) == ("chengzhong", "chengzhong", "late-hours")
        assert state.received_at == at("03-09 08:20")
        await case.until("03-09 13:30")
        assert (await case.story())[-1] == "triage_late 03-09 12:00"
        await case.give(triage("commitment"))
        assert seen((await case.checked()).due_at or at("01-01 00:00")) == "03-23 18:30"


async def test_the_validator_judges_a_transfer_by_the_other_halls_terms(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        assert await case.refusal(make("transfer", hall="guilin")) == "hall: same_hall"
        await case.send(make("transfer", hall="chengzhong"), await case.usual("transfer"), terms=CHENGZHONG)
        case.terms = CHENGZHONG
        await case.checked()
