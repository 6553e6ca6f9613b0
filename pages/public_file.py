"""`/public/file`: a citizen files a case, at the halls that offer it; where none does, there is no page."""

import uuid
from collections.abc import Mapping, Sequence
from math import ceil

import segno
from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.errors import BadInput, NotFound, TooMany
from casework.online_filing import Place, file_online, places
from casework.sent import KEY_HEADER
from casework.services import Services
from pages import counter_form
from pages.frame import OPEN_TO_ALL
from pages.public_address import public_link
from pages.rendering import render
from routes.dependencies import Given
from routes.filing_body import read_filing
from routes.keys import key_faults
from routes.refusal_log import address
from rules.calendar import local
from rules.case.vocabulary import Channel

router = APIRouter(prefix="/public", dependencies=OPEN_TO_ALL)

Values = Mapping[str, str]
NO_FAULTS: Values = {}


@router.get("/file")
async def form(request: Request, given: Given) -> Response:
    """Show the form."""
    offered = await _offered(given)
    fields = {**counter_form.EMPTY, "hall": offered[0].code if len(offered) == 1 else ""}
    return _show(request, offered, fields, str(uuid.uuid4()))


@router.post("/file")
async def file(request: Request, given: Given) -> Response:
    """File the case and answer with the receipt: its query code may stand in no address.

    A reload sends the same key, and shows the same receipt.
    """
    offered = await _offered(given)
    sent = await request.form()
    hall, key = str(sent.get("hall") or ""), str(sent.get("key") or "") or str(uuid.uuid4())
    fields = {**counter_form.typed(sent), "channel": Channel.ONLINE.value, "hall": hall}
    try:
        body = await _checked(given, offered, fields, key)
        case = (await file_online(given, body, key, address(request))).case
    except BadInput as refusal:
        faults = dict(refusal.faults)
        if faults.pop(KEY_HEADER, None):  # back from the receipt and changed: another case
            key = str(uuid.uuid4())
        return _show(request, offered, fields, key, counter_form.shown_faults(faults), status=422)
    except TooMany as refusal:
        page = _show(request, offered, fields, key, busy=True, status=429)
        page.headers["Retry-After"] = str(max(1, ceil(refusal.retry_after.total_seconds())))
        return page
    code = case.get("query_code")
    names = {place.code: place.name for place in offered}
    qr = segno.make(public_link(request, given, code), error="m").svg_data_uri(scale=4, border=4)
    return render(request, "public/filed.html", case=case, code=code, hall=names[hall], qr=qr)


async def _offered(services: Services) -> Sequence[Place]:
    if offered := await places(services):
        return offered
    raise NotFound("page")


async def _checked(
    services: Services, offered: Sequence[Place], fields: Values, key: str
) -> dict[str, object]:
    today = local(await services.clock.now()).date()
    hall = fields["hall"]
    unknown = NO_FAULTS if hall in {place.code for place in offered} else {"hall": "required"}
    body = counter_form.body_of(fields, hall or "-")
    return read_filing(body, hall or "-", today, {**key_faults(key), **unknown})


def _show(
    request: Request,
    offered: Sequence[Place],
    fields: Values,
    key: str,
    faults: Values = NO_FAULTS,
    *,
    busy: bool = False,
    status: int = 200,
) -> Response:
    return render(
        request,
        "public/file.html",
        status=status,
        offered=offered,
        fields=fields,
        key=key,
        faults=faults,
        busy=busy,
        again=status == 422 and not faults,
        rows=range(counter_form.rows_of(fields)),
        texts=counter_form,
    )
