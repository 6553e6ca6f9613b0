"""Reports over API and pages: what they say of real cases, who sees them, who took them, and the log."""

import hashlib
import io
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import select, update

from activities.reporting import calendar_of
from casework.report_running import Run, run_reports
from models.directory import Hall, User
from models.evidence import LedgerHead
from models.report import ReportFile
from rules.calendar import SHANGHAI, local
from rules.reporting import ReportingTimes, ReportKind, due_after
from tests.support.house import House, form, triage
from tests.support.office import SetClock
from tests.support.visiting import visiting

FORMULA = '=HYPERLINK("http://example.org","点我")'


async def run_of_this_period(house: House, kind: str = "hall_weekly", hall: str = "guilin") -> Run:
    """The report that covers the present, made in some weeks."""
    now = await house.services.clock.now()
    async with house.services.database.read() as session:
        calendar = await calendar_of(session, await session.get_one(Hall, hall), now)
    due = due_after(calendar, ReportingTimes(), ReportKind(kind), now)
    while due.end < now:
        due = due_after(calendar, ReportingTimes(), ReportKind(kind), due.at)
    with house.changed(clock=SetClock(now + timedelta(weeks=12))):
        [run] = await run_reports(house.services, kind, local(due.at).date(), hall)
    assert run.report.covers_from < now <= run.report.covers_to
    return run


def sheet(content: bytes, name: str) -> list[list[str]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(name).to_python()


async def file_of(house: House, run: Run, by: str, **params: str) -> bytes:
    answer = await house.get(f"reports/{run.report.id}/file", by=by, **params)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_weekly_report_holds_forms_and_ledger_as_they_are(house: House) -> None:
    attempts = [{"channel": "counter", "on": "2026-01-05", "where": "市场监管局", "said": "要补材料"}]
    told = await house.file(matter=FORMULA, problem="-重复提交\n第二行", attempts=attempts)
    await house.act(told, "triage", "guilin.clerk", **triage())
    await house.act(told, "sign", "guilin.market.contact")
    await house.act(told, "progress", "guilin.market.contact", text="已联系税务部门")
    await house.act(told, "reply", "guilin.market.contact", text="+已补办完毕", resolved=True)
    await house.act(told, "check_reply", "guilin.lead", accept=True)
    await house.file(hall="chengzhong", by="chengzhong.clerk")
    waiting = await house.file()
    run = await run_of_this_period(house)

    figures = run.report.facts["figures"]
    assert figures["period"] == {"dispatched": 1, "registered": 2, "told": 1}
    assert figures["kinds"] == {"simple": 1, "untriaged": 1}
    assert figures["standing"] == {"open": 2, "status.registered": 1, "status.revisiting": 1}
    assert figures["units"] == {"market": {"dispatched": 1, "open": 1, "registered": 1, "told": 1}}
    content = await file_of(house, run, "guilin.centre")
    rows = sheet(content, "附件3 台账")[3:]
    ledger = (await house.get(f"cases/{told['id']}/ledger")).json()
    assert [row[1] for row in rows] == [told["number"], waiting["number"]]
    assert rows[0][2] == FORMULA
    assert rows[0][4:6] == [ledger["unit_name"], ledger["person"]]
    assert rows[0][6].split("\n") == [minute(ledger["dispatched_at"]), minute(ledger["signed_at"])]
    assert rows[0][7] == minute(ledger["due_at"])
    assert rows[0][8].endswith("已联系税务部门")
    assert rows[0][12] == "+已补办完毕"
    forms = [cell for row in sheet(content, "附件2 登记表") for cell in row]
    assert {"周*", "138********", "-重复提交\n第二行", "2026-01-05，窗口，市场监管局，要补材料"} <= set(forms)
    assert "周小明" not in forms
    assert forms.count("编号") == 2
    contacts = sheet(content, "附件1 业务联系表")
    assert [row[0] for row in contacts[3:]].count("市场监管局") == 1


def minute(at: str) -> str:
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M}"


async def test_the_lists_of_a_month_hold_problems_demands_and_measures_as_they_are(house: House) -> None:
    case = await house.file(matter=FORMULA, problem="两个系统互不认证")
    await house.act(case, "triage", "guilin.clerk", **triage(cause="system_barrier"))
    await house.act(case, "sign", "guilin.market.contact")
    await house.act(case, "mark_unable", "guilin.market.contact", reason="需要接口")
    await house.act(case, "coordinate", "guilin.market.leader", text="-请数据局打通接口")
    await house.act(case, "reply", "guilin.market.leader", text="接口已打通", resolved=True)
    asked = await house.file(problem="咨询营业时间")
    answer = {"kind": "consultation", "answer": "周一至周五"}
    await house.act(asked, "triage", "guilin.clerk", **answer)
    lists = await run_of_this_period(house, "monthly_lists")
    content = await file_of(house, lists, "guilin.lead")
    [problem] = sheet(content, "问题清单")[3:]
    assert problem[1] == case["number"]
    assert problem[3:6] == [FORMULA, "两个系统互不认证", "网络信息壁垒"]
    [demand] = sheet(content, "需求清单")[3:]
    assert demand[6:] == ["需打通信息系统、需分管领导协调", "待审核答复"]
    [measure] = sheet(content, "措施清单")[3:]
    first, second = measure[6].split("\n")
    assert first.endswith("协调决定：-请数据局打通接口") and second.endswith("答复：接口已打通")
    assert {row[1] for row in sheet(content, "附件3 台账")[3:]} == {case["number"], asked["number"]}

    monthly = await run_of_this_period(house, "monthly")
    counts = {"problems": 1, "registered": 1, "open": 1, "demands": 1, "measures": 2}
    for run in (lists, monthly):
        assert run.report.facts["figures"]["causes"] == {"system_barrier": counts}
        assert (await run_of_this_period(house, run.report.kind)).differs == ()
    items = (await house.get("reports", by="guilin.supervisor", kind="monthly")).json()["items"]
    assert [(each["kind"], each["category"]) for each in items] == [("monthly", "summary")]
    items = (await house.get("reports", by="guilin.supervisor", category="lists")).json()["items"]
    assert [each["kind"] for each in items] == ["monthly_lists"]
    assert (await file_of(house, monthly, "guilin.supervisor"))[:5] == b"%PDF-"


async def test_a_case_filed_after_the_cut_off_is_in_the_next_report(sqlite_house: House) -> None:
    house = sqlite_house
    now = await house.services.clock.now()
    with house.changed(clock=SetClock(now + timedelta(weeks=12))):
        a_week_ago = local(now - timedelta(weeks=1)).date()
        [before] = await run_reports(house.services, "hall_weekly", a_week_ago, "guilin")
    await house.file()
    run = await run_of_this_period(house)
    assert (before.report.facts["cases"], run.report.facts["cases"]) == (0, 1)


async def test_a_summary_names_what_supervision_has_to_look_at(sqlite_house: House) -> None:
    house = sqlite_house
    case = await house.handled()
    await house.act(case, "order", "guilin.supervisor", text="请说明")
    run = await run_of_this_period(house, "centre_weekly")
    answer = (await house.get(f"reports/{run.report.id}", by="guilin.supervisor")).json()
    assert (answer["registered"], answer["open"], answer["kind"]) == (1, 1, "centre_weekly")
    pdf = await file_of(house, run, "guilin.supervisor")
    assert pdf[:5] == b"%PDF-"
    word = await file_of(house, run, "guilin.supervisor", format="docx")
    assert [each["format"] for each in answer["files"]] == ["pdf", "docx"]
    for content, said in zip((pdf, word), answer["files"], strict=True):
        assert (len(content), hashlib.sha256(content).hexdigest()) == (said["size"], said["sha256"])
    [content] = [each for each in (run.files) if each.format == "pdf"]
    assert content.content == pdf


async def test_what_was_stored_differs_once_the_directory_says_something_else(sqlite_house: House) -> None:
    """A second run names what differs: here the clerk has another name than when it was made."""
    house = sqlite_house
    await house.file()
    first = await run_of_this_period(house)
    assert (first.again, first.differs) == (False, ())
    assert (await run_of_this_period(house)).differs == ()
    async with house.services.database.begin() as session:
        clerk = User.username == "guilin.clerk"
        await session.exec(update(User).where(clerk).values(name="改名某"))  # type: ignore[arg-type]
    again = await run_of_this_period(house)
    assert (again.again, again.differs) == (True, ("content", "xlsx"))


async def test_who_sees_which_reports(house: House) -> None:
    runs = [await run_of_this_period(house, kind) for kind in ReportKind]
    hall, centre, lists, monthly = [run.report.id for run in runs]
    every = {hall, centre, lists, monthly}
    expected: Sequence[tuple[str, set[str]]] = (
        ("guilin.lead", {hall, lists}),
        ("guilin.centre", every),
        ("guilin.supervisor", every),
        ("auditor", every),
        ("chengzhong.centre", set()),
        ("chengzhong.supervisor", set()),
        ("lingui.supervisor", set()),
    )
    for username, seen in expected:
        listed = (await house.get("reports", by=username)).json()
        assert {item["id"] for item in listed["items"]} == seen, username
        assert listed["total"] == len(seen)
        for report in every:
            status = 200 if report in seen else 404
            assert (await house.get(f"reports/{report}", by=username)).status_code == status
            assert (await house.get(f"reports/{report}/file", by=username)).status_code == status
    for username in ("guilin.clerk", "guilin.market.contact", "superior", "admin"):
        assert (await house.get("reports", by=username)).status_code == 403
        assert (await house.get(f"reports/{hall}", by=username)).status_code == 403
    assert (await house.get("reports", by=None)).status_code == 401


async def test_lists_are_narrowed_and_paged(sqlite_house: House) -> None:
    house = sqlite_house
    for hall in ("guilin", "chengzhong"):
        for kind in ("hall_weekly", "centre_weekly"):
            await run_of_this_period(house, kind, hall)
    page = (await house.get("reports", by="auditor", hall="guilin", kind="hall_weekly")).json()
    assert [(item["hall"], item["kind"], item["category"]) for item in page["items"]] == [
        ("guilin", "hall_weekly", "forms_and_ledger")
    ]
    page = (await house.get("reports", by="auditor", category="summary", per_page=1, page=2)).json()
    assert (page["total"], len(page["items"]), page["items"][0]["kind"]) == (2, 1, "centre_weekly")
    assert (await house.get("reports", by="auditor", kind="nonsense")).status_code == 422


async def test_a_download_is_on_the_access_log(sqlite_house: House) -> None:
    house = sqlite_house
    run = await run_of_this_period(house)
    await file_of(house, run, "guilin.centre")
    entry = (await house.get("access-log", by="auditor")).json()["items"][0]
    assert (entry["action"], entry["username"], entry["case_id"]) == ("download", "guilin.centre", None)
    assert entry["reason"] == f"report {run.report.id} xlsx"
    answer = await house.get(f"reports/{run.report.id}/file", by="guilin.centre", format="pdf")
    assert answer.status_code == 404


async def test_a_file_is_sealed_at_rest(sqlite_house: House) -> None:
    await sqlite_house.file()
    run = await run_of_this_period(sqlite_house)
    async with sqlite_house.services.database.read() as session:
        row = (await session.exec(select(ReportFile).where(ReportFile.report_id == run.report.id))).one()
    assert not row.content.startswith(b"PK")
    assert row.name.endswith(".xlsx")


@pytest.fixture
async def reported(sqlite_house: House) -> AsyncIterator[tuple[House, str, str]]:
    """A house with a report of each kind: its id."""
    house = sqlite_house
    await house.file()
    runs = [await run_of_this_period(house, kind) for kind in ("hall_weekly", "centre_weekly")]
    yield house, runs[0].report.id, runs[1].report.id


async def test_taking_a_report_in_is_recorded_once(reported: tuple[House, str, str]) -> None:
    house, hall, centre = reported
    async with visiting(house.app, house.services, "guilin.centre") as visitor:
        assert "接收这份报告" in (await visitor.get(f"/reports/{hall}")).text
        for _ in range(2):
            answer = await visitor.post(f"/reports/{hall}/receipt", {})
            assert (answer.status_code, answer.headers["location"]) == (303, f"/reports/{hall}?done=receipt")
        page = (await visitor.get(f"/reports/{hall}", done="receipt")).text
        assert "已接收。" in page and "接收这份报告" not in page
        assert (await visitor.post(f"/reports/{centre}/receipt", {})).status_code == 403
    receipts = (await house.get(f"reports/{hall}", by="auditor")).json()["receipts"]
    assert [(each["username"], each["role"]) for each in receipts] == [("guilin.centre", "centre")]
    now = await house.services.clock.now()
    assert abs(datetime.fromisoformat(receipts[0]["at"]) - now) < timedelta(minutes=1)
    for username, status in (("guilin.lead", 403), ("guilin.supervisor", 403), ("chengzhong.centre", 404)):
        async with visiting(house.app, house.services, username) as visitor:
            assert (await visitor.post(f"/reports/{hall}/receipt", {})).status_code == status
    async with visiting(house.app, house.services, "guilin.supervisor") as visitor:
        assert (await visitor.post(f"/reports/{centre}/receipt", {})).status_code == 303


async def test_the_page_lists_reports_with_their_files(reported: tuple[House, str, str]) -> None:
    house, hall, centre = reported
    async with visiting(house.app, house.services, "guilin.supervisor") as visitor:
        page = (await visitor.get("/reports")).text
        for words in ("窗口周报", "中心周汇总", "未接收", f"/reports/{centre}/file?format=docx"):
            assert words in page
        answer = await visitor.get(f"/reports/{hall}/file")
        assert answer.headers["content-disposition"].startswith("attachment; ")
        assert answer.content[:2] == b"PK"
        only = (await visitor.get("/reports", kind="centre_weekly", category="", hall="guilin")).text
        assert hall not in only and centre in only
        assert "还没有报告" in (await visitor.get("/reports", hall="lingui")).text
    async with visiting(house.app, house.services, "guilin.lead") as visitor:
        page = (await visitor.get("/reports")).text
        assert hall in page and centre not in page


async def test_the_inbox_leads_to_the_report(reported: tuple[House, str, str]) -> None:
    house, hall, _ = reported
    async with visiting(house.app, house.services, "guilin.centre") as visitor:
        assert f'href="/reports/{hall}"' in (await visitor.get("/inbox")).text


async def test_a_report_that_is_not_due_yet_is_refused(sqlite_house: House) -> None:
    now = datetime.now(SHANGHAI)
    with pytest.raises(Exception, match="not_due_yet"):
        await run_reports(sqlite_house.services, "hall_weekly", (now + timedelta(weeks=3)).date())
    with pytest.raises(Exception, match="kind"):
        await run_reports(sqlite_house.services, "yearly", now.date())


async def test_a_transferred_case_is_the_new_halls(sqlite_house: House) -> None:
    house = sqlite_house
    case: dict[str, Any] = await house.file()
    await house.act(case, "transfer", "guilin.lead", hall="chengzhong", reason="属地")
    there = await run_of_this_period(house, hall="chengzhong")
    here = await run_of_this_period(house)
    assert (here.report.facts["cases"], there.report.facts["cases"]) == (0, 1)


async def test_a_filing_that_brings_only_what_it_must_is_reported(sqlite_house: House) -> None:
    answer = await sqlite_house.post("cases", form(channel="phone"))
    run = await run_of_this_period(sqlite_house)
    cells = [cell for row in sheet(run.files[0].content, "附件2 登记表") for cell in row]
    assert answer.json()["number"] in cells
    assert "电话" in cells


async def test_the_newest_signed_head_is_printed(sqlite_house: House) -> None:
    """Also by a second run, once there are newer ones."""
    house = sqlite_house
    await house.file()
    now = await house.services.clock.now()

    async def sign(number: int) -> None:
        async with house.services.database.begin() as session:
            session.add(
                LedgerHead(
                    number=number,
                    day=local(now).date(),
                    due_at=now + timedelta(hours=number),
                    taken_at=now,
                    cases=1,
                    events=1,
                    leaves=1,
                    tree="0" * 64,
                    prev_root=f"{number - 1}" * 64,
                    root=f"{number}" * 64,
                    key_id="key",
                    signature="signature",
                )
            )

    await sign(1)
    run = await run_of_this_period(house)
    cover = [cell for row in sheet(run.files[0].content, "封面") for cell in row]
    assert any(str(cell).startswith(f"第 1 号 {'1' * 64}") for cell in cover)
    await sign(2)
    assert (await run_of_this_period(house)).differs == ()
