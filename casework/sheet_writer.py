"""Writes one Excel sheet in a process of its own: `python -m casework.sheet_writer FILE`, rows on stdin.

The first line is the head as JSON, each further line a list of rows; an answer comes when all is
written. A text never becomes a formula or a link: every one is an inline string. Imports nothing of
ours but the guard of a cell, so that it starts at once.

The library writes a sheet with its head alone; the rows are put into that sheet as they come, as
text. Cell by cell through the library they cost three times as much, which is most of an export.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_col_to_name

from documents.cells import LONGEST, fitting

OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
LEVEL = 3  # of packing: an eighth larger than at the usual 6, for two thirds of the time
SHEET = "xl/worksheets/sheet1.xml"
END = "</sheetData>"

# What a cell cannot hold as it is: markup, and characters that XML does not know. Excel writes those
# as _x0001_, so what looks like that already has to say that it is not.
_ODD = re.compile("[&<>\x00-\x08\x0b-\x1f\ufffe\uffff\ud800-\udfff]|_(?=x[0-9A-Fa-f]{4}_)")
_MARKUP = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def main(path: Path, source: BinaryIO) -> None:
    """Write the sheet that comes in to `path`; nothing stays in memory but the rows at hand."""
    head = json.loads(source.readline())
    framed, next_row = _frame(head)
    with ZipFile(framed) as frame, ZipFile(path, "w", ZIP_DEFLATED, compresslevel=LEVEL) as book:
        for part in frame.infolist():
            if part.filename != SHEET:
                book.writestr(part, frame.read(part), compress_type=ZIP_DEFLATED)
        before, _, after = frame.read(SHEET).decode().partition(END)
        # The range that the library found ends with the head; to name none is allowed.
        before = re.sub(r"<dimension [^>]*>", "", before)
        with book.open(SHEET, "w") as sheet:
            sheet.write(before.encode())
            for lines in _lines(source, next_row, len(head["columns"])):
                sheet.write(lines.encode())
            sheet.write((END + after).encode())


def _frame(head: dict[str, Any]) -> tuple[BytesIO, int]:
    """Return a book with the head alone, and the number of the row below it, as Excel counts."""
    framed = BytesIO()
    with Workbook(framed, OPTIONS) as book:
        bold = book.add_format({"bold": True})
        sheet = book.add_worksheet(head["sheet"])
        for index, (_, width) in enumerate(head["columns"]):
            sheet.set_column(index, index, width)
        row = 0
        for name, value in head["facts"]:
            sheet.write_string(row, 0, name, bold)
            sheet.write_string(row, 1, fitting(value))
            row += 1
        row += 1
        sheet.freeze_panes(row + 1, 0)
        for index, (title, _) in enumerate(head["columns"]):
            sheet.write_string(row, index, title, bold)
    return framed, row + 2


def _lines(source: Iterable[bytes], number: int, columns: int) -> Iterator[str]:
    """Yield the rows that come in as the sheet holds them, each batch in one text."""
    names = [xl_col_to_name(index) for index in range(columns)]
    for line in source:
        rows = json.loads(line)
        yield "".join([_row(names, number + index, cells) for index, cells in enumerate(rows)])
        number += len(rows)


def _row(names: Sequence[str], number: int, cells: Sequence[str | int | float | None]) -> str:
    made = [f'<row r="{number}">']
    for name, cell in zip(names, cells, strict=True):
        if isinstance(cell, str):
            if cell:
                text = cell if len(cell) <= LONGEST else fitting(cell)
                if _ODD.search(text):
                    text = _ODD.sub(_written, text)
                made.append(
                    f'<c r="{name}{number}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
                )
        elif cell is not None:
            made.append(f'<c r="{name}{number}"><v>{cell!r}</v></c>')
    made.append("</row>")
    return "".join(made)


def _written(odd: re.Match[str]) -> str:
    char = odd[0]
    if char == "_" or char < " ":
        return f"_x{ord(char):04X}_"
    return _MARKUP.get(char, "�")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdin.buffer)
