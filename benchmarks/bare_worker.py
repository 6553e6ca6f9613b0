"""The worker of the bare workflow: a process of its own, with the options of the product's worker.

`python -m benchmarks.bare_worker [--our-runner]`: in the SDK's sandbox on asyncio's loop, as they come, which
is the floor; or run as the product's are (`workflows/runner.py`) on its loop (`processes.run_to_end`), which
shows what rules and ledger cost without both.
"""

import asyncio
import signal
import sys
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from benchmarks.bare import OUR_RUNNER, QUEUE, BareActivities, BareTimerWorkflow, BareWorkflow
from models.codec import data_converter
from models.database import Database
from processes import run_to_end
from settings import Settings
from worker import CACHED
from workflows.runner import RUNNER

# Not imported anew for each workflow, as the SDK advises: it would halve the floor.
RESTRICTIONS = SandboxRestrictions.default.with_passthrough_modules(
    *("rules", "models", "activities", "workflows", "benchmarks"),
    *("pydantic", "pydantic_core", "sqlalchemy", "sqlmodel", "httpx", "cryptography"),
)


async def main(ours: bool) -> None:
    """Work until SIGTERM or SIGINT."""
    settings = Settings()
    client = await Client.connect(
        settings.temporal_address, data_converter=data_converter(settings.keyring()), identity="bare"
    )
    worker = Worker(
        client,
        task_queue=OUR_RUNNER if ours else QUEUE,
        workflows=[BareWorkflow, BareTimerWorkflow],
        activities=[BareActivities(Database(settings.database)).write],
        workflow_runner=RUNNER if ours else SandboxedWorkflowRunner(restrictions=RESTRICTIONS),
        build_id="bare",
        max_cached_workflows=CACHED,
        graceful_shutdown_timeout=timedelta(seconds=5),
    )
    stop = asyncio.Event()
    for how in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(how, stop.set)
    async with worker:
        await stop.wait()


if __name__ == "__main__":
    ours = "--our-runner" in sys.argv
    (run_to_end if ours else asyncio.run)(main(ours))
