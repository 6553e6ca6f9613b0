"""Signing in and out at the pages."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.accounts import Credentials, sign_in, sign_out
from casework.errors import TooMany, Unauthenticated
from pages.errors import SEE_OTHER
from pages.frame import OPEN_TO_ALL
from pages.rendering import render
from pages.sessions import PAGE, PageViewer, begin_session, end_session, session_token
from routes.dependencies import Given
from routes.refusal_log import address
from routes.wording import problem_words

router = APIRouter(dependencies=OPEN_TO_ALL)

Typed = Annotated[str, Form(max_length=500)]


@router.get("/sign-in")
async def form(request: Request, next: str = "/") -> Response:
    """Show the form."""
    return render(request, "sign_in.html", next=_own(next), username="", message=None)


@router.post("/sign-in")
async def enter(
    request: Request,
    given: Given,
    username: Typed = "",
    password: Typed = "",
    otp: Typed = "",
    next: Typed = "/",
) -> Response:
    """Check what was typed; a new session each time, whatever cookie came along."""
    typed = Credentials(username.strip(), password, otp.strip() or None)
    try:
        signed_in = await sign_in(given, typed, address(request), PAGE)
    except (Unauthenticated, TooMany) as refusal:
        status = 429 if isinstance(refusal, TooMany) else 401
        message = problem_words(refusal.slug)[1]
        again = {"next": _own(next), "username": typed.username, "message": message}
        return render(request, "sign_in.html", status=status, **again)
    response = RedirectResponse(_own(next), SEE_OTHER)
    begin_session(request, response, signed_in.token)
    return response


@router.post("/sign-out")
async def leave(request: Request, given: Given, viewer: PageViewer) -> Response:
    """End this session at the server, too."""
    token = session_token(request)
    assert token is not None
    await sign_out(given, token, viewer, address(request))
    response = RedirectResponse("/sign-in", SEE_OTHER)
    end_session(request, response)
    return response


def _own(path: str) -> str:
    """Return a path of ours; one that would lead elsewhere becomes the start page."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if plain and "\\" not in path else "/"
