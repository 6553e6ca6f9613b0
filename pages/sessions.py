"""Who is signed in at a page: a session in the database, named by a cookie.

The cookie holds an opaque token, stored by its hash (casework/accounts.py), so a session can be ended
from the server; it is a new one at each sign-in. Scripts cannot read it, and other sites cannot send it
along with a post (SameSite).
"""

import secrets
from collections.abc import Awaitable, Callable
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Request, Response

from casework.accounts import PAGE, viewer_of
from casework.ended_tokens import note_ended
from casework.errors import Owing, Unauthenticated
from casework.viewer import Viewer
from routes.dependencies import SESSION, STAFF, Given
from routes.refusal_log import address
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role

VISITOR = "bancheng_visitor"
REFRESH = "refresh"  # how a page says that its script asks, and nobody who sits there


class SignInNeeded(Exception):
    """Nobody is signed in; `to` is the page to go on to afterwards."""

    def __init__(self, to: str) -> None:
        super().__init__(to)
        self.to = to


def session_token(request: Request) -> str | None:
    """Return the token of the session, if the browser sent one."""
    return request.cookies.get(SESSION) or None


def visitor(request: Request) -> str:
    """Return the secret of this browser; one that has none yet gets it with the answer."""
    known: str | None = request.cookies.get(VISITOR) or getattr(request.state, "visitor", None)
    if known is None:
        known = request.state.visitor = secrets.token_urlsafe(32)
    return known


async def session_viewer(request: Request, given: Given) -> Viewer:
    """Return who is signed in, also one who has to do something else first. Raises `SignInNeeded`."""
    token = session_token(request)
    by_hand = request.headers.get("x-requested-with") != REFRESH
    try:
        if token is None:
            raise Unauthenticated("no-token")
        viewer = await viewer_of(given, token, PAGE, by_hand=by_hand)
    except Unauthenticated as refusal:
        if token is not None:
            await note_ended(given, token, address(request))
        raise SignInNeeded(_page_asked_for(request)) from refusal
    request.state.viewer = viewer  # the log of refusals names who was refused
    return viewer


async def page_viewer(viewer: Annotated[Viewer, Depends(session_viewer)]) -> Viewer:
    """Return who is signed in. Raises `SignInNeeded`, `Owing`."""
    if viewer.owes:
        raise Owing(viewer.owes)
    return viewer


def page_only(*roles: Role) -> Callable[..., Awaitable[Viewer]]:
    """Return a dependency that lets these roles through and refuses others with 403."""

    async def check(request: Request, viewer: Annotated[Viewer, Depends(page_viewer)]) -> Viewer:
        if viewer.role not in roles:
            raise Forbidden(f"{request.method} {request.url.path}", viewer.role)
        return viewer

    return check


SessionViewer = Annotated[Viewer, Depends(session_viewer)]
PageViewer = Annotated[Viewer, Depends(page_viewer)]
PageStaff = Annotated[Viewer, Depends(page_only(*STAFF))]


def begin_session(request: Request, response: Response, token: str) -> None:
    """Give the browser its session; it ends with the browser, or earlier at the server."""
    response.set_cookie(SESSION, token, httponly=True, secure=is_secure(request), samesite="lax", path="/")


def end_session(request: Request, response: Response) -> None:
    """Take the cookie away."""
    response.delete_cookie(SESSION, httponly=True, secure=is_secure(request), samesite="lax", path="/")


def is_secure(request: Request) -> bool:
    """Whether the browser came over TLS (a proxy in front says so in the scheme)."""
    return request.url.scheme == "https"


def _page_asked_for(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = f"?{request.url.query}" if request.url.query else ""
    return quote(request.url.path, safe="/") + query
