"""Posting JSON to one address, signed, so that the receiver can tell ours from anybody's.

How a receiver checks it: docs/how-to/notifications.md.
"""

import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import httpx

TIMESTAMP = "X-Bancheng-Timestamp"
SIGNATURE = "X-Bancheng-Signature"
KEY = "Idempotency-Key"


class Webhook:
    """An address and the secret that its receiver knows. `now` is the real clock: receivers compare it."""

    def __init__(
        self, url: str, client: httpx.AsyncClient, secret: str, now: Callable[[], Awaitable[datetime]]
    ) -> None:
        self._url = url
        self._client, self._secret, self._now = client, secret.encode(), now

    async def post(self, values: Mapping[str, Any], key: str) -> None:
        """Post `values`; `key` is the same whenever the same thing is posted again.

        Each attempt has a time and a signature of its own. Raises `httpx.HTTPError`, which shows no
        address: that may hold a token.
        """
        body = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", KEY: key}
        headers |= signed(self._secret, await self._now(), body)
        response = await self._client.post(self._url, content=body, headers=headers)
        if not response.is_success:
            words = f"the receiver answered {response.status_code}"
            raise httpx.HTTPStatusError(words, request=response.request, response=response)


def signed(secret: bytes, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that sign a body at an instant: HMAC-SHA256 over `<seconds>.<body>`."""
    seconds = str(int(at.timestamp()))
    digest = hmac.digest(secret, seconds.encode() + b"." + body, hashlib.sha256).hex()
    return {TIMESTAMP: seconds, SIGNATURE: f"sha256={digest}"}
