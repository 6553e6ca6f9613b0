"""A release with a gated change meets cases that began before it.

The how-to docs/how-to/ship-a-workflow-change.md, tried.
"""

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from models.codec import data_converter
from models.crypto import Keyring
from rules.case.vocabulary import Status
from tests.histories.record import KEYRING, read_history, recorded
from tests.support.cases import triage
from tests.support.next_release import GONE, NextCase, UngatedCase
from tests.support.shell import LiveCase, Shell
from workflows.case import CaseWorkflow
from workflows.runner import RUNNER

Code = type[CaseWorkflow]


async def replays(history: WorkflowHistory, code: Code, keyring: Keyring) -> bool:
    """Whether this code gives the commands that stand in a history."""
    converter = data_converter(keyring)
    replayer = Replayer(workflows=[code], workflow_runner=RUNNER, data_converter=converter)
    found = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    if found.replay_failure is not None and not isinstance(found.replay_failure, NondeterminismError):
        raise found.replay_failure
    return found.replay_failure is None


def gated(history: WorkflowHistory) -> bool:
    """Whether the run asked at its start and was told that it is new."""
    markers = (event.marker_recorded_event_attributes for event in history.events)
    return any(marker.marker_name == "core_patch" for marker in markers)


async def finish(case: LiveCase, signed: str) -> None:
    """Take a dispatched case to the archive."""
    await case.give("sign", signed)
    await case.give("reply", text="已办结", resolved=True)
    await case.give("check_reply", accept=True)
    await case.give("revisit", reached=True, rating=5, resolved=True)
    await case.give("archive")


async def types(case: LiveCase) -> list[str]:
    return [row.type for row in await case.ledger()]


async def test_a_case_begun_on_the_old_code_is_finished_on_the_new(either_shell: Shell) -> None:
    """It keeps the reminders that it began with; a case of the new release has none. Both replay."""
    shell = either_shell
    async with shell.worker():
        old = await shell.file("03-09 09:20")
        await old.until("03-09 11:25")  # its first reminder fires under the old code
        await old.give(triage("simple"), "03-09 11:30")
        assert "triage_late" in await types(old)
    async with shell.worker(case=NextCase):
        await old.until("03-12 09:05")  # the others under the new one
        new = await shell.file("03-09 09:20")
        await new.until("03-09 11:25")
        await new.give(triage("simple"), "03-09 11:30")
        await new.until("03-12 09:05")
        for case in (old, new):
            await finish(case, "03-12 09:10")
            assert (await case.checked()).status is Status.ARCHIVED
            assert len(set(keys := [row.command_id for row in await case.ledger()])) == len(keys)
    reminders = [name for name in await types(old) if name in GONE]
    assert reminders[0] == "triage_late" and len(reminders) > 1
    assert not GONE & set(await types(new))
    began, since = await old.handle.fetch_history(), await new.handle.fetch_history()
    assert not gated(began) and gated(since)
    assert await replays(began, NextCase, shell.keyring)
    assert await replays(since, NextCase, shell.keyring)
    assert await replays(began, CaseWorkflow, shell.keyring)
    # What began under the gate needs the new code: a release can't be taken back for it.
    assert not await replays(since, CaseWorkflow, shell.keyring)


async def test_without_the_gate_the_old_case_would_stand_still(shell: Shell) -> None:
    async with shell.worker():
        case = await shell.file("03-09 09:20")
        await case.until("03-09 11:25")
    history = await case.handle.fetch_history()
    assert not await replays(history, UngatedCase, shell.keyring)
    assert await replays(history, NextCase, shell.keyring)


@pytest.mark.parametrize("name", recorded())
async def test_every_recorded_history_replays_under_a_gated_change(name: str) -> None:
    assert await replays(read_history(name), NextCase, KEYRING)
