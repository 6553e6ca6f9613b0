"""`/supervision`: what is overdue, climbs, or waits for a limit or an answer, in all halls overseen."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from casework.bulletins import list_bulletins
from casework.viewer import Viewer
from casework.worklists import Within, supervision_queues, work_list
from pages import list_words
from pages.frame import SIGNED_IN
from pages.list_filters import code
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.dependencies import Given
from routes.pages import Page
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

Overseer = Annotated[Viewer, Depends(page_only(Role.SUPERVISOR, Role.SUPERIOR, Role.AUDITOR))]
DRAFTS = 10
# As the API says it: bulletins are not the superior's to read.
SEES_BULLETINS = frozenset({Role.SUPERVISOR, Role.AUDITOR})


@router.get("/supervision")
async def supervision(
    request: Request,
    given: Given,
    viewer: Overseer,
    queue: str = "",
    hall: str = "",
    unit: str = "",
    page: Page = 1,
) -> Response:
    """Show one of the queues, of all halls or of one, of all units or of one."""
    queues = supervision_queues(viewer)
    chosen = queue if queue in queues else next(iter(queues))
    within = Within(code(hall), code(unit))
    listed = await work_list(given, viewer, queues, chosen, page, within)
    drafts = None
    if viewer.role in SEES_BULLETINS:
        drafts = await list_bulletins(given, viewer, 1, DRAFTS, "draft")
    return render(
        request,
        "lists/supervision.html",
        listed=listed,
        within=within,
        drafts=drafts,
        words=list_words,
        names=list_words.SUPERVISION_QUEUE,
        link=linker("/supervision", {"queue": chosen, "hall": hall, "unit": unit}),
        export=linker("/supervision/export.xlsx", {"queue": chosen, "hall": hall, "unit": unit}),
    )
