"""Replays a history and notes what today's workflow code asks of the server on the way.

Temporal's own replay compares the kinds of commands only: a timer of another length, or another
argument of an activity, passes it unseen. So a witness stands between the worker and the workflow.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.worker import Replayer

from workflows.case import CaseWorkflow
from workflows.replaying import Listening, ListeningRunner

PAYLOADS = pydantic_data_converter.payload_converter


@dataclass
class Replayed:
    """What came of a replay: the state in the end, and the timers and activities asked for, in order."""

    state: dict[str, Any] | None = None
    seq: int = 0
    timers: list[dict[str, Any]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)
    continued: dict[str, Any] | None = None

    def values(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "seq": self.seq,
            "state": self.state,
            "timers": self.timers,
            "activities": self.activities,
            "continued": self.continued,
        }


def _arguments(payloads: Iterable[Payload]) -> dict[str, Any]:
    return {"arguments": [PAYLOADS.from_payload(payload) for payload in payloads]}


def _text(payload: Payload) -> str:
    text: str = PAYLOADS.from_payload(payload) if payload.data else ""
    return text


async def replay(
    history: WorkflowHistory, converter: DataConverter, workflow: type = CaseWorkflow
) -> Replayed:
    """Replay a history as the worker would. Raises on any deviation that Temporal notices.

    Only a case is asked for its state: no other workflow has one.
    """
    witness = Witness(asks=workflow is CaseWorkflow)
    runner = ListeningRunner(witness.activated, witness.commanded)
    replayer = Replayer(workflows=[workflow], workflow_runner=runner, data_converter=converter)
    await replayer.replay_workflow(history)
    return witness.seen


class Witness:
    """Notes timers, activities and the state in the end."""

    def __init__(self, *, asks: bool = True) -> None:
        self.seen, self._asks = Replayed(), asks

    def activated(self, act: WorkflowActivation, instance: Listening) -> None:
        if self._asks and any(job.HasField("remove_from_cache") for job in act.jobs):
            self.seen.state = PAYLOADS.from_payload(instance.ask(act, "state"))
            self.seen.seq = PAYLOADS.from_payload(instance.ask(act, "seq"))

    def commanded(self, command: WorkflowCommand) -> None:
        summary = _text(command.user_metadata.summary)
        if command.HasField("start_timer"):
            wait = command.start_timer.start_to_fire_timeout.ToTimedelta()
            self.seen.timers.append({"summary": summary, "seconds": wait.total_seconds()})
        for kind in ("schedule_local_activity", "schedule_activity"):
            if command.HasField(kind):
                asked = getattr(command, kind)
                noted = {"name": asked.activity_type, "summary": summary} | _arguments(asked.arguments)
                self.seen.activities.append(noted)
        if command.HasField("continue_as_new_workflow_execution"):
            carried = command.continue_as_new_workflow_execution.arguments
            self.seen.continued = _arguments(carried)
