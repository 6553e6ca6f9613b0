"""Somebody at a browser without scripts: a session and the forms of pages, over HTTP to the house."""

import re
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
from fastapi import FastAPI

from casework.services import Services
from models.access import AccessToken
from models.codes import hash_token
from pages.sessions import PAGE, SESSION
from tests.support.house import House

_HIDDEN = r'<input type="hidden" name="{name}" value="([^"]*)"'


class Visitor:
    """A signed-in user, or anyone. `post` carries the token that each form has."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str, **params: Any) -> httpx.Response:
        """Open a page; redirects are not followed."""
        return await self.http.get(path, params=params or None)

    async def post(
        self, path: str, form: Mapping[str, str | Sequence[str]], files: Any = None
    ) -> httpx.Response:
        """Send a form as a browser would."""
        token = hidden((await self.http.get("/help")).text, "csrf") or await self._token()
        return await self.http.post(path, data={"csrf": token, **form}, files=files)

    async def _token(self) -> str:
        page = await self.http.get("/", follow_redirects=True)
        return hidden(page.text, "csrf")


@asynccontextmanager
async def visiting(app: FastAPI, services: Services, username: str | None) -> AsyncIterator[Visitor]:
    """Open a browser as a user, with a session of its own."""
    cookies = {SESSION: await _session(services, username)} if username else {}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://house", cookies=cookies, timeout=60
    ) as http:
        yield Visitor(http)


def visit(house: House, username: str | None) -> AbstractAsyncContextManager[Visitor]:
    """Open a browser of somebody in this house."""
    return visiting(house.app, house.services, username)


async def shown(house: House, username: str | None, path: str, status: int = 200) -> str:
    """Return the page that somebody gets at a path."""
    async with visit(house, username) as browser:
        answer = await browser.get(path)
        assert answer.status_code == status, (username, path, answer.text)
        return str(answer.text)


async def _session(services: Services, username: str) -> str:
    token, now = secrets.token_urlsafe(16), await services.wall.now()
    async with services.database.begin() as session:
        session.add(
            AccessToken(
                hash=hash_token(token),
                username=username,
                kind=PAGE,
                created_at=now,
                last_used_at=now,
                expires_at=now + timedelta(days=1),
            )
        )
    return token


def hidden(page: str, name: str) -> str:
    """The first hidden field of that name on a page; empty where there is none."""
    found = re.search(_HIDDEN.format(name=re.escape(name)), page)
    return unescape(found[1]) if found else ""
