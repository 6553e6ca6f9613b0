"""`/reports`: weekly and monthly reports, files and receipts; whom one goes to takes it in here."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.reports import READERS, Filter, download, list_reports, read_report, take_in
from casework.viewer import Viewer
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.list_filters import code
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from routes.attachments import disposition
from routes.dependencies import Given
from routes.pages import Page
from routes.refusal_log import address
from rules.report_words import CATEGORY, REPORT_KIND

router = APIRouter(dependencies=SIGNED_IN)

Reader = Annotated[Viewer, Depends(page_only(*READERS))]
PER_PAGE = 20
FORMATS = {"xlsx": "Excel", "pdf": "PDF", "docx": "Word"}


@router.get("/reports")
async def reports(
    request: Request,
    given: Given,
    viewer: Reader,
    kind: str = "",
    category: str = "",
    hall: str = "",
    page: Page = 1,
) -> Response:
    """Show the reports, narrowed by kind, category and hall, and when the next ones are due."""
    chosen = read_filter(kind, category, hall)
    listed = await list_reports(given, viewer, chosen, page, PER_PAGE)
    return render(
        request,
        "reports/list.html",
        listed=listed,
        chosen=chosen,
        kinds=REPORT_KIND,
        categories=CATEGORY,
        formats=FORMATS,
        page=page,
        last=max(1, -(-listed.total // PER_PAGE)),
        link=linker("/reports", asdict(chosen)),
        export=linker("/reports/export.xlsx", asdict(chosen)),
    )


def read_filter(kind: str, category: str, hall: str) -> Filter:
    """Return what the list is narrowed to; what is no kind, category or code is passed over."""
    return Filter(
        kind if kind in REPORT_KIND else None, category if category in CATEGORY else None, code(hall)
    )


@router.get("/reports/{report}")
async def one(request: Request, report: str, given: Given, viewer: Reader, done: str = "") -> Response:
    """Show one report: its period, counts, files with their digests, and who took it in."""
    shown = await read_report(given, viewer, report)
    return render(request, "reports/one.html", report=shown, formats=FORMATS, done=done == "receipt")


@router.get("/reports/{report}/file")
async def file(request: Request, report: str, given: Given, viewer: Reader, format: str = "") -> Response:
    """Download a file of a report; that is on the access log."""
    found = await download(given, viewer, report, format or None, address(request))
    headers = {
        "Content-Disposition": disposition(found.name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(found.content, media_type=found.media_type, headers=headers)


@router.post("/reports/{report}/receipt")
async def receipt(report: str, given: Given, viewer: Reader) -> Response:
    """Take a report in."""
    await take_in(given, viewer, report)
    return RedirectResponse(f"/reports/{report}?done=receipt", SEE_OTHER)
