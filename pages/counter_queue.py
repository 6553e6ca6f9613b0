"""`/counter/queue`: what waits for the counter today; triage on one screen."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData
from starlette.responses import Response

from casework.commanding import aim, send
from casework.desk import desk_of, promises_for
from casework.engine import EngineUnavailable
from casework.errors import BadInput
from casework.finding import Found, find_case
from casework.queue import read_queue
from casework.reading import get_case
from casework.services import Services
from casework.viewer import Viewer
from pages.command_forms import Choices, command_form
from pages.errors import SEE_OTHER
from pages.form_values import Typed, body_of_form, shown_faults, typed_of
from pages.frame import SIGNED_IN
from pages.rendering import render
from pages.sessions import page_only
from routes.command_bodies import read_draft
from routes.dependencies import Given
from routes.wording import problem_words
from rules.case.permits import may
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

Clerk = Annotated[Viewer, Depends(page_only(Role.CLERK, Role.WINDOW_LEAD))]
UNPROCESSABLE, UNAVAILABLE = 422, 503


@router.get("/counter/queue")
async def queue(
    request: Request,
    given: Given,
    viewer: Clerk,
    done: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._-]{1,100}$")] = None,
) -> Response:
    """Show the queue of the hall; `done` is the number of the case that was triaged just now."""
    return render(request, "counter/queue.html", queue=await read_queue(given, viewer), done=done)


@router.get("/counter/triage/{ref}")
async def open_triage(request: Request, ref: str, given: Given, viewer: Clerk) -> Response:
    """Show a case and the form of its triage."""
    found = await find_case(given, viewer, ref)
    typed = {"matter": found.case.matter or "", "cause": found.case.cause or ""}
    return await _show(request, given, viewer, found, typed, str(uuid.uuid4()))


@router.post("/counter/triage/{ref}")
async def triage(request: Request, ref: str, given: Given, viewer: Clerk) -> Response:
    """Triage the case, and lead back to the queue."""
    form = await request.form()
    key = _key(form)
    aimed = await aim(given, viewer, ref, "triage", key, lambda id: setattr(request.state, "case_id", id))
    try:
        case = await send(given, aimed, read_draft("triage", body_of_form("triage", form)))
    except BadInput as refusal:
        typed = typed_of("triage", form)
        return await _show(request, given, viewer, aimed.found, typed, key, faults=refusal.faults)
    except EngineUnavailable:
        typed, words = typed_of("triage", form), problem_words("engine-unavailable")[1]
        return await _show(request, given, viewer, aimed.found, typed, key, message=words)
    return RedirectResponse(f"/counter/queue?done={case['number']}", SEE_OTHER)


def _key(form: FormData) -> str:
    sent = form.get("key")
    return sent[:255] if isinstance(sent, str) and sent else str(uuid.uuid4())


async def _show(
    request: Request,
    given: Services,
    viewer: Viewer,
    found: Found,
    typed: Typed,
    key: str,
    *,
    faults: dict[str, str] | None = None,
    message: str | None = None,
) -> Response:
    may(found.state, "triage", viewer.actor)
    desk = await desk_of(given, found.case.hall)
    form = command_form("triage", Choices(units=tuple(desk.units)))
    return render(
        request,
        "counter/triage.html",
        status=UNPROCESSABLE if faults else UNAVAILABLE if message else 200,
        case=await get_case(given, viewer, found.case.id),
        form=form,
        typed=typed,
        faults=shown_faults(form, faults or {}),
        message=message,
        promises=promises_for(found),
        key=key,
    )
