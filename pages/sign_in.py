"""Signing in and out at the pages."""

from math import ceil
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.accounts import PAGE, Credentials, sign_in, sign_out
from casework.errors import TooMany, Unauthenticated
from casework.kept_forms import forget_forms
from pages.errors import SEE_OTHER
from pages.frame import OPEN_TO_ALL
from pages.kept_forms import KEPT
from pages.own_paths import own_path
from pages.rendering import render
from pages.sessions import SessionViewer, begin_session, end_session, session_token
from routes.dependencies import Given
from routes.refusal_log import address
from routes.wording import problem_words

router = APIRouter(dependencies=OPEN_TO_ALL)

Typed = Annotated[str, Form(max_length=500)]
UNAVAILABLE = "single-sign-on-unavailable"


@router.get("/sign-in")
async def form(request: Request, given: Given, next: str = "/") -> Response:
    """Show the form."""
    return _form(request, given, next)


@router.post("/sign-in")
async def enter(
    request: Request,
    given: Given,
    username: Typed = "",
    password: Typed = "",
    otp: Typed = "",
    next: Typed = "/",
) -> Response:
    """Check what was typed; a new session each time, and the one that came along ends."""
    typed = Credentials(username.strip(), password, otp.strip() or None)
    try:
        old = session_token(request)
        signed_in = await sign_in(given, typed, address(request), PAGE, instead_of=old)
    except (Unauthenticated, TooMany) as refusal:
        return refused(request, given, refusal, next, typed.username)
    response = RedirectResponse(own_path(next), SEE_OTHER)
    begin_session(request, response, signed_in.token)
    return response


@router.post("/sign-out")
async def leave(request: Request, given: Given, viewer: SessionViewer) -> Response:
    """End this session at the server, too."""
    token = session_token(request)
    assert token is not None
    await sign_out(given, token, viewer, address(request))
    await forget_forms(given, viewer)
    response = RedirectResponse("/sign-in", SEE_OTHER)
    end_session(request, response)
    return response


def refused(
    request: Request, given: Given, refusal: Unauthenticated | TooMany, next: str, username: str = ""
) -> Response:
    """Show the form again with why nobody was let in."""
    locked = isinstance(refusal, TooMany)
    status = 429 if locked else 503 if refusal.slug == UNAVAILABLE else 401
    page = _form(request, given, next, username, problem_words(refusal.slug)[1], status)
    if isinstance(refusal, TooMany):
        page.headers["Retry-After"] = str(max(1, ceil(refusal.retry_after.total_seconds())))
    return page


def _form(
    request: Request,
    given: Given,
    next: str,
    username: str = "",
    message: str | None = None,
    status: int = 200,
) -> Response:
    by_provider = given.sign_in.provider is not None
    to = own_path(next)
    values = {"next": to, "username": username, "message": message, "by_provider": by_provider}
    values["kept"] = KEPT in parse_qs(urlsplit(to).query)
    return render(request, "sign_in.html", status=status, **values)
