"""`/counter`: the registration form (附件2), what it shows while being typed, and filing."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.desk import desk_of
from casework.errors import BadInput
from casework.filing import file_case
from casework.kept_forms import forget_form
from casework.lessons import Lesson, lessons_like
from casework.sent import KEY_HEADER
from casework.services import Services
from casework.similar import Similar, similar_cases
from casework.viewer import Viewer
from pages import counter_form
from pages.counter_code import remember
from pages.counter_upload import FormRoute, attach_all, chosen
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.kept_forms import BACK, KEPT, recall
from pages.rendering import render
from pages.sessions import page_only
from routes.dependencies import Given
from routes.filing_body import read_filing
from routes.keys import key_faults
from rules.calendar import local
from rules.case.vocabulary import Cause, Kind, Role

router = APIRouter(dependencies=SIGNED_IN, route_class=FormRoute)

Clerk = Annotated[Viewer, Depends(page_only(Role.CLERK, Role.WINDOW_LEAD))]
UNPROCESSABLE = 422


@dataclass(frozen=True, repr=False)
class Sheet:
    """The form as it is to be shown. ``similar`` None: nobody looked yet; ``kept``: from before a sign-in."""

    fields: Mapping[str, str]
    key: str
    faults: Mapping[str, str] = field(default_factory=dict)
    similar: Sequence[Similar] | None = None
    message: str | None = None
    files_lost: bool = False
    fresh: bool = False
    kept: str = ""
    note: str | None = None
    lessons: Sequence[Lesson] = ()


@router.get("/counter")
async def blank(request: Request, given: Given, viewer: Clerk, kept: str = "") -> Response:
    """Show an empty form, or one that was sent before a sign-in."""
    if came := await recall(given, viewer, kept, "/counter"):
        sheet = Sheet(counter_form.typed(came[1]), _key(came[1].get("key")), kept=kept, note=BACK)
        return await _show(request, given, viewer, sheet)
    return await _show(request, given, viewer, Sheet(counter_form.EMPTY, str(uuid.uuid4()), fresh=True))


@router.post("/counter")
async def file(request: Request, given: Given, viewer: Clerk) -> Response:
    """File the case, attach the files, and lead on to the receipt."""
    form = await request.form()
    fields, key, files = counter_form.typed(form), _key(form.get("key")), chosen(form)
    try:
        body = await _checked(given, viewer, fields, key)
        filed = await file_case(given, viewer, body, key)
        request.state.case_id = filed.case["id"]  # for the log
    except BadInput as refusal:
        sheet = replace(_faulty(fields, key, refusal, bool(files)), kept=str(form.get(KEPT) or ""))
        return await _show(request, given, viewer, sheet)
    await forget_form(given, viewer, form.get(KEPT))
    case = filed.case
    # A double click files once; its second answer must not attach the files again.
    refused = await attach_all(given, viewer, case, files) if filed.status != _REPEATED else []
    response = RedirectResponse(f"/counter/receipt/{case['id']}", SEE_OTHER)
    code = case.get("query_code")
    await remember(given, viewer, request, response, case["id"], code, refused, sent=key)
    return response


@router.post("/counter/check")
async def check(request: Request, given: Given, viewer: Clerk) -> Response:
    """Show the form again with its faults and similar cases; file nothing (for want of scripts)."""
    form = await request.form()
    fields, key, files = counter_form.typed(form), _key(form.get("key")), bool(chosen(form))
    found = await similar_cases(given, viewer, fields["petitioner.phone"], fields["matter"])
    try:
        await _checked(given, viewer, fields, key)
    except BadInput as refusal:
        sheet = _faulty(fields, key, refusal, files, found)
    else:
        sheet = Sheet(fields, key, {}, found, files_lost=files)
    sheet = replace(sheet, kept=str(form.get(KEPT) or ""))
    learnt = await lessons_like(given, viewer, fields["matter"], _cause(fields["cause"]))
    sheet = replace(sheet, lessons=learnt)
    return await _show(request, given, viewer, sheet)


@router.get("/counter/preview")
async def preview(
    request: Request, given: Given, viewer: Clerk, kind: Annotated[Kind | None, Query()] = None
) -> Response:
    """Show when a case filed now would be due: a part of the page, for scripts."""
    desk = await desk_of(given, viewer.hall or "")
    wanted = [each for each in desk.promises if kind in (None, each.kind)]
    return render(request, "counter/_promises.html", promises=wanted, at=desk.at)


@router.post("/counter/similar")
async def similar(request: Request, given: Given, viewer: Clerk) -> Response:
    """Show open cases like the one being typed: a part of the page. By post: a phone is no address."""
    form = await request.form()
    phone, matter = str(form.get("phone") or ""), str(form.get("matter") or "")
    found = await similar_cases(given, viewer, phone, matter)
    learnt = await lessons_like(given, viewer, matter, _cause(str(form.get("cause") or "")))
    return render(request, "counter/_similar.html", similar=found, lessons=learnt)


def _cause(typed: str) -> str | None:
    return typed if typed in {cause.value for cause in Cause} else None


_REPEATED = 200


def _key(sent: Any) -> str:
    return sent if isinstance(sent, str) and sent else str(uuid.uuid4())


async def _checked(services: Services, viewer: Viewer, fields: Mapping[str, str], key: str) -> dict[str, Any]:
    today = local(await services.clock.now()).date()
    return read_filing(counter_form.body_of(fields, viewer.hall), viewer.hall, today, key_faults(key))


def _faulty(
    fields: Mapping[str, str],
    key: str,
    refusal: BadInput,
    files_lost: bool,
    similar: Sequence[Similar] | None = None,
) -> Sheet:
    faults, message = dict(refusal.faults), None
    if faults.pop(KEY_HEADER, None):
        # Back from the receipt and changed: it would be another case, so people decide.
        key = str(uuid.uuid4())
        message = "这份表单先前已经登记过，本次没有重复登记。如确需另登一件，请核对后再次提交。"
    return Sheet(fields, key, counter_form.shown_faults(faults), similar, message, files_lost)


async def _show(request: Request, given: Given, viewer: Viewer, sheet: Sheet) -> Response:
    desk = await desk_of(given, viewer.hall or "")
    faulty = bool(sheet.faults or sheet.message)
    return render(
        request,
        "counter/form.html",
        status=UNPROCESSABLE if faulty else 200,
        sheet=sheet,
        desk=desk,
        rows=range(counter_form.rows_of(sheet.fields)),
        texts=counter_form,
    )
