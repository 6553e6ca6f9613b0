"""The whole house in one process: services, workers and the HTTP application, on one database.

The demonstration halls `guilin` and `chengzhong` with their people are there, and `lingui`, a hall
below `guilin`. Everybody has a token already: `house.post(path, body, by="guilin.clerk")`.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from sqlmodel import select
from temporalio.client import Client
from temporalio.service import RPCError

from casework.clocks import MachineClock
from casework.demo import load_demo
from casework.engine import Engine, workflow_id
from casework.services import Services
from models.access import AccessToken
from models.codec import data_converter
from models.codes import hash_token
from models.crypto import Keyring, generate_key
from models.database import Database
from models.directory import Hall, Unit, User
from models.filing import Filing
from models.migrate import upgrade
from models.policies import read_policies, read_retentions
from rules.case.vocabulary import Role
from tests.support.served import served
from tests.support.signed import evidence_in
from tests.support.temporal import TemporalServer
from worker import build_workers

KEYS = generate_key()
KEYRING = Keyring.parse(KEYS)
PASSWORD = "demonstration-only"
PHONE = "13800130001"
ONE_DAY = timedelta(days=1)

NOTICE = {"materials": ["身份证", "户口簿"], "window": "3 号窗口", "person": "李某", "contact": "12345"}


def form(**changed: Any) -> dict[str, Any]:
    """A filing that passes, with some fields changed; None leaves a field out."""
    made: dict[str, Any] = {
        "hall": "guilin",
        "channel": "counter",
        "petitioner": {"kind": "person", "name": "周小明", "phone": PHONE},
        "matter": "个体户注销",
        "problem": "窗口要求重复提交已经共享的证件。",
    }
    made |= changed
    return {name: value for name, value in made.items() if value is not None}


def triage(**changed: Any) -> dict[str, Any]:
    """A triage as a simple case to `market`, with some fields changed; None leaves a field out."""
    made = {
        "kind": "simple",
        "cause": "mechanical_application",
        "unit": "market",
        "one_time_notice": NOTICE,
    } | changed
    return {name: value for name, value in made.items() if value is not None}


class House:
    """An application and its workers. `down` and `without_database` take away what it leans on."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient, services: Services) -> None:
        self.app, self.http, self.services = app, http, services

    async def request(
        self, method: str, path: str, *, by: str | None = "guilin.clerk", key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Send a request with somebody's token; `key` is its Idempotency-Key."""
        headers = dict(more.pop("headers", {}))
        if by is not None:
            headers["Authorization"] = f"Bearer {token_of(by)}"
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.http.request(method, path, headers=headers, **more)

    async def get(self, path: str, *, by: str | None = "guilin.clerk", **params: Any) -> httpx.Response:
        """Get something below /api."""
        return await self.request("GET", f"/api/{path}", by=by, params=params)

    async def post(
        self, path: str, body: Any = None, *, by: str | None = "guilin.clerk", **more: Any
    ) -> httpx.Response:
        """Post JSON below /api."""
        return await self.request("POST", f"/api/{path}", by=by, json={} if body is None else body, **more)

    async def file(self, *, by: str = "guilin.clerk", **changed: Any) -> dict[str, Any]:
        """File a case that must pass; return it with its query code."""
        hall = by.partition(".")[0]
        answer = await self.post("cases", form(**{"hall": hall} | changed), by=by)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def act(self, case: Mapping[str, Any], name: str, by: str, **body: Any) -> dict[str, Any]:
        """Give a command that must pass; return the case as it is after."""
        answer = await self.post(f"cases/{case['id']}/{name}", body, by=by)
        assert answer.status_code == 200, f"{name} by {by}: {answer.text}"
        return dict(answer.json())

    async def handled(self, **changed: Any) -> dict[str, Any]:
        """A case of guilin that `market` works on."""
        case = await self.file()
        await self.act(case, "triage", "guilin.clerk", **triage(**changed))
        return await self.act(case, "sign", "guilin.market.contact")

    async def told(self) -> dict[str, Any]:
        """A case of guilin whose reply was accepted."""
        case = await self.handled()
        await self.act(case, "reply", "guilin.market.contact", text="已补办完毕。", resolved=True)
        return await self.act(case, "check_reply", "guilin.lead", accept=True)

    async def closed(self) -> dict[str, Any]:
        """A case of guilin that is closed, its citizen satisfied."""
        case = await self.told()
        return await self.act(case, "revisit", "guilin.clerk", reached=True, rating=5, resolved=True)

    @asynccontextmanager
    async def down(self) -> AsyncIterator[None]:
        """Take the engine away while the block runs."""

        async def refuse() -> Client:
            raise RuntimeError("no engine")

        with self.changed(engine=Engine(refuse)):
            yield

    @asynccontextmanager
    async def without_database(self) -> AsyncIterator[None]:
        """Take the database away from the application (not from the workers) while the block runs."""
        gone = {"sqlite": "sqlite:////nowhere/at/all.db", "postgresql": "postgresql://127.0.0.1:1/x"}
        database = Database(gone[self.services.database.dialect])
        with self.changed(database=database):
            yield
        await database.close()

    @contextmanager
    def changed(self, **values: Any) -> Iterator[None]:
        """Replace some of the application's services while the block runs."""
        there = self.services
        self.app.state.services = self.services = replace(there, **values)
        try:
            yield
        finally:
            self.app.state.services = self.services = there


def token_of(username: str) -> str:
    """The token that everybody has from the beginning."""
    return f"token-of-{username}"


@asynccontextmanager
async def open_house(
    url: str, server: TemporalServer, folder: Path, *, workers: bool = True, **client_options: Any
) -> AsyncIterator[House]:
    """Open the house on a database that `furnish` has prepared."""
    client = await server.client(data_converter=data_converter(KEYRING), **client_options)
    services = services_on(url, client, folder)
    async with AsyncExitStack() as stack:
        app = stack.enter_context(served(services))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        stack.push_async_callback(services.database.close)
        stack.push_async_callback(_end_cases, client, services.database)
        for each in build_workers(client, services) if workers else ():
            await stack.enter_async_context(each)
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=transport, base_url="http://house", timeout=60)
        )
        yield House(app, http, services)


def services_on(url: str, client: Client, folder: Path) -> Services:
    """The services of a house; its clocks are the machine's."""

    async def connect() -> Client:
        return client

    return Services(
        database=Database(url),
        keyring=KEYRING,
        engine=Engine(connect),
        clock=MachineClock(),
        wall=MachineClock(),
        policies=read_policies(None),
        retention=read_retentions(None),
        attachments=folder / "attachments",
        given_evidence=evidence_in(folder),
    )


async def furnish(url: str, folder: Path) -> None:
    """Prepare a database: tables, halls, people and a token for each of them."""
    await upgrade(url)

    async def nobody() -> Client:
        raise RuntimeError("no engine is needed here")

    database = Database(url)
    clock = MachineClock()
    services = Services(database, KEYRING, Engine(nobody), clock, clock, read_policies(None), folder)
    try:
        await load_demo(services, PASSWORD)
        await _add_lower_hall(database)
        await _give_tokens(services)
    finally:
        await database.close()


async def _add_lower_hall(database: Database) -> None:
    async with database.begin() as session:
        clerk = (await session.exec(select(User).where(User.username == "guilin.clerk"))).one()
        session.add(
            Hall(
                code="lingui",
                name="临桂区政务服务中心(演示)",
                level="county",
                parent="guilin",
                supervision_department="桂林市政务服务监督管理部门(演示)",
                policy_id="guilin",
            )
        )
        session.add(Unit(hall="lingui", code="market", name="市场监管局"))
        await session.flush()
        for name, role in (
            ("clerk", Role.CLERK),
            ("lead", Role.WINDOW_LEAD),
            ("supervisor", Role.SUPERVISOR),
        ):
            made = clerk.model_dump() | {"username": f"lingui.{name}", "role": role, "hall": "lingui"}
            session.add(User(**made))


async def _give_tokens(services: Services) -> None:
    now = await services.wall.now()
    async with services.database.begin() as session:
        for username in (await session.exec(select(User.username))).all():
            session.add(
                AccessToken(
                    hash=hash_token(token_of(username)),
                    username=username,
                    kind="api",
                    created_at=now,
                    last_used_at=now,
                    expires_at=now + ONE_DAY,
                )
            )


async def _end_cases(client: Client, database: Database) -> None:
    """End every case: the worker of a later test must not take it up."""
    async with database.read() as session:
        case_ids = (await session.exec(select(Filing.case_id))).all()
    for case_id in case_ids:
        with suppress(RPCError):  # it has ended by itself, or never began
            await client.get_workflow_handle(workflow_id(case_id)).terminate()
