"""The worker's own port, for operators: `/metrics`, `/healthz` and `/readyz` of a process without pages."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from assembly import Failure
from casework.services import Services
from routes import add_routes, health
from routes.middleware import RequestLog
from routes.problems import install_problem_handlers


class HttpServer(uvicorn.Server):
    """Leaves the signals to us: ours is the order in which the parts stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture nothing."""
        yield


@asynccontextmanager
async def worker_port(services: Services, at: tuple[str, int] | None) -> AsyncIterator[None]:
    """Answer operators at `at` inside the block; nowhere without an address. Raises `Failure`."""
    if at is None:
        yield
        return
    with _listening(*at) as listener:
        config = uvicorn.Config(worker_app(services), log_config=None, access_log=False, lifespan="off")
        server = HttpServer(config)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            yield
        finally:
            server.should_exit = True
            await asyncio.wait([serving])


def worker_app(services: Services) -> FastAPI:
    """Return what a worker answers to operators."""
    app = FastAPI(openapi_url=None)
    app.state.services = services
    app.state.http_metrics = process_metrics()
    install_problem_handlers(app)
    add_routes(app, [health])
    app.add_middleware(RequestLog)
    return app


def process_metrics() -> CollectorRegistry:
    """Return a registry that tells of this process: memory, CPU, open files, garbage collection."""
    disable_created_metrics()  # a series beside each other one, that nobody asks for
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise Failure(f"BANCHENG_METRICS_ADDRESS: cannot listen on {host}:{port}: {reason}") from error
    with listener:
        yield listener
