"""`/admin/contacts`: the contact table (业务联系表, 附件1), for the admin and supervisors."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.responses import Response

from casework.contact_history import halls_to_choose, lines_of, versions_of
from casework.directory import Change, Line, read_line, write_line
from casework.errors import Conflict, NotFound
from pages.admin_parts import KeepsContacts, show, typed, worded
from pages.admin_words import CONFLICT
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_links import linker
from routes.dependencies import Given
from routes.directory import ContactLine
from routes.problems import validation_faults
from routes.refusal_log import log_refusal
from routes.wording import problem_words

router = APIRouter(dependencies=SIGNED_IN)

PEOPLE = ("deputy_leader", "contact", "alternate")
PARTS = ("name", "post", "phone")
FIELDS = ("name", "version", *(f"{person}.{part}" for person in PEOPLE for part in PARTS))


@router.get("/admin/contacts")
async def contacts(request: Request, given: Given, viewer: KeepsContacts, hall: str = "") -> Response:
    """Show the table of a hall."""
    halls = await halls_to_choose(given, viewer)
    if not hall and halls:
        hall = viewer.hall or halls[0].code
    if not hall:
        raise NotFound("hall")
    lines = await lines_of(given, viewer, hall)
    export = linker("/admin/contacts/export.xlsx", {"hall": hall})()
    return show(request, "contacts.html", halls=halls, hall=hall, lines=lines, export=export)


@router.get("/admin/contacts/{hall}/{unit}")
async def line(
    request: Request, given: Given, viewer: KeepsContacts, hall: str, unit: str, done: str = ""
) -> Response:
    """Show a unit's line with its versions."""
    return await _page(request, given, viewer, await read_line(given, viewer, hall, unit), done=done == "1")


@router.post("/admin/contacts/{hall}/{unit}")
async def save(request: Request, given: Given, viewer: KeepsContacts, hall: str, unit: str) -> Response:
    """Make a new version of a unit's line, unless nothing changed."""
    newest = await read_line(given, viewer, hall, unit)
    values = await typed(request, *FIELDS)
    try:
        change = _change(values)
    except ValidationError as error:
        faults = worded(dict(validation_faults(error.errors(include_url=False))))
        return await _page(request, given, viewer, newest, values=values, faults=faults)
    try:
        await write_line(given, viewer, hall, unit, change)
    except Conflict as refusal:
        newest = await read_line(given, viewer, hall, unit)
        if not _says(newest, change):  # else the same form was sent twice
            await log_refusal(request, CONFLICT, refusal.slug)
            message = problem_words(refusal.slug)[1]
            return await _page(request, given, viewer, newest, values=values, message=message)
    return RedirectResponse(f"/admin/contacts/{hall}/{unit}?done=1", SEE_OTHER)


def _change(values: dict[str, str]) -> Change:
    """Return the change that was typed. Raises ValidationError with every fault."""
    body: dict[str, Any] = {"name": values["name"]}
    if values["version"].isdecimal():
        body["version"] = int(values["version"][:10])
    for person in PEOPLE:
        parts = {part: values[f"{person}.{part}"] for part in PARTS}
        # Only the alternate may be left out; of the others every missing part is a fault of its own.
        if person != "alternate" or any(parts.values()):
            body[person] = parts | {"post": parts["post"] or None}
    checked = ContactLine.model_validate(body)
    return Change(
        deputy_leader=checked.deputy_leader.model_dump(),
        contact=checked.contact.model_dump(),
        alternate=checked.alternate.model_dump() if checked.alternate else None,
        name=checked.name,
        version=checked.version,
    )


def _says(line: Line, change: Change) -> bool:
    people = line.deputy_leader, line.contact, line.alternate
    return line.name == change.name and people == (change.deputy_leader, change.contact, change.alternate)


def _values(line: Line) -> dict[str, str]:
    values = {"name": line.name, "version": str(line.version)}
    for person in PEOPLE:
        known = getattr(line, person) or {}
        values |= {f"{person}.{part}": known.get(part) or "" for part in PARTS}
    return values


async def _page(
    request: Request,
    given: Given,
    viewer: KeepsContacts,
    line: Line,
    *,
    values: dict[str, str] | None = None,
    faults: dict[str, str] | None = None,
    message: str | None = None,
    done: bool = False,
) -> Response:
    return show(
        request,
        "contact.html",
        status=422 if faults else CONFLICT if message else 200,
        line=line,
        versions=await versions_of(given, viewer, line.hall, line.unit),
        values=_values(line) | (values or {}) | {"version": str(line.version)},
        faults=faults or {},
        message=message,
        done=done,
        people=PEOPLE,
    )
