"""The HTTP part: `uvicorn api:app`, or `create_app` for who brings settings and a clock of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from prometheus_fastapi_instrumentator import Instrumentator

import logs
from assembly import build_services
from casework.house_keys import holding_keys
from casework.passwords import warm_up
from casework.services import Services
from pages import register_pages
from processes import beside, keep_settled
from routes import register_routes
from routes.cross_origin import CodecOrigin
from routes.middleware import RequestLog
from routes.openapi import install_openapi
from routes.problems import install_problem_handlers
from settings import Settings
from watching import process_metrics

DESCRIPTION = "办不成事窗口：办件的登记、转办、办理、答复、回访与归档。All times carry an offset; see docs/."


def create_app(
    settings: Settings | None = None,
    *,
    services: Services | None = None,
    rehearsal: bool = False,
) -> FastAPI:
    """Return the application. Without ``services`` its lifespan builds them, and closes them.

    With ``rehearsal`` it has the calls that move time.
    """
    app = FastAPI(
        title="办不成事窗口",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=_lifespan(settings, services),
        # Pages of the framework's own load scripts from outside: only the document is served.
        docs_url=None,
        redoc_url=None,
        # Its redirects would repeat whatever host the request named.
        redirect_slashes=False,
    )
    install_problem_handlers(app)
    register_routes(app, in_rehearsal=rehearsal)
    install_openapi(app)
    register_pages(app, in_rehearsal=rehearsal)
    _measure(app)
    app.add_middleware(CodecOrigin)
    app.add_middleware(RequestLog)
    return app


def _lifespan(
    settings: Settings | None, services: Services | None
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        own = None if services else build_services(settings or Settings())
        app.state.services = services or own
        await warm_up()
        if own is None:
            yield
            return
        own.keyring.waits = True
        # A process of its own: else whoever started it keeps its memory settled.
        async with beside(keep_settled()), beside(holding_keys(own, "api")):
            yield
        await own.database.close()

    return lifespan


def _measure(app: FastAPI) -> None:
    """Measure requests in a registry of this app's own: several apps may live in one process."""
    registry = process_metrics()
    Instrumentator(registry=registry, excluded_handlers=["/metrics", "/healthz", "/readyz"]).instrument(app)
    app.state.http_metrics = registry


def __getattr__(name: str) -> Any:
    """Make `app` when it is asked for: importing this module reads no settings."""
    if name == "app":
        logs.configure()
        logs.forward_engine_logs()
        app = globals()["app"] = create_app()
        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
