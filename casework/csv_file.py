"""Reading a table that people saved as CSV, as Excel and other programs write it: rows of text."""

import csv
from collections.abc import Iterator, Sequence
from io import StringIO

from casework.spreadsheet import MOST_ROWS, BadTable, Fault, Line, lines_below

NAME = "CSV"
UNREADABLE = "不是可以读取的 Excel 或 CSV 文件"
_ENCODINGS = ("utf-8-sig", "gb18030")  # what programs write today, and what Chinese Excel writes


class CsvFile:
    """The content of a CSV file, with commas between its fields; one sheet, as `Workbook` has several."""

    sheets: Sequence[str] = (NAME,)

    def __init__(self, content: bytes) -> None:
        """Read a file. Raises `BadTable` for one that is no text, or has too many rows."""
        try:
            self._rows = list(_rows(_text(content)))
        except (ValueError, csv.Error) as error:
            raise BadTable([Fault("文件", 0, "", UNREADABLE)]) from error

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
    for number, row in enumerate(csv.reader(StringIO(text, newline=""), strict=True), start=1):
        yield [cell.strip() for cell in row]
        if number == MOST_ROWS:  # that many are refused: the rest need not be read
            return
