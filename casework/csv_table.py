"""Reading a table that another program exported as CSV: rows of trimmed text, whatever its encoding."""

import csv
import io

from casework.spreadsheet import LARGEST_FILE, MOST_ROWS, BadTable, Fault

SHEET = "CSV"
LONGEST_FIELD = 100_000  # characters; the longest text that may stand in a field has 4,000
_ENCODINGS = ("utf-8-sig", "gb18030")  # what Excel saves in China, where it is not UTF-8


def csv_rows(content: bytes) -> list[list[str]]:
    """Return every row. Raises `BadTable` for what is no text, or is too large."""
    if len(content) > LARGEST_FILE:
        raise BadTable([Fault(SHEET, 0, "", "文件过大")])
    text = _decoded(content)
    if text is None or "\0" in text:
        raise BadTable([Fault(SHEET, 0, "", "不是可以读取的 CSV 文件(须为 UTF-8 或 GB18030 编码)")])
    csv.field_size_limit(LONGEST_FIELD)
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True):
            if len(rows) == MOST_ROWS:
                raise BadTable([Fault(SHEET, 0, "", f"超过 {MOST_ROWS} 行")])
            rows.append([_shown(cell) for cell in row])
    except csv.Error as error:
        raise BadTable([Fault(SHEET, len(rows) + 1, "", "引号不成对，或一格的文字过长")]) from error
    return rows


def _decoded(content: bytes) -> str | None:
    for encoding in _ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _delimiter(text: str) -> str:
    """Comma, unless the first line has semicolons or tabs and no comma."""
    first = text.partition("\n")[0]
    return next((mark for mark in ",;\t" if mark in first), ",")


def _shown(cell: str) -> str:
    """Return a cell as its author meant it: long numbers are exported as ="123" to keep their digits."""
    cell = cell.strip().lstrip("\ufeff").strip()
    if cell.startswith('="') and cell.endswith('"'):
        cell = cell[2:-1]
    return cell.lstrip("\t")
