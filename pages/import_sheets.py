"""Workbooks around an import: an empty one to fill in, and what came of each row of one."""

from collections.abc import Mapping
from datetime import datetime
from io import BytesIO

import xlsxwriter

from casework.imports import FILED, REFUSED, REPEATED, Shown
from documents.excel import Workbook
from routes.imported_rows import CASES, CAUSES, CHANNELS, KINDS, Form
from routes.wording import fault_words

OUTCOME: Mapping[str | None, str] = {
    FILED: "已登记",
    REPEATED: "此前已登记，未重复登记",
    REFUSED: "未登记",
    None: "等待登记",
}
_NOTES = {
    "原编号": "原系统的编号，可不填；同一编号只登记一次。",
    "收到时间": "写作 2026-11-20 09:30;不填即导入的时间；不早于一年前。",
    "来源渠道": f"{'、'.join(CHANNELS)}；不填即窗口。",
    "反映人类别": f"{'、'.join(KINDS)}；不填即个人。",
    "成因": f"{'、'.join(CAUSES)}；可不填。",
}
_TEXT = {"num_format": "@"}  # telephone numbers keep their leading zero, long numbers their digits


def template(form: Form = CASES) -> bytes:
    """Return an empty table with the headings that the import reads; notes stand on a sheet of their own."""
    made = BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(made, options | {"strings_to_numbers": False}) as book:
        heading = book.add_format({"bold": True, "bg_color": "#E1ECEC", "border": 1})
        text = book.add_format(_TEXT)
        sheet = book.add_worksheet(form.title)
        sheet.set_column(0, len(form.columns) - 1, 20, text)
        for place, column in enumerate(form.columns):
            sheet.write_string(0, place, column.title + ("(必填)" if column.needed else ""), heading)
        sheet.freeze_panes(1, 0)
        notes = book.add_worksheet("填写说明")
        notes.set_column(0, 0, 20)
        notes.set_column(1, 1, 80)
        for row, column in enumerate(form.columns):
            notes.write_string(row, 0, column.title, heading)
            notes.write_string(row, 1, _NOTES.get(column.title, "必填" if column.needed else "可不填"))
    return made.getvalue()


def outcome_sheet(shown: Shown, now: datetime) -> bytes:
    """Return what came of every row: the bad ones with each fault and its column, and the numbers given."""
    book = Workbook("导入结果", now)
    sheet = book.sheet("导入结果", (10, 20, 60, 26), repeat=0)
    sheet.row(("行", "结果", "列与原因", "办件编号"), "head")
    lines: list[tuple[int, str, str, str]] = [
        (row, "未导入", f"{column}：{what}" if column else what, "") for row, column, what in shown.row.faults
    ]
    for done, number in shown.done:
        why = fault_words(done.reason) if done.reason else ""
        lines.append((done.row, OUTCOME[done.outcome], why, number or ""))
    for line in sorted(lines):
        sheet.row([str(line[0]), *line[1:]], "cell")
    return book.close()
