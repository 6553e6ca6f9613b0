"""The bar of a rehearsal: it shows the rehearsal's time, moves it, and leads back to the page."""

from datetime import datetime, timedelta

from playwright.async_api import expect

from rules.calendar import local
from tests.support.browsing import PHONE, Browsing, follow, is_within_width, violations


async def test_the_bar_moves_time_and_comes_back(browsing: Browsing) -> None:
    house = browsing.house
    async with browsing.at("/help", by="guilin.clerk", javascript=False) as page:
        bar = page.get_by_role("region", name="演练")
        before = datetime.fromisoformat(await bar.locator("time").get_attribute("datetime") or "")
        expected = house.due(before, working_hours=1)
        await follow(page, bar.get_by_role("button", name="前进 1 小时"))
        assert page.url.endswith("/help")
        after = datetime.fromisoformat(await bar.locator("time").get_attribute("datetime") or "")
        assert expected <= after < expected + timedelta(minutes=5)
        await expect(bar).to_contain_text(f"{local(after):%Y-%m-%d %H:%M}")
        assert house.now() >= after


async def test_an_alarm_that_the_bar_passes_has_fired_when_the_page_comes(browsing: Browsing) -> None:
    house = browsing.house
    case = house.file()
    due = datetime.fromisoformat(house.case(case)["next_alarm"]["at"])
    async with browsing.at("/public", viewport=PHONE) as page:
        assert await is_within_width(page) and await violations(page) == []
        await page.get_by_text("前进到…").click()
        await page.get_by_label("前进到(").fill(f"{local(due + timedelta(minutes=1)):%Y-%m-%d %H:%M}")
        await follow(page, page.get_by_role("button", name="前进", exact=True))
        await expect(page.get_by_role("heading", level=1)).to_have_text("查询办件")
    assert "triage_late" in [event["type"] for event in house.events(case)]


async def test_time_never_goes_back_and_what_was_typed_is_kept(browsing: Browsing) -> None:
    async with browsing.at("/help") as page:
        await page.get_by_text("前进到…").click()
        await page.get_by_label("前进到(").fill("2020-01-01 09:00")
        await page.get_by_role("button", name="前进", exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("推进演练时间")
        await expect(page.get_by_label("前进到", exact=False).last).to_have_value("2020-01-01 09:00")
        await expect(page.get_by_text("不能早于现在")).to_be_visible()
        assert await violations(page) == []


async def test_a_case_page_leads_to_the_next_alarm_of_the_case(browsing: Browsing) -> None:
    house = browsing.house
    case = house.file()
    async with browsing.at(f"/cases/{case['number']}", by="guilin.lead", javascript=False) as page:
        await follow(page, page.get_by_role("button", name="到本件下一提醒"))
        assert page.url.endswith(f"/cases/{case['number']}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(case["number"])
    assert "triage_late" in [event["type"] for event in house.events(case)]
