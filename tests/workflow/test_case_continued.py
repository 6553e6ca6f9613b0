"""A long case continues as new: the state goes along, and nothing is lost at the seam."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from casework.case_verifying import verify_case
from casework.clocks import MachineClock
from casework.histories import export_ended, histories_of
from casework.services import Services
from models.codec import data_converter
from rules.case.vocabulary import Status
from tests.support.books import person
from tests.support.cases import make, triage
from tests.support.gateway import Gateway
from tests.support.shell import LiveCase, Shell
from tests.support.signed import evidence_in
from tests.support.temporal import TemporalServer

CONTACT = person("guilin.housing.contact")
EVENTS = 60  # the server suggests a new run from so many events on


@pytest.fixture(scope="module")
def impatient_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TemporalServer]:
    """A server that suggests to continue as new soon."""
    settings = {"limit.historyCount.suggestContinueAsNew": str(EVENTS)}
    server = TemporalServer(tmp_path_factory.mktemp("impatient"), **settings)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def impatient(shell: Shell, impatient_server: TemporalServer) -> AsyncIterator[Shell]:
    """A shell on that server."""
    client = await impatient_server.client(data_converter=data_converter(shell.keyring))
    impatient = Shell(client, shell.database, shell.keyring)
    yield impatient
    await impatient.end()


async def run_of(case: LiveCase) -> str:
    """The id of the case's present run."""
    return (await case.handle.describe()).run_id or ""


async def handling(shell: Shell, received: str = "03-09 09:20") -> LiveCase:
    """A commitment case in the unit's hands."""
    case = await shell.file(received)
    await case.give(triage("commitment"))
    return await case.give("sign")


async def lines(case: LiveCase, number: int) -> None:
    """Write lines of the progress ledger, one after the other."""
    for _ in range(number):
        await case.send(make("progress"), CONTACT)


async def test_state_and_alarm_go_along_into_the_new_run(impatient: Shell) -> None:
    async with impatient.worker():
        case = await handling(impatient)
        first = await run_of(case)
        await lines(case, 15)
        assert await run_of(case) != first
        await case.checked()
        await case.until("03-10 17:30")
        assert (await case.story())[-1] == "response_late 03-10 17:30"
        assert (await case.checked()).status is Status.HANDLING


async def test_commands_at_the_seam_are_all_answered_and_done_once(impatient: Shell) -> None:
    async with impatient.worker():
        case = await handling(impatient)
        first = await run_of(case)
        answers = await asyncio.gather(*(lines(case, 10) for _ in range(5)), return_exceptions=True)
        assert answers == [None] * 5
        assert await run_of(case) != first
        await case.checked()
        assert len(await case.ledger()) == 3 + 50


async def test_a_command_sent_again_after_the_seam_is_not_done_twice(impatient: Shell) -> None:
    async with impatient.worker():
        case = await handling(impatient)
        first = await run_of(case)
        number = await case.send(make("progress"), CONTACT, command_id="once")
        await lines(case, 15)
        assert await run_of(case) != first
        assert await case.send(make("progress"), CONTACT, command_id="once") == number
        await lines(case, 1)
        await case.checked()
        assert [row.command_id for row in await case.ledger()].count("once") == 1


async def test_a_dead_gateway_does_not_hold_a_case_at_the_seam(impatient: Shell) -> None:
    """What is still tried goes along into the new run, and reaches a gateway that is back."""
    gateway = Gateway()
    async with gateway.channel() as channel, impatient.worker(channel):
        case = await handling(impatient)
        first = await run_of(case)
        await lines(case, 15)
        async with asyncio.timeout(30):
            while await run_of(case) == first:
                await asyncio.sleep(0.1)
        await case.checked()
        assert not gateway.sent
        gateway.alive = True
        async with asyncio.timeout(30):
            while gateway.seqs() != {1, 2}:
                await asyncio.sleep(0.1)


async def test_the_history_of_every_run_is_exported_and_verified(impatient: Shell, tmp_path: Path) -> None:
    """The first runs while the case is still open: their retention counts from their own end."""
    clock = MachineClock()
    services = Services(
        database=impatient.database,
        keyring=impatient.keyring,
        engine=impatient.engine,
        clock=clock,
        wall=clock,
        policies={},
        attachments=tmp_path,
        given_evidence=evidence_in(tmp_path),
    )
    async with impatient.worker():
        case = await handling(impatient)
        first = await run_of(case)
        while await run_of(case) == first:
            await lines(case, 4)
        await lines(case, 1)
        await case.idle()
        assert await export_ended(services) == 1
        assert [(run.run_id, run.live) for run in await histories_of(services, case.case_id)] == [
            (first, False),
            (await run_of(case), True),
        ]
        report = await verify_case(services, case.case_id)
        assert (report.ledger, report.replay, report.runs) == ([], [], 2)
    await case.handle.terminate()
    # Started anew from its ledger, it has a third run; the terminated one is exported too.
    async with impatient.worker():
        await impatient.engine.start(case.case_id, case.terms)
        await lines(case, 1)
        assert await export_ended(services) == 1
        report = await verify_case(services, case.case_id)
        assert (report.ledger, report.replay, report.runs) == ([], [], 3)
