"""`/lead`: the whole hall by status, what waits for a decision of the viewer, and what is late."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from casework.reminders import reminders_lately
from casework.viewer import Viewer
from casework.worklists import hall_queues, work_list
from pages import list_words
from pages.frame import SIGNED_IN
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.dependencies import Given
from routes.pages import Page
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

HallHead = Annotated[Viewer, Depends(page_only(Role.WINDOW_LEAD, Role.CENTRE))]


@router.get("/lead")
async def lead(request: Request, given: Given, viewer: HallHead, queue: str = "", page: Page = 1) -> Response:
    """Show the board of the hall and one of its queues."""
    queues = hall_queues(viewer)
    chosen = queue if queue in queues else next(iter(queues))
    listed = await work_list(given, viewer, queues, chosen, page)
    return render(
        request,
        "lists/lead.html",
        listed=listed,
        reminders=await reminders_lately(given, viewer),
        words=list_words,
        names=list_words.QUEUE,
        link=linker("/lead", {"queue": chosen}),
        export=linker("/lead/export.xlsx", {"queue": chosen}),
    )
