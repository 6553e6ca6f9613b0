"""`/counter/queue`: what waits for the counter today; triage on one screen."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData
from starlette.responses import Response

from casework.commanding import aim, send
from casework.desk import desk_of, promises_for
from casework.finding import Found, find_case
from casework.kept_forms import forget_form
from casework.lessons import lessons_like
from casework.queue import read_queue
from casework.reading import get_case
from casework.services import Services
from casework.viewer import Viewer
from pages.command_forms import Choices, command_form
from pages.errors import SEE_OTHER
from pages.form_values import body_of_form, shown_faults, typed_of
from pages.frame import SIGNED_IN
from pages.kept_forms import BACK, KEPT, recall
from pages.prefilled_notice import Opening, opening_of
from pages.refused import REFUSED, Told, tell, to_copy
from pages.rendering import render
from pages.sessions import page_only
from routes.command_bodies import read_draft
from routes.dependencies import Given
from rules.case.permits import may
from rules.case.vocabulary import Role

CODES = r"^[A-Za-z0-9._-]{1,100}$"
router = APIRouter(dependencies=SIGNED_IN)

Clerk = Annotated[Viewer, Depends(page_only(Role.CLERK, Role.WINDOW_LEAD))]


@router.get("/counter/queue")
async def queue(
    request: Request,
    given: Given,
    viewer: Clerk,
    done: Annotated[str | None, Query(pattern=CODES)] = None,
    case: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9-]{1,100}$")] = None,
) -> Response:
    """Show the queue of the hall; `done` and `case` are number and id of what was triaged just now."""
    queue = await read_queue(given, viewer)
    return render(request, "counter/queue.html", queue=queue, done=done, done_id=case)


@router.get("/counter/triage/{ref}")
async def open_triage(
    request: Request,
    ref: str,
    given: Given,
    viewer: Clerk,
    unit: Annotated[str | None, Query(pattern=CODES)] = None,
    kept: str = "",
) -> Response:
    """Show a case and the form of its triage.

    `unit`: with the notice given for that unit before; `kept`: as it was sent before a sign-in.
    """
    found = await find_case(given, viewer, ref)
    if came := await recall(given, viewer, kept, request.url.path):
        typed = typed_of("triage", came[1])
        return await _show(request, given, viewer, found, Opening(typed), _key(came[1]), kept=kept)
    opening = await opening_of(given, found, unit)
    return await _show(request, given, viewer, found, opening, str(uuid.uuid4()))


@router.post("/counter/triage/{ref}")
async def triage(request: Request, ref: str, given: Given, viewer: Clerk) -> Response:
    """Triage the case, and lead back to the queue."""
    form = await request.form()
    key = _key(form)

    def note(case_id: str) -> None:
        request.state.case_id = case_id  # for the log of refusals

    try:
        aimed = await aim(given, viewer, ref, "triage", key, note)
        case = await send(given, aimed, read_draft("triage", body_of_form("triage", form)))
    except REFUSED as refusal:
        told = await tell(request, refusal, "triage", key)
        # Read anew: a colleague may have done it meanwhile.
        found = await find_case(given, viewer, ref)
        opening, key = Opening(typed_of("triage", form)), told.key or str(uuid.uuid4())
        kept = str(form.get(KEPT) or "")
        return told.on(await _show(request, given, viewer, found, opening, key, told=told, kept=kept))
    await forget_form(given, viewer, form.get(KEPT))
    return RedirectResponse(f"/counter/queue?done={case['number']}&case={case['id']}", SEE_OTHER)


def _key(form: FormData) -> str:
    sent = form.get("key")
    return sent[:255] if isinstance(sent, str) and sent else str(uuid.uuid4())


async def _show(
    request: Request,
    given: Services,
    viewer: Viewer,
    found: Found,
    opening: Opening,
    key: str,
    *,
    told: Told | None = None,
    kept: str = "",
) -> Response:
    may(found.state, "triage", viewer.actor)
    desk = await desk_of(given, found.case.hall)
    form = command_form("triage", Choices(units=tuple(desk.units)))
    case = await get_case(given, viewer, found.case.id)
    return render(
        request,
        "counter/triage.html",
        status=told.status if told else 200,
        case=case,
        form=form,
        opening=opening,
        typed=opening.typed,
        units=dict(desk.units),
        faults=shown_faults(form, told.faults if told else {}),
        message=told.message if told else None,
        lost=to_copy(form, opening.typed) if told and "triage" not in case["allowed"] else [],
        promises=promises_for(found),
        lessons=await lessons_like(given, viewer, case["matter"], case["cause"], case["id"]),
        key=key,
        kept=kept,
        note=BACK if kept and told is None else None,
    )
