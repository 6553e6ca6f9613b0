"""Refusals as pages, for whoever asked for a page; clients of the API go on getting problem JSON."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.accounts import FACTOR_OWED, PASSWORD_OWED
from casework.errors import Owing
from pages.csrf import FIELD as CSRF
from pages.headers import API, HEADERS
from pages.kept_forms import keep
from pages.rendering import render
from pages.sessions import SignInNeeded
from routes.middleware import HEADERS as EDGE_HEADERS

SEE_OTHER, OUTAGE = 303, 503
SETTLED_AT = {PASSWORD_OWED: "/account/password", FACTOR_OWED: "/account/second-factor"}
"""What has to be done before anything else → where."""
Handler = Callable[[Request, Exception], Awaitable[Response]]


def install_error_pages(app: FastAPI) -> None:
    """Wrap the handlers of the API: outside of it, their problems are shown as pages."""
    for kind, handler in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = (_led if kind is Owing else _paged)(handler)  # type: ignore[arg-type]
    app.add_exception_handler(SignInNeeded, _to_sign_in)


def _paged(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = await handler(request, error)
        if request.url.path.startswith(API):
            return _guarded(answer)
        problem: dict[str, Any] = json.loads(bytes(answer.body))
        kept = {name: answer.headers[name] for name in ("retry-after", "allow") if name in answer.headers}
        again = await _sent(request) if answer.status_code == OUTAGE else []
        page = render(request, "error.html", status=answer.status_code, problem=problem, again=again)
        page.headers.update(kept)
        return _guarded(page)

    return handle


def _guarded(answer: Response) -> Response:
    """Add the headers here, too: the answer to a fault of ours is made outside of what adds them."""
    for name, value in (EDGE_HEADERS | HEADERS).items():
        answer.headers.setdefault(name, value)
    return answer


async def _sent(request: Request) -> list[tuple[str, str]]:
    """Return the fields of a form that an outage kept out, to be sent again; never of one with secrets."""
    kind = request.headers.get("content-type", "")
    if request.method != "POST" or not kind.startswith("application/x-www-form-urlencoded"):
        return []
    fields = [(name, value) for name, value in (await request.form()).multi_items() if isinstance(value, str)]
    secret = any("password" in name or name == "otp" for name, _ in fields)
    return [] if secret else [(name, value) for name, value in fields if name != CSRF]


def _led(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        if request.url.path.startswith(API):
            return await handler(request, error)
        assert isinstance(error, Owing)
        return RedirectResponse(SETTLED_AT[error.slug], SEE_OTHER)

    return handle


async def _to_sign_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)
    to = await keep(request, request.app.state.services) or error.to
    query = "" if to == "/" else "?" + urlencode({"next": to})
    return RedirectResponse(f"/sign-in{query}", SEE_OTHER)
