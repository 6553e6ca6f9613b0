"""Reading a table that people filled in: an Excel file as rows of text under their headings."""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from python_calamine import CalamineError, CalamineWorkbook

LARGEST_FILE = 20_000_000  # bytes
MOST_ROWS = 20_000
UNREADABLE = "不是可以读取的 Excel 文件"
MOST_CELLS = 2_000_000  # from the first to the last, empty ones included
MOST_UNPACKED = 100_000_000  # bytes of all parts together
MOST_PARTS = 2_000
_PLACE = re.compile(rb'[":]([A-Z]{1,3})(\d{1,7})"')
_HEADINGS_WITHIN = 10  # rows: a title and a note may stand above them

Cell = int | float | str | bool | time | date | object


@dataclass(frozen=True)
class Fault:
    """What is wrong where. ``row`` counts as Excel does; 0 means the whole sheet."""

    sheet: str
    row: int
    column: str
    what: str

    def __str__(self) -> str:
        """Say it in a sentence."""
        place = [self.sheet, f"第 {self.row} 行" if self.row else "", self.column]
        return " ".join(filter(None, place)) + "：" + self.what


class BadTable(Exception):
    """The file can't be taken; nothing was written. ``faults`` has every fault."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Take the faults; there is at least one."""
        super().__init__("\n".join(map(str, faults)))
        self.faults = list(faults)


@dataclass(frozen=True)
class Line:
    """One row under its headings; every value is trimmed text, "" where nothing stands."""

    sheet: str
    row: int
    values: dict[str, str]

    def fault(self, column: str, what: str) -> Fault:
        """Return a fault of this line."""
        return Fault(self.sheet, self.row, column, what)


class Workbook:
    """An Excel file, opened. Raises `BadTable` for a file that is none, or is too large."""

    def __init__(self, source: Path | bytes) -> None:
        """Open a file, or the content of one. Raises `BadTable`, OSError."""
        name = source.name if isinstance(source, Path) else "文件"
        size = source.stat().st_size if isinstance(source, Path) else len(source)
        if size > LARGEST_FILE:
            raise BadTable([Fault(name, 0, "", "文件过大")])
        if what := _fault(source):
            raise BadTable([Fault(name, 0, "", what)])
        try:
            self._book = CalamineWorkbook.from_object(source if isinstance(source, Path) else BytesIO(source))
        except CalamineError as error:
            raise BadTable([Fault(name, 0, "", UNREADABLE)]) from error

    @property
    def sheets(self) -> list[str]:
        """The names of the sheets, in their order."""
        return list(self._book.sheet_names)

    def rows(self, sheet: str) -> list[list[str]]:
        """Return every row of a sheet as trimmed texts, the first one included. Raises `BadTable`."""
        rows = self._book.get_sheet_by_name(sheet).to_python(skip_empty_area=False, nrows=MOST_ROWS)
        if len(rows) == MOST_ROWS:
            raise BadTable([Fault(sheet, 0, "", f"超过 {MOST_ROWS} 行")])
        return [[_text(cell) for cell in row] for row in rows]

    def lines(self, sheet: str, needed: Sequence[str]) -> Iterator[Line]:
        """Yield the filled rows below the headings.

        Raises `BadTable` where no row near the top holds every heading that is needed.
        """
        texts = self.rows(sheet)
        top = texts[:_HEADINGS_WITHIN]
        index = next((i for i, row in enumerate(top) if set(needed) <= set(row)), None)
        if index is None:
            best = max(top, key=lambda row: len(set(needed) & set(row)), default=[])
            missing = "、".join(name for name in needed if name not in best)
            raise BadTable([Fault(sheet, 0, "", f"缺少列：{missing}")])
        for number, row in enumerate(texts[index + 1 :], start=index + 2):
            if any(row):
                yield Line(sheet, number, dict(zip(texts[index], row, strict=False)))


def _fault(source: Path | bytes) -> str | None:
    """Return why a file is not read: it is no xlsx file, unpacks to too much, or spans too many cells.

    The reader makes room for every cell between the first and the last: one that strayed to the far
    corner would take all memory. What a zip says of its sizes may be a lie, so that parts are unpacked.
    """
    left = MOST_UNPACKED
    try:
        with ZipFile(source if isinstance(source, Path) else BytesIO(source)) as archive:
            if len(archive.namelist()) > MOST_PARTS:
                return "表格范围过大"
            for name in archive.namelist():
                with archive.open(name) as part:
                    content = part.read(left + 1)
                left -= len(content)
                if left < 0:
                    return "表格范围过大"
                if not name.startswith("xl/worksheets/") or not name.endswith(".xml"):
                    continue
                places = [(_column(letters), int(row)) for letters, row in _PLACE.findall(content)]
                wide, high = (max((place[i] for place in places), default=0) for i in (0, 1))
                if wide * high > MOST_CELLS:
                    return "表格范围过大"
    except (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError):
        return UNREADABLE
    return None


def _column(letters: bytes) -> int:
    """Return the number of a column: A is 1, AA 27."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _text(cell: Cell) -> str:
    """Return a cell as its author sees it: telephone numbers are often kept as numbers."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return str(cell).strip()
