"""Reading a table that people saved as CSV, as Excel and other programs write it: rows of text."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from casework.spreadsheet import MOST_ROWS, BadTable, Fault, Line, lines_below

NAME = "CSV"
UNREADABLE = "不是可以读取的 Excel 或 CSV 文件"
_ENCODINGS = ("utf-8-sig", "gb18030")  # what programs write today, and what Chinese Excel writes


class CsvFile:
    """The content of a CSV file; one sheet, as `Workbook` has several.

    Between its fields stand commas, or what stands in its first line instead: semicolons, tabs.
    """

    sheets: Sequence[str] = (NAME,)

    def __init__(self, content: bytes) -> None:
        """Read a file. Raises `BadTable` for one that is no text, or has too many rows."""
        try:
            self._rows = list(_rows(_text(content)))
        except (ValueError, csv.Error) as error:
            raise BadTable([Fault("文件", 0, "", UNREADABLE)]) from error

    def rows(self, sheet: str) -> list[list[str]]:
        """Return the rows as trimmed texts, as `Workbook.rows`."""
        return self._rows

    def lines(self, sheet: str, needed: Sequence[str]) -> Iterator[Line]:
        """Return the filled rows below the headings. Raises `BadTable` as `Workbook.lines`."""
        return lines_below(sheet, self._rows, needed)


def _text(content: bytes) -> str:
    """Return a file as text. Raises ValueError."""
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise ValueError("no text")


def _rows(text: str) -> Iterator[list[str]]:
    marks = csv.reader(StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    for number, row in enumerate(marks, start=1):
        yield [_shown(cell) for cell in row]
        if number == MOST_ROWS:  # that many are refused: the rest need not be read
            return


def _delimiter(text: str) -> str:
    first = text.partition("\n")[0]
    return next((mark for mark in ",;\t" if mark in first), ",")


def _shown(cell: str) -> str:
    """Return a cell as its author meant it: long numbers are exported as ="123" to keep their digits."""
    cell = cell.strip()
    return cell[2:-1] if cell.startswith('="') and cell.endswith('"') else cell
