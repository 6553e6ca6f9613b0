"""`/admin/grants`: rights that need a second person, asked by an admin, decided by another or the auditor."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.errors import BadInput
from casework.grants import Decided, approve, list_grants, reject, withdraw
from casework.rights import GrantRefused
from casework.user_list import read_places
from casework.viewer import Viewer
from pages.admin_parts import NO_STORE, Admin, Decider, show, typed, worded
from pages.admin_words import ACT, CONFLICT, FORBIDDEN, GRANT, NEVER, REFUSED
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from routes.dependencies import Given
from routes.refusal_log import address, log_refusal

router = APIRouter(dependencies=SIGNED_IN)


@router.get("/admin/grants")
async def grants(request: Request, given: Given, viewer: Decider, done: str = "") -> Response:
    """Show what waits, and what was decided."""
    return await _page(request, given, done=done == "1")


@router.post("/admin/grants/{grant_id}/approve")
async def allow(request: Request, given: Given, viewer: Decider, grant_id: str) -> Response:
    """Approve; the answer shows the approver's half of the first password, once."""
    reason = await _reason(request, grant_id)
    try:
        decided = await approve(given, viewer, grant_id, reason, address(request))
    except (BadInput, GrantRefused) as refusal:
        return await _again(request, given, grant_id, reason, refusal)
    return _shown(request, decided)


@router.post("/admin/grants/{grant_id}/reject")
async def refuse(request: Request, given: Given, viewer: Decider, grant_id: str) -> Response:
    """Reject."""
    reason = await _reason(request, grant_id)
    try:
        await reject(given, viewer, grant_id, reason, address(request))
    except (BadInput, GrantRefused) as refusal:
        return await _again(request, given, grant_id, reason, refusal)
    return RedirectResponse("/admin/grants?done=1", SEE_OTHER)


@router.post("/admin/grants/{grant_id}/withdraw")
async def take_back(request: Request, given: Given, viewer: Admin, grant_id: str) -> Response:
    """Take one's own request back."""
    try:
        await withdraw(given, viewer, grant_id, address(request))
    except GrantRefused as refusal:
        return await _again(request, given, grant_id, "", refusal)
    return RedirectResponse("/admin/grants?done=1", SEE_OTHER)


async def _reason(request: Request, grant_id: str) -> str:
    field = f"reason_{grant_id}"
    return (await typed(request, field))[field]


def _shown(request: Request, decided: Decided) -> Response:
    page = show(request, "approved.html", grant=decided.grant, half=decided.half)
    page.headers.update(NO_STORE)
    return page


async def _again(
    request: Request, given: Given, grant_id: str, reason: str, refusal: BadInput | GrantRefused
) -> Response:
    field = f"reason_{grant_id}"
    if isinstance(refusal, BadInput):
        faults = worded({field: refusal.faults["reason"]})
        return await _page(request, given, status=422, faults=faults, values={field: reason})
    status = FORBIDDEN if refusal.rule in NEVER else CONFLICT
    await log_refusal(request, status, f"grant {grant_id}: {refusal.rule}")
    return await _page(request, given, status, message=REFUSED[refusal.rule], values={field: reason})


async def _page(
    request: Request,
    given: Given,
    status: int = 200,
    *,
    message: str | None = None,
    done: bool = False,
    faults: dict[str, str] | None = None,
    values: dict[str, str] | None = None,
) -> Response:
    waiting, decided = await list_grants(given)
    viewer: Viewer = request.state.viewer
    mine = {g.id for g in waiting if viewer.username in (g.requested_by, g.username)}
    return show(
        request,
        "grants.html",
        status=status,
        waiting=waiting,
        decided=decided,
        mine=mine,
        acts=ACT,
        states=GRANT,
        places=await read_places(given),
        message=message,
        done=done,
        faults=faults or {},
        values=values or {},
    )
