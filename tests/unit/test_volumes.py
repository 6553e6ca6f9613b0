"""The monthly volume of 12345: its months, its file as people send it, what a report says; hostile files."""

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zipfile import ZIP_DEFLATED as DEFLATED

import pytest
import xlsxwriter

from casework.csv_file import BAD_ROW
from casework.report_volumes import late_lines, volume_column, volume_notes
from casework.spreadsheet import BadTable, Workbook
from casework.volume_file import MOST, read_volumes
from casework.volume_template import make_template
from rules.volume import end_of, is_month, month_before, months_over
from tests.support.cases import t

UNITS = {"market": "市场监管局", "social": "人社局", "tax": "税务局", "tax2": "税务局"}


@pytest.mark.parametrize(
    "text", ["2026-00", "2026-13", "1999-12", "2026-1", "26-01", "2026-01 ", "２０26-01", ""]
)
def test_what_is_no_month(text: str) -> None:
    assert not is_month(text)


def test_a_month_is_over_at_midnight_of_shanghai() -> None:
    assert end_of("2026-02") == datetime(2026, 2, 28, 16, tzinfo=UTC)
    assert end_of("2026-12") == datetime(2026, 12, 31, 16, tzinfo=UTC)
    assert month_before(end_of("2026-02")) == "2026-02"
    assert month_before(datetime(2026, 2, 28, 15, 59, tzinfo=UTC)) == "2026-01"
    assert month_before(datetime(2026, 1, 15, tzinfo=UTC)) == "2025-12"


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("02-20 17:30", "03-20 17:30", ["-02"]),
        ("03-20 17:30", "04-20 17:30", ["-03"]),
        ("02-20 17:30", "04-20 17:30", ["-02", "-03"]),  # two that were merged
        ("03-02 17:30", "03-31 17:30", []),
        ("03-01 00:00", "03-20 17:30", []),  # the report before ended exactly then
        ("02-20 17:30", "03-01 00:00", ["-02"]),
    ],
)
def test_a_report_tells_of_the_months_that_end_in_its_period(start: str, end: str, months: list[str]) -> None:
    assert [month[4:] for month in months_over(t(start), t(end))] == months


def book(*rows: Sequence[Any]) -> bytes:
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"strings_to_formulas": False}) as opened:
        sheet = opened.add_worksheet("二月")
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return made.getvalue()


def faults(content: bytes) -> list[str]:
    with pytest.raises(BadTable) as refused:
        read_volumes(content, UNITS)
    return [str(fault) for fault in refused.value.faults]


def test_a_unit_is_named_by_code_or_by_name() -> None:
    rows = [["12345 二月"], ["单位", "件数", "备注"], ["market", 12, "x"], ["人社局", "0"], [], ["合计", 12]]
    assert read_volumes(book(*rows), UNITS) == {"market": 12, "social": 0}
    both = [["单位名称", "件数", "单位代码"], ["税务局", MOST, "tax2"]]
    # A name that two units have is no name of one, even beside a code.
    assert "请填单位代码" in faults(book(*both))[0]
    both[1][0] = ""
    assert read_volumes(book(*both), UNITS) == {"tax2": MOST}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_csv_is_read_as_programs_write_it(encoding: str) -> None:
    text = '说明,\r\n单位,件数\r\n"市场监管局", 7 \r\n\r\nsocial,3\r\n总计,10\r\n'
    assert read_volumes(text.encode(encoding), UNITS) == {"market": 7, "social": 3}


def test_every_bad_row_is_named_with_all_its_faults() -> None:
    rows = [
        ["单位代码", "单位名称", "件数"],
        ["market", "市场监管局", 1],
        ["", "", -1],
        ["nowhere", "没有局", 1.5],
        ["market", "人社局", 3],
        ["", "市场监管局", "1,000"],
        ["social", "", ""],
        ["social", "", True],
        ["tax", "", MOST + 1],
        ["tax2", "", "=1+1"],
    ]
    said = faults(book(*rows))
    assert [fault.partition("：")[0].removeprefix("二月 ") for fault in said] == [
        "第 3 行 单位",
        "第 3 行 件数",
        "第 4 行 单位代码",
        "第 4 行 单位名称",
        "第 4 行 件数",
        "第 5 行 单位",
        "第 6 行 件数",
        "第 6 行 单位",
        "第 7 行 件数",
        "第 8 行 件数",
        "第 8 行 单位",
        "第 9 行 件数",
        "第 10 行 件数",
    ]
    csv = "\n".join(",".join(map(str, row)) for row in [["单位", "件数"], ["x", "y"]])
    assert [fault.partition("：")[0] for fault in faults(csv.encode())] == [
        "CSV 第 2 行 单位",
        "CSV 第 2 行 件数",
    ]


def test_a_sum_that_does_not_agree_is_a_fault() -> None:
    rows = [["单位", "件数"], ["market", 5], ["合计", 6]]
    assert faults(book(*rows)) == ["二月 第 3 行 件数：与以上各单位之和 5 不符"]


def test_a_file_without_its_columns_or_rows_is_refused() -> None:
    assert faults(b"a,b\n1,2\n") == ["CSV：缺少列：件数"]
    assert faults("单位,件数\n".encode()) == ["CSV：没有内容"]
    assert faults("件数\n3\n".encode()) == ["CSV 第 2 行 单位：须填写单位代码或单位名称"]
    assert faults(b"") == ["CSV：缺少列：件数"]


@pytest.mark.parametrize(
    "content",
    [
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\xff" * 600,  # an old .xls
        b"%PDF-1.7\n\x00\x00",
        b"PK\x03\x04 not really",
        "单位,件数\nmarket\0,1\n".encode(),
    ],
)
def test_what_is_no_table_is_refused(content: bytes) -> None:
    [fault] = faults(content)
    assert "不是可以读取的 Excel" in fault


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b'"' + b"x" * 140_000 + b'",1\n', 1),  # a field without an end to speak of
        ('单位,件数\n"market,1\n'.encode(), 2),  # a quote that is not closed
    ],
)
def test_a_row_of_a_csv_that_cannot_be_read_is_named(content: bytes, row: int) -> None:
    assert faults(content) == [f"CSV 第 {row} 行：{BAD_ROW}"]


def test_a_csv_of_too_many_rows_is_refused() -> None:
    assert faults("单位,件数\n".encode() + b"market,1\n" * 30_000) == ["CSV：超过 20000 行"]


def test_the_template_is_read_back_once_its_counts_are_filled_in() -> None:
    said = faults(make_template({"market": "市场监管局", "x": '=HYPERLINK("http://x")'}))
    assert [fault.split("：")[0] for fault in said][:1] == ["12345月度件数 第 3 行 件数"]
    assert b"<f>" not in zipfile.ZipFile(io.BytesIO(make_template({"x": "=1"}))).read(
        "xl/worksheets/sheet1.xml"
    )


# Hostile workbooks: what would take all memory is refused before it is read


def package(rows: str, texts: str = "", at: str = "worksheets/sheet1.xml", **parts: str) -> bytes:
    """A workbook whose sheet has these rows, and these shared texts; the sheet lies at `at` below xl/."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book(["x"]))) as honest, zipfile.ZipFile(made, "w", DEFLATED) as archive:
        for name in honest.namelist():
            content = honest.read(name).decode().replace("worksheets/sheet1.xml", at)
            if name.endswith("sheet1.xml"):
                name = f"xl/{at}"
                content = re.sub(
                    "<sheetData>.*</sheetData>", lambda _: f"<sheetData>{rows}</sheetData>", content
                )
            if texts and name.endswith("sharedStrings.xml"):
                content = re.sub("<si>.*</si>", lambda _: texts, content)
            archive.writestr(name, content)
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return made.getvalue()


SMALL = '<row r="1"><c r="A1" t="inlineStr"><is><t>件数</t></is></c></row>'
FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
CELLS = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 5001))
HOSTILE = {
    "a cell in the far corner": package(FAR),
    "in another folder, under another name": package(FAR, at="other/x.txt"),
    "in single quotes and small letters": package(FAR.replace('"', "'").replace("XFD", "xfd")),
    "a row alone is far away": package(
        '<row r="1"><c r="XFD1"/></row><row r="1048576"><c><v>1</v></c></row>'
    ),
    "nothing says where it stands": package(f"<row>{'<c><v>1</v></c>' * 3000}</row>" + "<row/>" * 3000),
    "a sign in a value hides the place": package(FAR.replace("<row r", '<row spans=">" r')),
    "with a prefix": package(FAR.replace("<row", "<x:row").replace("<c ", "<x:c ")),
    "one long text in many cells": package(CELLS, texts=f"<si><t>{'x' * 100_000}</t></si>"),
    "much of it, tightly packed": package(SMALL, docProps__other_xml=" " * 60_000_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_workbook_that_would_take_all_memory_is_refused(name: str) -> None:
    assert len(HOSTILE[name]) < 200_000
    with pytest.raises(BadTable, match="表格范围过大"):
        Workbook(HOSTILE[name])


def test_formats_that_no_limit_is_known_for_are_refused() -> None:
    """The reader would read them: OpenDocument repeats a cell a billion times in a few bytes."""
    for other in ({"content_xml": "<x/>"}, {"xl__workbook_bin": "x"}, {"XL__workbook_xml": "<x/>"}):
        with pytest.raises(BadTable, match="不是可以读取的"):
            Workbook(package(SMALL, **other))


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_that_excel_does_not_use_is_refused(packing: int) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", packing) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(BadTable, match="不是可以读取的"):
        Workbook(made.getvalue())


def test_an_honest_workbook_is_read() -> None:
    for at in ("worksheets/sheet1.xml", "other/x.txt"):
        assert list(Workbook(package(SMALL, at=at)).lines("二月", ("件数",))) == []
    rows = [["单位", "件数"], *([f"没有{n}局", n] for n in range(4000))]
    assert len(faults(book(*rows))) == 4000


def test_a_sheet_that_breaks_off_is_refused() -> None:
    with pytest.raises(BadTable, match="不是可以读取的"):
        list(Workbook(package('<row r="1"><c r="zz"><v>1</v></c>')).lines("二月", ("件数",)))


# What a report says


def month(name: str, units: dict[str, int] | None, **more: Any) -> dict[str, Any]:
    given = {"version": 2, "imported_by": "guilin.centre", "imported_at": "2026-03-05T09:00:00+08:00"}
    given |= {"sha256": "ab" * 32, "total": sum(units.values()) if units else None}
    return {"month": name, "units": units, "late": False, "before": None} | given | more


def test_a_figure_that_was_not_imported_is_a_dash() -> None:
    none = month("2026-02", None)
    assert volume_column([none]) == ("12345 件数(2026-02)", {})
    assert volume_notes([none]) == ["2026-02 的 12345 件数截止时尚未导入。"]
    two = [none, month("2026-03", {"market": 0})]
    assert volume_column(two) == ("12345 件数(2026-02 / 2026-03)", {"market": "— / 0"})
    assert volume_column([]) == ("12345 件数", {})
    assert "合计 0 件，由 guilin.centre 于 2026-03-05 09:00 导入(第 2 版)" in volume_notes(two)[1]


def test_late_figures_stand_beside_the_old_ones() -> None:
    late = month(
        "2026-01", {"market": 5, "social": 2}, late=True, before={"market": 4, "social": 2, "tax": 1}
    )
    assert late_lines([late, month("2026-02", {"market": 1})], UNITS) == [
        ["2026-01", "市场监管局", "4", "5"],
        ["2026-01", "税务局", "1", "—"],
    ]
    first = month("2026-01", {"market": 5}, late=True)
    assert late_lines([first], UNITS) == [["2026-01", "市场监管局", "—", "5"]]
    assert volume_column([late])[1] == {} and volume_notes([late]) == []
