"""The worker of the bare workflow: a process of its own, with the options of the product's worker."""

import asyncio
import signal
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker

from benchmarks.bare import QUEUE, BareActivities, BareWorkflow
from models.codec import data_converter
from models.database import Database
from settings import Settings
from workflows.sandbox import RESTRICTIONS
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner


async def main() -> None:
    settings = Settings()
    client = await Client.connect(
        settings.temporal_address, data_converter=data_converter(settings.keyring()), identity="bare"
    )
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[BareWorkflow],
        activities=[BareActivities(Database(settings.database)).write],
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=RESTRICTIONS.with_passthrough_modules("benchmarks")
        ),
        build_id="bare",
        graceful_shutdown_timeout=timedelta(seconds=5),
    )
    stop = asyncio.Event()
    for how in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(how, stop.set)
    async with worker:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
