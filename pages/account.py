"""`/account`: one's own sign-ins, password and second factor.

Who owes a new password or a second factor comes to these pages only, in this order.
"""

from typing import Annotated, Any

import segno
from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.accounts import BY_PROVIDER, FACTOR_OWED, PASSWORD_OWED
from casework.errors import BadInput, Conflict, Owing
from casework.kept_forms import forget_forms
from casework.own_account import (
    NewPassword,
    change_password,
    own_sessions,
    remove_second_factor,
    sign_out_everywhere,
)
from casework.passwords import SHORTEST
from casework.second_factor import (
    Enrolment,
    begin_enrolment,
    confirm_enrolment,
    enrolment_of,
    has_factor,
)
from casework.viewer import Viewer
from pages.errors import SEE_OTHER
from pages.frame import OWING
from pages.rendering import render
from pages.sessions import PageViewer, SessionViewer, end_session, session_token
from routes.dependencies import Given
from routes.refusal_log import address
from routes.wording import fault_words, problem_words

router = APIRouter(dependencies=OWING)

Typed = Annotated[str, Form(max_length=500)]
LABELS = {
    "old": "原密码",
    "new": "新密码",
    "again": "再输入一次新密码",
    "password": "密码",
    "code": "动态口令",
}
DONE = {
    "password": "密码已修改，其他登录均已退出。",
    "second-factor": "双重验证已启用，下次登录须填写动态口令。",
    "removed": "双重验证已关闭。",
}


@router.get("/account")
async def account(request: Request, given: Given, viewer: PageViewer, done: str = "") -> Response:
    """Show who is signed in, and where else."""
    sessions = await own_sessions(given, viewer, _token(request))
    values: dict[str, Any] = {
        "sessions": sessions,
        "has_factor": await has_factor(given, viewer),
        "by_provider": any(each.current and each.kind == BY_PROVIDER for each in sessions),
        "done": DONE.get(done),
    }
    return render(request, "account/index.html", **values)


@router.post("/account/sign-out-everywhere")
async def leave_everywhere(request: Request, given: Given, viewer: PageViewer) -> Response:
    """End every sign-in of the user."""
    await sign_out_everywhere(given, viewer, address(request))
    await forget_forms(given, viewer)
    response = RedirectResponse("/sign-in", SEE_OTHER)
    end_session(request, response)
    return response


@router.get("/account/password")
async def password_form(request: Request, viewer: SessionViewer) -> Response:
    """Show the form for a new password."""
    _refuse_out_of_turn(viewer, PASSWORD_OWED)
    return _password(request, viewer, {})


@router.post("/account/password")
async def new_password(
    request: Request,
    given: Given,
    viewer: SessionViewer,
    old: Typed = "",
    new: Typed = "",
    again: Typed = "",
) -> Response:
    """Change the password."""
    _refuse_out_of_turn(viewer, PASSWORD_OWED)
    try:
        typed = NewPassword(old, new, again)
        await change_password(given, viewer, typed, _token(request), address(request))
    except BadInput as refusal:
        return _password(request, viewer, refusal.faults)
    return RedirectResponse("/" if viewer.owes else "/account?done=password", SEE_OTHER)


@router.get("/account/second-factor")
async def factor_form(request: Request, given: Given, viewer: SessionViewer) -> Response:
    """Begin to enrol an authenticator app."""
    _refuse_out_of_turn(viewer, FACTOR_OWED)
    return _factor(request, viewer, await begin_enrolment(given, viewer), {})


@router.post("/account/second-factor")
async def new_factor(
    request: Request, given: Given, viewer: SessionViewer, enrolment: Typed = "", code: Typed = ""
) -> Response:
    """Put the second factor in force, once a code shows that the app has it."""
    _refuse_out_of_turn(viewer, FACTOR_OWED)
    try:
        begun = await enrolment_of(given, viewer, enrolment)
    except Conflict as refusal:
        if refusal.slug != "enrolment-over":
            raise
        begun = await begin_enrolment(given, viewer)
        return _factor(request, viewer, begun, {}, problem_words(refusal.slug)[1])
    try:
        await confirm_enrolment(given, viewer, begun, code.strip(), address(request))
    except BadInput as refusal:
        return _factor(request, viewer, begun, refusal.faults)
    return RedirectResponse("/" if viewer.owes else "/account?done=second-factor", SEE_OTHER)


@router.get("/account/second-factor/remove")
async def removal_form(request: Request, viewer: PageViewer) -> Response:
    """Ask for password and code."""
    return _removal(request, {})


@router.post("/account/second-factor/remove")
async def remove_factor(
    request: Request, given: Given, viewer: PageViewer, password: Typed = "", code: Typed = ""
) -> Response:
    """Take the second factor away."""
    try:
        await remove_second_factor(given, viewer, password, code.strip(), address(request))
    except BadInput as refusal:
        return _removal(request, refusal.faults)
    return RedirectResponse("/account?done=removed", SEE_OTHER)


def _refuse_out_of_turn(viewer: Viewer, settles: str) -> None:
    if viewer.owes not in (None, settles):
        raise Owing(viewer.owes)


def _token(request: Request) -> str:
    token = session_token(request)
    assert token is not None  # who is signed in came with one
    return token


def _password(request: Request, viewer: Viewer, faults: dict[str, str]) -> Response:
    values = {"faults": _words(faults), "labels_of": LABELS.get, "shortest": SHORTEST}
    return render(
        request, "account/password.html", status=422 if faults else 200, owed=bool(viewer.owes), **values
    )


def _factor(
    request: Request, viewer: Viewer, begun: Enrolment, faults: dict[str, str], message: str | None = None
) -> Response:
    values = {
        "enrolment": begun,
        "picture": segno.make(begun.address, error="m").svg_data_uri(scale=5),
        "grouped": " ".join(begun.secret[i : i + 4] for i in range(0, len(begun.secret), 4)),
        "faults": _words(faults),
        "labels_of": LABELS.get,
        "owed": bool(viewer.owes),
        "message": message,
    }
    status = 422 if faults else 409 if message else 200
    return render(request, "account/second_factor.html", status=status, **values)


def _removal(request: Request, faults: dict[str, str]) -> Response:
    values = {"faults": _words(faults), "labels_of": LABELS.get}
    return render(request, "account/remove_factor.html", status=422 if faults else 200, **values)


def _words(faults: dict[str, str]) -> dict[str, str]:
    return {field: fault_words(slug) for field, slug in faults.items()}
