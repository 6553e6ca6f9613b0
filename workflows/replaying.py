"""Replays a history with today's workflow code, and notes what it asks of the ledger on the way.

Temporal's own replay compares the kinds of commands only: other events, decided of the same kind at the
same place, pass it unseen. So a witness stands between the worker and the workflow.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from temporalio.api.common.v1 import Payload
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import WorkflowHistory
from temporalio.converter import DataConverter
from temporalio.worker import Replayer, WorkflowInstance, WorkflowInstanceDetails, WorkflowRunner
from temporalio.workflow import _Definition

from models.codec import JsonConverter
from models.messages import Recorded, RecordRequest
from workflows.case import CaseWorkflow
from workflows.runner import RUNNER

_PAYLOADS = JsonConverter()
_ASKED = {"record": RecordRequest, "register": None, "read": None}

OnActivation = Callable[[WorkflowActivation, "Listening"], None]
OnCommand = Callable[[WorkflowCommand], None]


@dataclass(frozen=True)
class Heard:
    """What the ledger answered in the history, and what today's code had asked of it.

    ``request`` is None where nothing was decided: at a registration, and when rows were read.
    """

    request: RecordRequest | None
    answer: Recorded


@dataclass
class Witnessed:
    """What came of a replay: everything heard of the ledger, in order."""

    heard: list[Heard] = field(default_factory=list)


async def replay_case(history: WorkflowHistory, converter: DataConverter) -> Witnessed:
    """Replay one run of a case. Raises on any deviation that Temporal notices.

    That is `temporalio.workflow.NondeterminismError`, or RuntimeError for a history that is no history.
    """
    witness = _Witness()
    runner = ListeningRunner(witness.activated, witness.commanded)
    replayer = Replayer(workflows=[CaseWorkflow], workflow_runner=runner, data_converter=converter)
    await replayer.replay_workflow(history)
    return witness.seen


class _Witness:
    """Matches the answers of local activities with what had been asked."""

    def __init__(self) -> None:
        self.seen = Witnessed()
        self._asked: dict[int, RecordRequest | None] = {}

    def commanded(self, command: WorkflowCommand) -> None:
        if not command.HasField("schedule_local_activity"):
            return
        asked = command.schedule_local_activity
        if asked.activity_type in _ASKED:
            hint = _ASKED[asked.activity_type]
            request = _PAYLOADS.from_payload(asked.arguments[0], hint) if hint else None
            self._asked[asked.seq] = request

    def activated(self, act: WorkflowActivation, instance: "Listening") -> None:
        for job in act.jobs:
            if not job.HasField("resolve_activity") or job.resolve_activity.seq not in self._asked:
                continue
            resolved = job.resolve_activity
            if resolved.result.HasField("completed"):
                answer = _PAYLOADS.from_payload(resolved.result.completed.result, Recorded)
                self.seen.heard.append(Heard(self._asked.pop(resolved.seq), answer))


class ListeningRunner(WorkflowRunner):
    """The worker's own runner, listened to."""

    def __init__(self, on_activation: OnActivation, on_command: OnCommand) -> None:
        self._on_activation, self._on_command = on_activation, on_command

    def prepare_workflow(self, defn: _Definition) -> None:
        """Prepare as the worker does."""
        RUNNER.prepare_workflow(defn)

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a workflow as the worker runs it, with somebody listening."""
        return Listening(RUNNER.create_instance(det), self._on_activation, self._on_command)


class Listening(WorkflowInstance):
    """A workflow whose activations and commands somebody hears."""

    def __init__(self, inner: WorkflowInstance, on_activation: OnActivation, on_command: OnCommand) -> None:
        self._inner, self._on_activation, self._on_command = inner, on_activation, on_command

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Tell of the activation, run it, and tell of each command."""
        self._on_activation(act, self)
        completion = self._inner.activate(act)
        for command in completion.successful.commands:
            self._on_command(command)
        return completion

    def ask(self, act: WorkflowActivation, query: str) -> Payload:
        """Return the answer to a query without arguments, at the instant of an activation."""
        question = WorkflowActivation(run_id=act.run_id, timestamp=act.timestamp, is_replaying=True)
        question.jobs.add().query_workflow.query_type = query
        (command,) = self._inner.activate(question).successful.commands
        answer: Payload = command.respond_to_query.succeeded.response
        return answer

    def get_serialization_context(self, command_info: Any) -> Any:
        """Return what the workflow says."""
        return self._inner.get_serialization_context(command_info)

    def get_external_store_context(self, command_info: Any) -> Any:
        """Return what the workflow says."""
        return self._inner.get_external_store_context(command_info)

    def get_info(self) -> Any:
        """Return what the engine says of the workflow."""
        return self._inner.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread that runs the workflow's code now."""
        return self._inner.get_thread_id()
