"""Every other list as Excel: the rows of its own list, never another hall's, and no formula ever."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select, update

from casework.access import record as note
from casework.contact_table import UNIT_COLUMNS, import_table
from casework.services import Services
from models.access import AccessLog
from models.case import Bulletin, Case
from models.directory import User
from models.facts import CASE_FACTS
from models.filing import Petitioner
from models.petitioner import NAME_INDEX
from models.report import Report, ReportReceipt
from models.typical import TypicalCase
from pages.figure_exports import TABLES
from pages.labels import ACCESS
from pages.sheets import WORK
from rules.case.vocabulary import Role
from rules.repeats import matter_key
from tests.support.cases import Story, t
from tests.support.permitted import ALLOWED
from tests.support.recorded import record
from tests.support.sheets import HOSTILE, NOW, facts, recorded, rows_of, table, visit

FACTS = ["导出内容", "筛选条件", "导出人", "导出时间", "件数"]
SUPERVISOR, FAR = "guilin.supervisor", "chengzhong.supervisor"
FORM = {"policy": "chengzhong", "received_from": "2026-03-01", "received_to": "2026-03-31"}


@dataclass(frozen=True)
class Export:
    """An export: who takes it where, which column names a row and what stands there; who is a stranger.

    ``words``: what the filter says. ``hostile``: its rows hold every hostile text.
    """

    path: str
    username: str
    column: str
    expected: set[Any]
    words: str
    stranger: str | None = None
    form: Mapping[str, str] | None = None
    hostile: bool = True


CASE = "guilin-20260309-000{}".format
EXPORTS = {
    "bulletins": Export(
        "/bulletins/export.xlsx?status=issued",
        *(SUPERVISOR, "责任人", set(HOSTILE), "状态:已通报", FAR),
    ),
    "typical": Export(
        "/typical/export.xlsx?status=published",
        *(SUPERVISOR, "标题", set(HOSTILE), "状态:已发布", "chengzhong.lead"),
    ),
    "lessons": Export(
        "/lessons/export.xlsx",
        "guilin.clerk",
        "经验",
        set(HOSTILE[:5]),
        "无",
        "chengzhong.clerk",
        hostile=False,
    ),
    "found lessons": Export(
        "/lessons/search/export.xlsx",
        *("guilin.clerk", "经验", {"=1+1", "+1", "-1", "\t=1+1"}, "查找:=1+1", "chengzhong.clerk"),
        form={"q": "=1+1", "cause": ""},
        hostile=False,
    ),
    "bottlenecks": Export(
        "/bottlenecks/export.xlsx?since=2026-03-01&until=2026-03-31&hall=guilin",
        *(SUPERVISOR, "政务服务事项", {"=1+1", "+1"}, "受理日期:2026-03-01 至 2026-03-31；大厅:", FAR),
        hostile=False,
    ),
    "cluster": Export(
        f"/bottlenecks/{CASE(2)}/export.xlsx?since=2026-03-01&until=2026-03-31",
        *(SUPERVISOR, "编号", {CASE(2), CASE(3)}, "事项:=1+1", FAR),
        hostile=False,
    ),
    "queue": Export(
        "/counter/queue/export.xlsx",
        *("guilin.clerk", "编号", {CASE(n) for n in (3, 4, 5)}, "本大厅", "chengzhong.clerk"),
        hostile=False,
    ),
    "reports": Export(
        "/reports/export.xlsx?kind=hall_weekly",
        *(SUPERVISOR, "接收人", set(HOSTILE), "种类:窗口周报", "chengzhong.lead"),
    ),
    "access log": Export(
        "/access-log/export.xlsx?action=unmask&user=guilin.clerk",
        *(SUPERVISOR, "说明", set(HOSTILE), "用户名:guilin.clerk；操作:查看完整信息", FAR),
    ),
    "users": Export(
        "/admin/users/export.xlsx?place=guilin/social&active=yes",
        *("admin", "姓名", set(HOSTILE[:3]), "单位:", None),
        hostile=False,
    ),
    "lost points": Export(
        "/figures/guilin/market/export.xlsx?from=2026-03-01&to=2026-03-31",
        *(SUPERVISOR, "政务服务事项", {"=1+1", "+1"}, "承办单位:市场监管局", FAR),
        hostile=False,
    ),
    "what-if": Export(
        "/what-if/export.xlsx",
        *(SUPERVISOR, "承办单位", {"市场监管局", "住建局", "未分派", ""}, "政策:《", FAR),
        form=FORM,
        hostile=False,
    ),
}


async def fill(services: Services) -> None:
    """Put into every list the hostile texts, and a line of another hall."""
    at = t(NOW) - timedelta(days=1)
    async with services.database.begin() as session:
        for number, text in enumerate([*HOSTILE, "远"]):
            hall = "chengzhong" if text == "远" else "guilin"
            case_number = f"{hall}-20260309-{'0006' if text == '远' else '0001'}"
            wanted = select(Case.id).where(Case.number == case_number)
            case_id = (await session.exec(wanted)).one()
            place: dict[str, Any] = {"case_id": case_id, "case_number": case_number, "hall": hall}
            session.add(
                Bulletin(
                    **place,
                    seq=100 + number,
                    unit="market",
                    person=text,
                    ground="order_unanswered",
                    status="issued",
                    created_at=at,
                    decided_at=at,
                )
            )
            texts = dict.fromkeys(("title", "problem", "done", "lesson"), text)
            session.add(
                TypicalCase(
                    **place,
                    **texts,
                    unit="market",
                    matter=text,
                    status="published",
                    last_hash="0" * 64,
                    written_by=f"{hall}.lead",
                    written_at=at,
                    published_at=at,
                )
            )
            _report(session, hall, number, text)
        for number, text in enumerate(HOSTILE[:5], 1):
            of_case = col(Case.number) == CASE(number)
            await session.exec(update(Case).where(of_case).values(lesson=text))
        for case_id in (await session.exec(select(Case.id))).all():
            session.add(Petitioner(case_id=case_id, kind="person"))
        far = col(Case.hall) == "chengzhong"
        await session.exec(update(Case).where(far).values(lesson="远", matter="远"))
        matters = {1: "+1", 2: "=1+1", 3: "=1+1", 4: "+1", 5: "@SUM(A1)"}
        for number, text in matters.items():
            of_case = col(Case.number) == CASE(number)
            await session.exec(update(Case).where(of_case).values(matter=text, cause="other"))
            counted = CASE_FACTS.c.case_id.in_(select(Case.id).where(of_case))
            facts_of_it = {"matter_key": matter_key(text), "cause": "other"}
            await session.exec(update(CASE_FACTS).where(counted).values(facts_of_it))
        people = (await session.exec(select(User).where(User.hall == "guilin", User.unit == "social"))).all()
        for user, text in zip(sorted(people, key=lambda each: each.username), HOSTILE, strict=False):
            user.name = text
            session.add(user)
    for text in HOSTILE:
        await note(services, action="unmask", username="guilin.clerk", reason=text, address="10.0.0.7")
    await note(services, action="unmask", username="chengzhong.clerk", reason="远")


def _report(session: Any, hall: str, number: int, text: str) -> None:
    at = t(NOW) - timedelta(days=7 * number + 1)
    figures = {"period": {"registered": number}, "standing": {"open": 1}}
    times = {"covers_from": at - timedelta(days=7), "covers_to": at, "due_at": at, "made_at": at}
    report = Report(
        id=f"{hall}-{number}",
        kind="hall_weekly",
        hall=hall,
        category="forms_and_ledger",
        digest="0" * 64,
        facts={"cases": 1, "figures": figures},
        **times,
    )
    session.add(report)
    for username in ("second", "first"):
        receipt = ReportReceipt(
            report_id=report.id,
            username=username,
            name=text if username == "first" else "后来的人",
            role="centre",
            at=at,
        )
        session.add(receipt)


@pytest.fixture
async def services(furnished_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """On SQLite and on PostgreSQL."""
    async with recorded(furnished_url, tmp_path) as given:
        await fill(given)
        yield given


@pytest.fixture
async def sqlite_services(furnished_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """On SQLite, for what has nothing to do with the dialect."""
    async with recorded(furnished_sqlite_url, tmp_path) as given:
        await fill(given)
        yield given


async def taken(services: Services, export: Export, by: str | None = None) -> httpx.Response:
    async with visit(services, by or export.username) as browser:
        if export.form is not None:
            return await browser.post(export.path, export.form)
        return await browser.get(export.path)


async def downloads(services: Services) -> list[str | None]:
    async with services.database.read() as session:
        wanted = select(AccessLog.reason).where(AccessLog.action == "download").order_by(col(AccessLog.id))
        return list((await session.exec(wanted)).all())


async def test_every_export_has_the_rows_of_its_list(services: Services) -> None:
    for name, export in EXPORTS.items():
        answer = await taken(services, export)
        assert answer.status_code == 200, (name, answer.text[:300])
        rows = rows_of(answer.content)  # no formula, no link
        found = table(rows)
        assert {row[export.column] for row in found} == export.expected, name
        assert len(found) == len(export.expected), name
        assert facts(rows)["件数"] == str(len(found) - (name == "what-if")), name  # its sum is no row
        if export.hostile:
            assert {row[export.column] for row in found} == set(HOSTILE), name


async def test_filter_who_and_when_stand_above_every_export(sqlite_services: Services) -> None:
    for name, export in EXPORTS.items():
        rows = rows_of((await taken(sqlite_services, export)).content)
        head = facts(rows)
        assert list(head) == FACTS, name
        assert export.words in head["筛选条件"], (name, head)
        assert f"({export.username})" in head["导出人"] and head["导出时间"] == "2026-03-18 10:00"
    assert len(await downloads(sqlite_services)) == len(EXPORTS)


async def test_another_hall_s_rows_are_in_no_export(sqlite_services: Services) -> None:
    for name, export in EXPORTS.items():
        if export.stranger is None:
            continue
        mine = rows_of((await taken(sqlite_services, export)).content)
        assert "远" not in str(mine), name
        answer = await taken(sqlite_services, export, export.stranger)
        if answer.status_code == 404:
            continue
        assert answer.status_code == 200, (name, answer.status_code)
        theirs = rows_of(answer.content)
        assert not any(CASE(number) in str(theirs) for number in range(6)), name
        assert not set(HOSTILE) & {row.get(export.column) for row in table(theirs)}, name


async def test_a_head_makes_no_sheet_and_is_no_download(
    sqlite_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: Any) -> Any:
        raise AssertionError("a sheet was made")

    monkeypatch.setattr("pages.sheets.write_sheet", never)
    paths = [route.split()[1] for route in ALLOWED if route.startswith("GET") and route.endswith(".xlsx")]
    paths.remove("/admin/contacts/template.xlsx")
    assert len(paths) >= 17
    users = {Role.SUPERVISOR: SUPERVISOR, Role.CLERK: "guilin.clerk", Role.ADMIN: "admin"}
    users |= {Role.WINDOW_LEAD: "guilin.lead", Role.CONTACT: "guilin.market.contact"}
    for path in paths:
        role = next(role for role in users if role in ALLOWED[f"GET {path}"])
        filled = path.replace("{number}", CASE(2)).replace("{hall}", "guilin").replace("{unit}", "market")
        async with visit(sqlite_services, users[role]) as browser:
            answer = await browser.http.head(filled)
        assert (answer.status_code, answer.content) == (200, b""), path
    # Who may not take it is told so by HEAD, too.
    async with visit(sqlite_services, "guilin.clerk") as browser:
        assert (await browser.http.head("/access-log/export.xlsx")).status_code == 403
    assert await downloads(sqlite_services) == []


async def test_each_table_of_the_figures_is_a_sheet(services: Services) -> None:
    found = {}
    async with visit(services, SUPERVISOR) as browser:
        for name in TABLES:
            path = f"/figures/export.xlsx?table={name}&from=2026-03-01&to=2026-03-31&hall=guilin"
            rows = rows_of((await browser.get(path)).content)
            assert facts(rows)["筛选条件"].startswith("时间:2026-03-01 00:00 起，2026-04-01 00:00 前；大厅:")
            assert facts(rows)["导出内容"] == TABLES[name].title
            found[name] = table(rows)
    rates = {row["指标"]: row["数值"] for row in found["rates"]}
    assert (rates["登记"], rates["办理件"]) == (5, 4)
    assert isinstance(rates["承办单位按时率(%)"], float)
    ranked = next(row for row in found["ranking"] if row["承办单位"] == "市场监管局")
    assert (ranked["名次"], ranked["得分"], ranked["办理件"]) == ("样本不足", "—", 3)
    assert ranked["按时·应达到"] == 3 and ranked["按时·得分"] + ranked["按时·失分"] == ranked["按时·分值"]
    assert {row["分组方式"] for row in found["groups"]} == {"按大厅", "按承办单位", "按类别", "按成因"}
    assert all(row["大厅"] for row in found["groups"] if row["分组方式"] == "按承办单位")
    assert sum(row["登记"] for row in found["trend"]) == 5
    assert found["holders"] and found["causes"]
    assert [row["登记"] for row in found["matters"]] == [2, 2]


async def test_a_table_of_the_figures_that_is_none_is_the_groups(sqlite_services: Services) -> None:
    async with visit(sqlite_services, "auditor") as browser:
        rows = rows_of((await browser.get("/figures/export.xlsx?table=x")).content)
        assert facts(rows)["导出内容"] == "分组统计"
        for path in ("/figures/export.xlsx?from=x", "/figures/guilin/market/export.xlsx?from=x"):
            assert (await browser.get(path)).status_code == 422
        assert (await browser.get("/figures/guilin/nobody/export.xlsx")).status_code == 404


async def test_a_contact_table_can_be_imported_as_it_was_exported(services: Services) -> None:
    async with visit(services, "admin") as browser:
        content = (await browser.get("/admin/contacts/export.xlsx?hall=guilin")).content
        lower = rows_of((await browser.get("/admin/contacts/export.xlsx?hall=lingui")).content)
    rows = rows_of(content)
    assert list(table(rows)[0]) == list(UNIT_COLUMNS)
    done = await import_table(services, content, "admin")
    assert len(done.unchanged) == len(table(rows)) > 0
    assert (done.versions, done.halls, done.units) == ([], [], [])
    # A unit that nobody was entered for is named, and no import would take its line.
    assert table(lower) == [] and "尚未填写、不在表中:市场监管局" in facts(lower)["筛选条件"]
    async with visit(services, FAR) as browser:
        assert (await browser.get("/admin/contacts/export.xlsx?hall=guilin")).status_code == 404


async def test_a_petitioner_s_name_is_not_written_into_a_sheet_of_lessons(sqlite_services: Services) -> None:
    async with sqlite_services.database.begin() as session:
        case_id = (await session.exec(select(Case.id).where(Case.number == CASE(1)))).one()
        person = await session.get_one(Petitioner, case_id)
        person.name_index = sqlite_services.keyring.blind_index(NAME_INDEX, "周小明")
        session.add(person)
    async with visit(sqlite_services, "guilin.clerk") as browser:
        answer = await browser.post("/lessons/search/export.xlsx", {"q": "周小明"})
        assert "周小明" not in str(rows_of(answer.content))
        too_long = await browser.post("/lessons/search/export.xlsx", {"q": "长" * 900})
        assert (too_long.status_code, too_long.headers["location"]) == (303, "/lessons")


async def test_a_faulty_period_exports_nothing(sqlite_services: Services) -> None:
    async with visit(sqlite_services, SUPERVISOR) as browser:
        for path in ("/bottlenecks", f"/bottlenecks/{CASE(2)}"):
            answer = await browser.get(f"{path}/export.xlsx?since=tomorrow")
            assert answer.status_code == 422 and "筛选条件有误" in answer.text
        for query in ("day=tomorrow", "user=%00"):
            assert (await browser.get(f"/access-log/export.xlsx?{query}")).status_code == 422
            assert (await browser.get(f"/access-log?{query}")).status_code == 422
        faulty = await browser.post("/what-if/export.xlsx", {**FORM, "received_from": ""})
        assert faulty.status_code == 422 and "政策推演" in faulty.text
        with sqlite_services.heavy.turn(WORK, SUPERVISOR):
            assert (await browser.get("/bulletins/export.xlsx")).status_code == 429


async def test_the_whole_queue_is_exported_not_only_what_the_page_shows(
    sqlite_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (7, 8):
        case_id = await record(sqlite_services, Story("03-09 09:20").until(NOW), CASE(number))
        async with sqlite_services.database.begin() as session:
            session.add(Petitioner(case_id=case_id, kind="person"))
    monkeypatch.setattr("casework.queue.MOST", 1)
    rows = table(rows_of((await taken(sqlite_services, EXPORTS["queue"])).content))
    assert sorted(row["编号"] for row in rows) == [CASE(number) for number in (3, 4, 5, 7, 8)]
    async with visit(sqlite_services, "guilin.clerk") as browser:
        page = (await browser.get("/counter/queue")).text
    assert page.count("先列最急的") == 1


async def test_the_access_log_is_read_on_a_page(services: Services) -> None:
    async with visit(services, SUPERVISOR) as browser:
        page = (await browser.get("/access-log?user=guilin.clerk&action=unmask")).text
        assert page.count('<td class="number">10.0.0.7</td>') == len(HOSTILE)
        assert "查看完整信息" in page and "chengzhong" not in page.partition("<tbody>")[2]
        assert 'href="/access-log/export.xlsx?user=guilin.clerk&amp;action=unmask"' in page
        today = (await services.wall.now()) + timedelta(hours=8)
        assert "guilin.clerk" in (await browser.get(f"/access-log?day={today:%Y-%m-%d}")).text
        empty = (await browser.get("/access-log?day=2020-01-01")).text
        assert "没有符合条件的记录" in empty
        # An action that is none narrows nothing.
        assert "guilin.clerk" in (await browser.get("/access-log?action=x")).text
    async with visit(services, "auditor") as browser:
        assert "chengzhong.clerk" in (await browser.get("/access-log")).text
    async with visit(services, "guilin.lead") as browser:
        assert (await browser.get("/access-log")).status_code == 403


async def test_the_access_log_goes_page_by_page(
    sqlite_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.access_log.PER_PAGE", 4)
    path = "/access-log?user=guilin.clerk&action=unmask"
    async with visit(sqlite_services, SUPERVISOR) as browser:
        first, second = (await browser.get(path)).text, (await browser.get(f"{path}&page=2")).text
    assert first.count("10.0.0.7") == 4 and second.count("10.0.0.7") == len(HOSTILE) - 4
    assert 'rel="next"' in first and 'rel="next"' not in second and 'rel="prev"' in second


def test_every_action_of_the_access_log_has_a_word() -> None:
    root = Path(__file__).parents[2]
    sources = [path for name in ("casework", "routes", "pages") for path in (root / name).glob("*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in sources if path.name != "labels.py")
    written = {action for action in ACCESS if f'"{action}"' in code}
    made = {"refused_403", "refused_409", "grant_approved", "grant_rejected", "grant_withdrawn"}
    assert set(ACCESS) - written <= made


@pytest.mark.parametrize(
    ("username", "path", "link"),
    [
        (SUPERVISOR, "/bulletins?status=issued", "/bulletins/export.xlsx?status=issued"),
        (SUPERVISOR, "/typical?status=published", "/typical/export.xlsx?status=published"),
        (SUPERVISOR, "/lessons", "/lessons/export.xlsx"),
        (SUPERVISOR, "/bottlenecks?since=2026-03-01", "/bottlenecks/export.xlsx?since=2026-03-01"),
        (SUPERVISOR, f"/bottlenecks/{CASE(2)}", f"/bottlenecks/{CASE(2)}/export.xlsx?since="),
        ("guilin.clerk", "/counter/queue", "/counter/queue/export.xlsx"),
        (SUPERVISOR, "/reports?kind=hall_weekly", "/reports/export.xlsx?kind=hall_weekly"),
        (SUPERVISOR, "/figures", "/figures/export.xlsx?step=month&amp;table=ranking"),
        (SUPERVISOR, "/figures/guilin/market", "/figures/guilin/market/export.xlsx"),
        ("admin", "/admin/users?q=guilin", "/admin/users/export.xlsx?q=guilin"),
        ("admin", "/admin/contacts?hall=guilin", "/admin/contacts/export.xlsx?hall=guilin"),
    ],
)
async def test_a_list_leads_to_its_export(
    sqlite_services: Services, username: str, path: str, link: str
) -> None:
    async with visit(sqlite_services, username) as browser:
        page = (await browser.get(path)).text
        assert f'href="{link}' in page
        (address,) = {each.partition('"')[0] for each in page.split('href="') if each.startswith(link)}
        assert (await browser.get(address.replace("&amp;", "&"))).status_code == 200


async def test_what_if_and_found_lessons_have_their_buttons(sqlite_services: Services) -> None:
    async with visit(sqlite_services, SUPERVISOR) as browser:
        assert 'formaction="/what-if/export.xlsx"' in (await browser.get("/what-if")).text
        found = (await browser.post("/lessons/search", {"q": "SUM", "cause": ""})).text
        assert 'action="/lessons/search/export.xlsx"' in found and 'value="SUM"' in found
