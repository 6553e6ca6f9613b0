"""`/api/cases`: filing, reading, the ledger, the petitioner. Commands stand in `routes.commands`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse

from casework.errors import BadInput
from casework.filing import ACCEPTED, CREATED, OK, file_case
from casework.finding import Found, find_case
from casework.halls import is_hall
from casework.history import MAY_SEE_HOLDING, events_of, holding_of, ledger_row
from casework.listing import PER_PAGE, Listing, SortKey, list_cases
from casework.petitioners import MAY_RENEW_CODE, may_unmask, renew_query_code, unmask
from casework.reading import get_case
from casework.services import Services
from casework.viewer import Viewer
from routes.answers import CaseAnswer, CaseList, EventList, FiledAnswer, Holding, QueryCode, Unmasked
from routes.bodies import Body, body_of, raw_body, read_body
from routes.dependencies import Given, SignedIn, Staff, only
from routes.fields import Code, Name, PeriodEnd, PeriodStart, Text
from routes.filing_body import FilingBody, OtherHall, read_filing
from routes.keys import Key, key_faults
from routes.openapi import refusals
from routes.pages import Page, PerPage
from routes.refusal_log import address
from rules.calendar import local
from rules.case.errors import Forbidden
from rules.case.vocabulary import Kind, Level, Light, Role, Status

router = APIRouter(prefix="/api/cases", tags=["cases"])

Filer = Annotated[Viewer, Depends(only(Role.CLERK, Role.WINDOW_LEAD))]
Sort = Literal["received_at", "-received_at", "due_at", "-due_at", "number", "-number"]


class UnmaskBody(Body):
    """Why the petitioner must be seen in clear."""

    reason: Text


class NothingBody(Body):
    """No field at all."""


@router.post(
    "",
    status_code=CREATED,
    response_class=JSONResponse,
    openapi_extra=body_of(FilingBody),
    responses={
        **refusals(403, 413),
        OK: {"model": FiledAnswer, "description": "the same filing again"},
        CREATED: {"model": FiledAnswer, "description": "registered"},
        ACCEPTED: {"model": FiledAnswer, "description": "kept, registered once the engine is back"},
    },
)
async def file(request: Request, services: Given, viewer: Filer, key: Key = None) -> JSONResponse:
    """File a case (登记)."""
    today = local(await services.clock.now()).date()
    try:
        form = read_filing(await raw_body(request), viewer.hall, today, key_faults(key))
    except OtherHall as refused:
        # Beyond the clerk's scope, whatever else is wrong with it.
        if await is_hall(services, refused.hall):
            raise Forbidden("file", viewer.role) from refused
        raise BadInput(refused.faults | {"hall": "unknown_hall"}) from refused
    filed = await file_case(services, viewer, form, key)
    request.state.case_id = filed.case["id"]  # for the log
    return JSONResponse(filed.case, filed.status, {"Location": f"/api/cases/{filed.case['id']}"})


def _distinct(values: list[Any] | None) -> frozenset[Any]:
    return frozenset(values or ())


@router.get("", responses={**refusals(403), OK: {"model": CaseList}}, response_class=JSONResponse)
async def list_(
    services: Given,
    viewer: Staff,
    status: Annotated[list[Status] | None, Query()] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    unit: Annotated[list[Code] | None, Query()] = None,
    hall: Annotated[list[Code] | None, Query()] = None,
    light: Annotated[list[Light] | None, Query()] = None,
    level: Annotated[list[Level] | None, Query()] = None,
    q: Annotated[Name | None, Query()] = None,
    received_from: Annotated[PeriodStart | None, Query()] = None,
    received_to: Annotated[PeriodEnd | None, Query()] = None,
    sort: Annotated[Sort, Query()] = "due_at",
    page: Page = 1,
    per_page: PerPage = PER_PAGE,
) -> JSONResponse:
    """List the cases that the user sees; a filter given several times lets each value through.

    `q` finds number, matter and problem by a part, the petitioner by the whole name or phone, and a case of
    another system by its whole number there.
    """
    key: SortKey = sort.removeprefix("-")  # type: ignore[assignment]
    listing = Listing(
        status=_distinct(status),
        kind=_distinct(kind),
        unit=_distinct(unit),
        hall=_distinct(hall),
        light=_distinct(light),
        level=_distinct(level),
        q=q,
        received_from=received_from,
        received_to=received_to,
        sort=key,
        descending=sort.startswith("-"),
        page=page,
        per_page=per_page,
    )
    return JSONResponse(await list_cases(services, viewer, listing))


@router.get("/{id}", responses={**refusals(403, 404), OK: {"model": CaseAnswer}}, response_class=JSONResponse)
async def get(id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """Return a case by its id or number."""
    return JSONResponse(await get_case(services, viewer, id))


@router.get("/{id}/ledger", responses=refusals(403, 404))
async def ledger(id: str, services: Given, viewer: SignedIn) -> dict[str, Any]:
    """Return the case as a row of the progress ledger (附件3)."""
    return await ledger_row(services, await find_case(services, viewer, id))


@router.get(
    "/{id}/events", responses={**refusals(403, 404), OK: {"model": EventList}}, response_class=JSONResponse
)
async def events(id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """Return the whole ledger of a case in clear, and whether its hash chain holds."""
    return JSONResponse(await events_of(services, await find_case(services, viewer, id)))


@router.get(
    "/{id}/holding", responses={**refusals(403, 404), OK: {"model": Holding}}, response_class=JSONResponse
)
async def holding(request: Request, id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """Return who held the case for how many working hours (督查问责)."""
    found = await _found(request, services, viewer, id)
    if viewer.role not in MAY_SEE_HOLDING:
        raise Forbidden("holding", viewer.role)
    return JSONResponse(await holding_of(services, found))


@router.post(
    "/{id}/unmask",
    openapi_extra=body_of(UnmaskBody),
    responses={**refusals(403, 404), OK: {"model": Unmasked}},
    response_class=JSONResponse,
)
async def unmask_(request: Request, id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """Return the petitioner in clear; the reason is kept on the access log."""
    found = await _found(request, services, viewer, id)
    if not may_unmask(viewer, found.case):
        raise Forbidden("unmask", viewer.role)
    body = await read_body(request, UnmaskBody)
    person = await unmask(services, viewer, found.case.id, body.reason, address(request))
    return JSONResponse({"petitioner": person})


@router.post(
    "/{id}/query-code",
    openapi_extra=body_of(NothingBody, required=False),
    responses={**refusals(403, 404), OK: {"model": QueryCode}},
    response_class=JSONResponse,
)
async def query_code(request: Request, id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """Return a new query code for a citizen who lost the receipt; the old one ends."""
    found = await _found(request, services, viewer, id)
    if viewer.role not in MAY_RENEW_CODE:
        raise Forbidden("query_code", viewer.role)
    await read_body(request, NothingBody)
    code = await renew_query_code(services, viewer, found.case.id, address(request))
    return JSONResponse({"query_code": code})


async def _found(request: Request, services: Services, viewer: Viewer, ref: str) -> Found:
    found = await find_case(services, viewer, ref)
    request.state.case_id = found.case.id  # for the log of refusals
    return found
