"""`/api/bulletins`: drafts of a 通报, which no machine ever issues, and what people do to them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict

from casework import bulletin_acts
from casework.access import record
from casework.acts import ShownAct
from casework.bulletin_document import bulletin_pdf
from casework.bulletins import (
    BulletinFile,
    check_role,
    find_bulletin,
    list_bulletins,
    number_of,
    open_bulletin,
)
from casework.moments import shown
from casework.services import Services
from casework.viewer import Viewer
from models.case import Bulletin
from routes.bodies import Body, body_of, read_body
from routes.dependencies import Given, Staff, only
from routes.fields import Text
from routes.openapi import refusals
from routes.pages import Page, PerPage
from routes.refusal_log import address
from rules.case.vocabulary import Ground, Role

router = APIRouter(prefix="/api/bulletins", tags=["bulletins"])

Overseer = Annotated[Viewer, Depends(only(Role.SUPERVISOR, Role.AUDITOR))]
Accountability = Literal["referred", "approved", "returned"]


class BulletinItem(BaseModel):
    """Material for a 通报: the unit and the person responsible, and on what ground."""

    id: int
    case_id: str
    case_number: str
    unit: str
    person: str | None
    ground: Ground
    status: Literal["draft", "issued", "rejected"]
    due: str | None
    created_at: str


class ActOfBulletin(BaseModel):
    """One act on its record; `text` is the statement or the reason."""

    model_config = ConfigDict(extra="forbid")

    seq: int
    at: str
    type: str
    actor: dict[str, str]
    text: str
    hash: str


class BulletinAnswer(BulletinItem):
    """One bulletin with its record, and what the viewer may do to it now."""

    hall: str
    post: str | None
    number: str | None
    decided_at: str | None
    accountability: Accountability | None
    serious: Literal["repeated", "unanswered_again"] | None
    acts: list[ActOfBulletin]
    verified: bool
    allowed: list[str]


class Bulletins(BaseModel):
    """One page, newest first."""

    items: list[BulletinItem]


class StatementBody(Body):
    """The unit's statement (单位说明)."""

    text: Text


class ApproveBody(Body):
    """Issues the bulletin; the reason is kept on its record."""

    reason: Text | None = None


class RejectBody(Body):
    """Why there will be none."""

    reason: Text


class ReferralBody(Body):
    """Decides an accountability referral (问责移送); one that is returned needs a reason."""

    accept: bool
    reason: Text | None = None


@router.get("", responses=refusals(403))
async def get_bulletins(given: Given, viewer: Overseer, page: Page = 1, per_page: PerPage = 50) -> Bulletins:
    """Return the bulletins of the halls that the viewer oversees."""
    rows = await list_bulletins(given, viewer, page, per_page)
    return Bulletins(items=[BulletinItem.model_validate(_facts(row)) for row in rows])


@router.get("/{bulletin}", responses=refusals(403, 404))
async def get_bulletin(bulletin: str, given: Given, viewer: Staff) -> BulletinAnswer:
    """Return one with its record; who may not know of it gets 404."""
    return _answer(await open_bulletin(given, viewer, bulletin))


@router.get(
    "/{bulletin}/file",
    responses={
        **refusals(403, 404),
        200: {
            "description": "the document, as a download",
            "content": {"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
    response_class=Response,
)
async def get_file(request: Request, bulletin: str, given: Given, viewer: Staff) -> Response:
    """Return the official document of an issued one as a PDF; that is on the access log."""
    return await document(request, given, viewer, await open_bulletin(given, viewer, bulletin))


async def document(request: Request, given: Services, viewer: Viewer, file: BulletinFile) -> Response:
    """Return the document as a download; its file name says the number and nothing about anybody.

    Raises `NotFound` for one that is not issued.
    """
    pdf = await bulletin_pdf(file.record)
    await record(
        given,
        action="download",
        username=viewer.username,
        case_id=file.bulletin.case_id,
        reason=f"bulletin {file.bulletin.id}",
        address=address(request),
    )
    name = f"bulletin-{file.bulletin.year}-{file.bulletin.serial}.pdf"
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Response(pdf, media_type="application/pdf", headers=headers)


@router.post(
    "/{bulletin}/statement", responses=refusals(403, 404, 409, 413), openapi_extra=body_of(StatementBody)
)
async def post_statement(request: Request, bulletin: str, given: Given, viewer: Staff) -> BulletinAnswer:
    """Add a statement of the unit, as many as it likes before the decision."""
    found = await _found(request, given, viewer, bulletin, "statement")
    body = await read_body(request, StatementBody)
    await bulletin_acts.state(given, viewer, found, body.text)
    return _answer(await open_bulletin(given, viewer, bulletin))


@router.post(
    "/{bulletin}/approve",
    responses=refusals(403, 404, 409, 413),
    openapi_extra=body_of(ApproveBody, required=False),
)
async def post_approve(request: Request, bulletin: str, given: Given, viewer: Staff) -> BulletinAnswer:
    """Issue it: numbered, dated, sent."""
    found = await _found(request, given, viewer, bulletin, "approve")
    body = await read_body(request, ApproveBody)
    await bulletin_acts.approve(given, viewer, found, body.reason)
    return _answer(await open_bulletin(given, viewer, bulletin))


@router.post("/{bulletin}/reject", responses=refusals(403, 404, 409, 413), openapi_extra=body_of(RejectBody))
async def post_reject(request: Request, bulletin: str, given: Given, viewer: Staff) -> BulletinAnswer:
    """Decide that there will be none."""
    found = await _found(request, given, viewer, bulletin, "reject")
    body = await read_body(request, RejectBody)
    await bulletin_acts.reject(given, viewer, found, body.reason)
    return _answer(await open_bulletin(given, viewer, bulletin))


@router.post(
    "/{bulletin}/referral", responses=refusals(403, 404, 409, 413), openapi_extra=body_of(ReferralBody)
)
async def post_referral(request: Request, bulletin: str, given: Given, viewer: Staff) -> BulletinAnswer:
    """Approve an accountability referral, or return it."""
    found = await _found(request, given, viewer, bulletin, "referral")
    body = await read_body(request, ReferralBody)
    await bulletin_acts.decide_referral(given, viewer, found, body.accept, body.reason)
    return _answer(await open_bulletin(given, viewer, bulletin))


async def _found(request: Request, given: Given, viewer: Viewer, ref: str, act: str) -> Bulletin:
    """Return what is acted on. Raises `NotFound`, then `Forbidden`, before the body is looked at."""
    found = await find_bulletin(given, viewer, ref)
    request.state.case_id = found.case_id  # for the log of refusals
    check_role(viewer, act)
    return found


def _facts(row: Bulletin) -> dict[str, object]:
    return {
        "id": row.id,
        "case_id": row.case_id,
        "case_number": row.case_number,
        "unit": row.unit,
        "person": row.person,
        "ground": row.ground,
        "status": row.status,
        "due": shown(row.due),
        "created_at": shown(row.created_at),
    }


def _answer(file: BulletinFile) -> BulletinAnswer:
    row = file.bulletin
    more = {
        "hall": row.hall,
        "post": row.post,
        "number": number_of(row),
        "decided_at": shown(row.decided_at),
        "accountability": row.accountability,
        "serious": file.serious,
        "acts": [_act(act) for act in file.record.acts],
        "verified": file.record.verified,
        "allowed": sorted(file.may),
    }
    return BulletinAnswer.model_validate(_facts(row) | more)


def _act(act: ShownAct) -> ActOfBulletin:
    return ActOfBulletin(
        seq=act.seq,
        at=shown(act.at),
        type=act.type,
        actor={name: str(value) for name, value in act.actor.items()},
        text=act.text,
        hash=act.hash,
    )
