"""The two ends of re-arming: starting its workflow, and telling one case of its calendar."""

from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from casework.engine import WITHIN, CaseNotRunning, Engine, EngineUnavailable
from casework.reporting import tell_reporting
from models.messages import Terms
from models.rearming import Publication
from workflows.calendar import ReArmWorkflow
from workflows.queues import CASES


class TellCases:
    """Signals cases; what the re-arming activity is given (`activities.calendar.Cases`)."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def calendar_changed(self, case_id: str, terms: Terms) -> None:
        """Tell a case of its calendar; a case whose workflow is lost is started from its ledger.

        Raises EngineUnavailable.
        """
        try:
            await self._engine.calendar_changed(case_id, terms)
        except CaseNotRunning:
            await self._engine.start(case_id, terms)
            await self._engine.calendar_changed(case_id, terms)

    async def reporting_changed(self, hall: str) -> None:
        """Tell a hall's reporting of its calendar. Raises EngineUnavailable."""
        await tell_reporting(self._engine, hall)


async def start_rearming(engine: Engine, version: str, publication: Publication) -> None:
    """Start the workflow that tells the cases, or have the one under way tell them once more.

    It waits for the publication's row to be committed. Raises EngineUnavailable.
    """
    client = await engine.client()
    try:
        await client.start_workflow(
            ReArmWorkflow.run,
            id=f"calendar-{version}",
            task_queue=CASES,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="published",
            start_signal_args=[publication],
            rpc_timeout=WITHIN,
        )
    except (RPCError, TimeoutError) as error:
        raise EngineUnavailable(str(error)) from error
