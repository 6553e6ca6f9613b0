"""The stories of those above the counter: the centre, the superior and the auditor, each to its end."""

import re
from datetime import datetime
from typing import Any

from playwright.async_api import Page, expect

from pages.csrf import HEADER
from rules.case.commands import COMMANDS
from tests.browser.test_admin import add_user, invented
from tests.browser.test_case import give
from tests.browser.test_public import ask
from tests.support.browsing import PHONE, Browsing, follow, sign_in, violations
from tests.support.running import House

SUPERVISOR, CENTRE, LEAD = "guilin.supervisor", "guilin.centre", "guilin.lead"


def sent_to(house: House, unit: str, kind: str = "commitment", hall: str = "guilin") -> dict[str, Any]:
    """A case that was sent to a unit; with its query code."""
    case = house.file(hall, matter="历史遗留的产权登记")
    house.triage(case, kind, unit=unit)
    return case


def day(instant: Any) -> str:
    """The date of an instant as it is typed."""
    return datetime.fromisoformat(str(instant)).date().isoformat()


async def move(page: Page, button: str) -> None:
    """Move the time of the rehearsal by its bar."""
    await follow(page, page.get_by_role("region", name="演练").get_by_role("button", name=button))


async def test_the_centre_decides_a_second_return_convenes_and_reports_a_complex_case(
    browsing: Browsing,
) -> None:
    house = browsing.house
    case = sent_to(house, "resources")
    number = case["number"]
    house.give("guilin.resources.contact", case, "return_order", reason="不属本单位职责")
    house.give(LEAD, case, "decide_return", accept=True, unit="housing")
    house.give("guilin.housing.contact", case, "return_order", reason="登记不归住建")
    async with browsing.at("/", by=CENTRE) as page:
        await expect(page).to_have_url(f"{house.url}/lead")
        await move(page, "前进 4 小时")
        await page.get_by_role("link", name="消息").click()
        late = page.get_by_role("listitem").filter(has_text=number).filter(has_text="退单逾时未裁定")
        await expect(late).to_be_visible()
        await page.goto("/lead")
        groups = page.get_by_role("navigation", name="待办分组")
        await follow(page, groups.get_by_role("link", name="退单待裁定"))
        await follow(page, page.get_by_role("row").filter(has_text=number).get_by_role("link"))
        assert await violations(page) == []
        await give(page, number, "decide_return", accept="yes", unit="civil")
        await expect(page.locator(".timeline")).to_contain_text("登记不归住建")
        house.give("guilin.civil.contact", case, "sign")
        await page.goto(f"/cases/{number}#convene")
        form = page.locator("form#convene")
        for unit in ("自然资源局", "住建局"):
            await form.get_by_label(unit).check()
        await form.locator("[name=at]").fill(f"{house.now().astimezone():%Y-%m-%d} 23:30")
        await form.locator("[name=place]").fill("三楼会议室")
        await form.locator("button.primary").click()
        await expect(page.locator(".alert.done")).to_contain_text("已完成")
        await expect(page.locator("main")).to_contain_text("自然资源局(待提意见)")
        await give(page, number, "report_complex", reason="涉及多年档案，需要几家共同认定")
        await expect(page.locator(".case-head")).to_contain_text("待定时限")
        assert await page.locator("form#set_limit, form#reply, form#check_reply").count() == 0
        assert await violations(page) == []
    due = day(house.due(house.now(), working_days=15))
    async with browsing.at("/supervision?queue=limit", by=SUPERVISOR) as page:
        await expect(page.get_by_role("row").filter(has_text=number)).to_be_visible()
        await give(page, number, "set_limit", due_on=due, reason="按复杂件办理")
        await expect(page.locator(".case-head")).to_contain_text(due)
    async with browsing.at(f"/cases/{number}", by="guilin.resources.contact") as page:
        await give(page, number, "opine", text="愿意配合查档")
    assert day(house.case(case)["due_at"]) == due and house.case(case)["returns"] == 2


async def test_a_referral_is_answered_by_the_superior_and_the_citizen_sees_it(browsing: Browsing) -> None:
    house = browsing.house
    case = sent_to(house, "resources")
    number, code = case["number"], case["query_code"]
    house.give("guilin.resources.contact", case, "sign")
    due = day(house.due(house.now(), working_days=5))
    async with browsing.at(f"/cases/{number}", by=SUPERVISOR) as page:
        await give(page, number, "refer_up", to="自治区主管部门", reason="权限在上级", due_on=due)
        await expect(page.locator(".case-head")).to_contain_text("已上报")
    async with browsing.at("/public", viewport=PHONE) as citizen:
        await ask(citizen, code)
        await expect(citizen.get_by_role("heading", level=1)).to_have_text("已上报上级部门")
        async with browsing.at("/", by="superior") as page:
            await expect(page).to_have_url(f"{house.url}/supervision")
            await move(page, "前进 1 个工作日")
            await page.get_by_role("row").filter(has_text=number).get_by_role("link").click()
            await expect(page.locator(".timeline")).to_contain_text("权限在上级")
            await expect(page.locator(".timeline")).to_contain_text(due)
            assert await page.locator("form#order, form#set_limit, form#reply").count() == 0
            await give(page, number, "referral_reply", text="同意按历史档案认定")
            assert await violations(page) == []
        await citizen.get_by_role("button", name="刷新").click()
        await expect(citizen.get_by_role("heading", level=1)).to_have_text("正在办理")
        await expect(citizen.locator("main")).not_to_contain_text("上级部门(演示)")
    async with browsing.at("/inbox", by="guilin.resources.contact") as page:
        told = page.get_by_role("listitem").filter(has_text=number).filter(has_text="上级已答复")
        await expect(told.first).to_be_visible()


async def test_the_auditor_sees_everything_and_changes_nothing_but_a_grant(browsing: Browsing) -> None:
    house = browsing.house
    case = sent_to(house, "resources", "simple", "chengzhong")
    number = case["number"]
    house.give("chengzhong.resources.contact", case, "sign")
    async with browsing.at("/", by="auditor") as page:
        await move(page, "前进 5 个工作日")
        await page.goto("/supervision?queue=overdue")
        await page.get_by_label("大厅", exact=True).select_option("chengzhong")
        await page.get_by_label("承办单位", exact=True).select_option("resources")
        await page.get_by_role("button", name="筛选").click()
        await expect(page.get_by_role("row").filter(has_text=number)).to_contain_text("已超")
        await search(page, number)
        await page.get_by_role("row").filter(has_text=number).get_by_role("link").click()
        await reads_the_whole_case(page)
        await may_send_nothing(page, number)
    assert [event["type"] for event in house.events(case, "auditor")][-1].startswith("overdue")
    await decides_a_grant(browsing)


async def search(page: Page, number: str) -> None:
    """Find it by filters, and by the phone of its citizen."""
    await page.goto("/cases")
    for label, value in (("灯", "red"), ("大厅", "chengzhong"), ("承办单位", "resources")):
        await page.get_by_label(label, exact=True).select_option(value)
    await page.get_by_role("button", name="查找").click()
    await expect(page).to_have_url(re.compile(r"/cases\?"))
    assert {*page.url.partition("?")[2].split("&")} == {"light=red", "hall=chengzhong", "unit=resources"}
    await expect(page.get_by_role("row").filter(has_text=number)).to_be_visible()
    await page.get_by_label("查找").fill("13800138000")
    await page.get_by_role("button", name="查找").click()
    await expect(page.get_by_role("row").filter(has_text=number)).to_be_visible()
    assert "13800138000" not in page.url


async def reads_the_whole_case(page: Page) -> None:
    """Who did what when, who held it how long, every alarm, and that nothing was touched."""
    await expect(page.locator("#history ~ .seal")).to_contain_text("台账校验通过")
    timeline = page.locator(".timeline")
    for words in ("登记", "签收", "已超过办结时限", "应于", "级别："):
        await expect(timeline).to_contain_text(words)
    await expect(page.locator("#holding ~ .scroll")).to_contain_text("自然资源局 联系人")
    await expect(page.locator("#holding ~ .scroll")).to_contain_text("合计")
    assert await violations(page) == []


async def may_send_nothing(page: Page, number: str) -> None:
    """There is no form of a command (looking in clear and verifying are none), and making one is refused."""
    sends = "all => all.map(form => form.getAttribute('action'))"
    found = await page.locator("main form").evaluate_all(sends)
    assert sorted(found) == [f"/cases/{number}/unmask", f"/cases/{number}/verify#evidence"]
    token = await page.locator("[name=csrf]").first.input_value()
    for command in sorted({*COMMANDS} - {"register", "rate", "object", "attach", "calendar_changed"}):
        answer = await page.request.post(
            f"/cases/{number}/{command}", headers={HEADER: token}, form={"x": ""}
        )
        assert answer.status == 403, (command, answer.status)
    for path in ("/admin", "/admin/users", "/counter", "/department", "/lead"):
        assert (await page.request.get(path)).status == 403, path


async def decides_a_grant(browsing: Browsing) -> None:
    """The admin asks and may not decide, the auditor approves; the right is there afterwards."""
    username = invented("supervisor")
    async with browsing.at("/admin", by="admin") as page:
        first = await add_user(page, username, "supervisor")
        assert await violations(page) == []
        await page.get_by_role("link", name="查看申请").click()
        mine = page.get_by_role("article").filter(has_text=username)
        await expect(mine.get_by_role("button", name="批准")).to_have_count(0)
    async with browsing.at("/", by="auditor") as page:
        await page.get_by_role("link", name="授权审批").click()
        asked = page.get_by_role("article").filter(has_text=username)
        await asked.get_by_label("理由").fill("已当面核实")
        await asked.get_by_role("button", name="批准").click()
        second = await page.locator("[data-password]").inner_text()
        assert await violations(page) == []
        await page.goto("/admin/grants")
        await expect(page.get_by_role("row").filter(has_text=username)).to_contain_text("auditor")
    async with browsing.at("/sign-in") as page:
        await sign_in(page, username, f"{first}-{second}")
        await expect(page.get_by_role("heading", name="修改密码")).to_be_visible()
