"""Messages for people outside: after the ledger, beside it, and never in its way."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from sqlmodel import select

from models.inbox import Delivery
from tests.support.cases import triage
from tests.support.gateway import Gateway
from tests.support.shell import Shell, at
from tests.support.unheard import ForgetfulLedger


async def eventually(holds: Callable[[], bool], within: float = 30.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.05)


async def deliveries(shell: Shell) -> dict[int, Delivery]:
    """The messages laid out so far, by the number of their event."""
    async with shell.database.read() as session:
        found = await session.exec(select(Delivery))
        return {delivery.seq: delivery for delivery in found}


async def test_a_message_reaches_the_gateway_once(either_shell: Shell) -> None:
    gateway = Gateway(alive=True)
    async with gateway.channel() as channel, either_shell.worker(channel):
        case = await either_shell.file("03-09 09:20")
        await case.give(triage("simple"))
        await eventually(lambda: len(gateway.sent) == 2)
        await eventually(lambda: gateway.tried == 2)
    assert {message["case_id"] for message in gateway.sent} == {case.case_id}
    assert gateway.seqs() == {1, 2}
    assert all(case.number in str(message["text"]) for message in gateway.sent)


async def test_a_dead_gateway_delays_neither_ledger_nor_alarm(either_shell: Shell) -> None:
    gateway = Gateway()
    async with gateway.channel() as channel, either_shell.worker(channel):
        case = await either_shell.filing("03-09 09:20")
        # While a delivery is under way no clock jumps: two seconds pass until the alarm.
        await case.start(at("03-09 11:19:58"), leeway=-timedelta(seconds=0.2))
        await eventually(lambda: gateway.tried > 0)
        async with asyncio.timeout(20):
            while len(await case.ledger()) < 2:
                await asyncio.sleep(0.05)
        alarm = (await case.ledger())[1]
        assert alarm.type == "triage_late"
        assert timedelta() <= alarm.at - at("03-09 11:20") < timedelta(seconds=3)
        await case.give(triage("simple"))
        await case.give("sign")
        await case.checked()
        failed = (await deliveries(either_shell))[1]
        assert (failed.status, failed.sent_at) == ("failed", None)
        assert "503" in str(failed.last_error)
        gateway.alive = True
        await eventually(lambda: gateway.seqs() >= {1, 2, 3})
        await eventually_sent(either_shell, 1)
    assert len(gateway.sent) == len(gateway.seqs())


async def eventually_sent(shell: Shell, seq: int) -> None:
    """Wait until the table says that an event's message was sent."""
    async with asyncio.timeout(20):
        while (await deliveries(shell))[seq].status != "sent":
            await asyncio.sleep(0.05)


async def test_a_case_ends_only_after_its_last_message_was_handed_over(shell: Shell) -> None:
    gateway = Gateway()
    async with gateway.channel() as channel, shell.worker(channel):
        case = await shell.file("03-09 09:20")
        await case.give("withdraw")
        await eventually(lambda: gateway.tried > 0)
        gateway.alive = True
        await eventually(lambda: gateway.seqs() >= {1})
        await eventually_sent(shell, 1)


async def test_a_message_whose_event_was_first_unheard_of_is_sent_all_the_same(shell: Shell) -> None:
    gateway = Gateway(alive=True)
    async with gateway.channel() as channel, shell.worker(channel, ledger=ForgetfulLedger):
        case = await shell.file("03-09 09:20")
        await case.give(triage("simple"))
        await eventually(lambda: gateway.seqs() == {1, 2})


async def test_a_message_that_nobody_sent_goes_out_when_the_case_starts_from_its_ledger(
    shell: Shell,
) -> None:
    gateway = Gateway()
    async with gateway.channel() as channel, shell.worker(channel):
        case = await shell.file("03-09 09:20")
        await eventually(lambda: gateway.tried > 0)
        await case.handle.terminate()
    async with shell.database.begin() as session:
        for delivery in await session.exec(select(Delivery)):
            delivery.status = "pending"
    gateway.alive = True
    async with gateway.channel() as channel, shell.worker(channel):
        await case.start(at("03-09 09:30"))
        await eventually(lambda: gateway.seqs() == {1})


async def test_one_dead_channel_does_not_mark_the_others_as_failed(shell: Shell) -> None:
    dead, alive = Gateway(), Gateway(alive=True)
    async with dead.channel() as first, alive.channel() as second:
        second.name = "second"
        async with shell.worker(first, second):
            await shell.file("03-09 09:20")
            await eventually(lambda: dead.tried > 1)
    async with shell.database.read() as session:
        rows = (await session.exec(select(Delivery.channel, Delivery.status))).all()
    assert sorted(tuple(row) for row in rows) == [("second", "sent"), ("webhook", "failed")]
    assert len(alive.sent) == 1
