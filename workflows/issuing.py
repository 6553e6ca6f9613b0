"""Sending an issued 通报 to the channels outside: one activity, tried for long."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from activities.issuing import IssuingActivities
    from workflows.case import DELIVERY


@workflow.defn(name="SendBulletin")
class SendBulletinWorkflow:
    """Sends one bulletin. Workflow id: ``bulletin-<id>``."""

    @workflow.run
    async def run(self, bulletin: int) -> None:
        """Try as long as any delivery is tried, then give up on the record."""
        try:
            await workflow.execute_activity_method(
                IssuingActivities.send_bulletin, bulletin, summary="通报发出", **DELIVERY
            )
        except ActivityError:
            workflow.logger.warning("bulletin not sent", extra={"bulletin": bulletin})
            raise
