"""Posts come from our own forms: each carries a token that only a page of ours could know.

The token is derived from the browser's own secret (the session, or the visitor cookie before a
sign-in), so it needs no table and ends with the session. It is masked anew in every page: packed
answers of different length tell nothing about it. See docs/adr/0017.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from fastapi import Request

from pages.sessions import session_token, visitor
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role

FIELD = "csrf"
HEADER = "x-csrf-token"
_SIZE = 32


def csrf_token(request: Request) -> str:
    """Return the token for the forms of this answer."""
    mask = secrets.token_bytes(_SIZE)
    return urlsafe_b64encode(mask + _xor(mask, _expected(request))).decode()


async def check_csrf(request: Request) -> None:
    """Let a post pass that carries the token. Raises `Forbidden`.

    For every router of pages, as a dependency; what only reads needs none.
    """
    if request.method in ("GET", "HEAD", "OPTIONS"):
        return
    check_token(request, request.headers.get(HEADER) or (await request.form()).get(FIELD))


def check_token(request: Request, given: object) -> None:
    """Let a token pass that our own page got. Raises `Forbidden`.

    For what reads its form by itself: an upload must not be spooled to the disk in clear.
    """
    if not isinstance(given, str) or not _holds(request, given):
        viewer = getattr(request.state, "viewer", None)
        raise Forbidden("csrf", viewer.role if viewer else Role.CITIZEN)


def _holds(request: Request, given: str) -> bool:
    try:
        raw = urlsafe_b64decode(given.encode("ascii"))
    except (ValueError, UnicodeEncodeError):
        return False
    return len(raw) == 2 * _SIZE and hmac.compare_digest(_xor(raw[:_SIZE], raw[_SIZE:]), _expected(request))


def _expected(request: Request) -> bytes:
    secret = session_token(request) or visitor(request)
    return hmac.digest(secret.encode(), b"csrf", hashlib.sha256)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=True))
