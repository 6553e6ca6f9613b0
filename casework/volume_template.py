"""A table for the monthly volume of 12345 to fill in: the hall's units, with the headings that are read."""

import io
from collections.abc import Mapping

import xlsxwriter

from casework.volume_file import COUNT, UNIT_COLUMNS

SHEET = "12345月度件数"
_NOTE = "每个单位一行，件数为该单位当月的 12345 来电或工单数；没有的填 0，未知的请删去这一行。"


def make_template(units: Mapping[str, str]) -> bytes:
    """Return the workbook; `units` are the names by code."""
    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(made, options) as book:
        heading = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
        sheet = book.add_worksheet(SHEET)
        sheet.set_column(0, 2, 24)
        sheet.write_string(0, 0, _NOTE)
        for column, title in enumerate((UNIT_COLUMNS[0], UNIT_COLUMNS[2], COUNT)):
            sheet.write_string(1, column, title, heading)
        for row, (code, name) in enumerate(sorted(units.items()), start=2):
            sheet.write_string(row, 0, code)
            sheet.write_string(row, 1, name)
        sheet.freeze_panes(2, 0)
    return made.getvalue()
