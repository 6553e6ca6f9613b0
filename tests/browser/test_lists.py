"""The lists in a browser: working from them, and staying fresh without disturbing anybody."""

import pytest
from playwright.async_api import expect

from tests.support.browsing import PHONE, Browsing, follow, violations

CONTACT, LEAD, SUPERVISOR = "guilin.market.contact", "guilin.lead", "guilin.supervisor"


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_department_signs_for_a_case_from_its_list(browsing: Browsing, javascript: bool) -> None:
    case = browsing.house.triage(browsing.house.file(), "simple")
    async with browsing.at("/department", by=CONTACT, javascript=javascript) as page:
        await page.get_by_role("link", name="待签收").click()
        row = page.get_by_role("row").filter(has_text=case["number"])
        await expect(row).to_contain_text("工作小时")
        await row.get_by_role("button", name=f"签收 {case['number']}").click()
        await expect(page.get_by_role("heading", name="承办办件")).to_be_visible()
        await expect(row).to_have_count(0)
        await page.get_by_role("link", name="办理中").click()
        await page.get_by_role("link", name=case["number"]).click()
        await page.wait_for_url(f"**/cases/{case['number']}")
    assert browsing.house.case(case)["status"] == "handling"


async def test_a_list_refreshes_itself_and_keeps_what_is_typed(browsing: Browsing) -> None:
    browsing.house.file()
    async with browsing.at("/help", by="guilin.clerk") as page:
        await page.clock.install()
        await page.goto("/cases?sort=newest")
        await page.get_by_label("查找").fill("个体")
        await page.get_by_label("受理日期从").fill("2026-")
        case = browsing.house.file(matter="新来的一件")
        row = page.get_by_role("row").filter(has_text=case["number"])
        await expect(row).to_have_count(0)
        await page.clock.run_for(31_000)
        await expect(row).to_have_count(1)
        await expect(page.get_by_label("查找")).to_have_value("个体")
        await expect(page.get_by_label("受理日期从")).to_have_value("2026-")
        await expect(page.get_by_label("受理日期从")).to_be_focused()
        # A link in the list keeps the focus, a text that is marked stays marked.
        await row.get_by_role("link").focus()
        browsing.house.triage(case, "simple")
        await page.clock.run_for(31_000)
        await expect(row).to_contain_text("待签收")
        await expect(row.get_by_role("link")).to_be_focused()
        await row.get_by_text("个体工商户登记").select_text()
        browsing.house.give(CONTACT, case, "sign")
        async with page.expect_response("**/cases?sort=newest"):
            await page.clock.run_for(31_000)
        await expect(row).to_contain_text("待签收")
        assert await page.evaluate("getSelection().toString()") == "个体工商户登记"


async def test_a_list_stops_asking_once_nobody_is_signed_in(browsing: Browsing) -> None:
    browsing.house.file()
    async with browsing.at("/help", by="guilin.clerk") as page:
        await page.clock.install()
        await page.goto("/inbox")
        await page.context.clear_cookies()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        async with page.expect_response("**/sign-in?*"):
            await page.clock.run_for(21_000)
        await page.wait_for_timeout(300)
        await page.clock.run_for(60_000)
        await expect(page.get_by_role("heading", name="消息")).to_be_visible()
        assert [url for url in asked if url.endswith("/inbox")] == [f"{browsing.house.url}/inbox"]


async def test_a_search_works_without_scripts_and_leaves_no_trace(browsing: Browsing) -> None:
    case = browsing.house.file(matter="查得到的一件")
    async with browsing.at("/cases", by="guilin.clerk", javascript=False) as page:
        await page.get_by_label("查找").fill("13800138000")
        await follow(page, page.get_by_role("button", name="查找"))
        await expect(page.get_by_role("row").filter(has_text=case["number"])).to_have_count(1)
        assert "13800138000" not in page.url
        await page.get_by_label("查找").fill("")
        await page.get_by_label("状态").select_option("registered")
        await follow(page, page.get_by_role("button", name="查找"))
        assert page.url.endswith("/cases?status=registered")


async def test_the_inbox_tells_and_forgets(browsing: Browsing) -> None:
    for _ in range(2):
        browsing.house.file(hall="chengzhong")
    async with browsing.at("/inbox", by="chengzhong.clerk2") as page:
        assert await violations(page) == []
        await page.get_by_role("button", name="标为已读：").first.click()
        await page.get_by_role("button", name="全部标为已读").click()
        await expect(page.get_by_text("没有未读的消息")).to_be_visible()
        await expect(page.locator("[data-unread]")).to_have_count(0)


async def test_the_navigation_counts_what_is_unread_by_itself(browsing: Browsing) -> None:
    async with browsing.at("/inbox", by="chengzhong.clerk2") as page:
        read_all = page.get_by_role("button", name="全部标为已读")
        if await read_all.count():
            await read_all.click()
        await expect(page.get_by_text("没有未读的消息")).to_be_visible()
        await page.clock.install()
        await page.goto("/cases")
        inbox = page.get_by_role("navigation", name="主导航").get_by_role("link", name="消息")
        count = inbox.locator("[data-unread]")
        await expect(inbox).to_be_visible()
        await expect(count).to_have_count(0)
        for unread in ("1", "2"):
            browsing.house.file(hall="chengzhong")
            await page.clock.run_for(31_000)
            await expect(count).to_have_text(unread)
            await expect(count).to_have_attribute("aria-label", f"{unread} 条未读")
        assert await violations(page) == []


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/department", CONTACT),
        ("/lead?queue=triage", LEAD),
        ("/supervision?queue=orders", SUPERVISOR),
        ("/cases?status=all", "auditor"),
    ],
)
async def test_no_list_has_a_barrier(browsing: Browsing, path: str, by: str) -> None:
    browsing.house.file()
    case = browsing.house.triage(browsing.house.file(), "simple")
    browsing.house.give(SUPERVISOR, case, "order", text="请说明")
    browsing.house.give(LEAD, case, "remind", text="请抓紧")
    async with browsing.at(path, by=by) as page:
        await expect(page.get_by_role("table").first).to_be_visible()
        assert await violations(page) == []
        await page.set_viewport_size(PHONE)
        assert await violations(page) == []
