"""`/lessons`: what was learnt (经验) from archived cases, to be searched. What is typed is in no address."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.lessons import WINDOW, search_lessons
from casework.services import Services
from casework.viewer import Viewer
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.labels import CAUSE
from pages.list_filters import read_search
from pages.rendering import render
from pages.sessions import PageStaff
from routes.dependencies import Given
from routes.pages import Page

router = APIRouter(dependencies=SIGNED_IN)
Short = Annotated[str, Form(max_length=1000)]
Before = Annotated[str, Form(pattern=r"^([0-9a-f-]{36})?$")]


@router.get("/lessons")
async def lessons(request: Request, given: Given, viewer: PageStaff, page: Page = 1) -> Response:
    """Show the newest lessons of the cases that the viewer sees."""
    return await _show(request, given, viewer, page=page)


@router.post("/lessons/search")
async def search(
    request: Request, given: Given, viewer: PageStaff, q: Short = "", cause: Short = "", before: Before = ""
) -> Response:
    """Search: the results are the answer to the post itself; `before` goes on from where it came to."""
    faults: dict[str, str] = {}
    typed = read_search({"q": q}, faults)
    if faults:
        return await _show(request, given, viewer, q=q, fault=faults["q"], status=422)
    chosen = cause if cause in CAUSE else ""
    return await _show(request, given, viewer, q=typed, cause=chosen, before=before or None)


@router.get("/lessons/search")
async def search_again(viewer: PageStaff) -> Response:
    """Lead back: a reload does not know what was searched for."""
    return RedirectResponse("/lessons", SEE_OTHER)


async def _show(
    request: Request,
    given: Services,
    viewer: Viewer,
    *,
    q: str = "",
    cause: str = "",
    page: int = 1,
    before: str | None = None,
    fault: str | None = None,
    status: int = 200,
) -> Response:
    found = await search_lessons(given, viewer, "" if fault else q, cause or None, page, before)
    return render(
        request,
        "lists/lessons.html",
        status=status,
        found=found,
        q=q,
        cause=cause,
        causes=CAUSE.items(),
        fault=fault,
        page=page,
        searched=bool(q or cause),
        window=WINDOW,
    )
