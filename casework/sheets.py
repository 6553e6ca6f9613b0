"""An Excel sheet out of a stream of rows, written by a process beside this one.

Turning rows into a sheet is work for the processor that would keep every other request waiting; in
the process beside it, it costs this one nothing, and it runs while the next rows are read.
"""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

Cell = str | int | float | None
Cells = Sequence[Cell]

MOST_ROWS = 1_000_000
"""A sheet of Excel has 1,048,576 rows."""

_KEPT = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "VIRTUAL_ENV")


class TooManyRows(Exception):
    """More rows than a sheet holds."""

    def __init__(self, rows: int) -> None:
        """Take how many there are."""
        super().__init__(f"{rows} rows, at most {MOST_ROWS} in a sheet")
        self.rows = rows


class SheetFailed(Exception):
    """The process that writes did not come to its end."""


@dataclass(frozen=True)
class Head:
    """What stands above the rows: `facts` (name, value) first, then the columns (title, width)."""

    sheet: str
    facts: Sequence[tuple[str, str]]
    columns: Sequence[tuple[str, float]]


@contextmanager
def nameless_file() -> Iterator[Path]:
    """Give a place for a file that only this user may read; it is gone at the end of the block.

    Open it before: what is open stays readable, and nothing is left behind whatever happens.
    """
    with TemporaryDirectory(prefix="bancheng-export-") as made:
        yield Path(made) / "sheet.xlsx"


async def write_sheet(head: Head, batches: AsyncIterator[Sequence[Cells]]) -> BinaryIO:
    """Return the sheet, open for reading; it has no name any more. Raises `SheetFailed`."""
    with nameless_file() as path:
        # It gets no settings of ours: they hold keys, and it needs none.
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        command = (sys.executable, "-m", "casework.sheet_writer", str(path))
        writer = await asyncio.create_subprocess_exec(
            *command, env=environment, stdin=PIPE, stdout=DEVNULL, stderr=PIPE
        )
        try:
            await _feed(writer, head, batches)
            _, said = await writer.communicate()
        except BaseException:
            if writer.returncode is None:
                writer.kill()
            await writer.wait()
            raise
        if writer.returncode:
            raise SheetFailed(said.decode(errors="replace")[-500:])
        return path.open("rb")


async def _feed(
    writer: asyncio.subprocess.Process, head: Head, batches: AsyncIterator[Sequence[Cells]]
) -> None:
    assert writer.stdin is not None
    try:
        writer.stdin.write(_line(asdict(head)))
        async for rows in batches:
            writer.stdin.write(_line(rows))
            await writer.stdin.drain()  # rows are read no faster than they are written
        writer.stdin.close()
    except (BrokenPipeError, ConnectionResetError):
        _, said = await writer.communicate()
        raise SheetFailed(said.decode(errors="replace")[-500:]) from None


def _line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
