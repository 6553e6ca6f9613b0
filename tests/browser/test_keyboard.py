"""Whole stories by keyboard alone: nobody here has a mouse, from the sign-in on."""

from playwright.async_api import Page, expect

from tests.support.browsing import Browsing
from tests.support.keyboard import tab_to
from tests.support.running import PASSWORD

CONTACT, LEAD = "chengzhong.medical.contact", "chengzhong.lead"


async def sign_in(page: Page, username: str) -> None:
    await tab_to(page, "[name=username]")
    await page.keyboard.type(username)
    await tab_to(page, "[name=password]")
    await page.keyboard.type(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("navigation", name="主导航")).to_contain_text("消息")


async def follow(page: Page, selector: str) -> None:
    """Go to a link or a button and press Enter; the next page is there afterwards."""
    await tab_to(page, selector)
    async with page.expect_navigation():
        await page.keyboard.press("Enter")


async def press(page: Page, selector: str, key: str) -> None:
    """Go to something by Tab and press a key on it."""
    await tab_to(page, selector)
    await page.keyboard.press(key)


async def unfold(page: Page, command: str) -> None:
    """Open the form of a command, if it is folded."""
    around = f"details:has(> form#{command})"
    await tab_to(page, f"{around} > summary, form#{command} :is(input, select, textarea)")
    if await page.evaluate("document.activeElement.matches('summary')"):
        if not await page.evaluate("document.activeElement.parentElement.open"):
            await page.keyboard.press("Enter")
        await tab_to(page, f"form#{command} :is(input, select, textarea)")


async def done(page: Page) -> None:
    await expect(page.locator(".alert.done")).to_contain_text("已完成")


async def test_a_contact_signs_and_replies_by_keyboard(browsing: Browsing) -> None:
    house = browsing.house
    case = house.triage(house.file("chengzhong"), "simple", unit="medical")
    async with browsing.at("/sign-in") as page:
        await sign_in(page, CONTACT)
        await press(page, ".skip", "Enter")
        await follow(page, f'[aria-label="签收 {case["number"]}"]')
        await expect(page.get_by_role("heading", name="承办办件")).to_be_visible()
        await follow(page, '.tabs a[href*="queue=work"]')
        await follow(page, f'a[href="/cases/{case["number"]}"]')
        await expect(page.get_by_role("heading", level=1)).to_contain_text(case["number"])
        await unfold(page, "progress")
        await page.keyboard.type("已联系当事人")
        await follow(page, "form#progress button.primary")
        await done(page)
        await unfold(page, "reply")
        await page.keyboard.type("已报销到账。")
        await press(page, "form#reply [name=resolved]", "Space")
        await follow(page, "form#reply button.primary")
        await done(page)
    assert house.case(case, LEAD)["status"] == "replied"


async def test_a_lead_checks_a_reply_and_revisits_by_keyboard(browsing: Browsing) -> None:
    house = browsing.house
    case = house.triage(house.file("chengzhong"), "simple", unit="medical")
    house.give(CONTACT, case, "sign")
    house.give(CONTACT, case, "reply", text="已报销到账。", resolved=True)
    async with browsing.at("/sign-in") as page:
        await sign_in(page, LEAD)
        await follow(page, '.tabs a[href*="queue=check_reply"]')
        await follow(page, f'a[href="/cases/{case["number"]}"]')
        await unfold(page, "check_reply")
        await page.keyboard.press("Space")
        await follow(page, "form#check_reply button.primary")
        await done(page)
        await unfold(page, "revisit")
        await page.keyboard.press("Space")
        await press(page, "form#revisit [name=rating]", "ArrowDown")
        await press(page, "form#revisit [name=resolved]", "Space")
        await follow(page, "form#revisit button.primary")
        await done(page)
        await expect(page.locator(".case-head")).to_contain_text("已办结")
    closed = house.case(case, LEAD)
    assert closed["status"] == "closed" and closed["resolved"] is True and closed["rating"] == 5
