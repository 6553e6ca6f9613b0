"""Excel workbooks in which every cell is text: nothing that somebody typed becomes a formula or a link."""

from collections.abc import Sequence
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from documents.cells import fitting

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
A3, A4 = 8, 9
FILLS = {"green": "#DDEFE3", "yellow": "#FBEFC8", "red": "#F8D9D5", "grey": "#ECECEC"}

_FONT = {"font_name": "宋体", "font_size": 10.5, "valign": "vcenter", "text_wrap": True}
_STYLES = {
    "title": _FONT | {"bold": True, "font_size": 16, "align": "center"},
    "note": _FONT | {"font_color": "#555555"},
    "head": _FONT | {"bold": True, "align": "center", "bg_color": "#E1ECEC", "border": 1},
    "group": _FONT | {"bold": True, "bg_color": "#F1F5F5", "border": 1},
    "cell": _FONT | {"border": 1, "valign": "top"},
    "centred": _FONT | {"border": 1, "align": "center"},
    "label": _FONT | {"border": 1, "bg_color": "#F1F5F5", "align": "center"},
}


class Workbook:
    """A workbook in memory. The same calls give the same bytes: its date is the one that is given."""

    def __init__(self, title: str, made_at: datetime) -> None:
        self._buffer = BytesIO()
        self._book: Any = xlsxwriter.Workbook(
            self._buffer,
            {
                "in_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
            },
        )
        self._book.set_properties({"title": title, "created": made_at.astimezone(UTC).replace(tzinfo=None)})
        self._styles = {name: self._book.add_format(style) for name, style in _STYLES.items()}
        for light, fill in FILLS.items():
            self._styles[light] = self._book.add_format(_STYLES["centred"] | {"bg_color": fill})

    def sheet(
        self,
        name: str,
        widths: Sequence[float],
        *,
        paper: int = A4,
        landscape: bool = True,
        repeat: int | None = None,
    ) -> "Sheet":
        """Add a sheet; `widths` in characters; `repeat` is the row (from 0) that every page begins with."""
        sheet = self._book.add_worksheet(name)
        sheet.set_paper(paper)
        if landscape:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
        sheet.set_footer("&C第 &P 页，共 &N 页")
        sheet.hide_gridlines(2)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        if repeat is not None:
            sheet.repeat_rows(repeat)
            sheet.freeze_panes(repeat + 1, 0)
        return Sheet(sheet, self._styles, widths)

    def close(self) -> bytes:
        """Return the file."""
        self._book.close()
        return self._buffer.getvalue()


class Sheet:
    """A sheet that is written from top to bottom."""

    def __init__(self, sheet: Any, styles: dict[str, Any], widths: Sequence[float]) -> None:
        self._sheet, self._styles, self._widths = sheet, styles, widths
        self.at = 0
        self._breaks: list[int] = []

    def row(self, cells: Sequence[object], style: str | Sequence[str] = "cell") -> None:
        """Write a row, as high as its text needs; one style, or one for each cell."""
        styles = [style] * len(cells) if isinstance(style, str) else style
        texts = [_text(cell) for cell in cells]
        for column, (text, name) in enumerate(zip(texts, styles, strict=True)):
            self._sheet.write_string(self.at, column, text, self._styles[name])
        self._end(max((_lines(t, w) for t, w in zip(texts, self._widths, strict=False)), default=1))

    def across(self, cell: object, style: str = "cell", columns: tuple[int, int] | None = None) -> None:
        """Write one text over all columns, or over these (both included), and end the row."""
        first, last = columns or (0, len(self._widths) - 1)
        self.part(cell, first, last, style)
        self._end(_lines(_text(cell), sum(self._widths[first : last + 1])), tall=style == "title")

    def part(self, cell: object, first: int, last: int, style: str = "cell") -> None:
        """Write one text over some columns (both included) of the row under way."""
        if first == last:
            self._sheet.write_string(self.at, first, _text(cell), self._styles[style])
            return
        self._sheet.merge_range(self.at, first, self.at, last, "", self._styles[style])
        self._sheet.write_string(self.at, first, _text(cell), self._styles[style])

    def field(self, label: str, value: object, columns: int) -> None:
        """Write a row of a form: a label, and its value over the rest of the columns."""
        self.part(label, 0, 0, "label")
        self.across(value, "cell", (1, columns - 1))

    def pair(self, label: str, value: object, other: str, second: object) -> None:
        """Write a row of a form with two fields; it has four columns."""
        self.row([label, value, other, second], ["label", "cell", "label", "cell"])

    def gap(self) -> None:
        """Leave a row empty."""
        self.at += 1

    def page(self) -> None:
        """Begin a new page, when it is printed."""
        self._breaks.append(self.at)
        self._sheet.set_h_pagebreaks(self._breaks)

    def _end(self, lines: int, *, tall: bool = False) -> None:
        # Set by hand: readers that do not reckon the height of a wrapped row themselves would cut it.
        self._sheet.set_row(self.at, min(409, 30 if tall else 5 + 14.5 * lines))
        self.at += 1


def _text(cell: object) -> str:
    return fitting(str(cell))


def _lines(text: str, width: float) -> int:
    """How many lines a text takes in a column; Chinese is twice as wide."""
    fit = max(1.0, width - 1)
    return sum(max(1, -int(-_width(line) // fit)) for line in text.split("\n"))


def _width(line: str) -> int:
    return sum(2 if ord(letter) > 0x2E7F else 1 for letter in line)
