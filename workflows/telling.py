"""The workflow's line in the log: each update that reached it, under the id of its command.

Told outside of the workflow's code (workflows/runner.py): it adds nothing to a history, and a replay tells
nothing again.
"""

from typing import TYPE_CHECKING

import structlog

from models.tracing import traced

if TYPE_CHECKING:
    from temporalio.bridge.proto.workflow_activation import WorkflowActivation
    from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion

CASE = "case-"  # casework/engine.py: the workflow id of a case is `case-<case id>`
_log = structlog.get_logger("workflow")


def tell(act: "WorkflowActivation", completion: "WorkflowActivationCompletion", workflow_id: str) -> None:
    """Log the updates of an activation, and whether the workflow took them."""
    if act.is_replaying:
        return
    updates = [job.do_update for job in act.jobs if job.HasField("do_update")]
    if not updates:
        return
    case_id = workflow_id.removeprefix(CASE) if workflow_id.startswith(CASE) else None
    refused = {
        command.update_response.protocol_instance_id
        for command in completion.successful.commands
        if command.HasField("update_response") and command.update_response.HasField("rejected")
    }
    for update in updates:
        outcome = "refused" if update.protocol_instance_id in refused else "taken"
        ids = traced(case_id, update.id)
        _log.info("update", update=update.name, outcome=outcome, workflow_id=workflow_id, **ids)
