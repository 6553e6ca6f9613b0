"""The petitioner in clear, for a reason; a new query code. Both stand on the answer page and nowhere else."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from casework.finding import find_case
from casework.petitioners import MAY_RENEW_CODE, may_unmask, renew_query_code, unmask
from pages.case_view import Again, Extra, case_page
from pages.frame import SIGNED_IN
from pages.sessions import PageViewer
from routes.dependencies import Given
from routes.fields import cleaned
from routes.refusal_log import address
from routes.wording import fault_words
from rules.case.errors import Forbidden
from rules.case.typed import Typed

router = APIRouter(dependencies=SIGNED_IN)

_REASON = Typed(1, 2000)


@router.post("/cases/{number}/unmask")
async def show_petitioner(
    request: Request, number: str, services: Given, viewer: PageViewer, reason: Annotated[str, Form()] = ""
) -> Response:
    """Show the petitioner in clear; the reason is on the access log."""
    found = await find_case(services, viewer, number)
    request.state.case_id = found.case.id  # for the log of refusals
    if not may_unmask(viewer, found.case):
        raise Forbidden("unmask", viewer.role)
    try:
        said = cleaned(reason.replace("\r\n", "\n"), _REASON)
    except ValueError as error:
        words = "请写明查看原因" if not reason.strip() else fault_words(getattr(error, "type", ""))
        again = Again("unmask", {"reason": reason}, {"reason": words})
        return await case_page(request, services, viewer, number, status=422, extra=Extra(again=again))
    person = await unmask(services, viewer, found.case.id, said, address(request))
    return await case_page(request, services, viewer, number, extra=Extra(petitioner=person))


@router.post("/cases/{number}/query-code")
async def new_query_code(request: Request, number: str, services: Given, viewer: PageViewer) -> Response:
    """Make a new query code; the old one ends at once."""
    found = await find_case(services, viewer, number)
    request.state.case_id = found.case.id  # for the log of refusals
    if viewer.role not in MAY_RENEW_CODE:
        raise Forbidden("query_code", viewer.role)
    code = await renew_query_code(services, viewer, found.case.id, address(request))
    return await case_page(request, services, viewer, number, extra=Extra(query_code=code))
