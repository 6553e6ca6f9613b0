"""The ledger is the truth: what a run never heard of is folded in, and a lost run costs nothing."""

import asyncio
from pathlib import Path

import pytest

from models.codec import data_converter
from rules.case.errors import Illegal
from rules.case.vocabulary import Status
from tests.support.books import keep_terms, person
from tests.support.cases import make, triage
from tests.support.shell import LiveCase, Shell, at
from tests.support.temporal import TemporalServer
from tests.support.unheard import AbsentLedger, ForgetfulLedger, write_unheard
from tests.workflow.test_case_terms import HOLIDAY, LATE_HALL, handling, publish

CONTACT = person("guilin.housing.contact")
STOPS_WITHIN = 20.0  # seconds


async def dispatched(shell: Shell) -> LiveCase:
    """A commitment case that waits for its signature until 14:10."""
    case = await shell.file("03-09 09:20")
    return await case.give(triage("commitment"), "03-09 09:40")


async def test_a_lost_answer_of_the_ledger_does_not_make_a_command_happen_twice(
    either_shell: Shell,
) -> None:
    async with either_shell.worker(ledger=ForgetfulLedger):
        case = await dispatched(either_shell)
        await case.give("sign", "03-09 10:00")
        await case.until("03-10 17:30")
        assert (await case.checked()).status is Status.HANDLING
        assert await case.story() == [
            "registered 03-09 09:20",
            "triage 03-09 09:40",
            "sign 03-09 10:00",
            "response_late 03-10 17:30",
        ]


async def test_a_command_folds_in_rows_that_the_run_never_heard_of_and_is_decided_again(
    either_shell: Shell,
) -> None:
    async with either_shell.worker():
        case = await dispatched(either_shell)
        await write_unheard(case, make("sign"), "03-09 10:00")
        assert (await case.state())["status"] == "dispatched"
        await case.give("inform", "03-09 10:30")
        assert (await case.checked()).status is Status.HANDLING
        assert [row.type for row in await case.ledger()][2:] == ["sign", "inform"]


async def test_a_command_that_unheard_rows_made_wrong_is_refused(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        await write_unheard(case, make("sign"), "03-09 10:00")
        with pytest.raises(Illegal):
            await case.give("return_order", "03-09 10:30")
        assert (await case.checked()).status is Status.HANDLING


async def test_an_alarm_that_unheard_rows_disarmed_does_not_fire(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        await write_unheard(case, make("sign"), "03-09 10:00")
        await case.until("03-10 17:00")
        await case.checked()
        assert [row.type for row in await case.ledger()] == ["registered", "triage", "sign"]
        await case.until("03-10 17:30")
        assert (await case.story())[-1] == "response_late 03-10 17:30"


async def test_catching_up_folds_in_and_arms_anew(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        await write_unheard(case, make("sign"), "03-09 10:00")
        await shell.engine.catch_up(case.case_id)
        assert (await case.checked()).status is Status.HANDLING
        await shell.engine.catch_up(case.case_id)
        await case.until("03-10 17:30")
        assert (await case.story())[-2:] == ["sign 03-09 10:00", "response_late 03-10 17:30"]


async def test_the_sender_of_an_unheard_command_may_send_it_again(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        await write_unheard(case, make("sign"), "03-09 10:00")
        assert await case.send(make("sign"), CONTACT, command_id="lost") == 3
        await case.checked()


async def test_a_command_folded_in_before_is_not_done_twice(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        await case.give("sign")
        await write_unheard(case, make("progress"), "03-09 10:00")
        await case.give("inform")
        assert await case.send(make("progress"), CONTACT, command_id="lost") == 4
        assert len(await case.ledger()) == 5
        await case.checked()


async def test_a_case_goes_on_from_its_ledger_alone(either_shell: Shell, tmp_path: Path) -> None:
    """Another Temporal, the same database: the state and the armed alarm are as they were."""
    async with either_shell.worker():
        case = await dispatched(either_shell)
        await case.give("sign", "03-09 10:00")
        before = await case.checked()
    other = TemporalServer(tmp_path)
    other.start()
    try:
        client = await other.client(data_converter=data_converter(either_shell.keyring))
        elsewhere = Shell(client, either_shell.database, either_shell.keyring)
        async with elsewhere.worker():
            again = LiveCase(elsewhere, case.case_id, case.terms)
            await again.start(at("03-10 17:45"))
            assert again.number == case.number
            await again.idle()
            assert await again.story() == [
                "registered 03-09 09:20",
                "triage 03-09 09:40",
                "sign 03-09 10:00",
                "response_late 03-10 17:45",
            ]
            after = await again.checked()
            assert after.due_at == before.due_at
            await again.give("reply")
            await again.checked()
    finally:
        other.stop()


async def test_a_case_that_starts_from_its_ledger_follows_the_terms_that_the_ledger_names(
    shell: Shell,
) -> None:
    await keep_terms(shell.database, LATE_HALL)
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        lead = await case.usual("transfer")
        await case.send(make("transfer", hall="chengzhong"), lead, terms=LATE_HALL)
        await case.handle.terminate()
        again = LiveCase(shell, case.case_id, case.terms)
        await again.start(at("03-09 09:30"))
        again.terms = LATE_HALL
        await again.checked()
        await again.until("03-09 13:30")
        assert (await again.story())[-1] == "triage_late 03-09 12:00"


async def test_an_archived_case_that_is_started_again_ends_at_once(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("05-08 10:00")
        await case.give(triage("consultation"))
        await case.until("06-30 09:00")
        await case.handle.result()
        events = await case.story()
        assert await shell.engine.start(case.case_id, case.terms) == case.number
        await case.handle.result()
        assert await case.story() == events


async def test_a_calendar_told_twice_at_once_is_one_event(shell: Shell) -> None:
    async with shell.worker():
        case = await handling(shell)
        await keep_terms(shell.database, HOLIDAY)
    for _ in range(3):
        await shell.engine.calendar_changed(case.case_id, HOLIDAY)
    async with shell.worker():
        await publish(case, HOLIDAY)
        await case.checked()
        assert [row.type for row in await case.ledger()].count("calendar_changed") == 1


async def test_a_worker_stops_while_the_ledger_is_away_and_the_next_one_goes_on(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
    async with asyncio.timeout(STOPS_WITHIN):
        async with shell.worker(ledger=AbsentLedger):
            signing = asyncio.create_task(case.send(make("sign"), CONTACT, command_id="sign"))
            await case.waits_for_a_worker("sign")
            await asyncio.sleep(1)  # a few tries
    async with shell.worker():
        await case.move_clock(at("03-09 10:00"))
        assert await signing == 3
        assert (await case.checked()).status is Status.HANDLING
