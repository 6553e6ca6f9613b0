"""The one address that a page of another origin may call: the codec, and only Temporal's UI may."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DECODE = "/api/codec/decode"
ASKED_FOR_AN_HOUR = "3600"  # seconds that a browser remembers the answer to its question


class CodecOrigin:
    """Tells browsers that the UI's origin may read the codec's answers, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer a browser that asks beforehand."""
        if scope["type"] != "http" or scope["path"] != DECODE:
            await self._app(scope, receive, send)
            return
        allowed = scope["app"].state.services.temporal_ui
        headers = Headers(scope=scope)
        known = bool(allowed) and headers.get("origin") == allowed

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.add_vary_header("Origin")
                if known:
                    answer["Access-Control-Allow-Origin"] = allowed
                    answer["Access-Control-Allow-Credentials"] = "true"
            await send(message)

        if known and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _permission()(scope, receive, send_named)
        else:
            await self._app(scope, receive, send_named)


def _permission() -> Response:
    allow = "Access-Control-Allow-"
    return Response(
        status_code=204,
        headers={
            f"{allow}Methods": "POST",
            f"{allow}Headers": "authorization, authorization-extras, content-type, x-namespace",
            "Access-Control-Max-Age": ASKED_FOR_AN_HOUR,
        },
    )
