"""How workflow code is run: without the SDK's sandbox, and with a line in the log for each update.

Our packages would have to pass through a sandbox, and in what passes through it refuses no clock: it cost a
tenth of a worker and kept nothing out. `tests/unit/test_workflow_code.py` does. ADR 40.
"""

from typing import TYPE_CHECKING

from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowInstance, WorkflowInstanceDetails
from temporalio.workflow import Info

from workflows.telling import tell

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion


class ToldInstance(WorkflowInstance):
    """A workflow whose updates are told, and whose payloads are all sealed alike, whatever they belong to."""

    def __init__(self, instance: WorkflowInstance, workflow_id: str) -> None:
        self._instance, self._workflow_id = instance, workflow_id

    def activate(self, act: "WorkflowActivation") -> "WorkflowActivationCompletion":
        """Run the workflow's code; tell of the updates that came."""
        completion = self._instance.activate(act)
        tell(act, completion, self._workflow_id)
        return completion

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        """Return none, for each payload: with one, the SDK would make a converter for it."""
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """Return one without a target: payloads are never stored outside the history."""
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        """Return what the engine says of the workflow."""
        return self._instance.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread that runs the workflow's code now, for the deadlock detector."""
        return self._instance.get_thread_id()


class ToldRunner(UnsandboxedWorkflowRunner):
    """Makes workflows of the kind above."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a workflow to run."""
        return ToldInstance(super().create_instance(det), det.info.workflow_id)


RUNNER = ToldRunner()
