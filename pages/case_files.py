"""Files of a case: added and downloaded at its page."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.attachments import LARGEST, attach, download
from casework.engine import CaseNotRunning, EngineUnavailable
from casework.errors import BadInput, Conflict, TooLarge, Unsupported
from casework.finding import find_case
from pages.case_view import KEY, Again, Extra, case_page, key_of
from pages.csrf import FIELD, HEADER, check_token
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN, framed
from pages.sessions import PageViewer
from routes.attachments import disposition
from routes.dependencies import Given
from routes.refusal_log import address, log_refusal
from routes.uploads import one_file, read_multipart
from routes.wording import RULES, fault_words, problem_words
from rules.case.permits import may

router = APIRouter()

REFUSED = (BadInput, TooLarge, Unsupported, Conflict, EngineUnavailable, CaseNotRunning)


# Its form is read here, not by the common check: a file must not be spooled to the disk in clear.
@router.post("/cases/{number}/attachments", dependencies=[Depends(framed)])
async def add(request: Request, number: str, services: Given, viewer: PageViewer) -> Response:
    """Add a file: PDF, JPEG, PNG, DOCX or XLSX by its content, up to 20 MB, ten a case."""
    found = await find_case(services, viewer, number)
    request.state.case_id = found.case.id  # for the log of refusals
    may(found.state, "attach", viewer.actor)
    try:
        form = await read_multipart(request, LARGEST)
        try:
            check_token(request, request.headers.get(HEADER) or form.get(FIELD))
            upload = await one_file(form, LARGEST, beside=(FIELD, KEY))
            key = key_of(form)
        finally:
            await form.close()
        await attach(services, viewer, found, upload.name, upload.content, key)
    except REFUSED as refusal:
        status, words = _words(refusal)
        if isinstance(refusal, Conflict):
            await log_refusal(request, status, f"{refusal.slug}: {refusal.extra.get('rule')}")
        again = Again("attachments", {}, {"file": words})
        return await case_page(request, services, viewer, number, status=status, extra=Extra(again=again))
    return RedirectResponse(f"/cases/{found.case.number}?done=attach#attachments", SEE_OTHER)


def _words(refusal: Exception) -> tuple[int, str]:
    """Return status and words of a refusal."""
    if isinstance(refusal, BadInput):
        slug = next(iter(refusal.faults.values()))
        return 422, "请先选择文件" if slug in ("missing", "string_too_short") else fault_words(slug)
    if isinstance(refusal, TooLarge):
        return 413, "文件超过 20 MB"
    if isinstance(refusal, Unsupported):
        return 415, problem_words("unsupported-media-type")[1]
    if isinstance(refusal, Conflict):
        return 409, RULES.get(str(refusal.extra.get("rule"))) or problem_words(refusal.slug)[1]
    return 503, problem_words("engine-unavailable")[1]


@router.get("/cases/{number}/attachments/{attachment}", dependencies=SIGNED_IN)
async def get(
    request: Request, number: str, attachment: str, services: Given, viewer: PageViewer
) -> Response:
    """Download a file; that is on the access log."""
    found = await find_case(services, viewer, number)
    file = await download(services, viewer, found, attachment, address(request))
    headers = {
        "Content-Disposition": disposition(file.name),
        # Even where a browser opens it after all, nothing in it may run.
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    return Response(file.content, media_type=file.media_type, headers=headers)
