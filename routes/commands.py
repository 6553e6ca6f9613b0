"""`POST /api/cases/{id}/{command}`: one route for each command of domain.md, section 4.

System and citizen acts have no route here: 404.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from casework.commanding import BY_NAME, OK, aim, send
from routes.answers import CaseAnswer
from routes.bodies import body_of, raw_body
from routes.command_bodies import BODIES, read_draft
from routes.dependencies import Given, SignedIn
from routes.keys import Key, key_faults
from routes.openapi import refusals
from rules.case.commands import COMMANDS

router = APIRouter(prefix="/api/cases", tags=["commands"])


def _route(name: str) -> Callable[..., Awaitable[JSONResponse]]:
    async def command(
        request: Request, id: str, services: Given, viewer: SignedIn, key: Key = None
    ) -> JSONResponse:
        wrong = key_faults(key)
        sound = None if wrong else key
        aimed = await aim(services, viewer, id, name, sound, lambda case_id: _note(request, case_id))
        draft = read_draft(name, await raw_body(request))
        draft = replace(draft, faults={**wrong, **draft.faults})
        return JSONResponse(await send(services, aimed, draft))

    command.__doc__ = COMMANDS[name].__doc__
    return command


def _note(request: Request, case_id: str) -> None:
    """Let the log of refusals name the case."""
    request.state.case_id = case_id


for _name in BY_NAME:
    router.add_api_route(
        f"/{{id}}/{_name}",
        _route(_name),
        methods=["POST"],
        name=_name,
        response_class=JSONResponse,
        # A command without a field that must be there may come without a body.
        openapi_extra=body_of(
            BODIES[_name], required=any(field.is_required() for field in BODIES[_name].model_fields.values())
        ),
        responses={**refusals(403, 404, 409, 413), OK: {"model": CaseAnswer}},
    )
