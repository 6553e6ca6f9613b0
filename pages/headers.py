"""What every page says to the browser: load nothing from elsewhere, run nothing that stands in the page."""

from starlette.datastructures import MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
# A year; only where the browser came over TLS already.
TRANSPORT = "max-age=31536000; includeSubDomains"
PACKED = (".xlsx", ".pdf")  # they are packed in themselves
API = ("/api/", "/openapi.json", "/metrics", "/healthz", "/readyz")


class PageHeaders:
    """Adds the headers to every answer, and packs what is a page or belongs to one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._packing = GZipMiddleware(app, minimum_size=1024)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", TRANSPORT)
            await send(message)

        as_it_is = scope["path"].startswith(API) or scope["path"].endswith(PACKED)
        inner = self._app if as_it_is else self._packing
        await inner(scope, receive, send_guarded)
