"""The whole API in one process over real services: tables, engine, application, people signed in.

The demonstration halls are loaded; every user has the same password.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from httpx import ASGITransport, AsyncClient, Response
from temporalio.client import Client
from temporalio.service import RPCError

from api import create_app
from casework.demo import load_demo
from casework.engine import Engine
from casework.services import Services
from models.crypto import Keyring, generate_key
from models.database import Database
from models.migrate import upgrade
from models.policies import read_policies

PASSWORD = "演示 password 1"
KEYRING = Keyring.parse(generate_key())
ADDRESS = "10.0.0.7"


class SetClock:
    """A clock that a test can move: the machine's time and so much more, or one fixed instant."""

    def __init__(self, fixed: datetime | None = None) -> None:
        self.ahead, self.fixed = timedelta(), fixed

    async def now(self) -> datetime:
        """The instant that this clock shows."""
        return self.fixed or datetime.now(UTC) + self.ahead


async def no_engine() -> Client:
    """An engine that nobody reaches."""
    raise RuntimeError("no engine here")


def services_at(url: str, folder: Path, engine: Engine | None = None) -> Services:
    """The services over a database; without an engine, every call to it fails at once."""
    return Services(
        database=Database(url),
        keyring=KEYRING,
        engine=engine or Engine(no_engine),
        clock=SetClock(),
        wall=SetClock(),
        policies=read_policies(None),
        attachments=folder / "attachments",
    )


async def furnish_template(url: str, folder: Path) -> None:
    """Make the tables and load the demonstration, to be copied for each test."""
    await upgrade(url)
    services = services_at(url, folder)
    await load_demo(services, PASSWORD)
    await services.database.close()


@dataclass
class Office:
    """The API with whoever is signed in; paths are below /api unless they start with a slash."""

    services: Services
    http: AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)

    async def token(self, username: str) -> str:
        """A token of this user, signed in once."""
        if username not in self.tokens:
            answer = await self.sign_in(username)
            assert answer.status_code == 200, answer.text
            self.tokens[username] = answer.json()["access_token"]
        return self.tokens[username]

    async def sign_in(self, username: str, password: str = PASSWORD, **more: str) -> Response:
        """What the sign-in answers."""
        form = {"username": username, "password": password, **more}
        return await self.http.post("/api/token", data=form)

    async def call(self, method: str, path: str, username: str | None = None, **options: Any) -> Response:
        """Call the API as a user, or as nobody."""
        headers: Mapping[str, str] = options.pop("headers", {})
        if username:
            headers = {**headers, "Authorization": f"Bearer {await self.token(username)}"}
        url = path if path.startswith("/") else f"/api/{path}"
        return await self.http.request(method, url, headers=headers, **options)

    async def get(self, path: str, username: str | None = None, **params: Any) -> Response:
        """GET with these query parameters."""
        return await self.call("GET", path, username, params=params)


@asynccontextmanager
async def open_office(services: Services) -> AsyncIterator[Office]:
    """Run the application, lifespan included, and close the database behind it."""
    app = create_app(services=services)
    transport = ASGITransport(app, raise_app_exceptions=False, client=(ADDRESS, 4711))
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://office") as http,
    ):
        yield Office(services, http)
    await services.database.close()


def faults(answer: Response) -> dict[str, str]:
    """The faults that a 422 names: field → code."""
    assert answer.status_code == 422, (answer.status_code, answer.text)
    problem = answer.json()
    assert problem["type"] == "invalid-input"
    return {fault["field"]: fault["code"] for fault in problem["errors"]}


def slug(answer: Response) -> tuple[int, str]:
    """Status and type of a refusal, once sure that it is problem JSON with words for people."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert any("一" <= letter <= "鿿" for letter in problem["detail"]), problem
    return answer.status_code, problem["type"]
