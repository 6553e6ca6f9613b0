"""Signing in at the pages."""

import base64
import time

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from playwright.async_api import expect

from tests.support.browsing import PHONE, Browsing, is_within_width, sign_in, violations
from tests.support.running import PASSWORD


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


async def test_somebody_keeps_the_own_account(browsing: Browsing) -> None:
    """Signs in, changes the password, enrols an app, and signs out everywhere; scripts are off."""
    who, new = "chengzhong.education.alternate", "a password of my own"
    async with browsing.at("/sign-in?next=/account", javascript=False) as page:
        await page.get_by_label("用户名").fill(who)
        await page.get_by_label("密码").fill(PASSWORD)
        await page.get_by_label("密码").press("Enter")
        await expect(page.get_by_role("heading", name="我的账号")).to_be_visible()
        await page.get_by_role("link", name="修改密码").click()
        await page.get_by_label("原密码").fill(PASSWORD)
        await page.get_by_label("新密码", exact=False).first.fill(new)
        await page.get_by_label("再输入一次新密码").fill(new)
        await page.get_by_role("button", name="修改密码").click()
        await expect(page.get_by_role("status")).to_contain_text("密码已修改")
        await page.get_by_role("link", name="启用双重验证").click()
        picture = page.get_by_role("img", name="二维码")
        await expect(picture).to_have_js_property("complete", True)
        assert await picture.evaluate("image => image.naturalWidth > 100")
        secret = (await page.locator("code").inner_text()).replace(" ", "")
        step = int(time.time()) // 30 * 30
        code = TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(step).decode()
        await page.get_by_label("动态口令").fill(code)
        await page.get_by_role("button", name="启用").click()
        await expect(page.get_by_role("status")).to_contain_text("双重验证已启用")
        await page.get_by_role("button", name="全部退出登录").click()
        await expect(page.get_by_role("heading", name="登录")).to_be_visible()


async def test_the_pages_of_the_account_are_accessible(browsing: Browsing) -> None:
    async with browsing.at("/account", by="chengzhong.education.contact", viewport=PHONE) as page:
        for path in (
            "/account",
            "/account/password",
            "/account/second-factor",
            "/account/second-factor/remove",
        ):
            await page.goto(path)
            assert await violations(page) == [], path
            assert await is_within_width(page), path
