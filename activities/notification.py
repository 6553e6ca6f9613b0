"""Channels outside: messages that the ledger laid out are handed over, each on the record.

Ordinary activities on a queue of their own, so that a dead gateway delays no ledger and no timer.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

import httpx
from sqlmodel import col, select
from temporalio import activity

from activities.webhooks import Webhook
from models.database import Database
from models.inbox import Delivery
from models.messages import DeliveryRequest

LONGEST_DELAY = timedelta(minutes=10)  # between two attempts, as the workflow asks for it


class Channel(Protocol):
    """One way to reach people outside. ``name`` stands in the record of each delivery."""

    name: str

    def targets(self, usernames: list[str]) -> list[str]:
        """Return who a message for these users goes to: short words for the record, never an address."""

    async def send(self, delivery: Delivery) -> None:
        """Hand one message over. Raises on failure; the activity is then tried again."""


class WebhookChannel:
    """Posts each message as JSON, signed, to one address of the intranet."""

    name = "webhook"

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    def targets(self, usernames: list[str]) -> list[str]:
        """Return the one receiver, if anybody is to hear of it.

        Its address may hold a token, and be longer than a row takes: the ledger's transaction would fail.
        """
        return [self.name] if usernames else []

    async def send(self, delivery: Delivery) -> None:
        """Post case, event number and text. Raises `httpx.HTTPError`."""
        body = {"case_id": delivery.case_id, "seq": delivery.seq, "text": delivery.text}
        await self._webhook.post(body, f"{delivery.case_id}/{delivery.seq}")


class NotificationActivities:
    """Delivers, and records each attempt."""

    def __init__(self, database: Database, channels: Mapping[str, Channel]) -> None:
        self._database, self._channels = database, channels

    @activity.defn
    async def deliver(self, request: DeliveryRequest) -> None:
        """Send what is pending of one event. Idempotent: what was sent is not sent again."""
        async with self._database.read() as session:
            wanted = select(Delivery).where(
                Delivery.case_id == request.case_id,
                Delivery.seq == request.seq,
                col(Delivery.status).not_in(("sent", "dropped")),
            )
            pending = list(await session.exec(wanted))
        failures = [failure for delivery in pending if (failure := await self._try(delivery))]
        if failures:
            raise failures[0]

    async def _try(self, delivery: Delivery) -> Exception | None:
        """Send one message; record what came of it, and return it where it failed."""
        failure: Exception | None = None
        try:
            await self._channels[delivery.channel].send(delivery)
        except (httpx.HTTPError, OSError, KeyError) as error:
            failure = error
        await self._note(delivery, failure)
        return failure

    async def _note(self, delivery: Delivery, failure: Exception | None) -> None:
        info = activity.info()
        async with self._database.begin() as session:
            row = await session.get_one(Delivery, delivery.id)
            row.attempts = info.attempt
            row.status = "sent" if not failure else "dead" if _is_last(info) else "failed"
            row.last_error = str(failure)[:500] if failure else None
            row.sent_at = None if failure else _attempted_at(info)


def _is_last(info: activity.Info) -> bool:
    """Whether the engine tries no more after this attempt: the next one would come too late."""
    spent = info.current_attempt_scheduled_time - info.scheduled_time
    limit = info.schedule_to_close_timeout
    return info.attempt > 1 and limit is not None and spent + LONGEST_DELAY >= limit


def _attempted_at(info: activity.Info) -> datetime:
    return info.current_attempt_scheduled_time
