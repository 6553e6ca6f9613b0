"""A real browser at a real rehearsal: every process of the product, on a clock that tests can move.

All tests here share one event loop, one browser and one rehearsal per xdist worker: each test makes its
own cases, and none may count on the time standing still.
"""

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.support.browsing import Browsing
from tests.support.running import House

CHROMIUM = "BANCHENG_TEST_CHROMIUM"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the tests of this folder in the session's loop, where their browser lives."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; `make test` installs it where it may."""
    found = os.environ.get(CHROMIUM) or shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip(f"NO BROWSER: install chromium, or name one in {CHROMIUM}")
    return found


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Chromium, without a window."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        await launched.close()


@pytest.fixture(scope="session")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A rehearsal with the demonstration halls, as a process of its own."""
    folder = tmp_path_factory.mktemp("rehearsal")
    house = House(folder, "rehearse", online_filing="guilin, chengzhong").start()
    yield house
    house.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _browsing(browser: Browser, rehearsal: House) -> Browsing:
    return Browsing(browser, rehearsal)


@pytest_asyncio.fixture(loop_scope="session")
async def browsing(_browsing: Browsing) -> AsyncIterator[Browsing]:
    """The people at their browsers; the test fails if a page asked another host or broke its policy."""
    yield _browsing
    _browsing.check()
