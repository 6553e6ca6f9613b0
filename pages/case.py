"""`/cases/{number}`: one page for all roles, and the commands that whoever looks at it may give."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData
from starlette.responses import Response

from casework.commanding import BY_NAME, aim, send
from casework.errors import NotFound
from casework.finding import find_case
from casework.history import ledger_row
from casework.kept_forms import forget_form
from casework.services import Services
from casework.viewer import Viewer
from pages.case_view import Again, Extra, case_page, key_of
from pages.command_files import attach_with
from pages.command_words import WITH_FILES
from pages.counter_upload import FormRoute
from pages.errors import SEE_OTHER
from pages.form_values import body_of_form, typed_of
from pages.frame import SIGNED_IN
from pages.kept_forms import BACK, KEPT, recall
from pages.labels import word
from pages.refused import REFUSED, tell
from pages.rendering import render
from pages.sessions import PageViewer
from routes.command_bodies import read_draft
from routes.dependencies import Given

router = APIRouter(dependencies=SIGNED_IN)

MOVED_AWAY = "transfer"  # the one command after which its giver may no longer see the case


@router.get("/cases/{number}")
async def show(
    request: Request, number: str, services: Given, viewer: PageViewer, done: str = "", kept: str = ""
) -> Response:
    """Show the case; `done` names what has just been done to it, `kept` a form from before a sign-in."""
    told = _done(done)
    extra = await _kept(services, viewer, number, kept) if kept else Extra(done=told)
    try:
        return await case_page(request, services, viewer, number, extra=extra)
    except NotFound:
        if done != MOVED_AWAY:
            raise
        # Says nothing about the case, which may be anything or nothing.
        return render(request, "case/moved.html", message=told)


@router.get("/cases/{number}/ledger")
async def ledger(request: Request, number: str, services: Given, viewer: PageViewer) -> Response:
    """Show the case as its row of the progress ledger (附件3), to print."""
    found = await find_case(services, viewer, number)
    return render(request, "case/ledger.html", row=await ledger_row(services, found))


async def _kept(services: Services, viewer: Viewer, number: str, form_id: str) -> Extra:
    found = await recall(services, viewer, form_id, f"/cases/{number}")
    if found is None:
        return Extra()
    path, form = found
    name = path.rpartition("/")[2]
    again = Again(name, typed_of(name, form), key=key_of(form), kept=form_id)
    return Extra(note=BACK, again=again)


def _done(name: str) -> str | None:
    return f"“{word('command', name)}”已完成。" if name in {*BY_NAME, "attach"} else None


def _command(name: str) -> Callable[..., Awaitable[Response]]:
    async def give(request: Request, number: str, services: Given, viewer: PageViewer) -> Response:
        form = await request.form()
        attached: tuple[str, ...] = ()

        def note(case_id: str) -> None:
            request.state.case_id = case_id  # for the log of refusals

        try:
            aimed = await aim(services, viewer, number, name, key_of(form), note)
            attached, faults = await attach_with(services, aimed, form)
            draft = read_draft(name, body_of_form(name, form))
            case = await send(services, aimed, replace(draft, faults={**draft.faults, **faults}))
        except REFUSED as refusal:
            return await _again(request, services, viewer, Sent(number, name, form, attached), refusal)
        await forget_form(services, viewer, form.get(KEPT))
        return RedirectResponse(f"/cases/{case['number']}?done={name}", SEE_OTHER)

    give.__doc__ = f"Give the command `{name}`; a refusal brings the page back with what was typed."
    return give


@dataclass(frozen=True)
class Sent:
    """A command's form as it came; ``attached`` are the files of it that the case has by now."""

    number: str
    name: str
    form: FormData
    attached: tuple[str, ...]


async def _again(
    request: Request,
    services: Services,
    viewer: Viewer,
    sent: Sent,
    refusal: Exception,
) -> Response:
    told = await tell(request, refusal, sent.name, key_of(sent.form))
    kept = sent.form.get(KEPT)
    again = Again(
        sent.name,
        typed_of(sent.name, sent.form),
        told.faults,
        told.key,
        kept if isinstance(kept, str) else None,
    )
    extra = Extra(told.message, again=again, attached=sent.attached)
    return told.on(await case_page(request, services, viewer, sent.number, status=told.status, extra=extra))


for _name in BY_NAME:
    router.add_api_route(
        f"/cases/{{number}}/{_name}",
        _command(_name),
        methods=["POST"],
        name=f"page_{_name}",
        route_class_override=FormRoute if _name in WITH_FILES else None,
    )
