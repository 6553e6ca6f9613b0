"""A file of cases: which receipts pass, how tables are read, and every fault of every row by its column."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
import xlsxwriter

from casework.csv_file import BAD_ROW, CsvFile
from casework.imports import Read
from casework.spreadsheet import BadTable
from pages.import_sheets import template
from routes.imported_rows import CASES, FORMS, WORK_ORDERS, Form, moment_of, read_file
from rules.importing import receipt_fault
from tests.support.cases import shown, t

NOW = t("2026-11-26 14:30")
HEADINGS = ("原编号", "收到时间", "来源渠道", "反映人类别", "姓名或名称", "联系电话", "身份证号")
HEADINGS += ("统一社会信用代码", "政务服务事项", "反映的问题", "成因")
GOOD = (
    "A-1",
    "2026-11-20 09:30",
    "电话",
    "个人",
    "周小明",
    "13800130001",
    "",
    "",
    "户口迁移",
    "手续重复",
    "",
)
ORDER_HEADINGS = ("工单编号", "来电时间", "来电人", "联系电话（必填）", "诉求内容", "承办单位", "满意度")
ORDER = ("20261120001", "2026/11/20 9:05:07", "周小明", "0773-2800011", "多次往返", "市场监管局", "好")


def csv(*rows: Sequence[str]) -> bytes:
    return "\r\n".join(",".join(f'"{cell}"' for cell in row) for row in rows).encode("utf-8-sig")


def xlsx(*rows: Sequence[Any]) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet("工单")
        for row, cells in enumerate(rows):
            sheet.write_row(row, 0, cells)
    return made.getvalue()


def read(*rows: Sequence[str], form: Form = CASES, make: Any = csv) -> Read:
    headings = HEADINGS if form is CASES else ORDER_HEADINGS
    return read_file(form, make(headings, *rows), "guilin", NOW)


def changed(**cells: str) -> tuple[str, ...]:
    return tuple(cells.get(title, cell) for title, cell in zip(HEADINGS, GOOD, strict=True))


def faults(found: Read) -> list[tuple[int, str, str]]:
    return [(fault.row, fault.column, fault.what) for fault in found.faults]


@pytest.mark.parametrize(
    ("at", "fault"),
    [
        ("2026-11-26 14:30", None),
        ("2026-11-26 14:34", None),  # clocks of two systems differ
        ("2026-11-26 14:36", "in_the_future"),
        ("2025-11-25 14:30", None),
        ("2025-11-24 14:30", "received_too_long_ago"),
    ],
)
def test_a_case_may_have_been_received_within_the_last_year(at: str, fault: str | None) -> None:
    assert receipt_fault(t(at), NOW) == fault


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-20 09:30", "11-20 09:30"),
        ("2026/11/20 9:05:07", "11-20 09:05:07"),
        ("2026-11-20T09:30:00.000", "11-20 09:30"),
        ("2026年11月20日 9:30", "11-20 09:30"),
        ("2026-11-20", "11-20 00:00"),
        ("2026-13-20 09:30", None),
        ("20.11.2026", None),
        ("昨天", None),
    ],
)
def test_instants_are_read_as_people_write_them(text: str, at: str | None) -> None:
    assert shown(moment_of(text)) == at


def test_a_good_row_becomes_a_filing_with_its_receipt_and_number() -> None:
    (row,) = read(GOOD).rows
    assert row.form == {
        "hall": "guilin",
        "channel": "phone",
        "petitioner": {"kind": "person", "name": "周小明", "phone": "13800130001"},
        "matter": "户口迁移",
        "problem": "手续重复",
    }
    assert row.origin.received_at == t("2026-11-20 09:30") and row.origin.imported_at == NOW
    assert (row.number, row.origin.reference, row.origin.key) == (2, "A-1", "guilin/import/A-1")


def test_a_row_without_a_time_is_received_by_being_imported() -> None:
    (row,) = read(changed(收到时间="")).rows
    assert row.origin.received_at == NOW


@pytest.mark.parametrize("make", [csv, xlsx])
def test_a_work_order_keeps_what_the_platform_says_of_the_unit_as_an_attempt(make: Any) -> None:
    found = read(ORDER, form=WORK_ORDERS, make=make)
    (row,) = found.rows
    assert row.form["channel"] == "phone" and row.form["matter"] == "12345 热线工单"
    assert row.form["attempts"][0]["said"] == "工单所列承办单位：市场监管局"
    assert row.origin.received_at == t("2026-11-20 09:05:07")
    assert (row.origin.source, row.origin.reference) == ("12345", "20261120001")
    assert "好" not in str(row.form)  # a column that nobody knows is not read


def test_every_fault_of_a_row_is_named_with_its_column() -> None:
    bad = changed(
        收到时间="2026-12-01 09:00",
        来源渠道="微信",
        反映人类别="社团",
        姓名或名称="",
        联系电话="123",
        身份证号="11010519491231002Y",
        反映的问题="",
        成因="不知道",
    )
    named = {column: what for _, column, what in faults(read(bad, GOOD))}
    assert named == {
        "收到时间": "不能晚于现在",
        "来源渠道": "须为 窗口、电话、网上 之一",
        "反映人类别": "须为 个人、企业、单位 之一",
        "姓名或名称": "必填",
        "联系电话": "应为 11 位手机号，或带区号的固定电话(0773-2800000)",
        "身份证号": "应为 18 位身份证号",
        "反映的问题": "必填",
        "成因": named["成因"],
    }
    assert len(read(bad, GOOD).rows) == 1


def test_a_number_or_a_whole_row_that_comes_twice_is_a_fault_of_the_second() -> None:
    plain = changed(原编号="")
    found = read(GOOD, plain, changed(政务服务事项="另一件"), plain)
    assert faults(found) == [(4, "原编号", "与第 2 行重复"), (5, "反映的问题", "与第 3 行重复")]


def test_control_characters_and_formulas_are_texts_or_refused() -> None:
    assert faults(read(changed(反映的问题="a\u202eb"))) == [(2, "反映的问题", "含有控制字符或文字方向控制符")]
    (row,) = read(changed(反映的问题="=HYPERLINK(1)")).rows
    assert row.form["problem"] == "=HYPERLINK(1)"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "空的"),
        (b"\x00\x01\x02", "CSV"),
        (b"\xff\xfe\xff", "CSV"),
        (csv(HEADINGS), "没有内容"),
        (csv(("甲", "乙"), ("1", "2")), "缺少列：姓名或名称、联系电话、政务服务事项、反映的问题"),
        (csv(HEADINGS, *[GOOD] * 5001), "超过 5000 行"),
        (b'\xe5\xa7\x93,"never closed', BAD_ROW),
        (b"a," + b"x" * 200_000, BAD_ROW),
        (b"PK\x03\x04 and no zip", "Excel"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(content: bytes, words: str) -> None:
    with pytest.raises(BadTable, match=words):
        read_file(CASES, content, "guilin", NOW)


def test_a_zip_that_unpacks_to_too_much_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.workbook_limits.MOST_UNPACKED", 1_000_000)
    for name in ("xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "content.xml"):
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, b"0" * 1_100_000)
        with pytest.raises(BadTable, match="范围过大"):
            read_file(CASES, made.getvalue(), "guilin", NOW)


def test_csv_comes_in_the_encodings_and_with_the_marks_of_other_programs() -> None:
    text = '编号;电话\n="0012";\t13800130001\n'
    for encoding in ("utf-8", "utf-8-sig", "gb18030"):
        assert CsvFile(text.encode(encoding)).rows("CSV") == [["编号", "电话"], ["0012", "13800130001"]]


def test_each_row_whose_quotes_do_not_match_is_named() -> None:
    good = ",".join(GOOD)
    bad = good.replace("手续重复", '"他说"不行""')
    text = "\n".join([",".join(HEADINGS), good, bad, good, bad])
    with pytest.raises(BadTable) as refused:
        read_file(CASES, text.encode(), "guilin", NOW)
    assert [(fault.row, fault.what) for fault in refused.value.faults] == [(3, BAD_ROW), (5, BAD_ROW)]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_title_above_the_headings_does_not_decide_what_stands_between_fields(mark: str) -> None:
    text = "\n".join(["办件导入表,2026年;\t", "", mark.join(HEADINGS), mark.join(GOOD)])
    (row,) = read_file(CASES, text.encode(), "guilin", NOW).rows
    assert row.form["matter"] == "户口迁移"


def test_the_template_is_what_the_import_reads() -> None:
    with pytest.raises(BadTable, match="没有内容"):
        read_file(CASES, template(), "guilin", NOW)


def test_a_heading_has_one_meaning_within_a_form() -> None:
    for form in FORMS.values():
        names = [name for column in form.columns for name in (column.title, *column.also)]
        assert len(names) == len(set(names))


def test_rows_of_other_files_have_the_same_key_only_where_they_are_the_same() -> None:
    def keys(found: Mapping[str, str]) -> str:
        (row,) = read(changed(**{"原编号": "", **found})).rows
        return row.origin.key

    assert keys({}) == keys({}) != keys({"政务服务事项": "另一件"}) != keys({"收到时间": "2026-11-21 09:30"})
    (row,) = read(changed(原编号="")).rows
    assert row.origin.received_at + timedelta(days=6) < NOW
