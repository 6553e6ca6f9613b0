"""Channels outside: messages that the ledger laid out are handed over, each on the record.

Ordinary activities on a queue of their own, so that a dead gateway delays no ledger and no timer.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import httpx
from sqlmodel import select
from temporalio import activity

from models.database import Database
from models.inbox import Delivery
from models.messages import DeliveryRequest


class Channel(Protocol):
    """One way to reach people outside. ``name`` stands in the record of each delivery."""

    name: str

    def targets(self, usernames: list[str]) -> list[str]:
        """Return the addresses that a message for these users goes to."""

    async def send(self, delivery: Delivery) -> None:
        """Hand one message over. Raises on failure; the activity is then tried again."""


class WebhookChannel:
    """Posts each message as JSON to one address of the intranet."""

    name = "webhook"

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url, self._client = url, client

    def targets(self, usernames: list[str]) -> list[str]:
        """Return the one address, if anybody is to hear of it."""
        return [self._url] if usernames else []

    async def send(self, delivery: Delivery) -> None:
        """Post case, event number and text. Raises `httpx.HTTPError`."""
        body = {"case_id": delivery.case_id, "seq": delivery.seq, "text": delivery.text}
        response = await self._client.post(self._url, json=body)
        response.raise_for_status()


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
                Delivery.status != "sent",
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
            row.status = "failed" if failure else "sent"
            row.last_error = str(failure)[:500] if failure else None
            row.sent_at = None if failure else _attempted_at(info)


def _attempted_at(info: activity.Info) -> datetime:
    return info.current_attempt_scheduled_time
