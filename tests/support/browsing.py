"""People at their browsers: one signed-in context per user, watched for what a page must never do."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request

from pages.tour import COOKIE, STEPS
from tests.support.running import PASSWORD, House

WITHIN = 15_000  # milliseconds
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 900}


class Browsing:
    """Opens pages of a house. Whatever asks another host, or breaks the policy, is a fault."""

    def __init__(self, browser: Browser, house: House) -> None:
        self.browser, self.house = browser, house
        self.faults: list[str] = []
        self._signed_in: dict[str, Any] = {}

    @asynccontextmanager
    async def at(
        self,
        path: str,
        by: str | None = None,
        *,
        javascript: bool = True,
        tour: bool = False,
        **options: Any,
    ) -> AsyncIterator[Page]:
        """Open a page as a user (None: as anyone), in a browser of its own.

        They have read the card 第一次使用 of their role, unless `tour` is asked for.
        """
        state = await self._state(by) if by else None
        context = await self._context(java_script_enabled=javascript, storage_state=state, **options)
        if not tour:
            await context.add_cookies([{"name": COOKIE, "value": ".".join(STEPS), "url": self.house.url}])
        try:
            page = await context.new_page()
            await page.goto(path)
            yield page
        finally:
            await context.close()

    def check(self) -> None:
        """Fail if a page did what none may."""
        faults, self.faults = self.faults, []
        assert faults == []

    async def _context(self, **options: Any) -> BrowserContext:
        settings = {"base_url": self.house.url, "locale": "zh-CN", "viewport": DESK} | options
        context = await self.browser.new_context(timezone_id="Asia/Shanghai", **settings)
        context.set_default_timeout(WITHIN)
        context.on("request", self._watch_request)
        context.on("console", self._watch_console)
        context.on("weberror", lambda error: self.faults.append(f"script: {error.error}"))
        return context

    async def _state(self, username: str) -> Any:
        if username not in self._signed_in:
            context = await self._context()
            page = await context.new_page()
            await sign_in(page, username)
            self._signed_in[username] = await context.storage_state()
            await context.close()
        return self._signed_in[username]

    def _watch_request(self, request: Request) -> None:
        asked = urlsplit(request.url)
        if asked.scheme != "data" and asked.netloc != urlsplit(self.house.url).netloc:
            self.faults.append(f"asked another host: {request.url}")

    def _watch_console(self, message: ConsoleMessage) -> None:
        # A refusal that a test provokes shows as a failed load, which is no fault.
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.faults.append(f"console: {message.text}")


async def sign_in(page: Page, username: str, password: str = PASSWORD) -> None:
    """Type name and password."""
    await page.goto("/sign-in")
    await page.get_by_label("用户名").fill(username)
    await page.get_by_label("密码").fill(password)
    await page.get_by_role("button", name="登录").click()


async def follow(page: Page, leading: Locator) -> None:
    """Click what leads to another page, and wait until that is there.

    A click alone may return while the old page still stands, so that it would be the one that is judged.
    """
    async with page.expect_event("domcontentloaded"):
        await leading.click()


async def violations(page: Page) -> list[str]:
    """What axe finds wrong on a page. Injected past the policy of the page, which forbids it to others."""
    session = await page.context.new_cdp_session(page)
    # Script and run are one expression: a page that comes between two would not know the script.
    script = AXE_FILE_PATH.read_text(encoding="utf-8")
    found = await session.send(
        "Runtime.evaluate",
        {
            "expression": f"{script};\naxe.run().then(r => JSON.stringify(r.violations))",
            "awaitPromise": True,
            "returnByValue": True,
        },
    )
    assert "exceptionDetails" not in found, found
    return [
        f"{each['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for each in json.loads(found["result"]["value"])
        for node in each["nodes"]
    ]


async def is_within_width(page: Page) -> bool:
    """Whether the page needs no scrolling sideways."""
    wide: bool = await page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth + 1"
    )
    return wide
