"""`/inbox`: what the signed-in user was told, newest first."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.grant_notices import KINDS
from casework.inbox import mark_all_read, mark_read, read_inbox
from models.inbox import Notification
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import PageViewer
from routes.dependencies import Given
from routes.notifications import LARGEST_ID
from routes.pages import LAST_PAGE, Page
from rules.reporting import ReportKind

router = APIRouter(dependencies=SIGNED_IN)

PER_PAGE = 50
Id = Annotated[int, Form(ge=1, le=LARGEST_ID)]
PageField = Annotated[int, Form(ge=1, le=LAST_PAGE)]

_link = linker("/inbox", {})


@router.get("/inbox")
async def inbox(request: Request, given: Given, viewer: PageViewer, page: Page = 1) -> Response:
    """Show a page of the inbox."""
    read = await read_inbox(given, viewer, page, PER_PAGE)
    shown = {
        "notes": [(note, _about(note)) for note in read.items],
        "unread_all": read.unread,
        "page": page,
        "per_page": PER_PAGE,
    }
    return render(request, "lists/inbox.html", **shown, link=_link)


def _about(note: Notification) -> str:
    if note.kind in tuple(ReportKind):
        return f"/reports/{note.case_id}"
    return "/admin/grants" if note.kind in KINDS else f"/cases/{note.number or note.case_id}"


@router.post("/inbox/read")
async def read_one(given: Given, viewer: PageViewer, id: Id, page: PageField = 1) -> Response:
    """Mark one line as read."""
    await mark_read(given, viewer, [id])
    return RedirectResponse(_link(page=page), SEE_OTHER)


@router.post("/inbox/read-all")
async def read_all(given: Given, viewer: PageViewer, up_to: Id) -> Response:
    """Mark everything as read that was there when the page was shown."""
    await mark_all_read(given, viewer, up_to)
    return RedirectResponse(_link(), SEE_OTHER)
