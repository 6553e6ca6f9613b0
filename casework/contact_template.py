"""An empty contact table (附件1 业务联系表) to fill in, with the headings that the import reads."""

from pathlib import Path

import xlsxwriter

from casework.contact_table import HALL_COLUMNS, HALL_SHEET, LEVELS, UNIT_COLUMNS

TABLE_SHEET = "业务联系表"
_NOTES = (
    "每个承办单位一行；备用联系人可不填。电话为手机号码或带区号的固定电话。",
    "大厅须已存在，或写在“大厅”表中。",
)
_HALL_NOTE = f"只有新大厅需要填写。层级：{'、'.join(LEVELS)};开放时间写作 09:00-12:00 13:30-17:30。"


def write_template(path: Path) -> None:
    """Write the file. Raises OSError."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(path, options) as book:
        heading = book.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
        # Text, so that a telephone number keeps its leading zero.
        text = book.add_format({"num_format": "@"})
        for name, note, columns in (
            (TABLE_SHEET, "".join(_NOTES), UNIT_COLUMNS),
            (HALL_SHEET, _HALL_NOTE, HALL_COLUMNS),
        ):
            sheet = book.add_worksheet(name)
            sheet.set_column(0, len(columns) - 1, 18, text)
            sheet.write_string(0, 0, note)
            for index, column in enumerate(columns):
                sheet.write_string(1, index, column, heading)
            sheet.freeze_panes(2, 0)
