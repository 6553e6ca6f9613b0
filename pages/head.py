"""HEAD at a page: what GET would answer, without the body. Monitors and link checkers ask like that."""

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.headers import API

_MARK = "bancheng.head"


def is_head(request: HTTPConnection) -> bool:
    """Say whether a page is asked for without its body: what would be made for nobody need not be."""
    return bool(request.scope.get(_MARK))


class HeadAsGet:
    """Lets the pages see a GET, and keeps the body back; the API is left as its document says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        ended = False

        async def send_bare(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET", _MARK: True}, receive, send_bare)
