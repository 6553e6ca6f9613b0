"""`/admin/calendar`: the working days of a year; a notice is looked at with what it moves, then published."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.calendars import check_hall
from casework.days_typed import digest_of, read_days, write_days
from casework.drafts import Draft
from casework.errors import BadInput
from casework.notice_file import read_draft
from casework.preview import Preview, preview
from casework.publishing import publish
from casework.user_list import read_places
from casework.year_view import notice_to_edit, view_year
from models.hall_calendar import FIRST_YEAR, LAST_YEAR
from pages.admin_parts import Admin, show, typed, uploaded, worded
from pages.admin_words import DAY_MARK, DAY_WORD, SOURCE
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from routes.dependencies import Given
from routes.wording import fault_words
from rules.calendar import local

router = APIRouter(dependencies=SIGNED_IN)

FIELDS = ("year", "hall", "off", "work", "source", "act", "seen")
LARGEST = 100_000  # bytes of a notice's file
MOVES_SHOWN = 200
Year = Annotated[int, Query(ge=FIRST_YEAR, le=LAST_YEAR)]


@router.get("/admin/calendar")
async def calendar(
    request: Request,
    given: Given,
    viewer: Admin,
    year: Year | None = None,
    hall: str = "",
    done: str = "",
) -> Response:
    """Show a year of the country, or of a hall."""
    shown = year or local(await given.clock.now()).year
    found = await view_year(given, shown, hall or None)
    places = await read_places(given)
    words: dict[str, Any] = {"marks": DAY_MARK, "words": DAY_WORD, "sources": SOURCE}
    return show(request, "calendar.html", found=found, places=places, done=done == "1", **words)


@router.get("/admin/calendar/load")
async def form(request: Request, given: Given, viewer: Admin, year: Year, hall: str = "") -> Response:
    """Show the form, filled with what stands now."""
    notice = await notice_to_edit(given, year, hall or None)
    values = {
        "year": str(year),
        "hall": hall,
        "off": write_days(notice.off),
        "work": write_days(notice.work),
        "source": notice.source,
    }
    return await _form(request, given, values, {})


@router.post("/admin/calendar/load")
async def load(request: Request, given: Given, viewer: Admin) -> Response:
    """Look at what a notice would move; or publish the one that was looked at."""
    values = await typed(request, *FIELDS)
    if values["hall"]:
        await check_hall(given, values["hall"])
    if values["act"] == "edit":
        return await _form(request, given, values, {})
    try:
        draft = await _draft(request, values)
        if values["act"] == "publish" and values["seen"] == digest_of(draft):
            await publish(given, draft, viewer.username)
            query = f"year={draft.year}&done=1" + (f"&hall={draft.hall}" if draft.hall else "")
            return RedirectResponse(f"/admin/calendar?{query}", SEE_OTHER)
        tried = await preview(given, draft)
    except BadInput as refusal:
        return await _form(request, given, values, _faults(refusal.faults))
    return await _preview(request, given, draft, tried)


async def _draft(request: Request, values: dict[str, str]) -> Draft:
    """Return the notice of the file, or as typed. Raises `BadInput` with every fault."""
    year, hall = values["year"], values["hall"] or None
    faults: dict[str, str] = {}
    if not re.fullmatch(r"\d{4}", year, re.ASCII) or not FIRST_YEAR <= int(year) <= LAST_YEAR:
        faults["year"] = "year_out_of_range"
    content = await uploaded(request, "file", LARGEST)
    if content is not None and not faults:
        return _from_file(content, int(year), hall)
    days = {}
    for part in ("off", "work"):
        days[part], unreadable = read_days(values[part])
        if unreadable:
            faults[part] = "不是日期：" + "、".join(unreadable[:10])
    if not values["source"]:
        faults["source"] = "string_too_short"
    if faults:
        raise BadInput(faults)
    return Draft(int(year), hall, days["off"], days["work"], values["source"])


def _from_file(content: bytes, year: int, hall: str | None) -> Draft:
    if len(content) > LARGEST:
        raise BadInput({"file": "文件过大"})
    try:
        return read_draft(content.decode("utf-8-sig"), year, hall)
    except UnicodeDecodeError:
        raise BadInput({"file": "unreadable"}) from None
    except BadInput as refusal:
        told = ";".join(f"{place}:{fault_words(slug)}" for place, slug in refusal.faults.items())
        raise BadInput({"file": told}) from refusal


def _faults(faults: dict[str, str]) -> dict[str, str]:
    # What is a sentence already stays one.
    return {
        field: words if not words.isascii() else worded({field: words})[field]
        for field, words in faults.items()
    }


async def _form(request: Request, given: Given, values: dict[str, str], faults: dict[str, str]) -> Response:
    places = await read_places(given)
    status = 422 if faults else 200
    options = [(hall.code, hall.name) for hall in places.halls]
    return show(request, "load.html", status=status, values=values, faults=faults, options=options)


async def _preview(request: Request, given: Given, draft: Draft, tried: Preview) -> Response:
    moves = sorted(tried.moves, key=lambda move: move.due_at)
    return show(
        request,
        "preview.html",
        draft=draft,
        hall_name=(await read_places(given)).hall_names.get(draft.hall or ""),
        off=write_days(draft.off),
        work=write_days(draft.work),
        seen=digest_of(draft),
        open_cases=tried.open_cases,
        moves=moves[:MOVES_SHOWN],
        count=len(moves),
    )
