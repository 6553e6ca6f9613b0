"""Yesterday's histories replayed by today's code: the same commands, states, timers and arguments.

Cases are open for months, so a change of the shell meets runs that began under the code before it.
Where one of these tests fails: docs/how-to/ship-a-workflow-change.md.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from activities.wording import SENTENCES
from casework.replay_check import Recorded as RecordedEvent
from casework.replay_check import check_replays
from models.codec import data_converter
from rules.case import alarms
from rules.case.commands import COMMANDS
from tests.histories.paths import PATHS
from tests.histories.record import FOLDER, KEYRING, path_of, read_golden, read_history, recorded, sum_of, sums
from tests.support.replaying import Replayed, replay
from workflows import machine
from workflows.machine import Machine
from workflows.replaying import Witnessed, replay_case

CONVERTER = data_converter(KEYRING)


def timers_of(history: WorkflowHistory) -> list[float]:
    """The durations of the timers that stand in a history, in seconds."""
    return [
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta() / timedelta(seconds=1)
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED
    ]


async def replayed(name: str) -> Replayed:
    """A recorded history, replayed now."""
    return await replay(read_history(name), CONVERTER)


def test_no_history_was_recorded_anew() -> None:
    """Each stands for cases that are open somewhere: a line of SHA256SUMS is added, never changed."""
    assert {f"{name}.json.gz": sum_of(name) for name in recorded()} == sums()


@pytest.mark.parametrize("name", recorded())
async def test_a_recorded_history_replays_to_its_golden_outcome(name: str) -> None:
    found, golden = (await replayed(name)).values(), read_golden(name)
    for part in ("timers", "activities", "state", "seq", "continued"):
        assert found[part] == golden[part], part


@pytest.mark.parametrize("name", recorded())
async def test_golden_timers_are_those_of_the_history(name: str) -> None:
    golden = [timer["seconds"] for timer in read_golden(name)["timers"]]
    assert golden == pytest.approx(timers_of(read_history(name)), abs=1e-6)


@pytest.mark.parametrize("name", recorded())
async def test_a_recorded_history_replays_to_the_events_that_its_ledger_held(name: str) -> None:
    """What `verify` does years later: yesterday's case passes, and a changed event of it does not."""
    history = read_history(name)
    ledger = ledger_of(await replay_case(history, CONVERTER))
    run = [("run", history)]
    assert await check_replays("case", ledger, run, CONVERTER, whole=False) == []
    last = ledger[-1]
    for changed in ({"command_id": "other"}, {"changes": last.changes | {"level": "nobody"}}):
        forged = [*ledger[:-1], replace(last, **changed)]
        (finding,) = await check_replays("case", forged, run, CONVERTER, whole=False)
        assert (finding.what, finding.seq) == ("heard_otherwise", last.seq)
    unheard = [*ledger, replace(last, seq=last.seq + 1)]
    (finding,) = await check_replays("case", unheard, run, CONVERTER)
    assert (finding.what, finding.seq) == ("never_heard", last.seq + 1)


def ledger_of(seen: Witnessed) -> list[RecordedEvent]:
    """The ledger as a run heard of it, with facts and texts as they were decided then."""
    found: dict[int, RecordedEvent] = {}
    for heard in seen.heard:
        decided = {} if heard.request is None else {event["at"]: event for event in heard.request.events}
        for row in heard.answer.rows:
            event = decided.get(row.at.isoformat(), {"actor": {}, "data": {}, "texts": {}})
            facts = (event["actor"], event["data"])
            found[row.seq] = RecordedEvent(
                row.seq, row.command_id, row.type, row.at, *facts, row.changes, row.fired, event["texts"]
            )
    return [found[seq] for seq in sorted(found)]


@pytest.mark.parametrize("part", ["actor", "data", "texts", "type"])
async def test_what_is_decided_otherwise_than_it_was_is_noticed(
    monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Code that decides the same kind of command with other contents passes Temporal's own replay."""
    history = read_history("standard")
    ledger = ledger_of(await replay_case(history, CONVERTER))
    encode = machine.encode_event
    monkeypatch.setattr(machine, "encode_event", lambda event: encode(event) | {part: "other"})
    (finding,) = await check_replays("case", ledger, [("run", history)], CONVERTER, whole=False)
    assert (finding.what, finding.seq) == ("decided_otherwise", 2)


async def test_a_history_cut_or_changed_does_not_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    history = read_history("standard")
    ledger = ledger_of(await replay_case(history, CONVERTER))
    without = WorkflowHistory(history.workflow_id, [*history.events[:8], *history.events[14:]])
    (finding,) = await check_replays("case", ledger, [("run", without)], CONVERTER)
    assert finding.what == "not_deterministic"


def test_every_path_is_recorded_and_nothing_else() -> None:
    assert {path_of(name) for name in recorded()} == set(PATHS)
    golden = {file.name.removesuffix(".golden.json") for file in FOLDER.glob("*.golden.json")}
    assert golden == set(recorded())
    assert sum(file.stat().st_size for file in FOLDER.glob("*.json*")) < 1_000_000


def test_every_command_and_every_alarm_stands_in_some_history() -> None:
    written = {
        event["type"]
        for name in recorded()
        for asked in read_golden(name)["activities"]
        if asked["name"] == "record"
        for event in asked["arguments"][0]["events"]
    }
    assert written >= (set(COMMANDS) | set(SENTENCES)) - {"register", "registered"}


async def test_another_duration_of_a_timer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal itself lets a shorter one pass."""
    monkeypatch.setattr(alarms, "OVERDUE_AFTER", timedelta(seconds=0.5))
    found = await replayed("nobody_acts")
    golden = read_golden("nobody_acts")
    assert len(found.timers) == len(golden["timers"])
    assert found.timers != golden["timers"]


async def test_another_order_of_commands_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Machine, "_arm", lambda machine: None)
    with pytest.raises(NondeterminismError):
        await replayed("nobody_acts")
