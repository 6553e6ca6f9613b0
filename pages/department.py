"""`/department`: the work of a unit, most urgent first; what is new can be signed for right here."""

from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.commanding import aim, send
from casework.texts import is_code
from casework.viewer import Viewer
from casework.worklists import department_queues, is_co_unit, work_list
from pages import list_words
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.command_bodies import read_draft
from routes.dependencies import Given
from routes.pages import Page
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

UnitViewer = Annotated[Viewer, Depends(page_only(Role.CONTACT, Role.DEPUTY_LEADER))]
Short = Annotated[str, Form(max_length=100)]


@router.get("/department")
async def department(
    request: Request, given: Given, viewer: UnitViewer, queue: str = "", page: Page = 1
) -> Response:
    """Show a queue of the unit's open cases, the first one where none is named."""
    queues = department_queues(viewer)
    chosen = queue if queue in queues else next(iter(queues))
    listed = await work_list(given, viewer, queues, chosen, page)
    return render(
        request,
        "lists/department.html",
        listed=listed,
        words=list_words,
        names=list_words.QUEUE,
        link=linker("/department", {"queue": chosen}),
        export=linker("/department/export.xlsx", {"queue": chosen}),
        is_co_unit=lambda row: is_co_unit(viewer, row),
        new_key=lambda: str(uuid4()),
    )


@router.post("/department/sign")
async def sign(
    request: Request, given: Given, viewer: UnitViewer, case: Short, key: Short, queue: Short = ""
) -> Response:
    """Sign for a case (签收) and go back to the list. A double click is one act, by its key."""

    def note(case_id: str) -> None:
        request.state.case_id = case_id  # for the log of refusals

    aimed = await aim(given, viewer, case, "sign", key if is_code(key) else None, note)
    await send(given, aimed, read_draft("sign", b""))
    back = queue if queue in department_queues(viewer) else None
    return RedirectResponse(linker("/department", {})(queue=back), SEE_OTHER)
