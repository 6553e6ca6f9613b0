"""The two ends of reporting: having a workflow for every hall, and telling them of a new calendar."""

from datetime import timedelta

from sqlmodel import select
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from casework.engine import WITHIN, Engine, EngineUnavailable
from casework.keeping_on import keep_on
from casework.services import Services
from models.directory import Hall
from models.reporting import ReportingInput
from workflows.queues import CASES
from workflows.reporting import ReportingWorkflow

EVERY = timedelta(seconds=5)


def reporting_id(hall: str) -> str:
    """Return the id of a hall's reporting workflow: there is at most one."""
    return f"reporting-{hall}"


async def start_reporting(engine: Engine, hall: str) -> None:
    """Start the reporting of a hall, or have the one that runs reckon again. Raises EngineUnavailable."""
    client = await engine.client()
    try:
        await client.start_workflow(
            ReportingWorkflow.run,
            ReportingInput(hall),
            id=reporting_id(hall),
            task_queue=CASES,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            start_signal="calendar_changed",
            rpc_timeout=WITHIN,
        )
    except (RPCError, TimeoutError) as error:
        raise EngineUnavailable(str(error)) from error


async def tell_reporting(engine: Engine, hall: str) -> None:
    """Tell a hall's reporting of a new calendar; one that does not run learns of it at its start.

    Raises EngineUnavailable.
    """
    client = await engine.client()
    try:
        handle = client.get_workflow_handle(reporting_id(hall))
        await handle.signal(ReportingWorkflow.calendar_changed, rpc_timeout=WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise EngineUnavailable(str(error)) from error


async def start_missing(services: Services, started: set[str]) -> None:
    """Start the reporting of every hall that is not in `started`, and note it there.

    Raises EngineUnavailable, DatabaseUnavailable.
    """
    async with services.database.read() as session:
        halls = (await session.exec(select(Hall.code).order_by(Hall.code))).all()
    for hall in halls:
        if hall not in started:
            await start_reporting(services.engine, hall)
            started.add(hall)


async def keep_reporting(services: Services, every: timedelta = EVERY) -> None:
    """Have every hall report, one that is made later too; work until cancelled, through any outage."""
    started: set[str] = set()
    await keep_on("start of reporting", lambda: start_missing(services, started), every)
