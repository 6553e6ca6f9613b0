"""How workflow code is run: in the SDK's sandbox, with the house's own packages passed through.

The SDK asks a workflow for the serialization context of each payload, several times a payload, and the
sandbox answers by compiling and running code inside itself: a third of a worker's time, for an answer
that `models.codec` never looks at. So the answer is given in front of the sandbox; activations go
through it as ever.
"""

from typing import TYPE_CHECKING

from temporalio.converter import SerializationContext, StorageDriverStoreContext
from temporalio.worker import WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

from workflows.telling import tell

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

# Not imported anew for each case: half the CPU, and tables can't be declared twice. The sandbox goes
# on refusing clocks and randomness to the workflows.
RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules(
    *("rules", "models", "activities", "workflows"),
    *("pydantic", "pydantic_core", "sqlalchemy", "sqlmodel", "httpx", "cryptography"),
)


class ContextFree(WorkflowInstance):
    """A sandboxed workflow whose payloads are all sealed alike, whatever they belong to."""

    def __init__(self, sandboxed: WorkflowInstance, workflow_id: str) -> None:
        self._sandboxed, self._workflow_id = sandboxed, workflow_id

    def activate(self, act: "WorkflowActivation") -> "WorkflowActivationCompletion":
        """Run the workflow's code, in the sandbox; tell of the updates that came."""
        completion = self._sandboxed.activate(act)
        tell(act, completion, self._workflow_id)
        return completion

    def get_serialization_context(self, command_info: object) -> SerializationContext | None:
        """Return none: neither converter nor codec knows contexts."""
        return None

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """Return one without a target: payloads are never stored outside the history."""
        return StorageDriverStoreContext(target=None)

    def get_info(self) -> Info:
        """Return what the engine says of the workflow."""
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread that runs the workflow's code now, for the deadlock detector."""
        return self._sandboxed.get_thread_id()


class ContextFreeRunner(SandboxedWorkflowRunner):
    """The SDK's sandbox, spared of the questions about payloads."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a workflow in a sandbox of its own."""
        return ContextFree(super().create_instance(det), det.info.workflow_id)


RUNNER = ContextFreeRunner(restrictions=RESTRICTIONS)
