"""`/bulletins`: the 通报 that somebody may see; one with its record, the forms of its decision, the PDF."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from casework import bulletin_acts
from casework.bulletins import bulletin_list, check_role, find_bulletin, number_of, open_bulletin
from casework.errors import BadInput, Conflict
from casework.services import Services
from casework.viewer import Viewer
from models.case import Bulletin
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.bulletins import ApproveBody, ReferralBody, RejectBody, StatementBody, document
from routes.dependencies import Given
from routes.pages import Page
from routes.problems import validation_faults
from routes.refusal_log import log_refusal
from routes.wording import fault_words, problem_words
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

READERS = (
    Role.SUPERVISOR,
    Role.SUPERIOR,
    Role.AUDITOR,
    Role.DEPUTY_LEADER,
    Role.CONTACT,
    Role.WINDOW_LEAD,
    Role.CENTRE,
)
Reader = Annotated[Viewer, Depends(page_only(*READERS))]
DECIDERS_OF_DRAFTS = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.DEPUTY_LEADER})
PER_PAGE = 30
Status = Literal["draft", "issued", "rejected", "referred"]
DONE = {
    "statement": "单位说明已提交。",
    "approve": "通报已发出，并已送达有关单位和人员。",
    "reject": "已审定为不予通报，并已告知单位。",
    "referral": "问责移送已审定。",
}


@dataclass(frozen=True)
class Again:
    """A form that comes back: which, what was typed, what is wrong with it."""

    act: str
    text: str
    fault: str | None


@router.get("/bulletins")
async def bulletins(
    request: Request, given: Given, viewer: Reader, status: Status | None = None, page: Page = 1
) -> Response:
    """Show one status of those that the viewer sees: what waits for somebody comes first."""
    chosen = status or usual_status(viewer)
    listed = await bulletin_list(given, viewer, chosen, page, PER_PAGE)
    return render(
        request,
        "bulletins/list.html",
        listed=listed,
        chosen=chosen,
        page=page,
        last=max(1, -(-listed.counts[chosen] // PER_PAGE)),
        link=linker("/bulletins", {"status": chosen}),
        number=number_of,
        export=linker("/bulletins/export.xlsx", {"status": chosen}),
    )


def usual_status(viewer: Viewer) -> Status:
    """Return which status a viewer looks at first."""
    if viewer.role in DECIDERS_OF_DRAFTS:
        return "draft"
    return "referred" if viewer.role is Role.SUPERIOR else "issued"


@router.get("/bulletins/{bulletin}")
async def show(request: Request, bulletin: str, given: Given, viewer: Reader, done: str = "") -> Response:
    """Show one bulletin; `done` names what has just been done to it."""
    return await _page(request, given, viewer, bulletin, done=DONE.get(done))


@router.get("/bulletins/{bulletin}/file.pdf")
async def file(request: Request, bulletin: str, given: Given, viewer: Reader) -> Response:
    """Return the official document of an issued one; that is on the access log."""
    return await document(request, given, viewer, await open_bulletin(given, viewer, bulletin))


async def _page(
    request: Request,
    given: Services,
    viewer: Viewer,
    ref: str,
    *,
    status: int = 200,
    done: str | None = None,
    message: str | None = None,
    again: Again | None = None,
) -> Response:
    shown = await open_bulletin(given, viewer, ref)
    return render(
        request,
        "bulletins/page.html",
        status=status,
        file=shown,
        bulletin=shown.bulletin,
        done=done,
        message=message,
        again=again,
        texts={name: again.text if again and again.act == name else "" for name in DONE},
        faults={name: again.fault if again and again.act == name else None for name in DONE},
        stated=any(act.type == "statement" for act in shown.record.acts),
        case_link=viewer.role is not Role.SUPERIOR,  # who sees cases that were referred themselves only
    )


Act = Callable[[Services, Viewer, Bulletin, Any], Awaitable[Bulletin]]
_ACTS: dict[str, tuple[type[BaseModel], Act]] = {
    "statement": (
        StatementBody,
        lambda given, by, found, body: bulletin_acts.state(given, by, found, body.text),
    ),
    "approve": (
        ApproveBody,
        lambda given, by, found, body: bulletin_acts.approve(given, by, found, body.reason),
    ),
    "reject": (
        RejectBody,
        lambda given, by, found, body: bulletin_acts.reject(given, by, found, body.reason),
    ),
    "referral": (
        ReferralBody,
        lambda given, by, found, body: bulletin_acts.decide_referral(
            given, by, found, body.accept, body.reason
        ),
    ),
}


def _act(name: str) -> Callable[..., Awaitable[Response]]:
    model, act = _ACTS[name]

    async def do(request: Request, bulletin: str, given: Given, viewer: Reader) -> Response:
        found = await find_bulletin(given, viewer, bulletin)
        request.state.case_id = found.case_id  # for the log of refusals
        check_role(viewer, name)
        form = await request.form()
        typed = _typed(form)
        try:
            await act(given, viewer, found, _read(model, name, form, typed))
        except BadInput as refusal:
            fault = fault_words(next(iter(refusal.faults.values())))
            again = Again(name, typed, fault)
            return await _page(request, given, viewer, bulletin, status=422, again=again)
        except Conflict as refusal:
            await log_refusal(request, 409, refusal.slug)
            words, again = problem_words(refusal.slug)[1], Again(name, typed, None)
            return await _page(request, given, viewer, bulletin, status=409, message=words, again=again)
        return RedirectResponse(f"/bulletins/{found.id}?done={name}", SEE_OTHER)

    do.__doc__ = f"Do `{name}`; a refusal brings the page back with what was typed."
    return do


def _typed(form: FormData) -> str:
    text = form.get("text")
    return text.replace("\r\n", "\n") if isinstance(text, str) else ""


def _read(model: type[BaseModel], name: str, form: FormData, typed: str) -> BaseModel:
    """Return the form as the body that the API takes. Raises `BadInput`."""
    values: dict[str, Any] = {"text" if name == "statement" else "reason": typed or None}
    if typed == "":
        values = {}
    if name == "referral":
        values["accept"] = {"yes": True, "no": False}.get(str(form.get("accept")))
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise BadInput(dict(validation_faults(error.errors(include_url=False)))) from error


for _name in _ACTS:
    router.add_api_route(
        f"/bulletins/{{bulletin}}/{_name}", _act(_name), methods=["POST"], name=f"page_bulletin_{_name}"
    )
