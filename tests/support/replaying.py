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
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import _Definition

from workflows.case import CaseWorkflow
from workflows.sandbox import RUNNER

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


async def replay(history: WorkflowHistory, converter: DataConverter) -> Replayed:
    """Replay a history as the worker would. Raises on any deviation that Temporal notices."""
    witness = Witness()
    replayer = Replayer(workflows=[CaseWorkflow], workflow_runner=witness, data_converter=converter)
    await replayer.replay_workflow(history)
    return witness.seen


class Witness(WorkflowRunner):
    """The worker's own runner, listened to."""

    def __init__(self) -> None:
        self.seen = Replayed()

    def prepare_workflow(self, defn: _Definition) -> None:
        RUNNER.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        return _Listening(RUNNER.create_instance(det), self.seen)


class _Listening(WorkflowInstance):
    def __init__(self, inner: WorkflowInstance, seen: Replayed) -> None:
        self._inner, self._seen = inner, seen

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        if any(job.HasField("remove_from_cache") for job in act.jobs):
            self._seen.state, self._seen.seq = self._asked(act, "state"), self._asked(act, "seq")
        completion = self._inner.activate(act)
        for command in completion.successful.commands:
            self._note(command)
        return completion

    def _note(self, command: WorkflowCommand) -> None:
        summary = _text(command.user_metadata.summary)
        if command.HasField("start_timer"):
            wait = command.start_timer.start_to_fire_timeout.ToTimedelta()
            self._seen.timers.append({"summary": summary, "seconds": wait.total_seconds()})
        for kind in ("schedule_local_activity", "schedule_activity"):
            if command.HasField(kind):
                asked = getattr(command, kind)
                noted = {"name": asked.activity_type, "summary": summary} | _arguments(asked.arguments)
                self._seen.activities.append(noted)
        if command.HasField("continue_as_new_workflow_execution"):
            carried = command.continue_as_new_workflow_execution.arguments
            self._seen.continued = _arguments(carried)

    def _asked(self, act: WorkflowActivation, query: str) -> Any:
        question = WorkflowActivation(run_id=act.run_id, timestamp=act.timestamp, is_replaying=True)
        question.jobs.add().query_workflow.query_type = query
        (command,) = self._inner.activate(question).successful.commands
        answer: Payload = command.respond_to_query.succeeded.response
        return PAYLOADS.from_payload(answer)

    def get_serialization_context(self, command_info: Any) -> Any:
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        return self._inner.get_thread_id()
