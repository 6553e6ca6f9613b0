"""Verifying a case at its page, and its dossier to download: for supervisor and auditor."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.case_verifying import verify_case
from casework.dossier import MAY_TAKE, gather, pack
from casework.engine import EngineUnavailable
from casework.finding import Found, find_case
from casework.services import Services
from casework.viewer import Viewer
from pages.case_view import Extra, case_page
from pages.dossier_pdf import dossier_pdf
from pages.frame import SIGNED_IN
from pages.sessions import PageViewer
from routes.attachments import disposition
from routes.dependencies import Given
from routes.refusal_log import address
from routes.wording import problem_words
from rules.case.errors import Forbidden

router = APIRouter(dependencies=SIGNED_IN)


@router.post("/cases/{number}/verify")
async def verify(request: Request, number: str, services: Given, viewer: PageViewer) -> Response:
    """Verify the case and show what came of it."""
    found = await _found(request, services, viewer, number, "verify")
    try:
        report = await verify_case(services, found.case.id)
    except EngineUnavailable:
        words = problem_words("engine-unavailable")[1]
        return await case_page(request, services, viewer, number, status=503, extra=Extra(words))
    return await case_page(request, services, viewer, number, extra=Extra(verified=report))


@router.get("/cases/{number}/dossier")
async def dossier(request: Request, number: str, services: Given, viewer: PageViewer) -> Response:
    """Download the dossier; that is on the access log."""
    found = await _found(request, services, viewer, number, "dossier")
    gathered = await gather(services, viewer, found.case.id)
    pdf = await dossier_pdf(gathered.printable)
    name, content = await pack(services, gathered, pdf, address(request))
    return Response(content, media_type="application/zip", headers={"Content-Disposition": disposition(name)})


async def _found(request: Request, services: Services, viewer: Viewer, number: str, what: str) -> Found:
    found = await find_case(services, viewer, number)
    request.state.case_id = found.case.id  # for the log of refusals
    if viewer.role not in MAY_TAKE:
        raise Forbidden(what, viewer.role)
    return found
