"""`/admin/halls`: halls and their units."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.calendars import check_hall
from casework.errors import BadInput
from casework.halls import LEVEL_NAMES, HallDraft, add_hall, change_hall, hours_text, put_unit
from casework.user_list import Places, read_places
from models.directory import Hall
from pages.admin_parts import Admin, show, typed, worded
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from routes.dependencies import Given
from routes.refusal_log import address

router = APIRouter(dependencies=SIGNED_IN)

FIELDS = ("code", "name", "level", "parent", "supervision_department", "policy_id", "hours")
NOTHING = "填写不正确"
Values = dict[str, str]


@router.get("/admin/halls")
async def halls(request: Request, given: Given, viewer: Admin) -> Response:
    """Show every hall."""
    return show(request, "halls.html", places=await read_places(given), levels=LEVEL_NAMES)


@router.get("/admin/add-hall")
async def form(request: Request, given: Given, viewer: Admin) -> Response:
    """Show the empty form."""
    return await _add_page(request, given, dict.fromkeys(FIELDS, ""), {})


@router.post("/admin/add-hall")
async def create(request: Request, given: Given, viewer: Admin) -> Response:
    """Add a hall."""
    values = await typed(request, *FIELDS)
    try:
        await add_hall(given, viewer, HallDraft(**values), address(request))
    except BadInput as refusal:
        return await _add_page(request, given, values, worded(refusal.faults))
    return RedirectResponse(f"/admin/halls/{values['code']}?done=1", SEE_OTHER)


@router.get("/admin/halls/{code}")
async def hall(request: Request, given: Given, viewer: Admin, code: str, done: str = "") -> Response:
    """Show a hall and its units."""
    return await _page(request, given, code, done=done == "1")


@router.post("/admin/halls/{code}")
async def save(request: Request, given: Given, viewer: Admin, code: str) -> Response:
    """Change a hall; its code stays."""
    values = await typed(request, *FIELDS) | {"code": code}
    await check_hall(given, code)
    try:
        await change_hall(given, viewer, HallDraft(**values), address(request))
    except BadInput as refusal:
        return await _page(request, given, code, values=values, faults=worded(refusal.faults))
    return RedirectResponse(f"/admin/halls/{code}?done=1", SEE_OTHER)


@router.post("/admin/halls/{code}/units")
async def add_unit(request: Request, given: Given, viewer: Admin, code: str) -> Response:
    """Add a unit."""
    values = await typed(request, "unit_code", "unit_name")
    try:
        unit, name = values["unit_code"], values["unit_name"]
        await put_unit(given, viewer, code, unit, name, address(request), new=True)
    except BadInput as refusal:
        faults = {f"unit_{field}": words for field, words in worded(refusal.faults).items()}
        return await _page(request, given, code, values=values, faults=faults)
    return RedirectResponse(f"/admin/halls/{code}?done=1", SEE_OTHER)


@router.post("/admin/halls/{code}/units/{unit}")
async def rename_unit(request: Request, given: Given, viewer: Admin, code: str, unit: str) -> Response:
    """Give a unit another name."""
    field = f"name_{unit}"
    values = await typed(request, field)
    try:
        await put_unit(given, viewer, code, unit, values[field], address(request), new=False)
    except BadInput as refusal:
        faults = {field: worded(refusal.faults).get("name", NOTHING)}
        return await _page(request, given, code, values=values, faults=faults)
    return RedirectResponse(f"/admin/halls/{code}?done=1", SEE_OTHER)


async def _add_page(request: Request, given: Given, values: Values, faults: Values) -> Response:
    choices = _choices(given, await read_places(given), "")
    status = 422 if faults else 200
    return show(request, "add_hall.html", status=status, values=values, faults=faults, **choices)


async def _page(
    request: Request,
    given: Given,
    code: str,
    *,
    values: Values | None = None,
    faults: Values | None = None,
    done: bool = False,
) -> Response:
    await check_hall(given, code)
    places = await read_places(given)
    found = next(hall for hall in places.halls if hall.code == code)
    units = [unit for unit in places.units if unit.hall == code]
    stored = {f"name_{unit.code}": unit.name for unit in units} | {"unit_code": "", "unit_name": ""}
    return show(
        request,
        "hall.html",
        status=422 if faults else 200,
        hall=found,
        units=units,
        values=stored | _values(found) | (values or {}),
        faults=faults or {},
        done=done,
        **_choices(given, places, code),
    )


def _choices(given: Given, places: Places, code: str) -> dict[str, list[tuple[str, str]]]:
    return {
        "levels": list(LEVEL_NAMES.items()),
        "parents": [(hall.code, hall.name) for hall in places.halls if hall.code != code],
        "policies": [(policy.id, policy.title) for policy in given.policies.values()],
    }


def _values(hall: Hall) -> Values:
    return {
        "code": hall.code,
        "name": hall.name,
        "level": hall.level,
        "parent": hall.parent or "",
        "supervision_department": hall.supervision_department,
        "policy_id": hall.policy_id,
        "hours": hours_text(hall),
    }
