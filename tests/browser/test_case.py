"""The case page in a browser: a case worked from end to end there, each act by its own person."""

from typing import Any

from playwright.async_api import Page, expect

from tests.support.browsing import PHONE, Browsing, is_within_width, violations
from tests.support.keyboard import tab_to

CONTACT, LEADER, LEAD = "guilin.market.contact", "guilin.market.leader", "guilin.lead"


async def give(page: Page, number: str, command: str, **typed: str | bool) -> None:
    """Fill in the form of a command and send it; True ticks what is named, text is typed."""
    await page.goto("about:blank")  # so that the fragment opens the form anew
    await page.goto(f"/cases/{number}#{command}")
    form = page.locator(f"form#{command}")
    for field, value in typed.items():
        input = form.locator(f'[name="{field}"]')
        if await input.first.get_attribute("type") == "radio":
            await form.locator(f'[name="{field}"][value="{value}"]').check()
        elif await input.evaluate("field => field.tagName") == "SELECT":
            await input.select_option(str(value))
        else:
            await input.fill(str(value))
    await form.locator("button.primary").click()
    await expect(page.locator(".alert.done")).to_contain_text("已完成")


async def test_a_department_its_lead_and_supervision_work_a_case_to_its_end(browsing: Browsing) -> None:
    case = browsing.house.triage(browsing.house.file(), "commitment")
    number = case["number"]
    async with browsing.at(f"/cases/{number}", by=CONTACT) as page:
        assert await violations(page) == []
        await page.locator("#sign button.primary").click()
        await expect(page.locator(".case-head")).to_contain_text("办理中")
        await give(page, number, "inform", means="phone", text="已收到，正在核实。")
        await give(page, number, "mark_unable", reason="需要协调户籍信息")
        assert await violations(page) == []
    async with browsing.at("/", by="guilin.supervisor") as page:
        await give(page, number, "order", text="请三日内办结")
        assert await violations(page) == []
    async with browsing.at("/", by=LEADER) as page:
        await give(page, number, "coordinate", text="已与公安对接")
        await give(page, number, "answer_order", text="将按期办结")
        await give(page, number, "request_extension", working_days="1", reason="等待对方反馈")
    async with browsing.at("/", by=LEAD) as page:
        await give(page, number, "decide_extension", accept="yes")
        await expect(page.locator("#clock ~ .scroll")).to_contain_text("审批延期")
        assert await violations(page) == []
    async with browsing.at("/", by=CONTACT) as page:
        await give(page, number, "reply", text="已补办完毕。", resolved="yes")
    async with browsing.at("/", by=LEAD) as page:
        await give(page, number, "check_reply", accept="yes")
        await give(page, number, "revisit", reached="yes", rating="5", resolved="yes")
        await expect(page.locator(".case-head")).to_contain_text("已办结")
        await give(page, number, "archive", lesson="提前核对户籍信息")
    async with browsing.at(f"/cases/{number}", by="auditor") as page:
        await expect(page.locator("#history ~ .seal")).to_contain_text("台账校验通过")
        await expect(page.locator("#holding ~ .scroll")).to_contain_text("分管领导")
        assert await violations(page) == []


async def test_supervision_excuses_what_an_outage_made_late(browsing: Browsing) -> None:
    house = browsing.house
    case = house.triage(house.file(), "simple")
    house.give(CONTACT, case, "sign")
    house.advance(working_days=4)
    async with browsing.at("/", by="guilin.supervisor") as page:
        await give(page, case["number"], "excuse", reason="市级系统停机两日")
        await expect(page.locator(".case-head")).to_contain_text("超期已作情况说明")
        await expect(page.locator(".timeline")).to_contain_text("已超过办结时限")
        await expect(page.locator(".timeline")).to_contain_text("应于")
        assert await violations(page) == []


async def test_unmasking_asks_why_and_is_gone_with_the_page(browsing: Browsing) -> None:
    case = browsing.house.triage(browsing.house.file(), "simple")
    async with browsing.at(f"/cases/{case['number']}", by=LEAD) as page:
        await expect(page.locator("main")).not_to_contain_text("张小演")
        await page.get_by_text("查看明文").click()
        await page.get_by_label("查看原因").fill("核对身份")
        await page.get_by_role("button", name="查看").click()
        await expect(page.locator("main")).to_contain_text("张小演")
        assert "核对" not in page.url
        assert await violations(page) == []
        await page.goto(f"/cases/{case['number']}")
        await expect(page.locator("main")).not_to_contain_text("张小演")


async def test_the_keyboard_alone_is_enough(browsing: Browsing) -> None:
    case = browsing.house.triage(browsing.house.file(), "simple")
    async with browsing.at(f"/cases/{case['number']}", by=CONTACT) as page:
        await tab_to(page, "#sign button.primary")
        await page.keyboard.press("Enter")
        await expect(page.locator(".alert.done")).to_be_visible()
        await tab_to(page, "details:has(> form#progress) > summary")
        await page.keyboard.press("Enter")
        await tab_to(page, "form#progress textarea[name=text]")
        await page.keyboard.type("已联系当事人")
        await tab_to(page, "form#progress button.primary")
        await page.keyboard.press("Enter")
        await expect(page.locator(".timeline")).to_contain_text("已联系当事人")


async def test_a_faulty_form_points_to_its_fields_with_and_without_scripts(browsing: Browsing) -> None:
    case = browsing.house.file(matter="此前没有分派过的事项")  # so that nothing is filled in beforehand
    for javascript in (True, False):
        options: dict[str, Any] = {"javascript": javascript, "viewport": PHONE}
        async with browsing.at(f"/cases/{case['number']}", by="guilin.clerk", **options) as page:
            form = page.locator("form#triage")
            await form.locator('[name="kind"]').select_option("simple")
            if javascript:
                await expect(form.locator('[name="answer"]')).to_be_hidden()
            await form.locator("button.primary").click()
            await expect(page.get_by_role("alert")).to_contain_text("需要更正")
            await expect(form.locator("#triage-unit-fault")).to_be_visible()
            await expect(form.locator('[name="kind"]')).to_have_value("simple")
            assert await is_within_width(page)
            if javascript:
                await expect(page.get_by_role("alert")).to_be_focused()
                assert await violations(page) == []
