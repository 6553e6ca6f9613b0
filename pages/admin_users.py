"""`/admin/users`: the list of users, and the form that adds one."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from casework.errors import BadInput
from casework.rights import NEED_TWO, GrantRefused
from casework.user_changes import Act, Outcome, add
from casework.user_list import Filter, find_users, read_places
from casework.users import SIGNING_IN, NewUser
from pages.admin_parts import (
    NO_STORE,
    Admin,
    key_of,
    new_key,
    place_options,
    show,
    split_place,
    typed,
    worded,
)
from pages.admin_words import CONFLICT, PLACE_FAULTS, REFUSED
from pages.frame import SIGNED_IN
from pages.list_links import linker
from routes.dependencies import Given
from routes.refusal_log import address, log_refusal
from routes.wording import ROLES
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

FIELDS = ("username", "name", "role", "place", "alternate", "reason")
ROLE_OPTIONS = [
    (str(role), ROLES[role] + ("(须第二人批准)" if role in NEED_TWO else "")) for role in SIGNING_IN
]
ROLE_NAMES = [(str(role), ROLES[role]) for role in SIGNING_IN]
_ACTIVE = {"yes": True, "no": False}
ACTIVE_WORDS = {"yes": "有效", "no": "已停用"}


@router.get("/admin/users")
async def users(
    request: Request,
    given: Given,
    viewer: Admin,
    place: str = "",
    role: str = "",
    active: str = "",
    q: str = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Response:
    """Show the users, narrowed down as asked."""
    wanted = read_filter(place, role, active, q)
    found = await find_users(given, wanted, page)
    places = await read_places(given)
    asked = {"place": place, "role": role, "active": active, "q": wanted.q or ""}

    def link(number: int) -> str:
        return "?" + urlencode({**asked, "page": number})

    options = place_options(places)
    return show(
        request,
        "users.html",
        found=found,
        places=places,
        options=options,
        asked=asked,
        link=link,
        export=linker("/admin/users/export.xlsx", asked),
        roles=ROLE_NAMES,
    )


def read_filter(place: str, role: str, active: str, q: str) -> Filter:
    """Return what the list of users is narrowed to."""
    hall, unit = split_place(place)
    typed = q.strip()[:100].replace("\0", "")
    return Filter(hall, unit, role or None, _ACTIVE.get(active), typed or None)


@router.get("/admin/add-user")
async def form(request: Request, given: Given, viewer: Admin) -> Response:
    """Show the empty form."""
    return await _form(request, given, dict.fromkeys(FIELDS, ""), new_key(), {})


@router.post("/admin/add-user")
async def create(request: Request, given: Given, viewer: Admin) -> Response:
    """Add the user, or ask for it; the answer shows the first password, or half of it, once."""
    values, key = await typed(request, *FIELDS), await key_of(request)
    act = Act(viewer, values["reason"], key, address(request))
    try:
        return outcome(request, await add(given, act, read_user(values)))
    except BadInput as refusal:
        return await _form(request, given, values, key, refusal.faults)
    except GrantRefused as refusal:
        await log_refusal(request, CONFLICT, f"add_user: {refusal.rule}")
        return await _form(request, given, values, key, {}, REFUSED[refusal.rule])


def read_user(values: dict[str, str]) -> NewUser:
    """Return the user that a form describes. Raises `BadInput` for a role that is none."""
    hall, unit = split_place(values["place"])
    known = values["role"] in SIGNING_IN
    role = Role(values["role"]) if known else Role.CITIZEN  # which nobody signs in as: a fault, told later
    return NewUser(values["username"], values["name"], role, hall, unit, values["alternate"] == "yes")


def outcome(request: Request, done: Outcome) -> Response:
    """Show what came of an act on a user."""
    page = show(request, "outcome.html", done=done)
    page.headers.update(NO_STORE)
    return page


def user_faults_worded(faults: dict[str, str]) -> dict[str, str]:
    """Return the faults of a user's form in words; hall and unit are one field there."""
    by_field = {"place" if field in ("hall", "unit") else field: field for field in reversed(faults)}
    words = worded(faults, **PLACE_FAULTS)
    return {shown: words[field] for shown, field in reversed(by_field.items())}


async def _form(
    request: Request,
    given: Given,
    values: dict[str, str],
    key: str,
    faults: dict[str, str],
    message: str | None = None,
) -> Response:
    status = 422 if faults else CONFLICT if message else 200
    return show(
        request,
        "add_user.html",
        status=status,
        values=values,
        key=key,
        faults=user_faults_worded(faults),
        message=message,
        roles=ROLE_OPTIONS,
        options=place_options(await read_places(given)),
    )
