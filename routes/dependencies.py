"""What routes ask for: the services, who is signed in, and whether their role may.

Order of refusals (contract.md): 401, 404, 403, 422, 409. FastAPI runs these dependencies before it
looks at query and path, but reads a declared body first of all: bodies go through `routes.bodies`.
All are coroutines: it would run a plain function in a thread.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from casework.accounts import viewer_of
from casework.ended_tokens import note_ended
from casework.errors import Owing, Unauthenticated
from casework.services import Services
from casework.viewer import Viewer
from routes.refusal_log import address
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role

SESSION = "bancheng_session"
"""The cookie of a session of the pages."""

bearer_sent = OAuth2PasswordBearer(
    tokenUrl="api/token", auto_error=False, description="Token of `POST /api/token`, opaque."
)


async def services(request: Request) -> Services:
    """Return what the entry point built."""
    given: Services = request.app.state.services
    return given


async def bearer_token(token: Annotated[str | None, Depends(bearer_sent)]) -> str:
    """Return the token as sent. Raises `Unauthenticated`."""
    if not token:
        raise Unauthenticated("no-token")
    return token


async def token_viewer(
    request: Request,
    token: Annotated[str, Depends(bearer_token)],
    given: Annotated[Services, Depends(services)],
) -> Viewer:
    """Return who is signed in, also one who has to do something else first. Raises `Unauthenticated`."""
    try:
        viewer = await viewer_of(given, token)
    except Unauthenticated:
        await note_ended(given, token, address(request))
        raise
    request.state.viewer = viewer  # the log of refusals names who was refused
    return viewer


async def current_viewer(viewer: Annotated[Viewer, Depends(token_viewer)]) -> Viewer:
    """Return who is signed in. Raises `Unauthenticated`, `Owing`."""
    if viewer.owes:
        raise Owing(viewer.owes)
    return viewer


def only(*roles: Role) -> Callable[..., Awaitable[Viewer]]:
    """Return a dependency that lets these roles through and refuses others with 403."""

    async def check(request: Request, viewer: Annotated[Viewer, Depends(current_viewer)]) -> Viewer:
        if viewer.role not in roles:
            route = request.scope.get("route")
            raise Forbidden(f"{request.method} {getattr(route, 'path', request.url.path)}", viewer.role)
        return viewer

    return check


Given = Annotated[Services, Depends(services)]
SignedIn = Annotated[Viewer, Depends(current_viewer)]
TokenViewer = Annotated[Viewer, Depends(token_viewer)]
Token = Annotated[str, Depends(bearer_token)]

# "staff" of contract.md: everyone who works with cases; the admin sees no case content.
STAFF = tuple(role for role in Role if role not in (Role.ADMIN, Role.CITIZEN, Role.SYSTEM))
Staff = Annotated[Viewer, Depends(only(*STAFF))]
