"""`…/export.xlsx`: a list of cases as an Excel sheet, all its rows.

Registered before the pages of a case, whose addresses would take these for a number.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework import exports
from casework.exports import Export
from casework.places import Places
from casework.searching import is_of_person, search
from casework.services import Services
from casework.sheets import Cells
from casework.viewer import Viewer
from casework.worklists import Queues, Within, department_queues, hall_queues, supervision_queues
from pages.department import UnitViewer
from pages.errors import SEE_OTHER
from pages.export_words import LEDGER, LIST, filter_words, ledger_cells, list_cells
from pages.frame import SIGNED_IN
from pages.lead import HallHead
from pages.list_filters import Filters, code, read_filters, read_search
from pages.list_words import QUEUE, SUPERVISION_QUEUE
from pages.sessions import PageStaff
from pages.sheets import Columns, Sheet, refused, send_sheet, send_streamed, spared_on_head
from pages.supervision import Overseer
from routes.dependencies import Given

router = APIRouter(dependencies=SIGNED_IN)

EVERYWHERE = Within()


@dataclass(frozen=True)
class CaseList:
    """A list of cases to export: its title, its name on the access log, columns, and the cells of a row."""

    title: str
    name: str
    columns: Columns = LIST
    cells: Callable[[Places], Callable[[Any], Cells]] = list_cells

    def sheet(self, export: Export, filtered: str) -> Sheet:
        """Return the sheet of what was opened."""
        cells = self.cells(export.places)
        return Sheet(
            self.title, self.name, self.columns, filtered, export.total, export.now, export.rows, cells
        )


CASES = CaseList("全部办件", "cases")
LEDGER_LIST = CaseList("办件进展台账(附件3)", "ledger", LEDGER, ledger_cells)


@router.get("/cases/export.xlsx")
@spared_on_head
async def cases(request: Request, given: Given, viewer: PageStaff) -> Response:
    """The list of /cases as filtered."""
    return await _of_filters(request, given, viewer, CASES, exports.filtered)


@router.get("/cases/ledger.xlsx")
@spared_on_head
async def ledger(request: Request, given: Given, viewer: PageStaff) -> Response:
    """The progress ledger (附件3) over the cases as filtered."""
    return await _of_filters(request, given, viewer, LEDGER_LIST, exports.ledger)


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
    return await send_sheet(request, given, viewer, CASES.sheet(export, words))


@router.get("/department/export.xlsx")
@spared_on_head
async def department(request: Request, given: Given, viewer: UnitViewer, queue: str = "") -> Response:
    """A queue of the unit's work."""
    listed = CaseList("承办办件", "department")
    return await _of_queue(request, given, viewer, listed, department_queues(viewer), queue)


@router.get("/lead/export.xlsx")
@spared_on_head
async def lead(request: Request, given: Given, viewer: HallHead, queue: str = "") -> Response:
    """A queue of the hall's board."""
    return await _of_queue(request, given, viewer, CaseList("大厅总览", "lead"), hall_queues(viewer), queue)


@router.get("/supervision/export.xlsx")
@spared_on_head
async def supervision(
    request: Request, given: Given, viewer: Overseer, queue: str = "", hall: str = "", unit: str = ""
) -> Response:
    """A queue of what is supervised, of all halls or of one, of all units or of one."""
    listed, queues = CaseList("督查督办", "supervision"), supervision_queues(viewer)
    within = Within(code(hall), code(unit))
    return await _of_queue(request, given, viewer, listed, queues, queue, within, SUPERVISION_QUEUE)


async def _of_filters(
    request: Request,
    given: Services,
    viewer: Viewer,
    listed: CaseList,
    opened: Callable[..., AbstractAsyncContextManager[Export]],
) -> Response:
    filters: Filters = read_filters(request.query_params)
    if filters.faults:
        return refused(request, "筛选条件有误", "；".join(filters.faults.values()))

    def sheet(export: Export) -> Sheet:
        return listed.sheet(export, filter_words(filters.typed, export.places))

    return await send_streamed(request, given, viewer, opened(given, viewer, filters.wanted), sheet)


async def _of_queue(
    request: Request,
    given: Services,
    viewer: Viewer,
    listed: CaseList,
    queues: Queues,
    queue: str,
    within: Within = EVERYWHERE,
    names: Any = QUEUE,
) -> Response:
    chosen = queue if queue in queues else next(iter(queues))

    def sheet(export: Export) -> Sheet:
        words = f"分组:{names[chosen]}"
        if within.hall:
            words += f"；大厅:{export.places.hall(within.hall)}"
        if within.unit:
            words += f"；承办单位:{export.places.unit_names().get(within.unit, within.unit)}"
        return listed.sheet(export, words)

    opening = exports.worklist(given, viewer, queues, chosen, within)
    return await send_streamed(request, given, viewer, opening, sheet)
