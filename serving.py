"""The parts of the house in one process: `serve`, `rehearse`, and the HTTP part alone (`api`)."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass
from math import inf
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI

from api import create_app
from assembly import Failure, build_services
from casework.demo import Loaded, has_demo, is_empty, load_demo, renew_password
from casework.house_keys import holding_keys, read_house_keys
from casework.pinned import changed_policies
from casework.rehearsal import RehearsalClock
from casework.reporting import start_missing
from casework.services import Services
from channel_settings import without_channels
from embedded import EmbeddedFailure, TemporalServer, TimeSkippingServer, only_user_of
from models.database import DatabaseUnavailable
from models.migrate import upgrade
from processes import beside, keep_settled
from settings import Settings
from watching import HttpServer
from worker import run_workers, stop_on_signals

GRACE = 20  # seconds that requests under way may take at a stop
BACKLOG = 512

Announce = Callable[[Settings, Loaded | None], None]
"""Tells the operator where it runs; the demonstration's password stands there this once."""


async def serve(settings: Settings, announce: Announce) -> None:
    """Run everything until SIGINT or SIGTERM; the next start goes on where this one stopped.

    Raises `Failure`, `EmbeddedFailure`, DatabaseUnavailable.
    """
    stop = stop_on_signals()
    with only_user_of(settings.data_dir), _listening(settings) as listener:
        async with _services(settings) as services, _engine(settings) as watching:
            await upgrade(settings.database)
            await read_house_keys(services)
            await _refuse_changed_policies(services)
            loaded = await _demonstration(settings, services)
            house = _House(settings, services, create_app(services=services), listener)
            async with beside(holding_keys(services, "serve")):
                await house.run(stop, lambda: announce(settings, loaded), watching)


async def rehearse(settings: Settings, announce: Announce) -> None:
    """Run everything on the time-skipping server, in a folder that is thrown away at the end.

    The rehearsal begins at the present. Raises `Failure`, `EmbeddedFailure`.
    """
    stop = stop_on_signals()
    with (
        tempfile.TemporaryDirectory(prefix="bancheng-rehearsal-") as folder,
        _listening(settings) as listener,
    ):
        settings = rehearsal_settings(settings, Path(folder))
        await upgrade(settings.database)
        async with (
            _services(settings, rehearsal=True) as services,
            _time_skipping_engine(settings) as watching,
        ):
            loaded = await load_demo(services, demo_password(settings))
            await start_missing(services, set())  # before anybody can move time past a report
            app = create_app(services=services, rehearsal=True)
            house = _House(settings, services, app, listener, with_heads=False)
            await house.run(stop, lambda: announce(settings, loaded), watching)


async def serve_api(settings: Settings) -> None:
    """Run the HTTP part alone until SIGINT or SIGTERM. Raises `Failure`."""
    stop = stop_on_signals()
    with _listening(settings) as listener:
        async with _services(settings) as services:
            with suppress(DatabaseUnavailable):  # it answers 503 until the database is back
                await _refuse_changed_policies(services)
            app = create_app(services=services)
            services.keyring.waits = True
            async with (
                beside(holding_keys(services, "api")),
                _http(app, listener, settings.proxies()) as serving,
                beside(stop.wait()) as stopping,
            ):
                await _first_of(serving, stopping)


def rehearsal_settings(settings: Settings, folder: Path) -> Settings:
    """Return settings that touch nothing of the installation, and reach nobody outside unless told to."""
    own = {
        "data_dir": folder,
        "database_url": None,
        "temporal_address": "",
        "temporal_namespace": "default",
        "secret_key": None,
        "payload_keys": None,
        "signing_key": None,
        "trusted_keys": "",
        "webhook_secret": None,
        "oidc_issuer": "",
        "public_url": "",  # receipts of a rehearsal lead to the rehearsal
        "temporal_ui_origin": "",
        "metrics_address": "",
    }
    return settings.model_copy(update=own | without_channels(settings))


def demo_password(settings: Settings) -> str | None:
    """Return DEMO_PASSWORD, None where it is not set."""
    return settings.demo_password.get_secret_value() if settings.demo_password else None


@dataclass(frozen=True)
class _House:
    """HTTP part and workers together; they stop in the order that loses nothing."""

    settings: Settings
    services: Services
    app: FastAPI
    listener: socket.socket
    with_heads: bool = True

    async def run(
        self, stop: asyncio.Event, announce: Callable[[], None], engine: asyncio.Task[None]
    ) -> None:
        """Run until `stop`, or until a part fails: then raise what it raised."""
        ending = asyncio.Event()
        working = asyncio.create_task(
            run_workers(self.services, self.settings, ending, with_heads=self.with_heads)
        )
        try:
            # Requests under way need the workers: those end after the HTTP part.
            http = _http(self.app, self.listener, self.settings.proxies())
            async with http as serving, beside(stop.wait()) as stopping:
                announce()
                await _first_of(serving, working, engine, stopping)
        finally:
            ending.set()
            await asyncio.wait([working])
        working.result()


@asynccontextmanager
async def _http(
    app: FastAPI, listener: socket.socket, proxies: list[str]
) -> AsyncIterator[asyncio.Task[None]]:
    """Serve HTTP inside the block; requests under way come to their end after it.

    `proxies` are believed what they say of a client: its address, and whether it came over TLS.
    """
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE,
        proxy_headers=True,
        forwarded_allow_ips=proxies,
    )
    server = HttpServer(config)
    serving = asyncio.create_task(server.serve([listener]))
    try:
        while not server.started:
            if serving.done():
                raise Failure("the HTTP part did not start; the log says why")
            await asyncio.sleep(0.01)
        async with beside(keep_settled()):
            yield serving
    finally:
        server.should_exit = True
        await asyncio.wait([serving])


async def _first_of(*tasks: asyncio.Task[Any]) -> None:
    """Wait for the first to end; raise what it raised, if it raised something."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    """Take HOST and PORT before anything is started. Raises `Failure`."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        taken = socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Failure(
            f"cannot listen on {settings.host}:{settings.port}: "
            f"{os.strerror(error.errno) if error.errno else error}. "
            "Stop what runs there, or set BANCHENG_PORT to another port."
        ) from error
    with closing(taken):
        yield taken


@asynccontextmanager
async def _services(settings: Settings, *, rehearsal: bool = False) -> AsyncIterator[Services]:
    services = build_services(settings, RehearsalClock if rehearsal else None)
    try:
        yield services
    finally:
        await services.database.close()


async def _refuse_changed_policies(services: Services) -> None:
    """Raise `Failure` where a policy file was edited without a new version."""
    changed = await changed_policies(services.database, services.policies.values())
    if changed:
        raise Failure(
            f"policy {', '.join(changed)} was changed, but cases are pinned to this version as it was: "
            "give the file a new `version`"
        )


@asynccontextmanager
async def _engine(settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
    """Run the engine that comes along, unless a cluster is given; yield the task that watches it."""
    if settings.temporal_address:
        async with beside(asyncio.sleep(inf)) as watching:
            yield watching
        return
    server = TemporalServer(settings.data_dir, settings.temporal_namespace)
    await server.start()
    try:
        async with beside(server.keep_running()) as watching:
            yield watching
    finally:
        await server.stop()


@asynccontextmanager
async def _time_skipping_engine(settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
    server = TimeSkippingServer(settings.data_dir)
    await server.start()

    async def ended() -> None:
        await server.ended()
        raise EmbeddedFailure("the engine of the rehearsal ended, and what it held is gone: start anew")

    try:
        async with beside(ended()) as watching:
            yield watching
    finally:
        await server.stop()


async def _demonstration(settings: Settings, services: Services) -> Loaded | None:
    """Load the demonstration where nobody but this machine can reach it, and nothing is there yet."""
    if not settings.is_local:
        return None
    if await is_empty(services):
        return await load_demo(services, demo_password(settings))
    if not await has_demo(services):
        return None
    if password := demo_password(settings):
        await renew_password(services, password)
    return Loaded(0)
