"""`/api/token`: signing in and out."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator, BaseModel, Field, ValidationError
from pydantic_core import PydanticCustomError

from casework.accounts import Credentials, sign_in, sign_out
from casework.errors import BadInput
from casework.passwords import LONGEST
from casework.texts import is_clean
from routes.bodies import Body, body_of, raw_body
from routes.dependencies import Given, Token, TokenViewer
from routes.openapi import public_refusals, refusals
from routes.problems import validation_faults
from routes.refusal_log import address

router = APIRouter(prefix="/api", tags=["token"])

FORM = "application/x-www-form-urlencoded"
LARGEST_FORM = 64 * 1024  # bytes


def _clean(text: str) -> str:
    if not is_clean(text):
        raise PydanticCustomError("control_characters", "control characters")
    return text


class SignIn(Body):
    """The OAuth2 password form, with `otp` where the user has a second factor."""

    username: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_clean)]
    password: Annotated[str, Field(min_length=1, max_length=LONGEST), AfterValidator(_clean)]
    otp: Annotated[str, Field(max_length=10), AfterValidator(_clean)] | None = None
    # What OAuth2 clients send beside; one client and one scope are all there is.
    grant_type: Annotated[str, Field(pattern="^password$")] | None = None
    scope: str | None = None
    client_id: str | None = None
    client_secret: str | None = None


class Granted(BaseModel):
    """A bearer token; `expires_in` in seconds."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int


@router.post("/token", responses=public_refusals(401, 413, 429), openapi_extra=body_of(SignIn, FORM))
async def post_token(request: Request, given: Given) -> Granted:
    """Sign in; the token is told this once."""
    form = await _form(request)
    credentials = Credentials(form.username, form.password, form.otp or None)
    granted = await sign_in(given, credentials, address(request))
    return Granted(access_token=granted.token, expires_in=int(granted.expires_in.total_seconds()))


@router.delete("/token", status_code=204, responses=refusals())
async def delete_token(request: Request, given: Given, viewer: TokenViewer, token: Token) -> Response:
    """Sign out: the token ends at once."""
    await sign_out(given, token, viewer, address(request))
    return Response(status_code=204)


async def _form(request: Request) -> SignIn:
    raw = await raw_body(request, LARGEST_FORM)
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise BadInput({"body": "unreadable"}) from error
    names = [name for name, _ in pairs]
    if twice := {name: "given_twice" for name in names if names.count(name) > 1}:
        raise BadInput(twice)
    try:
        return SignIn.model_validate(dict(pairs))
    except ValidationError as error:
        raise BadInput(dict(validation_faults(error.errors(include_url=False)))) from error
