"""Every page of every role, found in the application's routes.

None has a barrier that axe finds, the keyboard reaches all of it, it is light, fits a screen and a phone,
and shows odd texts as typed. A new page needs a line in `VISITS`, or in `NO_PAGE` if it is none; what it
shows is real: the cases of `tests.support.stage`.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from api import create_app
from rules.case.vocabulary import Role
from tests.browser.test_admin import add_user, invented
from tests.integration.test_contact_table import TAX, table
from tests.support.browsing import DESK, PHONE, Browsing, follow, is_within_width, violations
from tests.support.keyboard import out_of_reach
from tests.support.permitted import ANYONE, PAGES
from tests.support.routing import page_routes
from tests.support.running import House
from tests.support.stage import CONTACT, HALL, ODD, PHONE_NUMBER, TAIL, USERS, Stage, set_stage
from tests.unit.test_importing import GOOD, HEADINGS, csv

VISITS: Mapping[str, tuple[str, ...]] = {
    "GET /sign-in": ("/sign-in",),
    "GET /account": ("/account",),
    "GET /account/password": ("/account/password",),
    "GET /account/second-factor": ("/account/second-factor",),
    "GET /account/second-factor/remove": ("/account/second-factor/remove",),
    "GET /account/notifications": ("/account/notifications",),
    "GET /inbox": ("/inbox",),
    "GET /help": ("/help",),
    "GET /public": ("/public",),
    "GET /public/file": ("/public/file",),
    "GET /counter": ("/counter",),
    "GET /counter/queue": ("/counter/queue",),
    "GET /counter/triage/{ref}": ("/counter/triage/{filed}",),
    "GET /counter/receipt/{id}": ("/counter/receipt/{receipt}",),
    "GET /counter/import": ("/counter/import",),
    "GET /counter/import/{import_id}": ("{brought}",),
    "GET /department": ("/department?queue=all",),
    "GET /lead": ("/lead?queue=triage", "/lead?queue=decide"),
    "GET /supervision": ("/supervision", f"/supervision?queue=orders&hall={HALL}"),
    "GET /cases": (f"/cases?hall={HALL}",),
    "GET /reports": ("/reports", "/reports?category=summary"),
    "GET /reports/volumes": ("/reports/volumes", f"/reports/volumes?hall={HALL}&done=new"),
    "GET /reports/{report}": ("/reports/{report}",),
    "GET /figures": ("/figures",),
    "GET /figures/{hall}/{unit}": (f"/figures/{HALL}/market",),
    "GET /cases/{number}": ("/cases/{number}",),
    "GET /cases/{number}/ledger": ("/cases/{number}/ledger",),
    "GET /what-if": ("/what-if",),
    "GET /access-log": ("/access-log",),
    "GET /evidence": ("/evidence",),
    "GET /personal-data": ("/personal-data",),
    "GET /bulletins": ("/bulletins?status=draft", "/bulletins?status=issued"),
    "GET /bulletins/{bulletin}": ("/bulletins/{issued}",),
    "GET /bottlenecks": ("/bottlenecks",),
    "GET /bottlenecks/{number}": ("/bottlenecks/{number}",),
    "GET /lessons": ("/lessons",),
    "GET /typical": ("/typical?status=published",),
    "GET /typical/{item}": ("/typical/{item}",),
    "GET /typical/write/{number}": ("/typical/write/{closed}",),
    "GET /public/cases": ("/public/cases",),
    "GET /public/cases/{item}": ("/public/cases/{item}",),
    "GET /admin": ("/admin",),
    "GET /admin/users": ("/admin/users",),
    "GET /admin/add-user": ("/admin/add-user",),
    "GET /admin/users/{username}": ("/admin/users/guilin.lead",),
    "GET /admin/grants": ("/admin/grants",),
    "GET /admin/halls": ("/admin/halls",),
    "GET /admin/add-hall": ("/admin/add-hall",),
    "GET /admin/halls/{code}": ("/admin/halls/guilin",),
    "GET /admin/contacts": ("/admin/contacts",),
    "GET /admin/contacts/{hall}/{unit}": (f"/admin/contacts/{HALL}/market",),
    "GET /admin/contacts/import": ("/admin/contacts/import",),
    "GET /admin/calendar": ("/admin/calendar", "/admin/calendar?year=2027&hall=guilin"),
    "GET /admin/calendar/load": ("/admin/calendar/load?year=2027",),
    "GET /admin/policies": ("/admin/policies",),
    "GET /admin/deliveries": ("/admin/deliveries",),
}
NO_PAGE: Mapping[str, str] = {
    "GET /": "leads to the start page",
    "GET /cases/search": "leads to the list",
    "GET /public/track": "leads to the form",
    "GET /public/rate": "leads to the form",
    "GET /public/object": "leads to the form",
    "GET /lessons/search": "leads to the list",
    "GET /bulletins/{bulletin}/file.pdf": "a file",
    "GET /sign-in/oidc": "leads to a provider",
    "GET /sign-in/oidc/callback": "is led to by a provider",
    "GET /counter/preview": "a part of a page",
    "GET /counter/import/template.xlsx": "a file",
    "GET /counter/import/{import_id}/outcome.xlsx": "a file",
    "GET /counter/receipt/{id}.pdf": "a file",
    "GET /cases/{number}/attachments/{attachment}": "a file",
    "GET /admin/contacts/template.xlsx": "a file",
    "GET /reports/{report}/file": "a file",
    "GET /reports/volumes/template.xlsx": "a file",
    "GET /evidence/{head}.json": "a file",
    "GET /cases/export.xlsx": "a file",
    "GET /cases/ledger.xlsx": "a file",
    "GET /department/export.xlsx": "a file",
    "GET /lead/export.xlsx": "a file",
    "GET /supervision/export.xlsx": "a file",
    "GET /bulletins/export.xlsx": "a file",
    "GET /bottlenecks/export.xlsx": "a file",
    "GET /bottlenecks/{number}/export.xlsx": "a file",
    "GET /lessons/export.xlsx": "a file",
    "GET /typical/export.xlsx": "a file",
    "GET /counter/queue/export.xlsx": "a file",
    "GET /reports/export.xlsx": "a file",
    "GET /figures/export.xlsx": "a file",
    "GET /figures/{hall}/{unit}/export.xlsx": "a file",
    "GET /access-log/export.xlsx": "a file",
    "GET /admin/users/export.xlsx": "a file",
    "GET /admin/contacts/export.xlsx": "a file",
    "GET /cases/{number}/dossier": "a file",
}
ONCE: Mapping[str, Role] = {
    **dict.fromkeys(("GET /sign-in", "GET /public", "GET /public/file"), Role.CITIZEN),
    **dict.fromkeys(("GET /public/cases", "GET /public/cases/{item}"), Role.CITIZEN),
    "GET /bulletins/{bulletin}": Role.CONTACT,
    **{route: Role.CONTACT for route in VISITS if route.startswith("GET /account")},
}
"""What says the same to everybody is looked at by one."""
# What a role sees on the case page depends on the case: the forms of these statuses as well.
MORE: Mapping[Role, tuple[str, ...]] = {
    Role.CLERK: ("/cases/{filed}", "/lessons?page=1"),
    Role.WINDOW_LEAD: ("/cases/{told}", "/cases/{closed}"),
    Role.SUPERVISOR: ("/cases/{referred}", "/cases/{blamed}", "/bulletins/{draft}"),
    Role.DEPUTY_LEADER: ("/bulletins/{draft}",),
    Role.AUDITOR: ("/cases?status=all", "/cases/{closed}"),
}
SHOWING = (
    *("/counter/queue", "/counter/triage/", "/counter/receipt/", "/department", "/lead?queue=triage"),
    *("/cases", "/supervision?queue=orders", "/bulletins/", "/lessons?page=1", "/typical/", "/public/cases/"),
)
HEAVIEST = 300_000  # bytes
SHOWN = """odd => [...document.querySelectorAll(".typed")].some(
  (each) => each.textContent.includes(odd) && getComputedStyle(each).unicodeBidi === "isolate")"""


@pytest.fixture(scope="module")
def report(rehearsal: House) -> str:
    """The id of a report of the hall: a week goes by for it."""
    rehearsal.advance(working_days=6)
    with rehearsal.as_user(USERS[Role.CENTRE]) as client:
        items = client.get("/api/reports", params={"kind": "hall_weekly"}).json()["items"]
    return str(items[0]["id"])


@pytest.fixture(scope="module")
def stage(rehearsal: House, report: str) -> Stage:
    """The cases that the pages show, filed once the time of the report has gone by."""
    return set_stage(rehearsal)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def asked(_browsing: Browsing) -> str:
    """A grant that waits for a second person; the name of who is to get it."""
    username = invented("supervisor")
    async with _browsing.at("/admin", by="admin") as page:
        await add_user(page, username, "supervisor")
    return username


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def made(_browsing: Browsing, stage: Stage, report: str) -> Mapping[str, str]:
    """What else stands in addresses: a draft and an issued 通报, a published typical case, a report."""
    with _browsing.house.as_user(USERS[Role.SUPERVISOR]) as http:
        found = http.get("/api/bulletins").raise_for_status().json()["items"]
        draft, issued = sorted(each["id"] for each in found if each["case_id"] == stage.blamed["id"])
        http.post(f"/api/bulletins/{issued}/approve", json={"reason": ODD}).raise_for_status()
    with _browsing.house.as_user(USERS[Role.DEPUTY_LEADER]) as http:
        http.post(f"/api/bulletins/{draft}/statement", json={"text": ODD}).raise_for_status()
    async with _browsing.at(f"/typical/write/{stage.learnt['number']}", by=USERS[Role.WINDOW_LEAD]) as page:
        for name in ("title", "problem", "done", "lesson"):
            await page.locator(f"#{name}").fill(ODD)
        await page.get_by_role("button", name="提交审核").click()
        await expect(page.get_by_text("已提交，待监督管理部门审核")).to_be_visible()
        item = page.url.rpartition("/")[2].partition("?")[0]
    async with _browsing.at(f"/typical/{item}", by=USERS[Role.SUPERVISOR]) as page:
        await page.get_by_role("button", name="同意发布").click()
        await expect(page.get_by_text("已发布到公开页面")).to_be_visible()
    brought = await _brought(_browsing)
    return {
        **{"draft": str(draft), "issued": str(issued), "item": item, "report": report},
        "brought": brought,
    }


async def _brought(_browsing: Browsing) -> str:
    """The path of an import that was looked at, and has a good row and a bad one."""
    content = csv(HEADINGS, GOOD, ("A-2",))
    async with _browsing.at("/counter/import", by=USERS[Role.CLERK]) as page:
        file = {"name": "cases.csv", "mimeType": "text/csv", "buffer": content}
        await page.get_by_label("Excel 或 CSV 文件").set_input_files(file)  # type: ignore[arg-type]
        await page.get_by_role("button", name="检查文件").click()
        await expect(page.get_by_role("heading", name="检查结果")).to_be_visible()
        return "/" + page.url.partition("//")[2].partition("/")[2]


async def test_every_page_is_visited() -> None:
    routes = {route for route in page_routes(create_app(rehearsal=True)) if route.startswith("GET ")}
    assert sorted([*VISITS, *NO_PAGE]) == sorted(routes)


def visits(role: Role, stage: Stage, made: Mapping[str, str]) -> list[str]:
    """Every page of a role, with real things in the addresses; what is the same for all, for one of them."""
    number = stage.referred["number"] if role is Role.SUPERIOR else stage.worked["number"]
    filled = {name: getattr(stage, name)["number"] for name in vars(stage)}
    filled |= {"number": number, "receipt": stage.told["id"], **made}
    of_role = [
        path
        for route, paths in VISITS.items()
        if role in PAGES.get(route, ANYONE) and ONCE.get(route, role) is role
        for path in paths
    ]
    return [path.format(**filled) for path in (*of_role, *MORE.get(role, ()))]


async def inspect(page: Page, what: str) -> list[str]:
    """What is wrong with the page that is open, once its scripts have run."""
    await page.wait_for_load_state()
    faults = await out_of_reach(page)  # opens what is folded, so that axe sees it too
    faults += await violations(page)
    for screen in (DESK, PHONE):
        await page.set_viewport_size(screen)
        if not await is_within_width(page):
            faults.append(f"wider than {screen['width']} pixels")
    if await page.locator("#planted").count():
        faults.append("a text became markup")
    return [f"{what}: {fault}" for fault in faults]


async def visit(page: Page, path: str) -> list[str]:
    """Go there; return what is wrong."""
    await page.set_viewport_size(DESK)
    answer = await page.goto(path)
    assert answer is not None
    faults = [] if answer.status == 200 else [f"{path}: {answer.status}"]
    if len(await answer.body()) > HEAVIEST:
        faults.append(f"{path}: too heavy")
    if path.startswith(SHOWING) and not await page.evaluate(SHOWN, ODD):
        faults.append(f"{path}: a text is not shown as typed")
    return faults + await inspect(page, path)


@pytest.mark.parametrize("role", [*USERS, Role.CITIZEN])
async def test_no_page_of_a_role_has_a_barrier(
    browsing: Browsing, stage: Stage, asked: str, made: Mapping[str, str], role: Role
) -> None:
    async with browsing.at("/", by=USERS.get(role), tour=True) as page:
        faults = []
        if role in USERS:
            await expect(page.get_by_role("region", name="第一次使用")).to_be_visible()
            faults += await inspect(page, "the start page with its tour")
            await page.get_by_role("button", name="知道了").click()
        for path in visits(role, stage, made):
            faults += await visit(page, path)
        assert faults == []


async def test_what_searches_and_previews_show_has_none_either(
    browsing: Browsing, stage: Stage, tmp_path: Path
) -> None:
    async with browsing.at("/cases", by=USERS[Role.CLERK]) as page:
        await page.get_by_label("查找").fill(PHONE_NUMBER)
        await page.get_by_role("button", name="查找").click()
        await expect(page.get_by_text("最近受理的在前")).to_be_visible()
        assert await page.evaluate(SHOWN, ODD)
        assert await inspect(page, "search") == []
        await page.goto("/counter")
        await page.get_by_label("联系电话").fill(PHONE_NUMBER)
        await follow(page, page.get_by_role("button", name="检查"))
        assert await page.evaluate(SHOWN, ODD), "among the similar cases"
        assert await inspect(page, "the form with its faults") == []
    async with browsing.at("/public") as page:
        await page.get_by_label("查询码").fill(stage.closed["query_code"])
        await page.get_by_label("手机号后四位").fill(TAIL)
        await page.get_by_role("button", name="查询", exact=True).click()
        await expect(page.get_by_role("heading", name="不同意办理结果")).to_be_visible()
        assert await page.evaluate(SHOWN, ODD)
        assert await inspect(page, "the citizen's case") == []
    async with browsing.at("/admin/contacts/import", by="admin") as page:
        await page.get_by_label("Excel 文件").set_input_files(table(tmp_path, TAX))
        await page.get_by_role("button", name="预览").click()
        await expect(page.get_by_role("button", name="确认导入")).to_be_visible()
        assert await inspect(page, "import") == []


async def test_refusals_have_none_either(browsing: Browsing, stage: Stage) -> None:
    """403, 404, a faulty form (422) and one that came too late (409)."""
    async with browsing.at("/help", by=CONTACT) as page:
        faults = []
        for path, status in (("/admin", 403), ("/cases/nowhere", 404), ("/no/such/page", 404)):
            answer = await page.goto(path)
            assert answer is not None and answer.status == status
            faults += await inspect(page, path)
        case = browsing.house.triage(browsing.house.file(HALL), "simple")
        await page.goto(f"/cases/{case['number']}")
        browsing.house.give(CONTACT, case, "sign")
        await page.locator("#sign button.primary").click()
        await expect(page.get_by_role("alert")).to_contain_text("未能“签收”")
        faults += await inspect(page, "409")
        await page.goto("/account/password")
        await page.get_by_label("原密码").fill("x")
        await page.get_by_label("新密码", exact=False).first.fill("short")
        await page.get_by_label("再输入一次新密码").fill("other")
        await page.get_by_role("button", name="修改密码").click()
        await expect(page.get_by_role("alert")).to_be_visible()
        faults += await inspect(page, "422 password")
        await page.goto("/cases")
        await page.get_by_label("受理日期从").fill("昨天")
        await page.get_by_role("button", name="查找").click()
        await expect(page.locator("p.fault")).to_be_visible()
        faults += await inspect(page, "422 dates")
        assert faults == []


async def test_what_the_keyboard_does_not_reach_or_show_is_found(browsing: Browsing) -> None:
    """The check of this module on a page that fails it."""
    async with browsing.at("/sign-in") as page:
        assert await out_of_reach(page) == []
        await page.get_by_role("button", name="登录").evaluate("each => each.tabIndex = -1")
        await page.get_by_label("密码").evaluate("each => each.style.outline = 'none'")
        missed, hidden = await out_of_reach(page)
        assert missed.startswith("not reached: <button") and hidden.startswith("focus not to be seen: <input")
