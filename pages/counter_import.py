"""`/counter/import`: many cases out of a file: looked at first, then filed row by row by the worker."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.errors import Conflict
from casework.exports import note_download
from casework.imports import DRAFT, MAY_IMPORT, bring, imports_of, look_at, queue, read_import
from casework.services import Services
from casework.spreadsheet import BadTable
from casework.viewer import Viewer
from documents.excel import MEDIA_TYPE
from pages.admin_parts import typed, uploaded
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.import_sheets import OUTCOME, outcome_sheet, template
from pages.rendering import render
from pages.sessions import page_only
from pages.sheets import spared_on_head
from routes.attachments import disposition
from routes.dependencies import Given
from routes.imported_rows import FORMS, MOST_ROWS, read_file
from routes.refusal_log import address
from routes.wording import fault_words, problem_words

router = APIRouter(dependencies=SIGNED_IN)

Importer = Annotated[Viewer, Depends(page_only(*MAY_IMPORT))]
HERE = "/counter/import"
LARGEST = 5_000_000  # bytes
LISTED = 200  # faults, and cases, on the page; all of them are in the sheet
UNPROCESSABLE, CONFLICT = 422, 409


@router.get("/counter/import")
async def form(request: Request, given: Given, viewer: Importer) -> Response:
    """Show the form, and what was imported lately."""
    return await _form(request, given, viewer)


@router.post("/counter/import")
async def take(request: Request, given: Given, viewer: Importer) -> Response:
    """Look at a file, keep it as a draft and show what it would do; nothing is filed yet."""
    content = await uploaded(request, "file", LARGEST)
    chosen = FORMS.get((await typed(request, "form"))["form"])
    if chosen is None or content is None:
        return await _form(request, given, viewer, ["请选择表格种类和文件"])
    if len(content) > LARGEST:
        return await _form(request, given, viewer, [f"文件超过 {LARGEST // 1_000_000} MB"])
    now = await given.clock.now()
    try:
        read = await asyncio.to_thread(read_file, chosen, content, viewer.hall or "", now)
    except BadTable as bad:
        return await _form(request, given, viewer, [str(fault) for fault in bad.faults])
    looked = await look_at(given, read)
    import_id = await bring(given, viewer, read, looked)
    return RedirectResponse(f"{HERE}/{import_id}", SEE_OTHER)


@router.get("/counter/import/template.xlsx")
async def empty(viewer: Importer) -> Response:
    """Return an empty table to fill in."""
    return _file(await asyncio.to_thread(template), "办件导入表.xlsx")


@router.get("/counter/import/{import_id}")
async def one(request: Request, import_id: str, given: Given, viewer: Importer) -> Response:
    """Show an import: what it would do, how far it is, what came of it."""
    return await _one(request, given, viewer, import_id)


@router.post("/counter/import/{import_id}")
async def confirm(request: Request, import_id: str, given: Given, viewer: Importer) -> Response:
    """Let the worker file it."""
    try:
        await queue(given, viewer, import_id, address(request))
    except Conflict as refusal:
        words = problem_words(refusal.slug)[1]
        return await _one(request, given, viewer, import_id, words)
    return RedirectResponse(f"{HERE}/{import_id}", SEE_OTHER)


@router.get("/counter/import/{import_id}/outcome.xlsx")
@spared_on_head
async def outcome(request: Request, import_id: str, given: Given, viewer: Importer) -> Response:
    """Download what came of every row, the faults of the bad ones above all."""
    shown = await read_import(given, viewer, import_id)
    made = await asyncio.to_thread(outcome_sheet, shown, await given.clock.now())
    await note_download(given, viewer, "import", shown.row.rows + len(shown.row.faults), address(request))
    return _file(made, "导入结果.xlsx")


def _file(content: bytes, name: str) -> Response:
    return Response(content, media_type=MEDIA_TYPE, headers={"Content-Disposition": disposition(name)})


async def _form(request: Request, given: Services, viewer: Viewer, faults: Any = ()) -> Response:
    return render(
        request,
        "counter/import.html",
        status=UNPROCESSABLE if faults else 200,
        faults=list(faults)[:LISTED],
        forms=[(each.name, each.title) for each in FORMS.values()],
        titles={each.name: each.title for each in FORMS.values()},
        imports=await imports_of(given, viewer),
        columns=[(column.title, "、".join(column.also)) for column in FORMS["work_orders"].columns],
        most=MOST_ROWS,
    )


async def _one(
    request: Request, given: Services, viewer: Viewer, import_id: str, alert: str = ""
) -> Response:
    shown = await read_import(given, viewer, import_id)
    return render(
        request,
        "counter/imported.html",
        status=CONFLICT if alert else 200,
        shown=shown,
        draft=shown.row.status == DRAFT,
        title=FORMS[shown.row.form].title,
        bad=len({row for row, *_ in shown.row.faults}),
        outcome=OUTCOME,
        why=fault_words,
        listed=LISTED,
        alert=alert,
    )
