"""`/api/cases/{id}/verify` and `…/dossier`: what an inspector asks of a case."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from casework.case_verifying import verify_case
from casework.dossier import MAY_TAKE, gather, pack
from casework.finding import find_case
from routes.answers import Verified
from routes.attachments import disposition
from routes.dependencies import Given, SignedIn
from routes.evidence_words import report_words
from routes.openapi import refusals
from routes.refusal_log import address
from rules.case.errors import Forbidden

router = APIRouter(prefix="/api/cases/{id}", tags=["evidence"])


@router.post(
    "/verify", responses={**refusals(403, 404), 200: {"model": Verified}}, response_class=JSONResponse
)
async def verify(request: Request, id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """Verify the hash chain against the signed heads, and replay the history against today's code."""
    found = await find_case(services, viewer, id)
    request.state.case_id = found.case.id  # for the log of refusals
    if viewer.role not in MAY_TAKE:
        raise Forbidden("verify", viewer.role)
    report = await verify_case(services, found.case.id)
    return JSONResponse(
        {
            "ledger_ok": report.ledger_ok,
            "replay_ok": report.replay_ok,
            "detail": report_words(report),
            **({"erased": True} if report.only_erased else {}),
        }
    )


@router.get(
    "/dossier",
    responses={
        **refusals(403, 404),
        200: {
            "description": "events, the workflow's history, a PDF for people, a signed manifest",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
    response_class=Response,
)
async def dossier(request: Request, id: str, services: Given, viewer: SignedIn) -> Response:
    """Download the dossier of a case; that is on the access log."""
    found = await find_case(services, viewer, id)
    request.state.case_id = found.case.id
    if viewer.role not in MAY_TAKE:
        raise Forbidden("dossier", viewer.role)
    gathered = await gather(services, viewer, found.case.id)
    # The words of the PDF are those of the pages, which stand above this layer.
    pdf = await request.app.state.print_dossier(gathered.printable)
    name, content = await pack(services, gathered, pdf, address(request))
    headers = {"Content-Disposition": disposition(name), "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type="application/zip", headers=headers)
