"""Pages that only a post reaches, and one that only an outage shows: none has a barrier either."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_case import give
from tests.browser.test_every_page import inspect
from tests.support.browsing import Browsing, sign_in
from tests.support.house import PASSWORD as FURNISHED
from tests.support.house import furnish
from tests.support.processes import LOOPBACK, answers, free_port
from tests.support.running import PASSWORD, House
from tests.support.stage import CLERK, HALL, LEAD, ODD, PHONE_NUMBER, SUPERVISOR


async def fill(page: Page, **more: str) -> None:
    """Fill in a registration, at the counter or online."""
    fields = {"petitioner.name": "周小演", "petitioner.phone": PHONE_NUMBER, "matter": ODD, "problem": ODD}
    for name, text in {**fields, **more}.items():
        await page.locator(f'[name="{name}"]').fill(text)


async def test_the_receipt_of_an_online_filing(browsing: Browsing) -> None:
    async with browsing.at("/public/file") as page:
        await page.locator('[name="hall"]').select_option(HALL)
        await page.locator('[name="petitioner.kind"][value="person"]').check()
        await fill(page)
        await page.get_by_role("button", name="提交").click()
        await expect(page.get_by_role("status")).to_contain_text("已经收到")
        assert await inspect(page, "public/filed") == []


async def test_the_result_of_a_what_if(browsing: Browsing) -> None:
    case = browsing.house.triage(browsing.house.file(HALL), "simple")
    day = str(case["received_at"])[:10]
    async with browsing.at("/what-if", by=SUPERVISOR) as page:
        await page.locator('[name="received_from"]').fill(day)
        await page.locator('[name="received_to"]').fill(day)
        await page.locator('[name="policy"]').select_option("guilin")
        await page.get_by_role("button", name="推演", exact=True).click()
        await expect(page.get_by_role("table")).to_contain_text("市场监管局")
        assert await inspect(page, "what-if") == []


async def test_a_case_that_was_handed_to_another_hall(browsing: Browsing) -> None:
    case = browsing.house.file(HALL)
    async with browsing.at("/", by=LEAD) as page:
        await give(page, case["number"], "transfer", hall="guilin", reason=ODD)
        await expect(page.get_by_role("heading", name="已移交")).to_be_visible()
        assert await inspect(page, "moved") == []


async def test_a_triage_that_was_refused_or_came_too_late(browsing: Browsing) -> None:
    case = browsing.house.file(HALL, matter=f"{ODD} 无先例")
    async with browsing.at(f"/counter/triage/{case['number']}", by=CLERK) as page:
        await page.get_by_role("combobox", name="类别").select_option("simple")
        await page.get_by_role("button", name="确认分派").click()
        await expect(page.locator("p.fault").first).to_be_visible()
        assert await inspect(page, "422 triage") == []
        browsing.house.triage(case, "simple")
        await page.get_by_role("button", name="确认分派").click()
        await expect(page.get_by_role("heading", name="未提交的内容")).to_be_visible()
        assert await inspect(page, "409 triage") == []
        await page.goto(f"/counter/triage/{case['number']}")
        await expect(page.get_by_role("status")).to_contain_text("这件已经分派")
        assert await inspect(page, "triaged") == []


async def test_a_form_that_came_back_after_a_sign_in(browsing: Browsing) -> None:
    async with browsing.at("/sign-in") as page:
        await sign_in(page, CLERK)
        await page.goto("/counter")
        await fill(page)
        await end_session(browsing, page)
        await page.get_by_role("button", name="提交登记").click()
        await page.get_by_label("用户名").fill(CLERK)
        await page.get_by_label("密码").fill(PASSWORD)
        assert await inspect(page, "the sign-in before it") == []
        await page.get_by_role("button", name="登录").click()
        await expect(page.get_by_text("登录曾中断，下面的内容还没有提交")).to_be_visible()
        await expect(page.locator('[name="problem"]')).to_have_value(ODD)
        assert await inspect(page, "kept") == []


async def end_session(browsing: Browsing, page: Page) -> None:
    """End the session of a page from outside; its browser does not know."""
    state = await page.context.storage_state()
    other = await browsing.browser.new_context(base_url=browsing.house.url, storage_state=state)
    elsewhere = await other.new_page()
    await elsewhere.goto("/account")
    await elsewhere.get_by_role("button", name="退出", exact=True).click()
    await expect(elsewhere.get_by_label("用户名")).to_be_visible()
    await other.close()


@pytest.fixture
def without_engine(tmp_path: Path) -> Iterator[House]:
    """The HTTP part alone, with everybody of the house and no engine to reach."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'house.db'}"
    asyncio.run(furnish(url, tmp_path))
    away = f"{LOOPBACK}:{free_port()}"
    house = House(tmp_path, "api", database_url=url, temporal_address=away)
    port = urlsplit(house.url).port
    house.process.start(lambda: port is not None and answers(port))
    yield house
    house.stop()


async def test_the_receipt_of_a_filing_that_waits_for_its_number(
    without_engine: House, browsing: Browsing
) -> None:
    alone = Browsing(browsing.browser, without_engine)
    async with alone.at("/sign-in") as page:
        await sign_in(page, "guilin.clerk", FURNISHED)
        await page.goto("/counter")
        await fill(page)
        await page.get_by_role("button", name="提交登记").click()
        await expect(page.locator("#number")).to_have_text("待编号")
        await expect(page.locator("[data-code]")).to_be_visible()
        assert await inspect(page, "a receipt without a number") == []
    alone.check()
