"""A gateway outside that can be dead: what it was handed while alive stands in `sent`."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from activities.notification import WebhookChannel
from activities.webhooks import Webhook
from casework.clocks import MachineClock

SECRET = "a secret of tests"


class Gateway:
    """Answers 503 until it is `alive`; `tried` counts every request."""

    def __init__(self, *, alive: bool = False) -> None:
        self.alive, self.tried = alive, 0
        self.sent: list[dict[str, str | int]] = []

    def seqs(self) -> set[int]:
        """The events that it heard of."""
        return {int(message["seq"]) for message in self.sent}

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[WebhookChannel]:
        """Give the webhook that posts to it."""
        async with httpx.AsyncClient(transport=httpx.MockTransport(self._answer)) as client:
            webhook = Webhook("http://gateway.invalid/", client, SECRET, MachineClock().now)
            yield WebhookChannel(webhook)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.tried += 1
        if self.alive:
            self.sent.append(json.loads(request.content))
        return httpx.Response(200 if self.alive else 503)
