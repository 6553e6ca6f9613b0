"""Reading a table that people saved as CSV, as Excel and other programs write it: rows of text."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO
from itertools import islice

from casework.spreadsheet import HEADINGS_WITHIN, MOST_ROWS, BadTable, Fault, Line, lines_below

NAME = "CSV"
UNREADABLE = "不是可以读取的 Excel 或 CSV 文件"
BAD_ROW = "这一行读不出来：单元格里的引号要写成两个，单元格不能过长"
_ENCODINGS = ("utf-8-sig", "gb18030")  # what programs write today, and what Chinese Excel writes


class CsvFile:
    """The content of a CSV file; one sheet, as `Workbook` has several.

    Between its fields stand commas, semicolons or tabs: what the headings have most of.
    """

    sheets: Sequence[str] = (NAME,)

    def __init__(self, content: bytes) -> None:
        """Read a file. Raises `BadTable` for one that is no text, and for every row that can't be read."""
        self._rows: list[list[str]] = []
        faults = []
        for number, row in enumerate(_rows(_text(content)), start=1):
            if row is None:
                faults.append(Fault(NAME, number, "", BAD_ROW))
            else:
                self._rows.append(row)
        if faults:
            raise BadTable(faults)

    def rows(self, sheet: str) -> list[list[str]]:
        """Return the rows as trimmed texts, as `Workbook.rows`."""
        return self._rows

    def lines(self, sheet: str, needed: Sequence[str]) -> Iterator[Line]:
        """Return the filled rows below the headings. Raises `BadTable` as `Workbook.lines`."""
        return lines_below(sheet, self._rows, needed)


def _text(content: bytes) -> str:
    """Return a file as text. Raises `BadTable`."""
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadTable([Fault("文件", 0, "", UNREADABLE)])


def _rows(text: str) -> Iterator[list[str] | None]:
    """Yield each row, None for one that can't be read."""
    marks = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    for _ in range(MOST_ROWS):  # more are refused: the rest need not be read
        try:
            row = next(marks)
        except StopIteration:
            return
        except csv.Error:
            yield None  # the reader goes on with the line after it
        else:
            yield [_shown(cell) for cell in row]


def _delimiter(text: str) -> str:
    top = list(islice(StringIO(text, newline=""), HEADINGS_WITHIN))
    return max(",;\t", key=lambda mark: max((line.count(mark) for line in top), default=0))


def _shown(cell: str) -> str:
    """Return a cell as its author meant it: long numbers are exported as ="123" to keep their digits."""
    cell = cell.strip()
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
