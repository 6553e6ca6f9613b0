"""The daily head as a durable workflow, one for the installation. Workflow id: ``ledger-heads``.

A worker that is down over the time of a head takes one when it is back, for the latest time missed:
what the earlier ones would have covered, that one covers.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from activities.archiving import ArchivingActivities
from rules.calendar import local
from rules.evidence import latest_head_due, next_head_due
from workflows.queues import REPORTING

HEADS_ID = "ledger-heads"
ROUNDS = 30  # heads of one run, to keep its history short
RETRY = RetryPolicy(initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=5))
# Not a burden to a gateway that is dead for hours.
PATIENT = RetryPolicy(initial_interval=timedelta(seconds=10), maximum_interval=timedelta(minutes=30))
PUBLISHED_WITHIN = timedelta(hours=12)  # a dead gateway delays no later head: that one sends both


@workflow.defn(name="LedgerHeads")
class LedgerHeadsWorkflow:
    """Takes a head each day, sends it out, and has the ledger checked."""

    @workflow.run
    async def run(self) -> None:
        """Live for ever, one run after the other."""
        for _ in range(ROUNDS):
            due = next_head_due(workflow.now())
            workflow.set_current_details(f"下一次台账封签 {local(due):%Y-%m-%d %H:%M}")
            await workflow.sleep(due - workflow.now(), summary=f"台账封签 {local(due):%Y-%m-%d %H:%M}")
            await workflow.execute_activity_method(
                ArchivingActivities.take,
                latest_head_due(workflow.now()),
                task_queue=REPORTING,
                summary="出具台账封签",
                start_to_close_timeout=timedelta(minutes=10),
                retry_policy=RETRY,
            )
            await _publish()
            await _check()
        workflow.continue_as_new()


async def _publish() -> None:
    try:
        await workflow.execute_activity_method(
            ArchivingActivities.publish,
            task_queue=REPORTING,
            summary="发布台账封签",
            start_to_close_timeout=timedelta(minutes=5),
            schedule_to_close_timeout=PUBLISHED_WITHIN,
            retry_policy=PATIENT,
        )
    except ActivityError:
        workflow.logger.warning("heads were not sent out and go with the next one")


async def _check() -> None:
    try:
        await workflow.execute_activity_method(
            ArchivingActivities.check,
            task_queue=REPORTING,
            summary="核验全部台账",
            start_to_close_timeout=timedelta(hours=4),
            schedule_to_close_timeout=timedelta(hours=8),
            heartbeat_timeout=timedelta(minutes=2),
            retry_policy=RETRY,
        )
    except ActivityError:
        workflow.logger.warning("the ledger was not checked and is checked tomorrow")
