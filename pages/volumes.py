"""`/reports/volumes`: the monthly volume of the hotline 12345 by unit, and its import from Excel or CSV."""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.errors import BadInput
from casework.spreadsheet import BadTable
from casework.viewer import Viewer
from casework.volume_template import make_template
from casework.volumes import (
    LARGEST,
    MAY_IMPORT,
    MAY_LOOK,
    import_as,
    months_of,
    read_month,
    units_to_fill_in,
)
from pages.admin_parts import typed, uploaded, worded
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from pages.sheets import XLSX
from routes.dependencies import Given
from routes.pages import Page
from rules.volume import month_before

router = APIRouter(dependencies=SIGNED_IN)

Reader = Annotated[Viewer, Depends(page_only(*MAY_LOOK))]
Importer = Annotated[Viewer, Depends(page_only(*MAY_IMPORT))]
PATH = "/reports/volumes"
PER_PAGE = 24  # months
TEMPLATE = "12345月度件数.xlsx"
_UNPROCESSABLE = 422
_NO_FILE = "请选择一个 Excel 或 CSV 文件"
_TOO_LARGE = f"文件超过 {LARGEST // 1000} KB"
_MONTHS = {"month_bad_format": "须写作 2026-02", "month_month_not_over": "该月尚未结束"}


@router.get("/reports/volumes")
async def volumes(
    request: Request,
    given: Given,
    viewer: Reader,
    hall: str = "",
    month: str = "",
    version: str = "",
    done: str = "",
    page: Page = 1,
) -> Response:
    """Show what was imported of a hall by month, and one month by unit: the newest where none is named."""
    chosen = int(version) if version.isdecimal() and len(version) < 6 else None
    return await _show(request, given, viewer, hall, month, version=chosen, done=done, page=page)


@router.post("/reports/volumes")
async def take(request: Request, given: Given, viewer: Importer) -> Response:
    """Import a month of a hall; a bad file is refused whole, with every fault."""
    sent = await typed(request, "hall", "month")
    content = await uploaded(request, "file", LARGEST)
    faults: list[str] = []
    wrong = None
    if content is None or len(content) > LARGEST:
        faults = [_TOO_LARGE if content else _NO_FILE]
    else:
        try:
            imported = await import_as(given, viewer, sent["hall"], sent["month"], content)
        except BadTable as refusal:
            faults = [str(fault) for fault in refusal.faults]
        except BadInput as refusal:
            wrong = worded(refusal.faults, **_MONTHS)["month"]
        else:
            done = "same" if imported.unchanged else "again" if imported.before else "new"
            return RedirectResponse(linker(PATH, sent)(done=done), SEE_OTHER)
    return await _show(
        request, given, viewer, sent["hall"], "", typed=sent["month"], faults=faults, wrong=wrong
    )


@router.get("/reports/volumes/template.xlsx")
async def template(given: Given, viewer: Importer, hall: str = "") -> Response:
    """Return a table with the units of a hall to fill in."""
    content = make_template(await units_to_fill_in(given, viewer, hall))
    named = f"attachment; filename*=UTF-8''{quote(TEMPLATE)}"
    return Response(content, media_type=XLSX, headers={"Content-Disposition": named})


async def _show(
    request: Request,
    given: Given,
    viewer: Viewer,
    hall: str,
    month: str,
    *,
    version: int | None = None,
    page: int = 1,
    typed: str | None = None,
    faults: list[str] | None = None,
    wrong: str | None = None,
    done: str = "",
) -> Response:
    found = await months_of(given, viewer, hall)
    month = month or (found.months[0][0] if found.months else "")
    last = max(1, -(-len(found.months) // PER_PAGE))
    values: dict[str, Any] = {
        "found": found,
        "shown": await read_month(given, viewer, found.hall, month, version) if month else None,
        "months": found.months[(page - 1) * PER_PAGE : page * PER_PAGE],
        "versions": dict(found.months).get(month, ()),
        "typed": month_before(await given.clock.now()) if typed is None else typed,
        "faults": faults or [],
        "wrong": wrong,
        "done": done,
        "page": page,
        "last": last,
        "may_import": viewer.role in MAY_IMPORT,
        "link": linker(PATH, {"hall": found.hall}),
        "empty_table": linker(f"{PATH}/template.xlsx", {"hall": found.hall})(),
    }
    status = _UNPROCESSABLE if faults or wrong else 200
    return render(request, "reports/volumes.html", status=status, **values)
