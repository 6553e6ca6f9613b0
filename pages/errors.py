"""Refusals as pages, for whoever asked for a page; clients of the API go on getting problem JSON."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from pages.headers import API
from pages.rendering import render
from pages.sessions import SignInNeeded

SEE_OTHER = 303
Handler = Callable[[Request, Exception], Awaitable[Response]]


def install_error_pages(app: FastAPI) -> None:
    """Wrap the handlers of the API: outside of it, their problems are shown as pages."""
    for kind, handler in list(app.exception_handlers.items()):
        app.exception_handlers[kind] = _paged(handler)  # type: ignore[arg-type]
    app.add_exception_handler(SignInNeeded, _to_sign_in)


def _paged(handler: Handler) -> Handler:
    async def handle(request: Request, error: Exception) -> Response:
        answer = await handler(request, error)
        if request.url.path.startswith(API):
            return answer
        problem: dict[str, Any] = json.loads(bytes(answer.body))
        kept = {name: answer.headers[name] for name in ("retry-after", "allow") if name in answer.headers}
        page = render(request, "error.html", status=answer.status_code, problem=problem)
        page.headers.update(kept)
        return page

    return handle


async def _to_sign_in(request: Request, error: Exception) -> Response:
    assert isinstance(error, SignInNeeded)
    query = "" if error.to == "/" else "?" + urlencode({"next": error.to})
    return RedirectResponse(f"/sign-in{query}", SEE_OTHER)
