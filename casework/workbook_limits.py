"""Whether an Excel file may be handed to the reader, whoever made it.

The reader makes room for every cell between the first and the last, and a copy of its text for each: a
file of a few kilobytes could take all memory. So each part is looked at before, for what it would become.
"""

import re
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile

UNREADABLE = "不是可以读取的 Excel 文件"
TOO_WIDE = "表格范围过大"
MOST_CELLS = 2_000_000  # from the first to the last, empty ones included
MOST_UNPACKED = 50_000_000  # bytes of all parts
MOST_TEXT = 200_000_000  # bytes, if every cell held the longest text

_BOOK = "xl/workbook.xml"
_OTHER_BOOKS = {"xl/workbook.bin", "content.xml"}  # the reader would read these formats too, unlimited
_ROW = re.compile(rb"<(?:\w+:)?row\b")
_CELL = re.compile(rb"<(?:\w+:)?c\b")
_PLACE = re.compile(rb"[\"':]([A-Za-z]{1,3})(\d+)[\"']")
_ROW_PLACE = re.compile(rb"<(?:\w+:)?row\b[^<]*?\sr\s*=\s*[\"'](\d+)[\"']")
_PLACED = re.compile(rb"[^<>]*?\sr\s*=\s*[\"']\w+[\"']")
_TEXTS, _TEXT = re.compile(rb"<(?:\w+:)?sst\b"), re.compile(rb"<(?:\w+:)?si\b")
_WORKSHEET = b"sheetData"


def fault_of(source: Path | bytes) -> str | None:
    """Return why a file is not read: it is no xlsx file, or would become too large; None for a good one.

    Takes a while for a large one. Raises OSError.
    """
    cells = longest = 0
    try:
        with ZipFile(source if isinstance(source, Path) else BytesIO(source)) as archive:
            names = [name.lower() for name in archive.namelist()]
            if {each.compress_type for each in archive.infolist()} - {ZIP_STORED, ZIP_DEFLATED}:
                return UNREADABLE  # Excel packs no other way
            for part in _parts(archive):
                if part is None:
                    return TOO_WIDE
                if _WORKSHEET in part:
                    cells = max(cells, _cells(part))
                elif _TEXTS.search(part):
                    longest = max(longest, *map(len, _TEXT.split(part)))
    except (BadZipFile, zlib.error, EOFError, RuntimeError, ValueError):
        return UNREADABLE
    if cells > MOST_CELLS or cells * longest > MOST_TEXT:
        return TOO_WIDE
    is_xlsx = _BOOK in names and not _OTHER_BOOKS & {*names} and len({*names}) == len(names)
    return None if is_xlsx else UNREADABLE


def _parts(archive: ZipFile) -> Iterator[bytes | None]:
    """Yield every part, wherever it lies and whatever its name says; None once they are too large."""
    left = MOST_UNPACKED
    for name in archive.namelist():
        with archive.open(name) as part:
            content = part.read(left + 1)
        left -= len(content)
        if left < 0:
            yield None
            return
        yield content


def _cells(sheet: bytes) -> int:
    """Return how many cells a worksheet spans at most; what is doubtful is counted as the larger.

    A row or cell that does not say its place follows the one before it. What says it, as Excel's do, has it.
    """
    wide = max((_column(place[1]) for place in _PLACE.finditer(sheet)), default=0)
    high = max((_number(place[2]) for place in _PLACE.finditer(sheet)), default=0)
    high = max(high, *(_number(place[1]) for place in _ROW_PLACE.finditer(sheet)), 0)
    rows = _ROW.split(sheet)
    if any(_PLACED.match(row) is None for row in rows[1:]):
        high += len(rows)
    if any(_PLACED.match(cell) is None for cell in _CELL.split(sheet)[1:]):
        wide += max(len(_CELL.findall(row)) for row in rows)
    return wide * high


def _number(digits: bytes) -> int:
    return int(digits) if len(digits) < 10 else MOST_CELLS + 1


def _column(letters: bytes) -> int:
    """Return the number of a column: A is 1, AA 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - ord("A") + 1
    return number
