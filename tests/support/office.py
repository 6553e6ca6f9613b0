"""The API in one process with its lifespan, over a furnished database; clocks that a test can move.

People and their tokens are those of `tests.support.house`. There is no engine unless one is given.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from httpx import ASGITransport, AsyncClient, Response
from sqlmodel import col, select, update
from temporalio.client import Client

from casework.engine import Engine
from casework.passwords import warm_up
from casework.services import Clock, Services
from models.access import AccessLog
from models.chain import verify_access_log
from models.database import Database
from models.directory import User
from models.policies import read_policies, read_retentions
from tests.support.house import KEYRING, PASSWORD, token_of
from tests.support.served import served
from tests.support.signed import evidence_in

ADDRESS = "10.0.0.7"


class SetClock:
    """A clock that a test can move: the machine's time and so much more, or one fixed instant."""

    def __init__(self, fixed: datetime | None = None) -> None:
        self.ahead, self.fixed = timedelta(), fixed

    async def now(self) -> datetime:
        """The instant that this clock shows."""
        return self.fixed or datetime.now(UTC) + self.ahead


def ahead(clock: Clock, by: timedelta) -> None:
    """Let a clock go so much ahead of the machine's."""
    assert isinstance(clock, SetClock)
    clock.ahead, clock.fixed = by, None


def freeze(clock: Clock, at: datetime | None = None) -> datetime:
    """Stop a clock at an instant, the present one where none is given; return that."""
    assert isinstance(clock, SetClock)
    clock.fixed = at or datetime.now(UTC)
    return clock.fixed


async def no_engine() -> Client:
    """An engine that nobody reaches."""
    raise RuntimeError("no engine here")


def services_at(url: str, folder: Path, engine: Engine | None = None, clock: Clock | None = None) -> Services:
    """The services over a database; without an engine, every call to it fails at once."""
    return Services(
        database=Database(url),
        keyring=KEYRING,
        engine=engine or Engine(no_engine),
        clock=clock or SetClock(),
        wall=SetClock(),
        policies=read_policies(None),
        retention=read_retentions(None),
        attachments=folder / "attachments",
        given_evidence=evidence_in(folder),
    )


@dataclass
class Office:
    """The API and everybody's token; paths are below /api unless they start with a slash."""

    services: Services
    http: AsyncClient

    async def sign_in(self, username: str, password: str = PASSWORD, **more: str) -> Response:
        """What the sign-in answers."""
        form = {"username": username, "password": password, **more}
        return await self.http.post("/api/token", data=form)

    async def call(self, method: str, path: str, username: str | None = None, **options: Any) -> Response:
        """Call the API as a user, or as nobody."""
        headers: Mapping[str, str] = options.pop("headers", {})
        if username:
            headers = {**headers, "Authorization": f"Bearer {token_of(username)}"}
        url = path if path.startswith("/") else f"/api/{path}"
        return await self.http.request(method, url, headers=headers, **options)

    async def get(self, path: str, username: str | None = None, **params: Any) -> Response:
        """GET with these query parameters."""
        return await self.call("GET", path, username, params=params)


@asynccontextmanager
async def open_office(services: Services) -> AsyncIterator[Office]:
    """Run the application, and close the database behind it."""
    await warm_up()
    with served(services) as app:
        transport = ASGITransport(app, raise_app_exceptions=False, client=(ADDRESS, 4711))
        async with AsyncClient(transport=transport, base_url="http://office") as http:
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


async def log_of(office: Office) -> list[tuple[str, str | None, str | None, str | None]]:
    """Return the access log, a whole chain: action, user, reason, address."""
    async with office.services.database.read() as session:
        rows = (await session.exec(select(AccessLog).order_by(col(AccessLog.id)))).all()
    assert verify_access_log(rows) is None
    return [(row.action, row.username, row.reason, row.address) for row in rows]


async def change_user(office: Office, username: str, **values: object) -> None:
    """Change a user past every rule."""
    async with office.services.database.begin() as session:
        mine = col(User.username) == username
        await session.exec(update(User).where(mine).values(**values))
