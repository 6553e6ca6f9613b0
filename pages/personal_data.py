"""`/personal-data`: what is to be erased soon, holds, and a copy of what is held about one person."""

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, RedirectResponse
from pydantic import ValidationError
from starlette.background import BackgroundTask
from starlette.responses import Response

from casework.erasure_holds import MAY_HOLD, MAY_SEE, lift_hold, overview, place_hold
from casework.errors import BadInput, Conflict, NotFound
from casework.one_at_a_time import Busy
from casework.person_export import MAY_EXPORT, Asked, export_person
from casework.services import Services
from casework.viewer import Viewer
from pages.admin_parts import typed
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.person_pdf import person_pdf
from pages.rendering import render
from pages.sessions import page_only
from routes.bodies import Body
from routes.dependencies import Given
from routes.fields import CaseRef, Name, Phone, Text
from routes.problems import validation_faults
from routes.refusal_log import address
from routes.wording import fault_words, problem_words

router = APIRouter(dependencies=SIGNED_IN)

Keeper = Annotated[Viewer, Depends(page_only(*MAY_SEE))]
Exporter = Annotated[Viewer, Depends(page_only(*MAY_EXPORT))]
Holder = Annotated[Viewer, Depends(page_only(*MAY_HOLD))]
HERE = "/personal-data"
WORK = "person"
UNPROCESSABLE, CONFLICT, NOT_FOUND = 422, 409, 404
LABELS = {"phone": "联系电话", "name": "姓名或名称", "reason": "理由", "number": "办件编号", "why": "理由"}
_OWN = {
    "several_people": "这个电话下有不止一位反映人，请填写姓名",
    "nobody": "您所辖范围内没有保存这个人的信息",
    "no_such_case": "没有这个办件，或您无权查看",
}


class PersonForm(Body):
    """Whose data, and why it is handed out."""

    phone: Phone
    name: Name | None = None
    reason: Text


class HoldForm(Body):
    """Which case, and why its erasure waits or goes on."""

    number: CaseRef
    why: Text


@router.get("/personal-data")
async def page(request: Request, given: Given, viewer: Keeper) -> Response:
    """Show what is to be erased soon and what is held; supervisor and auditor get the form as well."""
    return await _page(request, given, viewer)


@router.post("/personal-data/export")
async def export(request: Request, given: Given, viewer: Exporter) -> Response:
    """Hand out all that is held about a person, as a zip; that is on the access log."""
    sent = await typed(request, "phone", "name", "reason")
    folder = Path(mkdtemp(prefix="person-"))
    out = folder / "copy.zip"
    try:
        body = _read(PersonForm, sent)
        asked = Asked(body.phone, body.name)
        with given.heavy.turn(WORK, viewer.username):
            await export_person(given, viewer, asked, body.reason, address(request), person_pdf, out)
    except (BadInput, NotFound, Busy) as refusal:
        _remove(folder)
        status, faults = _refused(refusal, "phone", "nobody")
        return await _page(request, given, viewer, status, faults, sent)
    except BaseException:
        _remove(folder)
        raise
    name = "personal-data.zip"  # whose it is stands in no file name
    return FileResponse(
        out, media_type="application/zip", filename=name, background=BackgroundTask(_remove, folder)
    )


@router.post("/personal-data/hold")
async def hold(request: Request, given: Given, viewer: Holder) -> Response:
    """Keep a case from its erasure."""
    return await _held(request, given, viewer, place_hold)


@router.post("/personal-data/lift")
async def lift(request: Request, given: Given, viewer: Holder) -> Response:
    """Let the erasure of a case take its course again."""
    return await _held(request, given, viewer, lift_hold)


async def _held(request: Request, given: Given, viewer: Viewer, act: Any) -> Response:
    sent = await typed(request, "number", "why")
    try:
        body = _read(HoldForm, sent)
        await act(given, viewer, body.number, body.why, address(request))
    except (BadInput, NotFound, Conflict) as refusal:
        status, faults = _refused(refusal, "number", "no_such_case")
        return await _page(request, given, viewer, status, faults, sent)
    return RedirectResponse(HERE, SEE_OTHER)


def _read(model: Any, sent: Mapping[str, str]) -> Any:
    """Return a form as its model. Raises `BadInput`."""
    try:
        return model.model_validate_json(json.dumps({name: text for name, text in sent.items() if text}))
    except ValidationError as error:
        raise BadInput(dict(validation_faults(error.errors(include_url=False)))) from error


def _refused(refusal: Exception, field: str, missing: str) -> tuple[int, dict[str, str]]:
    """Return the status and the faults by field, in words."""
    if isinstance(refusal, BadInput):
        words = {name: _OWN.get(slug) or fault_words(slug) for name, slug in refusal.faults.items()}
        return UNPROCESSABLE, words
    if isinstance(refusal, Conflict):
        return CONFLICT, {field: problem_words(refusal.slug)[1]}
    if isinstance(refusal, Busy):
        return CONFLICT, {field: "您有一份副本正在制作，请稍候"}
    return NOT_FOUND, {field: _OWN[missing]}


def _remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()


async def _page(
    request: Request,
    given: Services,
    viewer: Viewer,
    status: int = 200,
    faults: Mapping[str, str] | None = None,
    sent: Mapping[str, str] | None = None,
) -> Response:
    return render(
        request,
        "personal_data.html",
        status=status,
        shown=await overview(given, viewer),
        faults=faults or {},
        sent=sent or {},
        label=LABELS.__getitem__,
        may_export=viewer.role in MAY_EXPORT,
        may_hold=viewer.role in MAY_HOLD,
        sees_cases=viewer.role in MAY_EXPORT,
    )
