"""`/api/reports`: weekly and monthly reports and their files, as far as the viewer sees them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from casework.reports import READERS, Filter, download, list_reports, read_report
from casework.viewer import Viewer
from models.base import CODE
from routes.attachments import disposition
from routes.dependencies import Given, only
from routes.openapi import refusals
from routes.pages import Page, PerPage
from routes.refusal_log import address
from rules.case.vocabulary import Role
from rules.reporting import ReportKind

router = APIRouter(prefix="/api/reports", tags=["reports"])

Reader = Annotated[Viewer, Depends(only(*READERS))]
Code = Annotated[str | None, Query(max_length=CODE)]


class FileItem(BaseModel):
    """A file of a report; `format` is what `file?format=` takes.

    `erased_at`: emptied then, since a case that it tells of was erased; it is no download any more.
    """

    format: str
    name: str
    size: int
    sha256: str
    erased_at: str | None


class ReceiptItem(BaseModel):
    """Who took the report in, and when."""

    username: str
    name: str
    role: Role
    at: str


class VolumeItem(BaseModel):
    """The 12345 calls of a month (`YYYY-MM`) by unit, as known at the cut-off; null: nothing imported.

    `late`: imported too late for an earlier report, which could say `before`.
    """

    month: str
    late: bool
    units: dict[str, int] | None
    before: dict[str, int] | None
    total: int | None
    version: int | None
    imported_by: str | None
    imported_at: str | None
    sha256: str | None


class ReportItem(BaseModel):
    """A report covers (`from`, `to`]; `late` counts what came too late for the one before.

    `volumes`: of a centre's monthly summary only.
    """

    id: str
    kind: ReportKind
    hall: str
    category: str
    from_: str = Field(alias="from")
    to: str
    due_at: str
    made_at: str
    provisional: bool
    cases: int
    registered: int
    closed: int
    open: int
    overdue: int
    late: int
    volumes: list[VolumeItem]
    digest: str
    files: list[FileItem]
    receipts: list[ReceiptItem]


class Reports(BaseModel):
    """One page, the latest due first."""

    items: list[ReportItem]
    total: int
    page: int
    per_page: int


@router.get("", responses=refusals(403))
async def get_reports(
    given: Given,
    viewer: Reader,
    kind: ReportKind | None = None,
    category: Code = None,
    hall: Code = None,
    page: Page = 1,
    per_page: PerPage = 50,
) -> Reports:
    """Return the reports that the viewer sees."""
    listed = await list_reports(given, viewer, Filter(kind, category, hall), page, per_page)
    items = [ReportItem.model_validate(each) for each in listed.items]
    return Reports(items=items, total=listed.total, page=page, per_page=per_page)


@router.get("/{id}", responses=refusals(403, 404))
async def get_report(id: str, given: Given, viewer: Reader) -> ReportItem:
    """Return one report."""
    return ReportItem.model_validate(await read_report(given, viewer, id))


@router.get(
    "/{id}/file",
    responses={
        **refusals(403, 404),
        200: {
            "description": "the file, as a download",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
    response_class=Response,
)
async def get_file(request: Request, id: str, given: Given, viewer: Reader, format: Code = None) -> Response:
    """Download a file of a report, the first of its `files` unless another is named; that is logged."""
    file = await download(given, viewer, id, format, address(request))
    headers = {
        "Content-Disposition": disposition(file.name),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)
