"""The HTTP part: `uvicorn api:app`, or `create_app` for who brings settings and a clock of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_fastapi_instrumentator import Instrumentator
from temporalio.client import Client

from casework.clocks import MachineClock
from casework.engine import Engine
from casework.passwords import warm_up
from casework.services import Clock, Services
from models.codec import data_converter
from models.database import Database
from models.policies import read_policies
from routes import register_routes
from routes.middleware import RequestLog
from routes.openapi import install_openapi
from routes.problems import install_problem_handlers
from settings import Settings

DESCRIPTION = "办不成事窗口:办件的登记、转办、办理、答复、回访与归档。All times carry an offset; see docs/."


def build_services(settings: Settings, make_clock: Callable[[Engine], Clock] | None = None) -> Services:
    """Return what casework needs, from the settings. Nothing is connected before its first use.

    ``make_clock`` gives the clock of the domain; without it that is the machine's.
    Raises ValueError for unreadable policies or keys.
    """
    keyring = settings.keyring()

    async def connect() -> Client:
        key = settings.temporal_api_key
        return await Client.connect(
            settings.temporal_address,
            namespace=settings.temporal_namespace,
            tls=settings.temporal_tls(),
            api_key=key.get_secret_value() if key else None,
            data_converter=data_converter(keyring),
        )

    engine = Engine(connect)
    return Services(
        database=Database(settings.database),
        keyring=keyring,
        engine=engine,
        clock=make_clock(engine) if make_clock else MachineClock(),
        wall=MachineClock(),
        policies=read_policies(settings.policies_dir),
        attachments=settings.data_dir / "attachments",
    )


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
    )
    install_problem_handlers(app)
    register_routes(app, rehearsal=rehearsal)
    install_openapi(app)
    _expose_metrics(app)
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
        yield
        if own:
            await own.database.close()

    return lifespan


def _expose_metrics(app: FastAPI) -> None:
    """Serve `/metrics` from a registry of this app's own: several apps may live in one process."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    Instrumentator(registry=registry, excluded_handlers=["/metrics", "/healthz"]).instrument(app).expose(
        app, tags=["health"]
    )


def __getattr__(name: str) -> Any:
    """Make `app` when it is asked for: importing this module reads no settings."""
    if name == "app":
        app = globals()["app"] = create_app()
        return app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
