"""`/sign-in/oidc`: to the provider and back, where the settings name one."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.errors import NotFound, Unauthenticated
from casework.services import Services
from casework.sign_in_rules import CALLBACK, Provider
from casework.single_sign_on import WITHIN, begin, finish
from pages.errors import SEE_OTHER
from pages.own_paths import own_path
from pages.sessions import begin_session, is_secure, session_token
from pages.sign_in import refused
from routes.dependencies import Given
from routes.refusal_log import address

router = APIRouter()

AWAY = "bancheng_away"
PATH = "/sign-in/oidc"


@router.get(PATH)
async def leave_for_provider(request: Request, given: Given, next: str = "/") -> Response:
    """Lead to the provider."""
    provider = _provider(given)
    try:
        there, away = await begin(given, provider, own_path(next))
    except Unauthenticated as refusal:
        return refused(request, given, refusal, next)
    response = RedirectResponse(there, SEE_OTHER)
    # Lax: the way back comes from another site, as a plain link does.
    response.set_cookie(
        AWAY,
        away,
        max_age=int(WITHIN.total_seconds()),
        httponly=True,
        secure=is_secure(request),
        samesite="lax",
        path=PATH,
    )
    return response


@router.get(CALLBACK)
async def come_back(request: Request, given: Given) -> Response:
    """Take the provider's answer, once; a new session each time, and the one that came along ends."""
    provider = _provider(given)
    answer, old = dict(request.query_params), session_token(request)
    brought = request.cookies.get(AWAY, "")
    response: Response
    try:
        signed_in, to = await finish(given, provider, brought, answer, address(request), instead_of=old)
    except Unauthenticated as refusal:
        response = refused(request, given, refusal, "/")
    else:
        response = RedirectResponse(to, SEE_OTHER)
        begin_session(request, response, signed_in.token)
    response.delete_cookie(AWAY, httponly=True, secure=is_secure(request), samesite="lax", path=PATH)
    return response


def _provider(given: Services) -> Provider:
    if given.sign_in.provider is None:
        raise NotFound("page")
    return given.sign_in.provider
