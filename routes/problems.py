"""Refusals as RFC 9457 problem JSON: a stable English `type`, a Chinese `detail` for people."""

from collections.abc import Iterable, Mapping
from math import ceil
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from casework import errors
from casework.engine import CaseNotRunning, EngineUnavailable
from models.database import DatabaseUnavailable
from routes.refusal_log import log_refusal
from routes.wording import RULES, fault_words, problem_words
from rules.case.errors import Forbidden, Illegal, Invalid

UNSTORABLE = {"22021", "22P05"}  # PostgreSQL: a character that is in no encoding, or cannot be turned
RETRY_AFTER = 5  # seconds; an engine or a database that restarts is back by then
_log = structlog.get_logger(__name__)
_FIELD = 200  # characters of a field's name that are given back


class Fault(BaseModel):
    """One fault of the input: its field, a stable code, and what to do about it."""

    field: str
    code: str
    detail: str


class Problem(BaseModel):
    """An error, RFC 9457: `type` is a stable slug, `detail` is for people (Chinese)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault] | None = None
    case_status: str | None = None
    allowed: list[str] | None = None
    rule: str | None = None
    request_id: str | None = None


def problem(
    status: int,
    slug: str,
    *,
    detail: str | None = None,
    headers: Mapping[str, str] | None = None,
    **members: Any,
) -> JSONResponse:
    """Return the answer for a refusal; `members` stand beside the ones that every problem has."""
    title, words = problem_words(slug)
    content = {"type": slug, "title": title, "status": status, "detail": detail or words, **members}
    return JSONResponse(content, status, dict(headers or {}), "application/problem+json")


def bad_input(faults: Iterable[tuple[str, str]]) -> JSONResponse:
    """Return the 422 that names every fault with its field."""
    named = [{"field": _shown(field), "code": code, "detail": fault_words(code)} for field, code in faults]
    sentences = ";".join(f"{fault['field']}:{fault['detail']}" for fault in named[:20])
    return problem(422, "invalid-input", detail=f"提交的内容有误：{sentences}。", errors=named)


def validation_faults(found: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Return pydantic's errors as (field, code); where a part of the request stands is left out."""
    places = {"body", "query", "path", "header", "cookie", "form"}
    faults: dict[tuple[str, str], None] = {}
    for error in found:
        where = list(error["loc"])
        if len(where) > 1 and where[0] in places:
            # Of a parameter given several times its name is the field: a client knows no place in it.
            where = where[1:2] if where[0] == "query" else where[1:]
        faults[".".join(map(str, where)) or "body", error["type"]] = None
    return list(faults)


def install_problem_handlers(app: FastAPI) -> None:
    """Have every refusal, outage and fault of ours answered as problem JSON."""
    handlers: dict[Any, Any] = {
        errors.Unauthenticated: _unauthenticated,
        errors.Owing: _owing,
        errors.NotFound: lambda request, error: problem(404, "not-found"),
        errors.Conflict: _conflict,
        errors.BadInput: lambda request, error: bad_input(error.faults.items()),
        errors.TooMany: _too_many,
        errors.TooLarge: lambda request, error: problem(413, "too-large", limit=error.limit),
        errors.Unsupported: lambda request, error: problem(415, "unsupported-media-type"),
        Forbidden: _forbidden,
        Illegal: _illegal,
        Invalid: lambda request, error: bad_input(error.faults.items()),
        RequestValidationError: lambda request, error: bad_input(validation_faults(error.errors())),
        EngineUnavailable: lambda request, error: _outage("engine-unavailable", error),
        CaseNotRunning: lambda request, error: _outage("engine-unavailable", error),
        DatabaseUnavailable: lambda request, error: _outage("database-unavailable", error),
        DBAPIError: _unstorable,
        HTTPException: _http,
        Exception: _fault,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, _awaitable(handler))


def _awaitable(handler: Any) -> Any:
    """Wrap a handler: a plain one would be run in a thread."""

    async def handle(request: Request, error: Exception) -> JSONResponse:
        answer = handler(request, error)
        response: JSONResponse = await answer if hasattr(answer, "__await__") else answer
        return response

    return handle


def _unauthenticated(request: Request, error: errors.Unauthenticated) -> JSONResponse:
    return problem(401, error.slug, headers={"WWW-Authenticate": "Bearer"})


async def _forbidden(request: Request, error: Forbidden) -> JSONResponse:
    await log_refusal(request, 403, error.command)
    return problem(403, "forbidden")


async def _owing(request: Request, error: errors.Owing) -> JSONResponse:
    await log_refusal(request, 403, error.slug)
    return problem(403, error.slug)


async def _illegal(request: Request, error: Illegal) -> JSONResponse:
    await log_refusal(request, 409, f"{error.command}: {error.rule}")
    return problem(
        409,
        "command-not-allowed",
        detail=RULES.get(error.rule),
        rule=error.rule,
        case_status=str(error.status),
        allowed=[],
    )


async def _conflict(request: Request, error: errors.Conflict) -> JSONResponse:
    rule = error.extra.get("rule")
    await log_refusal(request, 409, error.slug if rule is None else f"{error.slug}: {rule}")
    return problem(409, error.slug, detail=RULES.get(str(rule)), **error.extra)


def _too_many(request: Request, error: errors.TooMany) -> JSONResponse:
    seconds = max(1, ceil(error.retry_after.total_seconds()))
    return problem(429, error.slug, headers={"Retry-After": str(seconds)})


def _outage(slug: str, error: Exception) -> JSONResponse:
    _log.warning("outage", kind=slug, error=str(error)[:500])
    return problem(503, slug, headers={"Retry-After": str(RETRY_AFTER)})


def _unstorable(request: Request, error: DBAPIError) -> JSONResponse:
    """Answer for a character that PostgreSQL holds in no text (NUL), in a part that nobody checks."""
    if getattr(error.orig, "sqlstate", None) in UNSTORABLE:
        return bad_input([("body", "control_characters")])
    return _fault(request, error)


def _http(request: Request, error: HTTPException) -> JSONResponse:
    """Answer what the framework refuses: an unknown path, a wrong method, an unreadable body."""
    slugs = {401: "no-token", 403: "forbidden", 404: "not-found", 405: "method-not-allowed"}
    if error.status_code in (400, 422):
        return bad_input([("body", "unreadable")])
    slug = slugs.get(error.status_code, "request-refused")
    headers = _allowed_methods(request) if error.status_code == 405 else error.headers
    return problem(error.status_code, slug, headers=headers)


def _allowed_methods(request: Request) -> dict[str, str]:
    """Return the header of a 405: of every route at this path; the framework names the first one's."""
    matching = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    methods = {method for route in matching for method in getattr(route, "methods", None) or ()}
    return {"Allow": ", ".join(sorted(methods))}


def _fault(request: Request, error: Exception) -> JSONResponse:
    _log.error("unhandled error", exc_info=error)
    request_id = getattr(request.state, "request_id", None)
    return problem(500, "internal-error", request_id=request_id)


def _shown(field: str) -> str:
    """Return a field's name, which the sender chose, fit to be given back."""
    plain = field.encode("utf-8", "replace").decode()
    return "".join(c if c.isprintable() else "?" for c in plain)[:_FIELD]
