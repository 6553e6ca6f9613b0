"""`/healthz` and `/readyz` for operators; `/metrics` is the instrumentator's."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from casework.services import Services
from models.database import DatabaseUnavailable
from routes.dependencies import Given
from routes.openapi import public_refusals
from routes.problems import RETRY_AFTER, problem

router = APIRouter(tags=["health"])

WITHIN = 5.0  # seconds; an orchestrator asks again soon


class Alive(BaseModel):
    """The process answers."""

    status: str = "alive"


class Ready(BaseModel):
    """What the service depends on, each `ok`."""

    status: str = "ready"
    database: str = "ok"
    engine: str = "ok"


@router.get("/healthz")
async def get_healthz() -> Alive:
    """Say that the process is alive, whatever it depends on."""
    return Alive()


@router.get("/readyz", responses={503: public_refusals(503)[503]}, response_model=Ready)
async def get_readyz(given: Given) -> Ready | JSONResponse:
    """Say whether database and engine answer, and which does not."""
    database, engine = await asyncio.gather(_database(given), _engine(given))
    if database == engine == "ok":
        return Ready()
    names = {"数据库": database, "流程引擎": engine}
    down = "、".join(name for name, state in names.items() if state != "ok")
    return problem(
        503,
        "not-ready",
        detail=f"{down}暂时无法连接。",
        headers={"Retry-After": str(RETRY_AFTER)},
        database=database,
        engine=engine,
    )


async def _database(given: Services) -> str:
    try:
        async with asyncio.timeout(WITHIN):
            await given.database.ping()
    except (DatabaseUnavailable, TimeoutError) as error:
        return f"unreachable: {type(error).__name__}"
    return "ok"


async def _engine(given: Services) -> str:
    try:
        async with asyncio.timeout(WITHIN):
            return "ok" if await given.engine.reachable() else "unreachable"
    except TimeoutError:
        return "unreachable: TimeoutError"
