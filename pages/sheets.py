"""A list as an Excel sheet: one way for every list, which adds only its columns and its rows.

The filter, who takes it and when stand above the rows; the download is on the access log before it begins.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import wraps
from os import fstat
from typing import Any, BinaryIO, Self, TypeVar
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.responses import Response

from casework import exports
from casework.errors import TooMany
from casework.one_at_a_time import Busy
from casework.services import Services
from casework.sheets import MOST_ROWS, Cells, Head, TooManyRows, write_sheet
from casework.viewer import Viewer
from pages.head import is_head
from pages.rendering import moment, render
from routes.refusal_log import address

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PIECE = 256 * 1024  # bytes read, and sent, at a time
WORK = "export"
RETRY = timedelta(seconds=10)
UNPROCESSABLE = 422

Columns = Sequence[tuple[str, float]]
Batches = AsyncIterator[Sequence[Any]]
Opened = TypeVar("Opened")


@dataclass(frozen=True)
class Sheet:
    """What is exported: its title, its name on the access log, columns (title, width), the filter in words.

    ``rows`` come in batches; ``cells`` makes the cells of one.
    """

    title: str
    name: str
    columns: Columns
    filtered: str
    total: int
    now: datetime
    rows: Batches
    cells: Callable[[Any], Cells]

    @classmethod
    def of(
        cls,
        title: str,
        name: str,
        columns: Columns,
        filtered: str,
        export: exports.Export,
        cells: Callable[[Any], Cells],
    ) -> Self:
        """Return the sheet of what a query found."""
        return cls(title, name, columns, filtered, export.total, export.now, export.rows, cells)


def at_once(rows: Sequence[Any]) -> Batches:
    """Return rows that are in memory already as the one batch that they are."""

    async def batches() -> Batches:
        yield rows

    return batches()


def spared_on_head(
    endpoint: Callable[..., Awaitable[Response]],
) -> Callable[..., Awaitable[Response]]:
    """Answer a HEAD at a download without making, or noting, one: whoever asks gets nothing to keep."""

    @wraps(endpoint)
    async def answer(request: Request, **values: Any) -> Response:
        if is_head(request):
            return Response(media_type=XLSX, headers={"Cache-Control": "no-store"})
        try:
            return await endpoint(request=request, **values)
        except TooManyRows as many:
            words = f"共 {many.rows} 件，一个 Excel 工作表最多导出 {MOST_ROWS} 件；请缩小范围后分次导出。"
            return refused(request, "件数过多", words)

    return answer


async def send_streamed(
    request: Request,
    given: Services,
    viewer: Viewer,
    opening: AbstractAsyncContextManager[Opened],
    sheet_of: Callable[[Opened], Sheet],
) -> Response:
    """Write a list as it is read, and send it. Raises as `send_sheet`, `TooManyRows`."""
    async with opening as opened:
        sheet = sheet_of(opened)
        file = await written(given, viewer, sheet)
    return await send(request, given, viewer, sheet, file)


async def send_query(
    request: Request,
    given: Services,
    viewer: Viewer,
    query: exports.Query,
    sheet_of: Callable[[exports.Export], Sheet],
) -> Response:
    """Write what a query finds as it is read, and send it. Raises as `send_sheet`, `TooManyRows`."""
    return await send_streamed(request, given, viewer, exports.streamed(given, viewer, query), sheet_of)


async def send_sheet(request: Request, given: Services, viewer: Viewer, sheet: Sheet) -> Response:
    """Write a sheet and send it. Raises `TooMany` while the user has another under way."""
    return await send(request, given, viewer, sheet, await written(given, viewer, sheet))


async def written(given: Services, viewer: Viewer, sheet: Sheet) -> BinaryIO:
    """Return the sheet, open for reading. Raises `TooMany` while the user has another under way."""
    head = Head(sheet.title, _facts(sheet, viewer), sheet.columns)
    try:
        with given.heavy.turn(WORK, viewer.username):
            return await write_sheet(head, _cells(sheet))
    except Busy as busy:
        raise TooMany(RETRY) from busy


async def send(request: Request, given: Services, viewer: Viewer, sheet: Sheet, file: BinaryIO) -> Response:
    """Send a sheet that is written; who took it is on the access log first."""
    try:
        await exports.note_download(given, viewer, sheet.name, sheet.total, address(request))
    except BaseException:
        file.close()
        raise
    name = f"{sheet.title}-{moment(sheet.now)[:10]}.xlsx"
    headers = {
        "Content-Disposition": f"attachment; filename=\"{sheet.name}.xlsx\"; filename*=UTF-8''{quote(name)}",
        "Content-Length": str(fstat(file.fileno()).st_size),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_pieces(file), media_type=XLSX, headers=headers)


def refused(request: Request, title: str, words: str) -> Response:
    """Say why there is nothing to export."""
    problem = {"title": title, "detail": words}
    return render(request, "error.html", status=UNPROCESSABLE, problem=problem)


def _facts(sheet: Sheet, viewer: Viewer) -> list[tuple[str, str]]:
    return [
        ("导出内容", sheet.title),
        ("筛选条件", sheet.filtered or "无"),
        ("导出人", f"{viewer.name}({viewer.username})"),
        ("导出时间", moment(sheet.now)),
        ("件数", str(sheet.total)),
    ]


async def _cells(sheet: Sheet) -> AsyncIterator[Sequence[Cells]]:
    async for rows in sheet.rows:
        # In a thread: some hundreds of rows in words would keep other requests waiting.
        yield await asyncio.to_thread(lambda several: list(map(sheet.cells, several)), rows)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
    finally:
        file.close()
