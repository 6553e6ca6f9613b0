"""Commands through the durable shell: decided once, on disk before the answer, refused without a trace.

A real Temporal server and a real ledger; clocks are the cases' own.
"""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from models.messages import CommandMessage
from rules.case.errors import Forbidden, Illegal, Invalid
from rules.case.vocabulary import Status
from tests.support.books import person
from tests.support.cases import make, triage
from tests.support.shell import GUILIN, LiveCase, Shell, at

CONTACT = person("guilin.housing.contact")
ACCEPTED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED


async def dispatched(shell: Shell, kind: str = "commitment") -> LiveCase:
    """A case in the hands of the housing unit, not signed yet."""
    case = await shell.file("03-09 09:20")
    return await case.give(triage(kind), "03-09 09:40")


async def test_a_case_runs_from_the_counter_to_the_archive(either_shell: Shell) -> None:
    async with either_shell.worker():
        case = await either_shell.file("03-09 09:20")
        assert case.number == "guilin-20370309-0001"
        steps: list[tuple[Any, ...]] = [
            (triage("simple", "market"), "03-09 09:40"),
            ("sign", "03-09 10:00"),
            ("reply", "03-10 15:00"),
            ("check_reply", "03-10 15:20"),
            ("revisit", "03-11 10:00", {"rating": 5}),
            ("archive", "03-11 10:10"),
        ]
        for command, when, *given in steps:
            await case.give(command, when, **(given[0] if given else {}))
            await case.checked()
        await case.handle.result()
        assert (await case.checked()).round.on_time
    assert await case.story() == [
        "registered 03-09 09:20",
        "triage 03-09 09:40",
        "sign 03-09 10:00",
        "reply 03-10 15:00",
        "check_reply 03-10 15:20",
        "revisit 03-11 10:00",
        "archive 03-11 10:10",
    ]


@pytest.mark.parametrize(
    ("command", "actor", "reason"),
    [
        (make("reply"), "guilin.housing.contact", "status"),
        (make("sign"), "guilin.market.contact", "forbidden"),
        (make("sign"), "guilin.clerk", "forbidden"),
        (make("reassign", unit="housing"), "guilin.lead", "same_unit"),
    ],
)
async def test_a_refusal_leaves_no_trace_in_history_or_ledger(
    shell: Shell, command: Any, actor: str, reason: str
) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        before = await _history_events(case)
        assert await case.refusal(command, person(actor)) == reason
        assert await _history_events(case) == before
        assert len(await case.ledger()) == 2


async def test_each_kind_of_refusal_comes_back_as_the_rules_raise_it(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        with pytest.raises(Illegal) as illegal:
            await case.send(make("reply"), CONTACT)
        assert (illegal.value.command, illegal.value.status, illegal.value.rule) == (
            "reply",
            "dispatched",
            "status",
        )
        with pytest.raises(Forbidden) as forbidden:
            await case.send(make("archive"), CONTACT)
        assert (forbidden.value.command, forbidden.value.role) == ("archive", "contact")
        with pytest.raises(Invalid) as invalid:
            await case.send(make("report_complex"), person("guilin.lead"))
            await case.send(make("set_limit", due_on="2037-03-09"), person("guilin.supervisor"))
        assert invalid.value.faults == {"due_on": "not_after_today"}


@pytest.mark.parametrize(
    ("name", "body"),
    [("reply", {"text": "好", "resolved": "perhaps"}), ("fly", {}), ("reply", {})],
)
async def test_a_body_that_makes_no_command_is_refused_and_harms_nothing(
    shell: Shell, name: str, body: dict[str, Any]
) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        with pytest.raises(Invalid):
            await shell.engine.command(case.case_id, name, CommandMessage("c1", CONTACT, body))
        await case.give("sign")
        assert (await case.checked()).status is Status.HANDLING


async def test_an_update_without_a_message_is_refused(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        for args in ([], ["text"], [None], [b"bytes"], [7], [{"command_id": 1}]):
            with pytest.raises(WorkflowUpdateFailedError) as failure:
                await case.handle.execute_update("sign", args=args)
            assert isinstance(failure.value.cause, ApplicationError)
            assert failure.value.cause.type == "Invalid"


async def test_the_same_command_id_twice_is_one_act(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        first = await case.send(make("sign"), CONTACT, command_id="one")
        again = await case.send(make("sign"), CONTACT, command_id="one")
        assert first == again == 3
        assert [row.command_id for row in await case.ledger()][2:] == ["one"]


async def test_of_two_acts_at_one_instant_one_wins_and_the_other_leaves_no_event(
    either_shell: Shell,
) -> None:
    async with either_shell.worker():
        case = await dispatched(either_shell)
    # Without a worker both wait at the server: they come in one task, and the validator passes both.
    both = asyncio.gather(
        case.send(make("sign"), CONTACT, command_id="one"),
        case.send(make("return_order"), person("guilin.housing.alternate"), command_id="other"),
        return_exceptions=True,
    )
    await case.waits_for_a_worker("one")
    await case.waits_for_a_worker("other")
    async with either_shell.worker():
        answers = await both
        (refusal,) = [answer for answer in answers if isinstance(answer, Exception)]
        assert isinstance(refusal, Illegal)
        assert refusal.rule == "status"
        assert await case.count(ACCEPTED) == 4
        assert len(await case.ledger()) == 3
        await case.checked()


async def test_ten_people_at_once_are_taken_one_after_the_other(either_shell: Shell) -> None:
    async with either_shell.worker():
        case = await dispatched(either_shell)
        await case.give("sign")
        answers = await asyncio.gather(
            *(case.send(make("progress", text=f"第 {n} 行"), CONTACT) for n in range(10))
        )
        assert sorted(answers) == list(range(4, 14))
        await case.checked()


async def test_a_command_that_comes_before_the_number_waits_for_it(shell: Shell) -> None:
    case = await shell.filing("03-09 09:20")
    await case.begin(at("03-09 09:20"), leeway=-timedelta(seconds=0.2))
    both = asyncio.gather(
        case.send(triage("simple"), person("guilin.clerk")),
        shell.engine.start(case.case_id, GUILIN),
    )
    async with shell.worker():
        number, registered = await both
        assert (number, registered) == (2, "guilin-20370309-0001")
        await case.checked()


async def test_nothing_readable_reaches_the_server(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        await case.give("sign")
        await case.give("reply", text="已为韦女士办结")
        history = (await case.handle.fetch_history()).to_json()
    for secret in ("韦女士", "身份证", "housing", "guilin-2037"):
        assert secret not in history
        assert secret.encode("unicode_escape").decode() not in history


async def test_commands_and_alarms_read_like_a_file_in_temporals_own_pages(shell: Shell) -> None:
    async with shell.worker():
        case = await dispatched(shell)
        await case.give("sign")
        events = (await case.handle.fetch_history()).events
    names = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name
        for event in events
        if event.event_type == ACCEPTED
    ]
    assert names == ["register", "triage", "sign"]
    summaries = [
        await _opened(shell, event.user_metadata.summary)
        for event in events
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    ]
    assert summaries == [
        "triage_late 2037-03-09 11:20:00",
        "sign_late_1 2037-03-09 15:10:00",
        "response_late 2037-03-10 17:30:00",
    ]


async def _history_events(case: LiveCase) -> int:
    return len((await case.handle.fetch_history()).events)


async def _opened(shell: Shell, payload: Any) -> str:
    text: str = (await shell.client.data_converter.decode([payload]))[0]
    return text
