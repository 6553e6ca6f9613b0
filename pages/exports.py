"""`…/export.xlsx`: a list as an Excel sheet, all its rows, with the filter, who and when on top of it.

Registered before the pages of a case, whose addresses would take these for a number.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from os import fstat
from typing import Any, BinaryIO
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.responses import Response

from casework import exports
from casework.errors import TooMany
from casework.exports import Export
from casework.one_at_a_time import Busy
from casework.places import Places
from casework.searching import is_of_person, search
from casework.services import Services
from casework.sheets import MOST_ROWS, Cells, Head, TooManyRows, write_sheet
from casework.viewer import Viewer
from casework.worklists import Queues, Within, department_queues, hall_queues, supervision_queues
from pages.department import UnitViewer
from pages.errors import SEE_OTHER
from pages.export_words import LEDGER, LIST, Columns, filter_words, ledger_cells, list_cells
from pages.frame import SIGNED_IN
from pages.lead import HallHead
from pages.list_filters import Filters, code, read_filters, read_search
from pages.list_words import QUEUE, SUPERVISION_QUEUE
from pages.rendering import moment, render
from pages.sessions import PageStaff
from pages.supervision import Overseer
from routes.dependencies import Given
from routes.refusal_log import address

router = APIRouter(dependencies=SIGNED_IN)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PIECE = 256 * 1024  # bytes read, and sent, at a time
WORK = "export"
RETRY = timedelta(seconds=10)
EVERYWHERE = Within()
UNPROCESSABLE = 422


@dataclass(frozen=True)
class Sheet:
    """What is exported: its title, its name on the access log, columns, and the cells of a row."""

    title: str
    name: str
    columns: Columns = LIST
    cells: Callable[[Places], Callable[[Any], Cells]] = list_cells


CASES = Sheet("全部办件", "cases")
LEDGER_SHEET = Sheet("办件进展台账(附件3)", "ledger", LEDGER, ledger_cells)


@router.get("/cases/export.xlsx")
async def cases(request: Request, given: Given, viewer: PageStaff) -> Response:
    """The list of /cases as filtered."""
    return await _of_filters(request, given, viewer, CASES, exports.filtered)


@router.get("/cases/ledger.xlsx")
async def ledger(request: Request, given: Given, viewer: PageStaff) -> Response:
    """The progress ledger (附件3) over the cases as filtered."""
    return await _of_filters(request, given, viewer, LEDGER_SHEET, exports.ledger)


@router.post("/cases/search/export.xlsx")
async def found(request: Request, given: Given, viewer: PageStaff) -> Response:
    """What a search found; what was searched for may be a name, so it is posted, and kept out of the file."""
    form = await request.form()
    filters = read_filters(form)
    faults = dict(filters.faults)
    typed = read_search(form, faults)
    if not typed or faults:
        return RedirectResponse("/cases", SEE_OTHER)
    results = await search(given, viewer, filters.wanted, typed)
    export = exports.found(results, await given.clock.now())
    async with given.database.read() as session:
        personal = await is_of_person(session, typed, given.keyring)
    said = "按姓名或电话查找(不写入文件)" if personal else f"查找:{typed}"
    words = f"{said}；{filter_words(filters.typed, results.places)}"
    return await _sent(
        request, given, viewer, CASES, export, await _written(given, viewer, CASES, export, words)
    )


@router.get("/department/export.xlsx")
async def department(request: Request, given: Given, viewer: UnitViewer, queue: str = "") -> Response:
    """A queue of the unit's work."""
    sheet = Sheet("承办办件", "department")
    return await _of_queue(request, given, viewer, sheet, department_queues(viewer), queue)


@router.get("/lead/export.xlsx")
async def lead(request: Request, given: Given, viewer: HallHead, queue: str = "") -> Response:
    """A queue of the hall's board."""
    return await _of_queue(request, given, viewer, Sheet("大厅总览", "lead"), hall_queues(viewer), queue)


@router.get("/supervision/export.xlsx")
async def supervision(
    request: Request, given: Given, viewer: Overseer, queue: str = "", hall: str = "", unit: str = ""
) -> Response:
    """A queue of what is supervised, of all halls or of one, of all units or of one."""
    sheet, queues = Sheet("督查督办", "supervision"), supervision_queues(viewer)
    within = Within(code(hall), code(unit))
    return await _of_queue(request, given, viewer, sheet, queues, queue, within, SUPERVISION_QUEUE)


async def _of_filters(
    request: Request,
    given: Services,
    viewer: Viewer,
    sheet: Sheet,
    opened: Callable[..., AbstractAsyncContextManager[Export]],
) -> Response:
    filters: Filters = read_filters(request.query_params)
    if filters.faults:
        return _refused(request, "筛选条件有误", "；".join(filters.faults.values()))
    try:
        async with opened(given, viewer, filters.wanted) as export:
            words = filter_words(filters.typed, export.places)
            file = await _written(given, viewer, sheet, export, words)
    except TooManyRows as many:
        return _too_many(request, many)
    return await _sent(request, given, viewer, sheet, export, file)


async def _of_queue(
    request: Request,
    given: Services,
    viewer: Viewer,
    sheet: Sheet,
    queues: Queues,
    queue: str,
    within: Within = EVERYWHERE,
    names: Any = QUEUE,
) -> Response:
    chosen = queue if queue in queues else next(iter(queues))
    try:
        async with exports.worklist(given, viewer, queues, chosen, within) as export:
            words = f"分组:{names[chosen]}"
            if within.hall:
                words += f"；大厅:{export.places.hall(within.hall)}"
            if within.unit:
                words += f"；承办单位:{export.places.unit_names().get(within.unit, within.unit)}"
            file = await _written(given, viewer, sheet, export, words)
    except TooManyRows as many:
        return _too_many(request, many)
    return await _sent(request, given, viewer, sheet, export, file)


async def _written(given: Services, viewer: Viewer, sheet: Sheet, export: Export, filtered: str) -> BinaryIO:
    """Return the sheet, open for reading. Raises `TooMany` while the user has another under way."""
    head = Head(sheet.title, _facts(sheet, viewer, export, filtered), sheet.columns)
    try:
        with given.heavy.turn(WORK, viewer.username):
            return await write_sheet(head, _cells(export, sheet.cells(export.places)))
    except Busy as busy:
        raise TooMany(RETRY) from busy


async def _sent(
    request: Request, given: Services, viewer: Viewer, sheet: Sheet, export: Export, file: BinaryIO
) -> Response:
    """Send the sheet; who took it is on the access log first."""
    try:
        await exports.note_download(given, viewer, sheet.name, export.total, address(request))
    except BaseException:
        file.close()
        raise
    name = f"{sheet.title}-{moment(export.now)[:10]}.xlsx"
    headers = {
        "Content-Disposition": f"attachment; filename=\"{sheet.name}.xlsx\"; filename*=UTF-8''{quote(name)}",
        "Content-Length": str(fstat(file.fileno()).st_size),
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return StreamingResponse(_pieces(file), media_type=XLSX, headers=headers)


def _facts(sheet: Sheet, viewer: Viewer, export: Export, filtered: str) -> list[tuple[str, str]]:
    return [
        ("导出内容", sheet.title),
        ("筛选条件", filtered),
        ("导出人", f"{viewer.name}({viewer.username})"),
        ("导出时间", moment(export.now)),
        ("件数", str(export.total)),
    ]


async def _cells(export: Export, cells: Callable[[Any], Cells]) -> AsyncIterator[Sequence[Cells]]:
    async for rows in export.rows:
        # In a thread: some hundreds of rows in words would keep other requests waiting.
        yield await asyncio.to_thread(lambda several: list(map(cells, several)), rows)


async def _pieces(file: BinaryIO) -> AsyncIterator[bytes]:
    try:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
    finally:
        file.close()


def _too_many(request: Request, many: TooManyRows) -> Response:
    words = f"共 {many.rows} 件，一个 Excel 工作表最多导出 {MOST_ROWS} 件；请缩小范围后分次导出。"
    return _refused(request, "件数过多", words)


def _refused(request: Request, title: str, words: str) -> Response:
    problem = {"title": title, "detail": words}
    return render(request, "error.html", status=UNPROCESSABLE, problem=problem)
