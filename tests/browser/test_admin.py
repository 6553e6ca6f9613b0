"""The administration in a real browser: a new user, and a calendar looked at first.

A grant by two people is in the auditor's story (test_overseers.py).
"""

import re
from uuid import uuid4

from playwright.async_api import Page, expect

from tests.support.browsing import Browsing, sign_in, violations


def invented(kind: str) -> str:
    """A username that no other test has."""
    return f"{kind}.{uuid4().hex[:8]}"


async def add_user(page: Page, username: str, role: str) -> str:
    """Fill in the form; return the password, or the half of it, that the answer shows."""
    await page.goto("/admin/add-user")
    await page.get_by_label("用户名").fill(username)
    await page.get_by_label("姓名").fill("演示·新人")
    await page.get_by_label("角色").select_option(role)
    await page.get_by_label("所属大厅或单位").select_option("guilin")
    await page.get_by_label("事由").fill("新到岗")
    await page.get_by_role("button", name="新增").click()
    return await page.locator("[data-password]").inner_text()


async def test_a_new_user_signs_in_and_has_to_choose_a_password(browsing: Browsing) -> None:
    username = invented("clerk")
    async with browsing.at("/admin", by="admin", javascript=False) as page:
        await page.get_by_role("link", name="用户", exact=True).click()
        await page.get_by_role("link", name="新增用户").click()
        password = await add_user(page, username, "clerk")
    async with browsing.at("/sign-in") as page:
        await sign_in(page, username, password)
        await expect(page).to_have_url(re.compile("/account"))
        await page.goto("/counter")
        await expect(page).to_have_url(re.compile("/account"))


async def test_a_calendar_is_published_after_a_look_at_what_moves(browsing: Browsing) -> None:
    case = browsing.house.triage(browsing.house.file("chengzhong"), "commitment")
    day = case["due_at"][:10]
    async with browsing.at(f"/admin/calendar/load?year={day[:4]}&hall=chengzhong", by="admin") as page:
        await page.get_by_label("放假的日子").fill(f"{day} 明天")
        await page.get_by_label("依据").fill("本大厅停电检修")
        await page.get_by_role("button", name="预览影响").click()
        await expect(page.get_by_role("alert")).to_contain_text("不是日期：明天")
        assert await violations(page) == []
        await page.get_by_label("放假的日子").fill(day)
        await page.get_by_role("button", name="预览影响").click()
        await expect(page.get_by_role("row").filter(has_text=case["number"])).to_contain_text(day)
        assert await violations(page) == []
        # Other tests live by this year: what is published in the end is a day far from all of them.
        await page.get_by_role("button", name="返回修改").click()
        await expect(page.get_by_label("放假的日子")).to_have_value(day)
        await page.get_by_label("年度").fill("2029")
        await page.get_by_label("放假的日子").fill("2029-05-08")
        await page.get_by_role("button", name="预览影响").click()
        await page.get_by_role("button", name="确认公布").click()
        await expect(page.get_by_text("已公布。")).to_be_visible()
        await expect(page.locator("td.own_off")).to_have_text("8厅休")
        assert await violations(page) == []
