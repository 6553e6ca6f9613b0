"""Sending to the channels outside what is no event of a case, or was given up: tried for long."""

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.issuing import IssuingActivities
from activities.notification import NotificationActivities
from models.messages import DeliveryRequest
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


@workflow.defn(name="SendAgain")
class SendAgainWorkflow:
    """Sends what is not sent of one event. Workflow id: ``again-<case id>-<seq>``."""

    @workflow.run
    async def run(self, request: DeliveryRequest) -> None:
        """Try as long as any delivery is tried; the row says what came of it."""
        try:
            await workflow.execute_activity_method(
                NotificationActivities.deliver, request, summary="重新发送", **DELIVERY
            )
        except ActivityError:
            workflow.logger.warning("given up again", extra={"seq": request.seq})
