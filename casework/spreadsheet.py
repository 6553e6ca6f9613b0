"""Reading a table that people filled in: an Excel file as rows of text under their headings."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, time
from io import BytesIO
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook

from casework.workbook_limits import UNREADABLE, fault_of

LARGEST_FILE = 20_000_000  # bytes
MOST_ROWS = 20_000
HEADINGS_WITHIN = 10  # rows: a title and a note may stand above them

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
        if what := fault_of(source):
            raise BadTable([Fault(name, 0, "", what)])
        try:
            self._book = CalamineWorkbook.from_object(source if isinstance(source, Path) else BytesIO(source))
        except CalamineError as error:
            raise BadTable([Fault(name, 0, "", UNREADABLE)]) from error

    @property
    def sheets(self) -> list[str]:
        """The names of the sheets, in their order."""
        return list(self._book.sheet_names)

    def lines(self, sheet: str, needed: Sequence[str]) -> Iterator[Line]:
        """Return the filled rows below the headings, one by one.

        Raises `BadTable` where no row near the top holds every heading that is needed, or for a sheet
        that cannot be read.
        """
        return lines_below(sheet, self.rows(sheet), needed)

    def rows(self, sheet: str) -> list[list[str]]:
        """Return the rows of a sheet as trimmed texts, `MOST_ROWS` at most. Raises `BadTable`."""
        try:
            rows = self._book.get_sheet_by_name(sheet).to_python(skip_empty_area=False, nrows=MOST_ROWS)
        except CalamineError as error:
            raise BadTable([Fault(sheet, 0, "", UNREADABLE)]) from error
        return [[_text(cell) for cell in row] for row in rows]


def lines_below(sheet: str, texts: Sequence[Sequence[str]], needed: Sequence[str]) -> Iterator[Line]:
    """Yield the filled rows below the headings. Raises `BadTable` as `Workbook.lines`."""
    if len(texts) >= MOST_ROWS:
        raise BadTable([Fault(sheet, 0, "", f"超过 {MOST_ROWS} 行")])
    top = texts[:HEADINGS_WITHIN]
    index = next((i for i, row in enumerate(top) if set(needed) <= set(row)), None)
    if index is None:
        best = max(top, key=lambda row: len(set(needed) & set(row)), default=[])
        missing = "、".join(name for name in needed if name not in best)
        raise BadTable([Fault(sheet, 0, "", f"缺少列：{missing}")])
    for number, row in enumerate(texts[index + 1 :], start=index + 2):
        if any(row):
            yield Line(sheet, number, dict(zip(texts[index], row, strict=False)))


def _text(cell: Cell) -> str:
    """Return a cell as its author sees it: telephone numbers are often kept as numbers."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    return str(cell).strip()
