"""What every request passes: an id, headers that keep answers out of caches, one log line."""

import time
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from models.tracing import GIVEN, new_request_id
from routes.operators import came_through_our_proxy

_log = structlog.get_logger("http")

HEADERS = {
    # Answers hold personal data: no browser and no proxy keeps them.
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class RequestLog:
    """Names each request (`X-Request-ID`, taken over where our proxy set one) and logs its end.

    The query is left out of the log: people search by names.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 500
        started = time.perf_counter()

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), request_id)
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_named)
            finally:
                _log.info("request", **_facts(scope, status, time.perf_counter() - started))


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    # Anybody else could make their request look like somebody else's in the log.
    return given if GIVEN.fullmatch(given) and came_through_our_proxy(scope) else new_request_id()


def _add_headers(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    for name, value in HEADERS.items():
        headers.setdefault(name, value)


def _facts(scope: Scope, status: int, seconds: float) -> dict[str, Any]:
    # Noted by whoever found the case (routes/refusal_log.py).
    case_id = scope["state"].get("case_id")
    return ({"case_id": case_id} if case_id else {}) | {
        "method": scope["method"],
        "path": scope["path"][:200],
        "status": status,
        "ms": round(seconds * 1000, 1),
    }
