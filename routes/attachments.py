"""`/api/cases/{id}/attachments`: files of a case."""

from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from casework.attachments import LARGEST, attach, download, list_attachments
from casework.finding import find_case
from routes.answers import AttachmentAnswer, AttachmentList
from routes.dependencies import Given, SignedIn
from routes.openapi import refusals
from routes.refusal_log import address
from routes.uploads import UPLOAD, read_upload
from rules.case.permits import may

router = APIRouter(prefix="/api/cases/{id}/attachments", tags=["attachments"])

CREATED = 201


@router.post(
    "",
    status_code=CREATED,
    openapi_extra=UPLOAD,
    responses={**refusals(403, 404, 409, 413, 415), CREATED: {"model": AttachmentAnswer}},
    response_class=JSONResponse,
)
async def add(request: Request, id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """Add a file: PDF, JPEG, PNG, DOCX or XLSX by its content, up to 20 MB, ten a case."""
    found = await find_case(services, viewer, id)
    request.state.case_id = found.case.id
    may(found.state, "attach", viewer.actor)
    upload = await read_upload(request, LARGEST)
    added = await attach(services, viewer, found, upload.name, upload.content)
    return JSONResponse(added, CREATED)


@router.get("", responses={**refusals(403, 404), 200: {"model": AttachmentList}}, response_class=JSONResponse)
async def list_(id: str, services: Given, viewer: SignedIn) -> JSONResponse:
    """List the files of a case."""
    return JSONResponse(await list_attachments(services, await find_case(services, viewer, id)))


@router.get(
    "/{attachment}",
    responses={
        **refusals(403, 404),
        200: {
            "description": "the file, as a download",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
    response_class=Response,
)
async def get(request: Request, id: str, attachment: str, services: Given, viewer: SignedIn) -> Response:
    """Download a file; that is on the access log."""
    found = await find_case(services, viewer, id)
    file = await download(services, viewer, found, attachment, address(request))
    headers = {
        "Content-Disposition": disposition(file.name),
        "X-Content-Type-Options": "nosniff",
        # Even where a browser opens it after all, nothing in it may run.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)


def disposition(name: str) -> str:
    """Return the header of a download: a plain name for old clients, the true one by RFC 5987."""
    ending = name.rpartition(".")[2]
    return f"attachment; filename=\"attachment.{ending}\"; filename*=UTF-8''{quote(name, safe='')}"
