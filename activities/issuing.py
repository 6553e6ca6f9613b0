"""An issued 通报 on its way to the channels outside, as messages about it are laid out and handed over."""

from collections.abc import Mapping

from sqlmodel import col, select
from temporalio import activity

from activities.notification import Channel, NotificationActivities
from models.case import Bulletin
from models.database import Database
from models.inbox import Delivery, Notification
from models.messages import DeliveryRequest

ISSUED = "bulletin_issued"  # the kind of the lines that its issue wrote into inboxes


class IssuingActivities:
    """Sends issued bulletins. Idempotent by bulletin and channel."""

    def __init__(
        self, database: Database, channels: Mapping[str, Channel], outside: NotificationActivities
    ) -> None:
        self._database, self._channels, self._outside = database, channels, outside

    @activity.defn
    async def send_bulletin(self, bulletin: int) -> None:
        """Tell those outside whom the inboxes tell; note that it is done."""
        if request := await self._lay_out(bulletin):
            await self._outside.deliver(request)
        sent_at = activity.info().current_attempt_scheduled_time
        async with self._database.begin() as session:
            row = await session.get_one(Bulletin, bulletin)
            row.sent_at = row.sent_at or sent_at

    async def _lay_out(self, bulletin: int) -> DeliveryRequest | None:
        """Write the messages that are not there yet; None where nobody is to hear of it."""
        async with self._database.begin() as session:
            row = await session.get_one(Bulletin, bulletin)
            path = f"/bulletins/{bulletin}"
            told = select(Notification).where(
                Notification.case_id == row.case_id, Notification.kind == ISSUED, Notification.path == path
            )
            lines = (await session.exec(told.order_by(col(Notification.username)))).all()
            if not lines:
                return None
            case_id, seq, text, at = lines[0].case_id, lines[0].seq, lines[0].text, lines[0].at
            # By channel alone: it lays out all at once, and rows of before hold an address as their target.
            known = select(Delivery.channel).where(Delivery.case_id == case_id, Delivery.seq == seq)
            there = set((await session.exec(known)).all())
            usernames = [line.username for line in lines]
            session.add_all(
                Delivery(case_id=case_id, seq=seq, channel=channel.name, target=target, text=text, at=at)
                for channel in self._channels.values()
                if channel.name not in there
                for target in channel.targets(usernames)
            )
        return DeliveryRequest(case_id, seq)
