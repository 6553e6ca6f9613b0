"""Signing in at the pages."""

from playwright.async_api import expect

from tests.support.browsing import Browsing, sign_in, violations


async def test_a_missing_sign_in_leads_to_it_and_back(browsing: Browsing) -> None:
    async with browsing.at("/inbox") as page:
        assert page.url.endswith("/sign-in?next=%2Finbox")
        assert await violations(page) == []


async def test_a_wrong_password_keeps_the_name(browsing: Browsing) -> None:
    async with browsing.at("/sign-in") as page:
        await sign_in(page, "guilin.clerk2", "wrong")
        await expect(page.get_by_role("alert")).to_contain_text("不正确")
        await expect(page.get_by_label("用户名")).to_have_value("guilin.clerk2")
        assert await violations(page) == []
