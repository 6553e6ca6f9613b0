"""The pages of /admin over HTTP: forms, faults, refusals; no case and no citizen is in them."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select

from casework.accounts import Credentials, sign_in
from casework.services import Services
from casework.users import NewUser, add_user
from models.access import AccessLog
from models.directory import ContactEntry, Hall, Unit, User
from models.terms import CalendarYear
from rules.case.vocabulary import Role
from tests.integration.test_contact_table import TAX, changed, table
from tests.support.house import House
from tests.support.office import Office
from tests.support.visiting import Visitor, hidden, visiting

ADMIN_ONLY = (
    "/admin",
    "/admin/users",
    "/admin/add-user",
    "/admin/users/guilin.clerk",
    "/admin/halls",
    "/admin/add-hall",
    "/admin/halls/guilin",
    "/admin/contacts/import",
    "/admin/contacts/template.xlsx",
    "/admin/calendar",
    "/admin/calendar/load?year=2037",
    "/admin/policies",
)
NEW_USER = {"username": "new.clerk", "name": "甲演", "role": "clerk", "place": "guilin", "reason": "新到岗"}
NEW_HALL = {
    "code": "lingchuan",
    "name": "灵川县政务服务中心",
    "level": "county",
    "parent": "guilin",
    "supervision_department": "灵川县监督部门",
    "policy_id": "guilin",
    "hours": "9:00-12:00 14:00-18:00",
}
LINE = {
    "name": "市场监管局",
    "version": "1",
    "deputy_leader.name": "甲演",
    "deputy_leader.post": "副局长",
    "deputy_leader.phone": "13800130001",
    "contact.name": "乙演",
    "contact.post": "",
    "contact.phone": "0773-2800000",
    "alternate.name": "",
    "alternate.post": "",
    "alternate.phone": "",
}
NOTICE = {
    "year": "2037",
    "hall": "",
    "off": "2037-01-01\n2037-02-15 至 2037-02-20",
    "work": "2037-02-14，2037-02-28",
    "source": "国办发明电〔2036〕1号",
    "act": "preview",
}


class People:
    """Browsers of a few people at one application."""

    def __init__(self, app: Any, services: Services, stack: AsyncExitStack) -> None:
        self.services, self._app, self._stack = services, app, stack
        self._known: dict[str, Visitor] = {}

    async def of(self, username: str) -> Visitor:
        """The browser of somebody."""
        if username not in self._known:
            opened = visiting(self._app, self.services, username)
            self._known[username] = await self._stack.enter_async_context(opened)
        return self._known[username]


@pytest.fixture
async def people(sqlite_office: Office) -> AsyncIterator[People]:
    """On SQLite: pages have nothing to do with the dialect."""
    app = sqlite_office.http._transport.app  # type: ignore[attr-defined]
    async with AsyncExitStack() as stack:
        yield People(app, sqlite_office.services, stack)


@pytest.fixture
async def admin(people: People) -> Visitor:
    return await people.of("admin")


async def row(services: Services, kind: Any, key: Any) -> Any:
    async with services.database.read() as session:
        return await session.get(kind, key)


async def rows(services: Services, kind: Any) -> list[Any]:
    async with services.database.read() as session:
        return list((await session.exec(select(kind).order_by(col(kind.id)))).all())


def secret(page: httpx.Response) -> str:
    """The password, or its half, that a page shows."""
    assert page.status_code == 200, page.text
    assert page.headers["cache-control"] == "no-store"
    return re.search(r"data-password>([^<]+)<", page.text)[1]  # type: ignore[index]


def faulty(page: httpx.Response, *fields: str) -> str:
    """The text of a form that came back with a fault beside each of these fields, and no other."""
    assert page.status_code == 422, page.status_code
    assert sorted(re.findall(r'<p class="fault[^"]*" id="([^"]+)-fault"', page.text)) == sorted(fields)
    assert f"有 {len(fields)} 处需要更正" in page.text
    return unescape(page.text)


async def test_every_page_opens_on_both_databases(office: Office) -> None:
    app = office.http._transport.app  # type: ignore[attr-defined]
    async with visiting(app, office.services, "admin") as visitor:
        await visitor.post("/admin/add-user", NEW_USER | {"role": "auditor"})
        for path in (*ADMIN_ONLY, "/admin/grants", "/admin/contacts", "/admin/contacts/guilin/market"):
            assert (await visitor.get(path)).status_code == 200, path
        found = await visitor.get("/admin/users?q=GUILIN_x&place=guilin/market&role=contact&active=yes")
        assert found.status_code == 200


@pytest.mark.parametrize("username", ["guilin.clerk", "guilin.supervisor", "superior", "auditor"])
async def test_other_roles_are_refused(people: People, username: str) -> None:
    visitor = await people.of(username)
    for path in ADMIN_ONLY:
        assert (await visitor.get(path)).status_code == 403, path
    for path in ("add-user", "users/guilin.lead/disable", "add-hall", "halls/guilin", "calendar/load"):
        assert (await visitor.post(f"/admin/{path}", NEW_USER)).status_code == 403, path
    assert (await visitor.get("/admin/grants")).status_code == (200 if username == "auditor" else 403)
    supervisor = username == "guilin.supervisor"
    assert (await visitor.get("/admin/contacts")).status_code == (200 if supervisor else 403)


async def test_every_post_needs_the_token_of_its_form(admin: Visitor) -> None:
    paths = ["add-user", "add-hall", "halls/guilin", "halls/guilin/units", "halls/guilin/units/market"]
    paths += [f"users/guilin.lead/{act}" for act in ("change", "disable", "enable", "password")]
    paths += [f"grants/x/{act}" for act in ("approve", "reject", "withdraw")]
    paths += ["contacts/guilin/market", "contacts/import", "calendar/load"]
    for path in paths:
        assert (await admin.http.post(f"/admin/{path}", data=NEW_USER)).status_code == 403, path


async def test_the_overview_says_what_needs_somebody(people: People, admin: Visitor) -> None:
    page = (await admin.get("/admin")).text
    # lingui has a unit that nobody entered contacts of.
    assert "1 个单位还没有业务联系人" in page
    await admin.post("/admin/add-user", NEW_USER | {"role": "supervisor"})
    assert "1 项授权申请等待" in (await admin.get("/admin")).text


async def test_a_new_user_signs_in_with_the_password_that_was_shown_once(
    people: People, admin: Visitor
) -> None:
    key = hidden((await admin.get("/admin/add-user")).text, "key")
    password = secret(await admin.post("/admin/add-user", NEW_USER | {"key": key}))
    # A double click shows the same one again; another form does not.
    assert secret(await admin.post("/admin/add-user", NEW_USER | {"key": key})) == password
    faulty(await admin.post("/admin/add-user", NEW_USER), "username")
    assert await sign_in(people.services, Credentials("new.clerk", password), None)
    made = await row(people.services, User, "new.clerk")
    assert (made.role, made.hall, made.must_change_password) == ("clerk", "guilin", True)
    assert password not in (await admin.get("/admin/users/new.clerk")).text
    assert "待更改首次密码" in (await admin.get("/admin/users", q="NEW.cl")).text


async def test_all_faults_of_a_user_at_once_and_nothing_typed_is_lost(admin: Visitor) -> None:
    typed = {"username": "张 三", "name": "", "role": "boss", "place": "guilin/market", "reason": ""}
    typed["alternate"] = "yes"
    page = await admin.post("/admin/add-user", typed)
    text = faulty(page, "username", "name", "role", "place", "alternate", "reason")
    assert 'value="张 三"' in text and re.search(r'value="guilin/market" selected', text)
    contact = NEW_USER | {"role": "contact", "place": "guilin"}
    assert "该角色须选择所属单位" in faulty(await admin.post("/admin/add-user", contact), "place")
    assert "该角色须选择所属大厅" in faulty(
        await admin.post("/admin/add-user", contact | {"place": ""}), "place"
    )


async def test_the_list_is_narrowed_by_hall_unit_role_and_state(admin: Visitor) -> None:
    async def names(**asked: Any) -> list[str]:
        found = await admin.get("/admin/users", **asked)
        links = re.findall(r'href="/admin/users/([^"?]+)"', found.text)
        return [link for link in links if link != "export.xlsx"]

    assert await names(place="guilin/market") == [
        f"guilin.market.{who}" for who in ("alternate", "contact", "leader")
    ]
    assert await names(role="window_lead") == ["chengzhong.lead", "guilin.lead", "lingui.lead"]
    await admin.post("/admin/users/guilin.lead/disable", {"reason_disable": "离岗"})
    assert await names(active="no") == ["guilin.lead"]
    assert await names(q="%") == []
    assert "没有符合条件的用户" in (await admin.get("/admin/users", q="没有这个人")).text
    assert len(await names()) == 50 and len(await names(page=2)) > 0


async def test_an_account_is_disabled_let_in_changed_and_renewed(people: People, admin: Visitor) -> None:
    at = "/admin/users/guilin.lead"
    faulty(await admin.post(f"{at}/disable", {"reason_disable": ""}), "reason_disable")
    assert (await admin.post(f"{at}/disable", {"reason_disable": "离岗"})).status_code == 303
    assert (await row(people.services, User, "guilin.lead")).active is False
    assert (await admin.post(f"{at}/enable", {"reason_enable": "返岗"})).status_code == 303
    password = secret(await admin.post(f"{at}/password", {"reason_password": "忘记密码"}))
    assert await sign_in(people.services, Credentials("guilin.lead", password), None)
    change = {"name": "乙演", "role": "centre", "place": "chengzhong", "reason_change": "调动"}
    assert (await admin.post(f"{at}/change", change)).status_code == 303
    known = await row(people.services, User, "guilin.lead")
    assert (known.name, known.role, known.hall) == ("乙演", "centre", "chengzhong")
    faulty(await admin.post(f"{at}/change", change | {"place": "", "name": ""}), "name", "place")
    assert (await admin.get("/admin/users/nobody")).status_code == 404
    assert (await admin.post("/admin/users/nobody/disable", {"reason_disable": "x"})).status_code == 404


async def test_a_grant_is_asked_by_one_and_approved_by_another(people: People, admin: Visitor) -> None:
    auditor = await people.of("auditor")
    form = NEW_USER | {"username": "new.supervisor", "role": "supervisor"}
    first = secret(await admin.post("/admin/add-user", form))
    [grant] = re.findall(r"/admin/grants/([^/\"]+)/approve", (await auditor.get("/admin/grants")).text)
    assert f"{grant}/approve" not in (await admin.get("/admin/grants")).text
    reason = {f"reason_{grant}": "已核实"}
    own = await admin.post(f"/admin/grants/{grant}/approve", reason)
    assert own.status_code == 403 and "您自己提出的申请" in own.text
    faulty(await auditor.post(f"/admin/grants/{grant}/approve", {f"reason_{grant}": " "}), f"reason_{grant}")
    second = secret(await auditor.post(f"/admin/grants/{grant}/approve", reason))
    assert secret(await auditor.post(f"/admin/grants/{grant}/approve", reason)) == second
    assert (await auditor.post(f"/admin/grants/{grant}/reject", reason)).status_code == 409
    assert await sign_in(people.services, Credentials("new.supervisor", f"{first}-{second}"), None)
    page = (await admin.get("/admin/grants")).text
    assert "已批准" in page and first not in page and second not in page
    refused = [r.reason for r in await rows(people.services, AccessLog) if r.action.startswith("refused")]
    assert refused == [f"grant {grant}: own_request", f"grant {grant}: decided"]


async def test_a_grant_is_rejected_or_taken_back(people: People, admin: Visitor) -> None:
    auditor = await people.of("auditor")
    for act, by in (("reject", auditor), ("withdraw", admin)):
        done = await admin.post("/admin/users/guilin.supervisor/password", {"reason_password": "忘记"})
        assert "申请已提交" in done.text
        [grant] = re.findall(r"/admin/grants/([^/\"]+)/withdraw", (await admin.get("/admin/grants")).text)
        again = await admin.post("/admin/users/guilin.supervisor/password", {"reason_password": "忘记"})
        assert again.status_code == 409 and "已有一项申请" in again.text and 'value="忘记"' in again.text
        other = auditor if by is admin else None
        if other:
            assert (await other.post(f"/admin/grants/{grant}/withdraw", {})).status_code == 403
        answer = await by.post(f"/admin/grants/{grant}/{act}", {f"reason_{grant}": "未核实"})
        assert answer.status_code == 303
    assert (await auditor.post("/admin/grants/none/reject", {"reason_none": "x"})).status_code == 404


async def test_the_last_admin_stays(admin: Visitor) -> None:
    answer = await admin.post("/admin/users/admin/disable", {"reason_disable": "离岗"})
    assert answer.status_code == 409 and "最后一位有效的系统管理员" in answer.text


async def test_halls_are_added_and_changed_but_for_their_code(people: People, admin: Visitor) -> None:
    assert (await admin.post("/admin/add-hall", NEW_HALL)).status_code == 303
    made = await row(people.services, Hall, "lingchuan")
    assert (made.level, made.parent) == ("county", "guilin")
    assert made.hours == [["09:00", "12:00"], ["14:00", "18:00"]]
    assert 'value="09:00-12:00 14:00-18:00"' in (await admin.get("/admin/halls/lingchuan")).text
    change = NEW_HALL | {"code": "other", "policy_id": "chengzhong", "hours": "", "parent": ""}
    assert (await admin.post("/admin/halls/lingchuan", change)).status_code == 303
    made = await row(people.services, Hall, "lingchuan")
    assert (made.policy_id, made.hours, made.parent) == ("chengzhong", None, None)
    assert await row(people.services, Hall, "other") is None
    assert (await admin.get("/admin/halls/other")).status_code == 404
    assert (await admin.post("/admin/halls/other", NEW_HALL)).status_code == 404
    logged = [r.action for r in await rows(people.services, AccessLog)]
    assert logged == ["hall_added", "hall_changed"]


async def test_all_faults_of_a_hall_at_once(admin: Visitor) -> None:
    wrong = {"code": "-", "name": "", "level": "x", "parent": "nowhere", "policy_id": "x", "hours": "9-5"}
    page = await admin.post("/admin/add-hall", wrong | {"supervision_department": ""})
    fields = ("code", "name", "level", "parent", "supervision_department", "policy_id", "hours")
    assert 'value="9-5"' in faulty(page, *fields)
    faulty(await admin.post("/admin/add-hall", NEW_HALL | {"code": "chengzhong"}), "code")


async def test_halls_never_form_a_ring(admin: Visitor) -> None:
    """Lingui is below guilin."""
    for parent in ("lingui", "guilin"):
        page = await admin.post("/admin/halls/guilin", NEW_HALL | {"parent": parent})
        assert "不能是本大厅" in faulty(page, "parent")


async def test_units_are_added_and_renamed(people: People, admin: Visitor) -> None:
    unit = {"unit_code": "tax", "unit_name": "税务局"}
    assert (await admin.post("/admin/halls/guilin/units", unit)).status_code == 303
    assert (await admin.post("/admin/halls/guilin/units", unit)).status_code == 303  # a double click
    assert (await admin.post("/admin/halls/guilin/units/tax", {"name_tax": "税务总局"})).status_code == 303
    assert (await row(people.services, Unit, ("guilin", "tax"))).name == "税务总局"
    faulty(await admin.post("/admin/halls/guilin/units", unit), "unit_code")
    faulty(await admin.post("/admin/halls/guilin/units", {"unit_code": "a b"}), "unit_code", "unit_name")
    faulty(await admin.post("/admin/halls/guilin/units/tax", {"name_tax": ""}), "name_tax")
    assert (await admin.post("/admin/halls/guilin/units/none", {"name_none": "x"})).status_code == 404
    assert (await admin.post("/admin/halls/none/units", unit)).status_code == 404


async def test_a_change_of_the_contact_table_makes_a_version(people: People, admin: Visitor) -> None:
    at = "/admin/contacts/guilin/market"
    assert (await admin.post(at, LINE)).status_code == 303
    assert (await admin.post(at, LINE)).status_code == 303  # the same form sent twice
    page = (await admin.get(at)).text
    assert re.findall(r"<tr><td>(\d)</td>", page) == ["2", "1"] and "甲演" in page
    late = await admin.post(at, LINE | {"contact.name": "丙演"})
    assert late.status_code == 409 and 'value="丙演"' in late.text
    wrong = LINE | {"version": "2", "deputy_leader.phone": "1", "contact.name": "", "alternate.name": "丁演"}
    text = faulty(await admin.post(at, wrong), "deputy_leader.phone", "contact.name", "alternate.phone")
    assert "备用联系人电话" in text and 'value="丁演"' in text
    assert (await admin.get("/admin/contacts/guilin/none")).status_code == 404


async def test_a_supervisor_keeps_the_table_of_the_halls_below_only(people: People) -> None:
    supervisor = await people.of("guilin.supervisor")
    page = (await supervisor.get("/admin/contacts", hall="lingui")).text
    assert "尚未填写" in page and "chengzhong" not in page and "从 Excel 导入" not in page
    for hall in ("chengzhong", "nowhere"):
        assert (await supervisor.get("/admin/contacts", hall=hall)).status_code == 404
        assert (await supervisor.post(f"/admin/contacts/{hall}/market", LINE)).status_code == 404
    first = LINE | {"version": "0"}
    assert (await supervisor.post("/admin/contacts/lingui/market", first)).status_code == 303


async def test_an_import_is_looked_at_first(people: People, admin: Visitor, tmp_path: Path) -> None:
    before = len(await rows(people.services, ContactEntry))
    content = table(tmp_path, TAX).read_bytes()
    looked = await admin.post("/admin/contacts/import", {"act": "look"}, {"file": ("a.xlsx", content)})
    assert looked.status_code == 200 and "guilin/tax" in looked.text and "0773-2800000" in looked.text
    assert len(await rows(people.services, ContactEntry)) == before
    assert await row(people.services, Unit, ("guilin", "tax")) is None
    confirm = {"act": "import"} | {name: hidden(looked.text, name) for name in ("content", "digest")}
    done = await admin.post("/admin/contacts/import", confirm)
    assert done.status_code == 200 and "已导入" in done.text
    assert len(await rows(people.services, ContactEntry)) == before + 1
    # What stood there when it was looked at is not what stands there now: look again.
    again = await admin.post("/admin/contacts/import", confirm)
    assert again.status_code == 409 and "有了变动" in again.text
    other = table(tmp_path, changed(TAX, 联系人="丙演")).read_bytes()
    looked = await admin.post("/admin/contacts/import", {"act": "look"}, {"file": ("a.xlsx", other)})
    assert re.search(r"联系人姓名</td><td class=\"typed\">乙演</td><td class=\"typed\">丙演", looked.text)


async def test_a_faulty_file_names_every_fault_by_its_row(
    people: People, admin: Visitor, tmp_path: Path
) -> None:
    bad = table(tmp_path, TAX, changed(TAX, 联系人电话="1", 单位代码="x y")).read_bytes()
    page = await admin.post("/admin/contacts/import", {"act": "look"}, {"file": ("a.xlsx", bad)})
    assert page.status_code == 422 and page.text.count("第 4 行") == 2
    for content in (b"no table", b"x" * 200_001):
        page = await admin.post("/admin/contacts/import", {"act": "look"}, {"file": ("a", content)})
        assert page.status_code == 422
    for form in ({"act": "look"}, {"act": "import", "content": "§", "digest": "x"}):
        assert (await admin.post("/admin/contacts/import", form)).status_code == 422
    assert await row(people.services, Unit, ("guilin", "tax")) is None


async def test_the_empty_table_can_be_filled_in(admin: Visitor) -> None:
    file = await admin.get("/admin/contacts/template.xlsx")
    assert file.content.startswith(b"PK") and "attachment" in file.headers["content-disposition"]


async def test_a_year_is_shown_by_day(admin: Visitor) -> None:
    page = (await admin.get("/admin/calendar", year=2026)).text
    assert re.search(r'class="day off" title="放假">1<b>休</b>', page)
    assert re.search(r'class="day swap" title="调休上班">4<b>班</b>', page)
    assert page.count('<table class="month">') == 12 and "尚未载入" not in page
    assert "尚未载入" in (await admin.get("/admin/calendar", year=2037)).text
    assert (await admin.get("/admin/calendar", year=2026, hall="none")).status_code == 404


async def test_a_notice_is_looked_at_before_it_counts(people: People, admin: Visitor) -> None:
    looked = await admin.post("/admin/calendar/load", NOTICE)
    assert looked.status_code == 200 and "0 件的时限会变动" in looked.text
    assert await rows(people.services, CalendarYear) == []
    names = ("year", "hall", "off", "work", "source", "seen")
    confirm = {name: hidden(looked.text, name) for name in names} | {"act": "publish"}
    # Other days than those that were looked at are looked at first.
    other = await admin.post("/admin/calendar/load", confirm | {"off": "2037-01-01"})
    assert other.status_code == 200 and await rows(people.services, CalendarYear) == []
    assert (await admin.post("/admin/calendar/load", confirm)).status_code == 303
    [stored] = await rows(people.services, CalendarYear)
    assert (stored.year, len(stored.off), stored.work) == (2037, 7, ["2037-02-14", "2037-02-28"])
    edit = await admin.post("/admin/calendar/load", confirm | {"act": "edit"})
    assert "2037-02-15 至 2037-02-20" in edit.text


async def test_a_halls_own_days_are_marked_as_its_own(people: People, admin: Visitor) -> None:
    own = NOTICE | {"hall": "guilin", "off": "2037-04-20", "work": "2037-04-18"}
    looked = await admin.post("/admin/calendar/load", own)
    confirm = own | {"act": "publish", "seen": hidden(looked.text, "seen")}
    assert (await admin.post("/admin/calendar/load", confirm)).status_code == 303
    page = (await admin.get("/admin/calendar", year=2037, hall="guilin")).text
    assert "厅休" in page and re.search(r'own_work" title="本大厅上班">18<b>厅班</b>', page)
    assert "厅班</b></td>" not in (await admin.get("/admin/calendar", year=2037)).text


async def test_a_notice_comes_from_a_file_too(admin: Visitor) -> None:
    content = {"off": ["2037-01-01"], "work": [], "source": "国办发明电"}
    only_year = {"year": "2037", "hall": "", "act": "preview"}
    files = {"file": ("a.json", json.dumps(content).encode())}
    assert "2037-01-01" in (await admin.post("/admin/calendar/load", only_year, files)).text
    for bad in (b"\xff", b"{}", b"x" * 100_001, json.dumps(content | {"off": ["2037-13-01"]}).encode()):
        faulty(await admin.post("/admin/calendar/load", only_year, {"file": ("a.json", bad)}), "file")


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        (
            {"year": "1999", "off": "明天", "work": "2037-02-30", "source": ""},
            ["year", "off", "work", "source"],
        ),
        ({"off": "2037-02-20 至 2037-02-15"}, ["off"]),
        ({"off": "2036-05-01", "work": "2037-03-02"}, ["off", "work"]),
        ({"off": "2037-02-14"}, ["off", "work"]),
        ({"source": "\u202e"}, ["source"]),
    ],
)
async def test_a_bad_notice_names_every_field(
    admin: Visitor, changed: dict[str, str], fields: list[str]
) -> None:
    text = faulty(await admin.post("/admin/calendar/load", NOTICE | changed), *fields)
    assert changed.get("off", NOTICE["off"]) in text


async def test_the_preview_shows_numbers_and_dates_and_nothing_of_a_case(sqlite_house: House) -> None:
    case = await sqlite_house.handled(kind="commitment")
    day = case["due_at"][:10]
    async with visiting(sqlite_house.app, sqlite_house.services, "admin") as admin:
        own = {"year": day[:4], "hall": "guilin", "off": day, "work": "", "source": "停电", "act": "preview"}
        page = (await admin.post("/admin/calendar/load", own)).text
    assert case["number"] in page and day in page and "1 件的时限会变动" in page
    for hidden_from_admin in ("个体户注销", "窗口要求", "周小明", "138", case["id"]):
        assert hidden_from_admin not in page


async def test_policies_are_shown_with_every_value_and_its_source(people: People, admin: Visitor) -> None:
    page = unescape((await admin.get("/admin/policies")).text)
    for policy in people.services.policies.values():
        assert policy.title in page
    assert "3个工作日内办结及反馈" in page and page.count("个工作日</td>") > 20
    assert "proposal where" not in page and "文件未作规定" in page
    assert "依据" in page and "<form" not in page.partition("<main")[2]


async def test_names_full_of_markup_are_shown_as_typed(people: People, admin: Visitor) -> None:
    name = '<script>alert("x")</script>&=1+1 𠮷'
    await admin.post("/admin/add-user", NEW_USER | {"name": name, "role": "auditor", "place": ""})
    page = (await admin.get("/admin/grants")).text
    assert "<script>alert" not in page and name in unescape(page)


async def test_a_second_admin_from_the_command_line_may_approve(people: People, admin: Visitor) -> None:
    """`bancheng user add` is the way in where nobody is left to approve."""
    await add_user(people.services, NewUser("admin2", "第二", Role.ADMIN), "a password of length")
    async with people.services.database.begin() as session:
        (await session.get_one(User, "admin2")).must_change_password = False
    second = await people.of("admin2")
    await admin.post("/admin/users/auditor/password", {"reason_password": "忘记"})
    [grant] = re.findall(r"/admin/grants/([^/\"]+)/approve", (await second.get("/admin/grants")).text)
    assert secret(await second.post(f"/admin/grants/{grant}/approve", {f"reason_{grant}": "已核实"}))
