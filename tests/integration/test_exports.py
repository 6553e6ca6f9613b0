"""Lists as Excel: the rows of the list and no others, what stands above them, and no formula ever."""

import asyncio
import io
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlmodel import col, select, update

from casework import exports
from casework.finding import case_row, opened
from casework.history import ledger_row
from casework.moments import shown
from casework.searching import Wanted
from casework.services import Services
from casework.sheets import Head, SheetFailed, TooManyRows, write_sheet
from casework.viewer import Viewer
from documents.cells import CUT, LONGEST
from documents.excel import Workbook
from models.access import AccessLog
from models.case import Case
from models.filing import CaseSecret, Petitioner
from models.petitioner import NAME_INDEX, PHONE_INDEX
from pages.export_words import LEDGER, LIST
from pages.sheets import WORK
from rules.case.vocabulary import Role
from tests.support.cases import t
from tests.support.sheets import CLERK, CONTACT, HOSTILE, LEAD, facts, recorded, rows_of, table, visit


@pytest.fixture
async def services(furnished_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """On SQLite and on PostgreSQL."""
    async with recorded(furnished_url, tmp_path) as given:
        yield given


@pytest.fixture
async def sqlite_services(furnished_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """On SQLite, for what has nothing to do with the dialect."""
    async with recorded(furnished_sqlite_url, tmp_path) as given:
        yield given


async def exported(services: Services, username: str, path: str) -> list[list[Any]]:
    async with visit(services, username) as browser:
        answer = await browser.get(path)
        assert answer.status_code == 200, answer.text[:500]
        return rows_of(answer.content)


async def listed(services: Services, username: str, path: str) -> list[str]:
    """The numbers on the page of the same list, in order."""
    async with visit(services, username) as browser:
        page = (await browser.get(path)).text
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r'href="/cases/([a-z]+-\d+-\d+)"', body)


LISTS = (
    (CLERK, "/cases"),
    (CLERK, "/cases?status=all&sort=oldest"),
    (CLERK, "/cases?status=all&sort=newest&unit=market"),
    ("auditor", "/cases?status=all&sort=oldest"),
    ("guilin.supervisor", "/cases?light=red&status=all"),
    (CONTACT, "/department"),
    (CONTACT, "/department?queue=work"),
    ("guilin.housing.contact", "/cases?status=all"),
    (LEAD, "/lead?queue=overdue"),
    ("guilin.supervisor", "/supervision?queue=overdue&unit=market"),
    ("auditor", "/supervision"),
    ("superior", "/supervision"),
)


async def test_an_export_has_the_rows_of_its_list_in_order(services: Services) -> None:
    for username, path in LISTS:
        page, _, query = path.partition("?")
        rows = await exported(services, username, f"{page}/export.xlsx?{query}")
        numbers = [row["编号"] for row in table(rows)]
        assert numbers == await listed(services, username, path), path
        assert facts(rows)["件数"] == str(len(numbers))


async def test_filter_who_and_when_stand_above_the_rows(sqlite_services: Services) -> None:
    path = "/cases/export.xlsx?status=all&kind=commitment&hall=guilin&unit=market&received_from=2026-03-01"
    rows = await exported(sqlite_services, "guilin.supervisor", path)
    head = facts(rows)
    assert list(head) == ["导出内容", "筛选条件", "导出人", "导出时间", "件数"]
    for words in ("状态:全部", "类别:承诺件", "承办单位:市场监管局", "受理日期:2026-03-01 至 不限", "排序:"):
        assert words in head["筛选条件"]
    assert "(guilin.supervisor)" in head["导出人"] and head["导出时间"] == "2026-03-18 10:00"
    first = next(row for row in table(rows) if row["编号"] == "guilin-20260309-0002")
    assert list(first) == [title for title, _ in LIST]
    assert (first["灯"], first["承办单位"], first["受理时间"]) == ("超期", "市场监管局", "2026-03-09 09:20")
    assert first["剩余时间"].startswith("已超")
    queue = await exported(sqlite_services, LEAD, "/lead/export.xlsx?queue=overdue")
    assert facts(queue)["筛选条件"] == "分组:已超期"
    within = "/supervision/export.xlsx?queue=climbed&hall=guilin&unit=market"
    said = facts(await exported(sqlite_services, "guilin.supervisor", within))["筛选条件"]
    assert "分组:已升级" in said and "市场监管局" in said and "大厅:" in said


async def test_no_text_becomes_a_formula_or_a_link(sqlite_services: Services) -> None:
    async with sqlite_services.database.begin() as session:
        ids = (await session.exec(select(Case.id).order_by(Case.number))).all()
        for case_id, text in zip(ids, HOSTILE, strict=False):
            await session.exec(update(Case).where(col(Case.id) == case_id).values(matter=text))
    for path, column in (("/cases/export.xlsx", "政务服务事项"), ("/cases/ledger.xlsx", "事项")):
        rows = table(await exported(sqlite_services, "auditor", f"{path}?status=all&sort=oldest"))
        assert {row[column] for row in rows} == set(HOSTILE[: len(rows)])
    ledger = await exported(sqlite_services, "auditor", "/cases/ledger.xlsx?status=all")
    assert any("已联系 =1+1" in row["办理进展"] for row in table(ledger))


async def test_a_ledger_row_says_what_the_case_s_own_says(services: Services) -> None:
    viewer = Viewer("auditor", "审计", Role.AUDITOR)
    async with exports.ledger(services, viewer, Wanted(status="all", sort="oldest")) as export:
        rows = {row.number: row async for page in export.rows for row in page}
    assert len(rows) == export.total == 6
    for number, row in rows.items():
        async with services.database.read() as session:
            case = await case_row(session, str(number))
            assert case is not None
            found = await opened(services, session, case)
        single = await ledger_row(services, found)
        assert [row.subject, row.unit, row.person, row.level, row.light, row.rating] == [
            single[name] for name in ("subject", "unit", "person", "level", "light", "rating")
        ]
        assert [row.returns, row.extensions, row.reminders] == [
            single[name] for name in ("returns", "extensions", "reminders")
        ]
        assert [shown(at) for at in (row.dispatched_at, row.signed_at, row.due_at, row.closed_at)] == [
            single[name] for name in ("dispatched_at", "signed_at", "due_at", "closed_at")
        ]
        assert (row.reply, row.explanation) == (single["reply"], single["explanation"])
        assert [(shown(at), by, text) for at, by, text in row.progress] == [
            (line["at"], line["by"], line["text"]) for line in single["progress"]
        ]
        assert [(text, shown(due), shown(at), answer) for text, due, at, answer in row.orders] == [
            tuple(order[name] for name in ("text", "due_at", "answered_at", "answer"))
            for order in single["orders"]
        ]
        told = single["revisit"] and tuple(
            single["revisit"][name] for name in ("at", "reached", "rating", "resolved", "text")
        )
        assert (row.revisit and (shown(row.revisit[0]), *row.revisit[1:])) == told


async def test_the_ledger_in_words(sqlite_services: Services) -> None:
    rows = await exported(sqlite_services, CLERK, "/cases/ledger.xlsx?status=all&sort=oldest")
    found = {row["编号"]: row for row in table(rows)}
    assert list(found["guilin-20260309-0001"]) == [title for title, _ in LEDGER]
    full = found["guilin-20260309-0001"]
    assert full["办理进展"].count("\n") == 1 and full["督办单"].startswith("请说明（")
    assert (full["退单次数"], full["评价"], full["回访"]) == (
        0,
        5,
        "2026-03-17 10:00 已联系上 非常满意",
    )
    assert found["guilin-20260309-0003"]["释明"] and not found["guilin-20260309-0003"]["答复"]
    assert facts(rows)["导出内容"] == "办件进展台账(附件3)"


async def test_what_was_erased_stays_away(sqlite_services: Services) -> None:
    async with sqlite_services.database.begin() as session:
        for secret in (await session.exec(select(CaseSecret))).all():
            await session.delete(secret)
    rows = table(await exported(sqlite_services, CLERK, "/cases/ledger.xlsx?status=all&sort=oldest"))
    assert len(rows) == 5
    assert "=1+1" not in str([row["办理进展"] for row in rows])


async def search_export(services: Services, username: str, **form: str) -> httpx.Response:
    async with visit(services, username) as browser:
        return await browser.post("/cases/search/export.xlsx", form)


async def test_a_search_is_exported_and_a_person_s_name_is_not_written_down(
    sqlite_services: Services,
) -> None:
    keyring = sqlite_services.keyring
    async with sqlite_services.database.begin() as session:
        case_id = (await session.exec(select(Case.id).where(Case.number == "guilin-20260309-0002"))).one()
        indexes = {
            "name_index": keyring.blind_index(NAME_INDEX, "周小明"),
            "phone_index": keyring.blind_index(PHONE_INDEX, "13800130001"),
        }
        session.add(Petitioner(case_id=case_id, kind="person", **indexes))
    for typed in ("周小明", "13800130001"):
        answer = await search_export(sqlite_services, CLERK, q=typed, status="all")
        rows = rows_of(answer.content)
        assert [row["编号"] for row in table(rows)] == ["guilin-20260309-0002"]
        assert "不写入文件" in facts(rows)["筛选条件"] and typed not in str(rows)
    rows = rows_of((await search_export(sqlite_services, CLERK, q="营业执照", status="all")).content)
    assert len(table(rows)) == 5 and "查找:营业执照" in facts(rows)["筛选条件"]
    # The same person is nobody to another hall.
    other = await search_export(sqlite_services, "chengzhong.clerk", q="周小明", status="all")
    assert table(rows_of(other.content)) == []
    assert (await search_export(sqlite_services, CLERK)).status_code == 303


async def test_a_download_is_one_and_stands_on_the_access_log(sqlite_services: Services) -> None:
    async with visit(sqlite_services, LEAD) as browser:
        answer = await browser.get("/cases/export.xlsx?status=all")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('attachment; filename="cases.xlsx"; filename*=')
    assert answer.headers["cache-control"] == "no-store"
    assert int(answer.headers["content-length"]) == len(answer.content)
    async with sqlite_services.database.read() as session:
        wanted = select(AccessLog).where(AccessLog.action == "download")
        (row,) = (await session.exec(wanted)).all()
    assert (row.username, row.reason) == (LEAD, "export cases: 5 rows")


async def test_a_faulty_filter_exports_nothing(sqlite_services: Services) -> None:
    async with visit(sqlite_services, LEAD) as browser:
        answer = await browser.get("/cases/export.xlsx?received_from=tomorrow")
        assert answer.status_code == 422 and "筛选条件有误" in answer.text


async def test_one_export_at_a_time_for_each_user(sqlite_services: Services) -> None:
    async with visit(sqlite_services, LEAD) as browser:
        with sqlite_services.heavy.turn(WORK, LEAD):
            answer = await browser.get("/cases/export.xlsx")
            assert (answer.status_code, answer.headers["retry-after"]) == (429, "10")
        assert (await browser.get("/cases/export.xlsx")).status_code == 200


async def test_more_rows_than_a_sheet_holds_are_refused(
    sqlite_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.exports.MOST_ROWS", 4)
    async with visit(sqlite_services, LEAD) as browser:
        for path in ("/cases/export.xlsx?status=all", "/cases/ledger.xlsx?status=all"):
            answer = await browser.get(path)
            assert answer.status_code == 422 and "共 5 件" in answer.text
    with pytest.raises(TooManyRows):
        async with exports.filtered(sqlite_services, Viewer("x", "x", Role.AUDITOR), Wanted(status="all")):
            pass


async def test_the_pages_lead_to_their_exports(sqlite_services: Services) -> None:
    for username, path, links in (
        (CLERK, "/cases?status=all", ("/cases/export.xlsx?status=all", "/cases/ledger.xlsx?status=all")),
        (CONTACT, "/department?queue=work", ("/department/export.xlsx?queue=work",)),
        (LEAD, "/lead?queue=overdue", ("/lead/export.xlsx?queue=overdue",)),
        (
            "guilin.supervisor",
            "/supervision?queue=overdue&unit=market",
            ("/supervision/export.xlsx?queue=overdue&amp;unit=market",),
        ),
    ):
        async with visit(sqlite_services, username) as browser:
            page = (await browser.get(path)).text
            for link in links:
                assert f'href="{link}' in page, link
                assert (await browser.get(link.replace("&amp;", "&"))).status_code == 200


# --- the sheet itself

HEAD = Head("表", [("筛选条件", "=1+1")], [("一", 10), ("二", 10)])


async def batches(*several: Sequence[Sequence[Any]]) -> AsyncIterator[Sequence[Sequence[Any]]]:
    for rows in several:
        yield rows


async def test_a_sheet_holds_texts_and_numbers_as_they_are() -> None:
    odd = ["<b>&\"'", "שלום 𠮷", "x\ny", "\x01", "0001", "1e5", "_x0041_x0042_", " x "]
    with await write_sheet(HEAD, batches([[each, 1.5] for each in odd], [[None, 3]])) as file:
        rows = rows_of(file.read())
    assert facts(rows) == {"筛选条件": "=1+1"}
    assert [row["一"] for row in table(rows)][: len(odd)] == odd
    assert [row["二"] for row in table(rows)] == [1.5] * len(odd) + [3]


async def test_a_text_too_long_for_a_cell_is_cut_and_says_so() -> None:
    with await write_sheet(HEAD, batches([["长" * 40_000, 1]])) as file:
        (row,) = table(rows_of(file.read()))
    assert row["一"] == "长" * (LONGEST - len(CUT)) + CUT
    book = Workbook("表", t("03-09 09:00"))
    book.sheet("一", (20,)).row(["长" * 40_000])
    [[same]] = CalamineWorkbook.from_filelike(io.BytesIO(book.close())).get_sheet_by_index(0).to_python()
    assert same == row["一"]


async def test_a_sheet_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    file = await write_sheet(HEAD, batches([["x", 1]]))
    assert list(tmp_path.iterdir()) == []
    assert table(rows_of(file.read())) == [{"一": "x", "二": 1}]
    file.close()


async def test_a_writer_that_fails_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless() -> AsyncIterator[Sequence[Sequence[Any]]]:
        while True:
            yield [["x", 1]] * 500

    with pytest.raises(SheetFailed):
        await write_sheet(replace(HEAD, sheet="[]:*?/"), endless())
    # One that is given up is ended.
    task = asyncio.create_task(write_sheet(HEAD, endless()))
    await asyncio.sleep(0.3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
