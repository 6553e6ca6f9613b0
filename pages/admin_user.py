"""`/admin/users/{username}`: one user, and what an admin may do with the account."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.errors import BadInput
from casework.rights import NEED_TWO, GrantRefused
from casework.user_changes import Act, Outcome, change, disable, enable, renew_password, reset_factor
from casework.user_list import get_user, read_places
from casework.viewer import Viewer
from models.directory import User
from pages.admin_parts import Admin, key_of, new_key, place_options, show, typed
from pages.admin_users import ROLE_OPTIONS, outcome, read_user, user_faults_worded
from pages.admin_words import CONFLICT, REFUSED
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from routes.dependencies import Given
from routes.refusal_log import address, log_refusal

router = APIRouter(dependencies=SIGNED_IN)

ACTS = {"disable": disable, "enable": enable, "password": renew_password, "second-factor": reset_factor}


@router.get("/admin/users/{username}")
async def user(request: Request, given: Given, viewer: Admin, username: str, done: str = "") -> Response:
    """Show the account."""
    found = await get_user(given, username)
    return await _page(request, given, found, _values(found), {}, done=done == "1")


@router.post("/admin/users/{username}/change")
async def save(request: Request, given: Given, viewer: Admin, username: str) -> Response:
    """Change name, role, hall and unit, or ask for it."""
    values = await typed(request, "name", "role", "place", "alternate", "reason_change")
    values["username"] = username
    act = await _act(request, viewer, values["reason_change"])
    try:
        return _answer(request, await change(given, act, username, read_user(values)))
    except BadInput as refusal:
        faults = {("reason_change" if f == "reason" else f): slug for f, slug in refusal.faults.items()}
        return await _page(request, given, await get_user(given, username), values, faults, key=act.key)
    except GrantRefused as refusal:
        return await _refused(request, given, username, values, refusal, act.key)


@router.post("/admin/users/{username}/disable")
async def bar(request: Request, given: Given, viewer: Admin, username: str) -> Response:
    """Bar the user at once."""
    return await _plain(request, given, viewer, username, "disable")


@router.post("/admin/users/{username}/enable")
async def let_in(request: Request, given: Given, viewer: Admin, username: str) -> Response:
    """Let the user in again, or ask for it."""
    return await _plain(request, given, viewer, username, "enable")


@router.post("/admin/users/{username}/password")
async def renew(request: Request, given: Given, viewer: Admin, username: str) -> Response:
    """Set a new first password, or ask for it."""
    return await _plain(request, given, viewer, username, "password")


@router.post("/admin/users/{username}/second-factor")
async def take_factor(request: Request, given: Given, viewer: Admin, username: str) -> Response:
    """Take the second factor away, or ask for it."""
    return await _plain(request, given, viewer, username, "second-factor")


async def _plain(request: Request, given: Given, viewer: Viewer, username: str, name: str) -> Response:
    field = f"reason_{name}"
    reason = (await typed(request, field))[field]
    act = await _act(request, viewer, reason)
    try:
        return _answer(request, await ACTS[name](given, act, username))
    except BadInput as refusal:
        found = await get_user(given, username)
        faults = {field: refusal.faults["reason"]}
        values = _values(found) | {field: reason}
        return await _page(request, given, found, values, faults, key=act.key)
    except GrantRefused as refusal:
        return await _refused(request, given, username, {field: reason}, refusal, act.key)


def _answer(request: Request, done: Outcome) -> Response:
    if done.password is not None or done.grant is not None:
        return outcome(request, done)
    return RedirectResponse(f"/admin/users/{done.username}?done=1", SEE_OTHER)


async def _act(request: Request, viewer: Viewer, reason: str) -> Act:
    return Act(viewer, reason, await key_of(request), address(request))


async def _refused(
    request: Request, given: Given, username: str, values: dict[str, str], refusal: GrantRefused, key: str
) -> Response:
    await log_refusal(request, CONFLICT, f"{username}: {refusal.rule}")
    found = await get_user(given, username)
    message = REFUSED[refusal.rule]
    return await _page(request, given, found, _values(found) | values, {}, message=message, key=key)


def _values(user: User) -> dict[str, str]:
    place = "/".join(filter(None, (user.hall, user.unit)))
    reasons = dict.fromkeys((f"reason_{act}" for act in ("change", *ACTS)), "")
    alternate = "yes" if user.alternate else ""
    return {"name": user.name, "role": user.role, "place": place, "alternate": alternate, **reasons}


async def _page(
    request: Request,
    given: Given,
    user: User,
    values: dict[str, str],
    faults: dict[str, str],
    *,
    message: str | None = None,
    done: bool = False,
    key: str | None = None,
) -> Response:
    places = await read_places(given)
    return show(
        request,
        "user.html",
        status=422 if faults else CONFLICT if message else 200,
        user=user,
        places=places,
        values=_values(user) | values,
        faults=user_faults_worded(faults),
        message=message,
        done=done,
        key=key or new_key(),
        roles=ROLE_OPTIONS,
        options=place_options(places),
        needs_two=user.role in NEED_TWO,
    )
