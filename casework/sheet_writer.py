"""Writes one Excel sheet in a process of its own: `python -m casework.sheet_writer FILE`, rows on stdin.

The first line is the head as JSON, each further line a list of rows; an answer comes when all is
written. A text never becomes a formula or a link: every one goes through `write_string`. Imports
nothing of ours but the guard of a cell, so that it starts at once.
"""

import json
import sys
from pathlib import Path
from typing import BinaryIO

from xlsxwriter import Workbook

from documents.cells import LONGEST, fitting

OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def main(path: Path, source: BinaryIO) -> None:
    """Write the sheet that comes in to `path`; nothing stays in memory but the row at hand."""
    head = json.loads(source.readline())
    with Workbook(str(path), OPTIONS | {"tmpdir": str(path.parent)}) as book:
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
        write_string, write_number = sheet.write_string, sheet.write_number
        for line in source:
            for cells in json.loads(line):
                row += 1
                for index, cell in enumerate(cells):
                    if isinstance(cell, str):
                        write_string(row, index, cell if len(cell) <= LONGEST else fitting(cell))
                    elif cell is not None:
                        write_number(row, index, cell)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.stdin.buffer)
