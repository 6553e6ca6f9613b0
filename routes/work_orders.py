"""`/api/work-orders`: a 12345 platform pushes its work orders (工单), and asks how each stands as a case."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from casework.accounts import viewer_of
from casework.errors import BadInput
from casework.filing import ACCEPTED, CREATED, OK, Origin
from casework.filing_once import file_once, filed_before, told_of
from casework.integrations import integration_of, viewer_of_integration
from models.imported import Integration
from routes.answers import WorkOrderAnswer, WorkOrderState
from routes.bodies import Body, body_of, read_body
from routes.dependencies import Given, Token
from routes.fields import Code, LongText, Moment, Name, Phone, Text
from routes.filing_body import read_form
from routes.imported_rows import origin_key, work_order_form
from routes.openapi import refusals
from rules.calendar import local
from rules.case.errors import Forbidden
from rules.importing import receipt_fault

router = APIRouter(prefix="/api/work-orders", tags=["work orders"])

_SHOWN = ("id", "number", "hall", "status", "received_at", "due_at", "reference")
# Where a fault of the filing stands in the body that was sent.
_PLACES = {"reference": "number", "matter": "title", "problem": "content"}


class Caller(Body):
    """Who called."""

    name: Name
    phone: Phone


class WorkOrderBody(Body):
    """A work order: `number` (工单编号) comes once; `called_at` (来电时间) becomes T0.

    `unit` is what the platform says of who is in charge, in words: the window decides.
    """

    number: Code
    called_at: Moment
    caller: Caller
    content: LongText
    title: Text | None = None
    category: Text | None = None
    unit: Name | None = None


async def pushing(request: Request, given: Given, token: Token) -> Integration:
    """Return the system that pushes. Raises `Unauthenticated`; `Forbidden` for a person's token."""
    integration = await integration_of(given, token)
    if integration is None:
        viewer = await viewer_of(given, token)
        request.state.viewer = viewer
        raise Forbidden("work_orders", viewer.role)
    return integration


@router.post(
    "",
    status_code=CREATED,
    response_class=JSONResponse,
    openapi_extra=body_of(WorkOrderBody),
    responses={
        **refusals(403, 413),
        OK: {"model": WorkOrderAnswer, "description": "this work order was registered before"},
        CREATED: {"model": WorkOrderAnswer, "description": "registered"},
        ACCEPTED: {"model": WorkOrderAnswer, "description": "kept, registered once the engine is back"},
    },
)
async def push(
    request: Request, services: Given, integration: Annotated[Integration, Depends(pushing)]
) -> JSONResponse:
    """Register a work order; the same one again gives the same case.

    `query_code` stands in the first answer alone.
    """
    body = await read_body(request, WorkOrderBody)
    now = await services.clock.now()
    if slug := receipt_fault(body.called_at, now):
        raise BadInput({"called_at": slug})
    key = origin_key(integration.hall, integration.source, body.number)
    origin = Origin(key, integration.source, body.number, body.called_at, now)
    viewer = viewer_of_integration(integration)
    try:
        filed, repeated = await file_once(services, viewer, _form(integration.hall, body, now), origin)
    except BadInput as bad:
        raise BadInput({_PLACES.get(name, name): slug for name, slug in bad.faults.items()}) from bad
    case = await filed_before(services, filed.case["id"]) if repeated else filed.case
    return JSONResponse({name: case.get(name) for name in (*_SHOWN, "query_code")}, filed.status)


@router.get(
    "/{number}",
    responses={**refusals(403, 404), OK: {"model": WorkOrderState}},
    response_class=JSONResponse,
)
async def state(
    number: str, services: Given, integration: Annotated[Integration, Depends(pushing)]
) -> JSONResponse:
    """Say how a work order stands, by its own number, and the reply once the citizen was told."""
    key = origin_key(integration.hall, integration.source, number)
    return JSONResponse(await told_of(services, key))


def _form(hall: str, body: WorkOrderBody, now: Any) -> dict[str, Any]:
    """Return the order as a filing, checked as one of the counter. Raises `BadInput`."""
    values = {
        "petitioner.name": body.caller.name,
        "petitioner.phone": body.caller.phone,
        "problem": body.content,
        "matter": body.title,
        "category": body.category,
        "unit": body.unit,
    }
    given = {name: text for name, text in values.items() if text is not None}
    return read_form(work_order_form(hall, given, body.called_at), hall, local(now).date())
