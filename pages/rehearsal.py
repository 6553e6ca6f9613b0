"""`/rehearsal/advance`: the buttons of the bar that moves a rehearsal's time. In rehearsals only."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.responses import Response

from casework.errors import BadInput
from casework.rehearsal import Unsettled
from pages.errors import SEE_OTHER
from pages.frame import OPEN_TO_ALL
from pages.own_paths import own_path
from pages.rendering import render
from routes.dependencies import Given
from routes.problems import RETRY_AFTER, validation_faults
from routes.rehearsal import Advance, move
from routes.wording import fault_words, problem_words

router = APIRouter(dependencies=OPEN_TO_ALL)

Typed = Annotated[str, Form(max_length=500)]
_AS_SHOWN = re.compile(r"(\d{4}-\d\d-\d\d)\s+(\d\d:\d\d)")
# No summer time has been kept there since 1991.
_SHANGHAI = "+08:00"


@router.post("/rehearsal/advance")
async def advance(
    request: Request,
    given: Given,
    to: Typed = "",
    working_hours: Typed = "",
    working_days: Typed = "",
    next: Typed = "/",
) -> Response:
    """Move time forward and lead back; what was due by then has happened when the page comes."""
    typed = {"to": _instant(to.strip()), "working_hours": working_hours, "working_days": working_days}
    wanted: dict[str, Any] = {name: value for name, value in typed.items() if value}
    if working_days.isdecimal():
        wanted["working_days"] = int(working_days)
    try:
        await move(given, Advance.model_validate(wanted, strict=False))
    except (BadInput, ValidationError) as refusal:
        values = {"next": own_path(next), "to": to, "fault": _words(refusal)}
        return render(request, "rehearsal.html", status=422, **values)
    except Unsettled:
        title, detail = problem_words("rehearsal-unsettled")
        page = render(request, "error.html", status=503, problem={"title": title, "detail": detail})
        page.headers["Retry-After"] = str(RETRY_AFTER)
        return page
    return RedirectResponse(own_path(next), SEE_OTHER)


def _instant(typed: str) -> str:
    """Return an instant as the API takes it; one of Shanghai's time may be typed as pages show it."""
    shown = _AS_SHOWN.fullmatch(typed)
    return f"{shown[1]}T{shown[2]}{_SHANGHAI}" if shown else typed


def _words(refusal: BadInput | ValidationError) -> str:
    if isinstance(refusal, BadInput):
        slugs = list(refusal.faults.values())
    else:
        slugs = [slug for _, slug in validation_faults(refusal.errors(include_url=False))]
    if slugs == ["one_of_three"]:
        return "请填写时间，或选择前进多久。"
    return ";".join(fault_words(slug) for slug in slugs) + "。"
