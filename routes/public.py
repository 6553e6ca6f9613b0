"""`/api/public`: what a citizen does without an account, by query code and phone."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, WithJsonSchema

from casework.public import Pair, act, track
from routes.answers import TrackAnswer
from routes.bodies import Body, body_of, read_body
from routes.dependencies import Given
from routes.fields import Code, Stars, Text, fault
from routes.openapi import public_refusals
from routes.refusal_log import address
from rules.case.commands import Object, Rate

router = APIRouter(prefix="/api/public", tags=["public"])

_SAID: dict[int | str, dict[str, Any]] = {200: {"model": TrackAnswer}}


def _four_digits(tail: str) -> str:
    tail = tail.strip()
    if not (len(tail) == 4 and tail.isascii() and tail.isdigit()):
        raise fault("string_pattern_mismatch")
    return tail


class PairBody(Body):
    """Query code (case and separators don't matter) and the phone's last four digits."""

    query_code: Code
    phone_tail: Annotated[
        str,
        AfterValidator(_four_digits),
        WithJsonSchema({"type": "string", "minLength": 4, "maxLength": 4, "pattern": "^[0-9]{4}$"}),
    ]

    def pair(self) -> Pair:
        """Return what identifies the citizen."""
        return Pair(self.query_code, self.phone_tail)


class RateBody(PairBody):
    """好差评: five levels."""

    rating: Stars
    note: Text | None = None


class ObjectBody(PairBody):
    """The citizen does not agree with the closing."""

    reason: Text
    note: Text | None = None


@router.post(
    "/track",
    openapi_extra=body_of(PairBody),
    responses={**public_refusals(404, 429), **_SAID},
    response_class=JSONResponse,
)
async def track_(request: Request, services: Given) -> JSONResponse:
    """Follow a case."""
    body = await read_body(request, PairBody)
    return JSONResponse(await track(services, body.pair(), address(request)))


@router.post(
    "/rate",
    openapi_extra=body_of(RateBody),
    responses={**public_refusals(404, 409, 429), **_SAID},
    response_class=JSONResponse,
)
async def rate(request: Request, services: Given) -> JSONResponse:
    """Rate how a case was handled, once a round."""
    body = await read_body(request, RateBody)
    command = Rate(rating=body.rating, note=body.note)
    return JSONResponse(await act(services, body.pair(), address(request), command))


@router.post(
    "/object",
    openapi_extra=body_of(ObjectBody),
    responses={**public_refusals(404, 409, 429), **_SAID},
    response_class=JSONResponse,
)
async def object_(request: Request, services: Given) -> JSONResponse:
    """Object to the closing of a case, within the period."""
    body = await read_body(request, ObjectBody)
    command = Object(reason=body.reason, note=body.note)
    return JSONResponse(await act(services, body.pair(), address(request), command))
