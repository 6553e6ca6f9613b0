"""The product's sandbox still is one, and what it answers by itself is what the codec expects."""

from uuid import uuid4

import pytest
from temporalio.client import WorkflowFailureError
from temporalio.converter import WithSerializationContext
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import RestrictedWorkflowAccessError

from models.codec import JsonConverter, SealingCodec
from tests.support.reading_clocks import ReadsClock
from tests.support.temporal import TemporalServer
from workflows.sandbox import RUNNER


async def test_a_workflow_that_reads_the_machines_clock_is_refused(temporal_server: TemporalServer) -> None:
    client = await temporal_server.client()
    queue = f"clock-{uuid4()}"
    async with Worker(
        client,
        task_queue=queue,
        workflows=[ReadsClock],
        workflow_runner=RUNNER,
        workflow_failure_exception_types=[RestrictedWorkflowAccessError],
    ):
        with pytest.raises(WorkflowFailureError) as failed:
            await client.execute_workflow(ReadsClock.run, id=queue, task_queue=queue)
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "RestrictedWorkflowAccessError"


def test_nothing_of_ours_asks_for_the_context_that_the_sandbox_leaves_out() -> None:
    """The day a codec or converter wants contexts, `workflows.sandbox` must give them."""
    assert not issubclass(SealingCodec, WithSerializationContext)
    for part in JsonConverter().converters.values():
        assert not isinstance(part, WithSerializationContext)
