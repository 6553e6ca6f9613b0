"""`/typical`: typical cases (典型案例) written up, reviewed by another person, published, withdrawn."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData
from starlette.responses import Response

from casework import typical, typical_acts
from casework.errors import BadInput, Conflict
from casework.services import Services
from casework.typical import PARTS, PER_PAGE, READERS, WRITERS
from casework.viewer import Viewer
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.bodies import Body
from routes.dependencies import Given
from routes.fields import Name, Text
from routes.pages import Page
from routes.problems import validation_faults
from routes.refusal_log import log_refusal
from routes.wording import fault_words, problem_words
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

Reader = Annotated[Viewer, Depends(page_only(*sorted(READERS)))]
Writer = Annotated[Viewer, Depends(page_only(*sorted(WRITERS)))]
Status = Literal["submitted", "returned", "published", "withdrawn"]
DONE = {
    "write": "已提交，待监督管理部门审核。",
    "publish": "已发布到公开页面。",
    "return": "已退回修改。",
    "withdraw": "已撤下。",
}
NO_FAULTS: Mapping[str, str] = {}


class WriteUp(Body):
    """A write-up; in none of it may somebody be named."""

    title: Name
    problem: Text
    done: Text
    lesson: Text


class Reason(Body):
    """Why it comes back, or down."""

    reason: Text


@router.get("/typical")
async def listed(
    request: Request, given: Given, viewer: Reader, status: Status | None = None, page: Page = 1
) -> Response:
    """Show one status of the write-ups that the viewer sees."""
    chosen = status or usual_status(viewer)
    found = await typical.list_typical(given, viewer, chosen, page)
    return render(
        request,
        "typical/list.html",
        found=found,
        chosen=chosen,
        page=page,
        last=max(1, -(-found.counts[chosen] // PER_PAGE)),
        link=linker("/typical", {"status": chosen}),
        export=linker("/typical/export.xlsx", {"status": chosen}),
    )


def usual_status(viewer: Viewer) -> Status:
    """Return which status a viewer looks at first."""
    return "submitted" if viewer.role is Role.SUPERVISOR else "published"


@router.get("/typical/write/{number}")
async def form(request: Request, number: str, given: Given, viewer: Writer) -> Response:
    """Show the form to write a closed case up, with what stood in a returned one."""
    found, item = await typical_acts.case_to_write_up(given, viewer, number)
    typed = {name: getattr(item, name) for name in PARTS} if item else dict.fromkeys(PARTS, "")
    return _form(request, found.case, typed)


@router.post("/typical/write/{number}")
async def write(request: Request, number: str, given: Given, viewer: Writer) -> Response:
    """Hand a write-up in; what names somebody is told beside its field."""
    found, _ = await typical_acts.case_to_write_up(given, viewer, number)
    request.state.case_id = found.case.id  # for the log of refusals
    sent = await request.form()
    typed = {name: _text(sent, name) for name in PARTS}
    try:
        body = _read(WriteUp, typed)
        item = await typical_acts.write(given, viewer, found, body)
    except BadInput as refusal:
        faults = {name: fault_words(slug) for name, slug in refusal.faults.items()}
        return _form(request, found.case, typed, faults, status=422)
    return RedirectResponse(f"/typical/{item.id}?done=write", SEE_OTHER)


@router.get("/typical/{item}")
async def show(request: Request, item: str, given: Given, viewer: Reader, done: str = "") -> Response:
    """Show a write-up with its record."""
    return await _page(request, given, viewer, item, done=DONE.get(done))


@router.post("/typical/{item}/review")
async def review(request: Request, item: str, given: Given, viewer: Reader) -> Response:
    """Publish it, or return it with a reason."""
    found = await typical.find_typical(given, viewer, item)
    request.state.case_id = found.case_id  # for the log of refusals
    typical_acts.check_reviewer(viewer, found)
    sent = await request.form()
    text, publish = _text(sent, "reason"), sent.get("publish") == "yes"
    try:
        reason = None if publish and not text.strip() else _read(Reason, {"reason": text})["reason"]
        await typical_acts.review(given, viewer, found, publish, reason)
    except (BadInput, Conflict) as refusal:
        return await _again(request, given, viewer, item, refusal, text)
    return RedirectResponse(f"/typical/{item}?done={'publish' if publish else 'return'}", SEE_OTHER)


@router.post("/typical/{item}/withdraw")
async def withdraw(request: Request, item: str, given: Given, viewer: Reader) -> Response:
    """Take it back from the public."""
    found = await typical.find_typical(given, viewer, item)
    request.state.case_id = found.case_id
    typical_acts.check_withdrawer(viewer)
    text = _text(await request.form(), "reason")
    try:
        await typical_acts.withdraw(given, viewer, found, _read(Reason, {"reason": text})["reason"])
    except (BadInput, Conflict) as refusal:
        return await _again(request, given, viewer, item, refusal, text)
    return RedirectResponse(f"/typical/{item}?done=withdraw", SEE_OTHER)


async def _again(
    request: Request, given: Services, viewer: Viewer, item: str, refusal: BadInput | Conflict, text: str
) -> Response:
    if isinstance(refusal, Conflict):
        await log_refusal(request, 409, refusal.slug)
        words, status = problem_words(refusal.slug)[1], 409
    else:
        words, status = "；".join(map(fault_words, refusal.faults.values())), 422
    return await _page(request, given, viewer, item, message=f"未能完成：{words}", typed=text, status=status)


async def _page(
    request: Request,
    given: Services,
    viewer: Viewer,
    item: str,
    *,
    done: str | None = None,
    message: str | None = None,
    typed: str = "",
    status: int = 200,
) -> Response:
    shown = await typical.open_typical(given, viewer, item)
    return render(
        request,
        "typical/page.html",
        status=status,
        shown=shown,
        item=shown.item,
        done=done,
        message=message,
        typed=typed,
    )


def _form(
    request: Request,
    case: Any,
    typed: Mapping[str, str],
    faults: Mapping[str, str] = NO_FAULTS,
    *,
    status: int = 200,
) -> Response:
    return render(request, "typical/write.html", status=status, case=case, typed=typed, faults=faults)


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _read(model: type[BaseModel], typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what was typed, checked. Raises `BadInput`."""
    try:
        return model.model_validate({name: text for name, text in typed.items() if text}).model_dump()
    except ValidationError as error:
        raise BadInput(dict(validation_faults(error.errors(include_url=False)))) from error
