"""How much a browser may send to a page, and in which form; checked before anybody reads it.

A form that is read is kept on disk where it is large, in clear: what is too large is not read at all.
"""

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from casework.attachments import LARGEST
from pages.headers import API
from rules.case.guards import ATTACHMENTS

FORM = 1_000_000  # bytes; the longest form has some ten texts of 4,000 characters
FILES = ATTACHMENTS * LARGEST + FORM
TABLE = 6_000_000  # a file of cases; the page says so of one that is a little too large
# Where files are sent along; they read and bound them by themselves.
_WITH_FILES = re.compile(r"/counter(/check)?|/cases/[^/]+/(attachments|reply|progress)")
_CHARSET = re.compile(r"charset\s*=\s*\"?([^;\"\s]+)", re.IGNORECASE)
TOO_LARGE, UNSUPPORTED = 413, 415


class BodyLimit:
    """Refuses a body that is larger than the page could mean, and a form in another encoding."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http" or scope["path"].startswith(API):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        limit = FILES if _WITH_FILES.fullmatch(scope["path"]) else FORM
        if scope["path"] == "/counter/import":
            limit = TABLE
        left = limit

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                raise HTTPException(TOO_LARGE)
            return message

        charset = _CHARSET.search(headers.get("content-type", ""))
        refusal = UNSUPPORTED if charset and charset[1].lower() not in ("utf-8", "utf8") else None
        if _announced(headers) > limit:
            refusal = TOO_LARGE

        async def refuse() -> Message:
            raise HTTPException(refusal or UNSUPPORTED)

        await self._app(scope, refuse if refusal else counted, send)


def _announced(headers: Headers) -> int:
    given = headers.get("content-length", "0")
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 20 else 0
