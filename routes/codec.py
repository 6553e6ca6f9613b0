"""`/api/codec/decode` and `/api/engine-access`: what Temporal's own UI asks of us. Off by default.

The UI runs on an origin of its own: it reaches neither our pages nor their forms. Its browser sends the
session of our pages along (another port of the same host is the same site to a cookie), or a token.
"""

from base64 import b64decode
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from google.protobuf.json_format import MessageToDict, Parse, ParseError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import JSONResponse
from temporalio.api.common.v1 import Payloads

from casework.accounts import PAGE, viewer_of
from casework.ended_tokens import note_ended
from casework.engine_reading import decode, may_read_engine
from casework.errors import BadInput, Owing, Unauthenticated
from casework.viewer import Viewer
from routes.bodies import body_of, raw_body
from routes.cross_origin import DECODE
from routes.dependencies import SESSION, Given, bearer_sent
from routes.openapi import refusals
from routes.problems import validation_faults
from routes.refusal_log import address

router = APIRouter(prefix="/api", tags=["engine"])

LARGEST = 4 * 1024 * 1024  # bytes; a page of a history has some hundred kilobytes
MOST = 2000  # payloads in one request


def _base64(text: str) -> str:
    b64decode(text, validate=True)
    return text


Base64 = Annotated[str, AfterValidator(_base64)]


class Sealed(BaseModel):
    """One payload as JSON has it: `data` and every value of `metadata` in base64."""

    model_config = ConfigDict(extra="allow")

    metadata: dict[str, Base64] = {}
    data: Base64 = ""


class SealedPayloads(BaseModel):
    """What the UI sends, and gets back opened."""

    payloads: Annotated[list[Sealed], Field(max_length=MOST)]


async def reader(
    request: Request, given: Given, bearer: Annotated[str | None, Depends(bearer_sent)]
) -> Viewer:
    """Return who asks and may read the engine. Raises `Unauthenticated`, `Owing`, `NotFound`, `Forbidden`."""
    session = None if bearer else _session_sent(request, given.temporal_ui)
    token = bearer or session
    try:
        if not token:
            raise Unauthenticated("no-token")
        viewer = await (viewer_of(given, token, PAGE, by_hand=False) if session else viewer_of(given, token))
    except Unauthenticated:
        if token:
            await note_ended(given, token, address(request))
        raise
    request.state.viewer = viewer  # the log of refusals names who was refused
    if viewer.owes:
        raise Owing(viewer.owes)
    await may_read_engine(given, viewer, f"{request.method} {request.url.path}")
    return viewer


def _session_sent(request: Request, ui: str) -> str | None:
    """Return the session of a browser, unless another site's page made it send a post."""
    if request.method == "GET" or (ui and request.headers.get("origin") == ui):
        return request.cookies.get(SESSION)
    return None


Reader = Annotated[Viewer, Depends(reader)]


@router.get("/engine-access", status_code=204, responses=refusals(403, 404))
async def get_engine_access(viewer: Reader) -> Response:
    """Say whether who asks may see Temporal's UI: the proxy in front of it asks this first."""
    return Response(status_code=204)


@router.post(
    DECODE.removeprefix("/api"),
    responses={**refusals(403, 404, 413), 200: {"model": SealedPayloads}},
    response_class=JSONResponse,
    openapi_extra=body_of(SealedPayloads),
)
async def post_decode(request: Request, given: Given, viewer: Reader) -> JSONResponse:
    """Open payloads; each request is on the access log."""
    sealed = _read(await raw_body(request, LARGEST))
    opened = await decode(given, viewer, sealed.payloads, address(request))
    answer: dict[str, Any] = MessageToDict(Payloads(payloads=opened))
    return JSONResponse({"payloads": answer.get("payloads", [])})


def _read(raw: bytes) -> Payloads:
    try:
        SealedPayloads.model_validate_json(raw)
        sealed: Payloads = Parse(raw, Payloads(), ignore_unknown_fields=True)
    except ValidationError as error:
        raise BadInput(dict(validation_faults(error.errors(include_url=False)))) from error
    except ParseError as error:
        raise BadInput({"payloads": "unreadable"}) from error
    return sealed
