"""The citizen at a phone: following a case, rating it, objecting; and the pages of help."""

from typing import Any

import pytest
from playwright.async_api import Page, Request, expect

from tests.support.browsing import DESK, PHONE, Browsing, follow, is_within_width, violations

TAIL = "8000"
STRANGE = "<b>已补办</b> =1+1 שלום 𠮷\n第二行"
# 200 % zoom of a screen of 1280 pixels leaves 640 of them for the page.
ZOOMED = {"viewport": {"width": DESK["width"] // 2, "height": DESK["height"] // 2}, "device_scale_factor": 2}
TOUCHED = (
    "main button:not([hidden]), main a.button, .stars label, main input:not([type=hidden], [type=radio])"
)
SCREENS: dict[str, dict[str, Any]] = {"phone": {"viewport": PHONE}, "zoomed": ZOOMED}


def closed_case(browsing: Browsing, text: str = STRANGE) -> dict[str, Any]:
    """A case of Guilin whose citizen was told and visited; with its query code."""
    house = browsing.house
    case = house.file(matter="个体户注销 <i>שלום</i> 𠮷")
    house.triage(case, "simple")
    house.give("guilin.market.contact", case, "sign")
    house.give("guilin.market.contact", case, "reply", text=text, resolved=True)
    house.give("guilin.lead", case, "check_reply", accept=True)
    house.give("guilin.clerk", case, "revisit", reached=True, rating=4, resolved=True)
    return case


async def ask(page: Page, code: str, tail: str = TAIL) -> None:
    await page.get_by_label("查询码").fill(code)
    await page.get_by_label("手机号后四位").fill(tail)
    await page.get_by_role("button", name="查询", exact=True).click()


@pytest.mark.parametrize("javascript", [True, False])
async def test_a_citizen_follows_rates_and_objects_at_a_phone(browsing: Browsing, javascript: bool) -> None:
    case = closed_case(browsing)
    code = case["query_code"]
    asked: list[Request] = []
    async with browsing.at("/public", javascript=javascript, viewport=PHONE) as page:
        page.on("request", lambda request: asked.append(request))
        await ask(page, code.lower().replace("-", " "))
        await expect(page.get_by_role("heading", level=1)).to_have_text("已办结")
        await expect(page.locator(".typed", has_text="第二行")).to_have_text(STRANGE)
        shown = await page.inner_text("main")
        assert case["number"] in shown and "市场监管局" in shown and "已补办" in shown
        for name in ("张小演", "13800138000", "窗口A岗", "联系人", "guilin.clerk"):
            assert name not in shown
        await page.get_by_label("不满意", exact=True).check()
        await page.get_by_label("想说的话").fill(STRANGE)
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.get_by_role("status")).to_contain_text("谢谢您的评价")
        await expect(page.get_by_role("heading", level=1)).to_have_text("不满意的原因研究中")
        browsing.house.give("guilin.lead", case, "judge_revisit", reopen=False, reason="已说明")
        await page.get_by_role("button", name="刷新").click()
        await page.get_by_label("您的理由").fill("还是没有办")
        await page.get_by_role("button", name="提出异议").click()
        await expect(page.get_by_role("status")).to_contain_text("您的异议已经收到")
        assert code not in page.url
        for request in asked:
            assert code not in request.url and TAIL not in request.url, request.url
            assert not (await request.all_headers()).get("referer")
    written = browsing.house.output
    for typed in (code, code.lower().replace("-", " "), code.replace("-", ""), "13800138000"):
        assert typed not in written


async def test_the_code_of_the_receipt_goes_from_the_address_into_its_field(browsing: Browsing) -> None:
    case = browsing.house.file()
    async with browsing.at(f"/public#code={case['query_code']}", viewport=PHONE) as page:
        await expect(page.get_by_label("查询码")).to_have_value(case["query_code"])
        await expect(page.get_by_label("手机号后四位")).to_be_focused()
        assert "#" not in page.url and case["query_code"] not in page.url
        await page.keyboard.type(TAIL)
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("已登记")


OUT_OF_HAND = """() => [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
  .filter((each) => each.type !== "hidden" && each.checkVisibility() && !each.closest(".skip"))
  .filter((each) => {
    each.scrollIntoView({ block: "center" });
    const { left, right, top, bottom } = each.getBoundingClientRect();
    const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
    const met = hit && (each.contains(hit) || hit.contains(each) || hit.closest("label")?.control === each);
    return left < 0 || right > document.documentElement.clientWidth + 1 || !met;
  })
  .map((each) => each.outerHTML.slice(0, 160))"""


async def usable(page: Page) -> bool:
    """Nothing to scroll sideways for, no barrier, and no control off the screen or under something."""
    assert await page.evaluate(OUT_OF_HAND) == [], page.url
    return await is_within_width(page) and await violations(page) == []


@pytest.mark.parametrize("screen", SCREENS)
async def test_public_pages_are_usable_on_small_screens(browsing: Browsing, screen: str) -> None:
    case = closed_case(browsing, text="字" * 300 + "A" * 300)
    async with browsing.at("/public", **SCREENS[screen]) as page:
        assert await usable(page)
        await ask(page, "ABCD-EFGH", "0000")
        await expect(page.get_by_role("alert")).to_contain_text("没有找到")
        await expect(page.get_by_label("查询码")).to_have_value("ABCD-EFGH")
        assert await usable(page)
        await ask(page, case["query_code"])
        await expect(page.get_by_role("button", name="提交评价")).to_be_visible()
        await expect(page.get_by_role("button", name="提出异议")).to_be_visible()
        assert await usable(page)
        small = await page.eval_on_selector_all(
            TOUCHED,
            "all => all.filter(e => e.getBoundingClientRect().height < 44).map(e => e.outerHTML)",
        )
        assert small == [], "large enough for a thumb"
        await page.get_by_label("想说的话").fill("没有选满意度")
        await page.get_by_role("button", name="提交评价").evaluate("each => each.form.noValidate = true")
        await page.get_by_role("button", name="提交评价").click()
        await expect(page.locator("p.fault")).to_be_visible()
        assert await usable(page)
        await page.goto("/public/file")
        await page.get_by_role("button", name="提交").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        assert await usable(page)
        for path in ("/no/such/page", "/sign-in", "/help"):
            await page.goto(path)
            for summary in await page.locator("main summary").all():
                await summary.click()
            assert await usable(page)


@pytest.mark.parametrize(
    "username",
    [
        *("guilin.clerk", "guilin.lead", "guilin.centre", "guilin.market.contact", "guilin.market.leader"),
        *("guilin.supervisor", "superior", "auditor", "admin"),
    ],
)
async def test_the_tour_stands_on_the_start_page_until_it_was_read(browsing: Browsing, username: str) -> None:
    async with browsing.at("/", by=username, javascript=False, tour=True) as page:
        start = page.url
        card = page.get_by_role("region", name="第一次使用")
        await expect(card).to_be_visible()
        await follow(page, card.get_by_role("button"))
        assert page.url == start
        await expect(card).to_have_count(0)
        await page.goto("/help")
        await expect(page.locator("#staff details[open]")).to_have_count(1)


async def test_a_citizen_files_at_a_phone_where_a_hall_offers_it(browsing: Browsing) -> None:
    async with browsing.at("/public", javascript=False, viewport=PHONE) as page:
        await page.get_by_role("link", name="在这里反映").click()
        await page.get_by_label("向哪个大厅反映").select_option("guilin")
        await page.get_by_label("姓名").fill("张小演")
        await page.get_by_label("联系电话").fill("1380013")
        await page.get_by_label("反映的问题").fill(STRANGE)
        await page.get_by_role("button", name="提交").click()
        await expect(page.get_by_role("alert")).to_contain_text("2 处")
        await expect(page.get_by_label("反映的问题")).to_have_value(STRANGE)
        await page.get_by_label("联系电话").fill("13800138000")
        matter = "<i>居住证</i> =1+1 שלום 😀𠮷"
        await page.get_by_label("政务服务事项").fill(matter)
        await page.get_by_role("button", name="提交").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("回执")
        await expect(page.locator("dd.typed")).to_have_text(matter)
        code = await page.locator(".code").inner_text()
        assert page.url.endswith("/public/file") and await is_within_width(page)
        await page.get_by_role("link", name="查询办件").last.click()
        await ask(page, code)
        await expect(page.get_by_role("heading", level=1)).to_have_text("已登记")
    async with browsing.at("/public/file", viewport=PHONE) as page:
        assert await is_within_width(page) and await violations(page) == []
