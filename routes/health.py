"""`/healthz`, `/readyz` and `/metrics`, for operators."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from casework.errors import NotFound
from casework.readiness import OK, Part, readiness
from casework.watching import CONTENT_TYPE, exposition
from routes.dependencies import Given
from routes.openapi import public_refusals
from routes.operators import is_operator
from routes.problems import RETRY_AFTER, problem

router = APIRouter(tags=["health"])


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class ReadyPart(BaseModel):
    """One part that the service stands on; `detail` is for people (Chinese)."""

    name: str
    ok: bool
    required: bool
    detail: str


class Ready(BaseModel):
    """What the service depends on, each `ok`; `degraded`: something that is not required is not sound.

    `parts` is empty for whoever is no operator (METRICS_FROM).
    """

    status: str = "ready"
    database: str = OK
    engine: str = OK
    parts: list[ReadyPart] = []


@router.get("/healthz")
async def get_healthz() -> Alive:
    """Say that the process is alive, whatever it depends on."""
    return Alive()


@router.get("/readyz", responses={503: public_refusals(503)[503]}, response_model=Ready)
async def get_readyz(request: Request, given: Given) -> Ready | JSONResponse:
    """Say whether what the service depends on is sound, and to operators what is not and what to do."""
    found = await readiness(given)
    shown = [_shown(part) for part in found] if is_operator(request, given.watch.operators) else []
    states = {part.name: part.state for part in found if part.name in ("database", "engine")}
    down = [part for part in found if part.required and not part.ok]
    if not down:
        status = "ready" if all(part.ok for part in found) else "degraded"
        return Ready(status=status, parts=shown, **states)
    return problem(
        503,
        "not-ready",
        detail="".join(part.detail for part in down) if shown else _in_short(down),
        headers={"Retry-After": str(RETRY_AFTER)},
        parts=[part.model_dump() for part in shown],
        **states,
    )


@router.get("/metrics", response_class=Response, responses={404: public_refusals(404)[404]})
async def get_metrics(request: Request, given: Given) -> Response:
    """Answer with Prometheus' text format, to the addresses of METRICS_FROM alone."""
    if not is_operator(request, given.watch.operators):
        raise NotFound("metrics")
    body = await exposition(given, request.app.state.http_metrics)
    return Response(body, media_type=CONTENT_TYPE)


def _shown(part: Part) -> ReadyPart:
    return ReadyPart(name=part.name, ok=part.ok, required=part.required, detail=part.detail)


def _in_short(down: list[Part]) -> str:
    names = {"database": "数据库", "engine": "流程引擎"}
    away = "、".join(dict.fromkeys(names.get(part.name, "系统配置") for part in down))
    return f"{away}暂时无法连接。" if {part.name for part in down} <= names.keys() else f"{away}尚未就绪。"
