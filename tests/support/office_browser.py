"""Browsers without scripts at an office: sessions, cookies and forms, over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from httpx import ASGITransport, AsyncClient, Response

from pages.sessions import SESSION
from rules.case.vocabulary import Role
from tests.support.house import PASSWORD
from tests.support.office import ADDRESS, Office, log_of
from tests.support.visiting import hidden


class Browser:
    """A browser that keeps its cookies and fills in forms."""

    def __init__(self, http: AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, **headers: str) -> Response:
        return await self.http.get(path, headers=headers)

    async def post(self, path: str, form: str | None = None, **fields: str) -> Response:
        """Send a form: that of the page `form`, else the one at the same path."""
        page = (await self.http.get(form or path)).text
        return await self.http.post(path, data={"csrf": hidden(page, "csrf"), **fields})

    async def sign_in(self, username: str, password: str = PASSWORD, **more: str) -> Response:
        return await self.post("/sign-in", username=username, password=password, **more)

    @property
    def session(self) -> str:
        return self.http.cookies[SESSION]


@asynccontextmanager
async def another(office: Office) -> AsyncIterator[Browser]:
    """One more browser at the same office."""
    transport = ASGITransport(app_of(office), client=(ADDRESS, 4712))
    async with AsyncClient(transport=transport, base_url="http://office") as http:
        yield Browser(http)


def app_of(office: Office) -> Any:
    """Return the application behind an office."""
    return office.http._transport.app  # type: ignore[attr-defined]


def needing(office: Office, *roles: Role) -> Any:
    """Return the services of an office where these roles need a second factor."""
    rules = replace(office.services.sign_in, second_factor=frozenset(roles))
    return replace(office.services, sign_in=rules)


async def logged(office: Office) -> list[tuple[str, str | None, str | None]]:
    """Return what stands on the access log, without times."""
    return [row[:3] for row in await log_of(office)]


async def opens(browser: Browser, path: str = "/account") -> bool:
    """Whether a page opens; else it leads to the sign-in."""
    answer = await browser.get(path)
    assert answer.status_code in (200, 303)
    return answer.status_code == 200
