"""A form that is sent after its session has ended: kept at the server, back after the next sign-in.

Without scripts, too. Only forms in which people write at length come back; files of a form do not.
"""

import re
from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException

from casework.commanding import BY_NAME
from casework.errors import BadInput, TooLarge
from casework.kept_forms import former_user, keep_form, kept_form
from casework.services import Services
from casework.viewer import Viewer
from models.database import DatabaseUnavailable
from pages.counter_upload import FormRequest
from pages.csrf import FIELD as CSRF
from pages.csrf import check_token
from pages.sessions import session_token
from routes.uploads import MULTIPART
from rules.case.errors import Forbidden

KEPT = "kept"  # in addresses the id of a kept form, in the form that came back the same
BACK = "登录曾中断，下面的内容还没有提交。请核对后提交；附件须重新选择。"

_COMMAND = re.compile(r"(/cases/[A-Za-z0-9._-]{1,100})/([a-z_]+)")
_TRIAGE = re.compile(r"/counter/triage/[A-Za-z0-9._-]{1,100}")
_REGISTRATION = frozenset({"/counter", "/counter/check"})


def page_of(path: str) -> str | None:
    """Return the page that has the form which is sent to `path`; None for forms that are not kept."""
    if path in _REGISTRATION:
        return "/counter"
    if _TRIAGE.fullmatch(path):
        return path
    found = _COMMAND.fullmatch(path)
    return found[1] if found and found[2] in BY_NAME else None


async def keep(request: Request, services: Services) -> str | None:
    """Keep what this post brought; return the address of the page that shows it again.

    None for what is no form of ours, or comes from a browser that never had a session.
    """
    page, token = page_of(request.url.path), session_token(request)
    if request.method != "POST" or page is None or token is None:
        return None
    try:
        username = await former_user(services, token)
        if username is None:
            return None
        form = await _form(request)
        check_token(request, form.get(CSRF))
        fields = [(name, text) for name, text in form.multi_items() if isinstance(text, str)]
        fields = [(name, text) for name, text in fields if name not in (CSRF, KEPT)]
        kept = await keep_form(services, username, request.url.path, fields)
    except (BadInput, TooLarge, Forbidden, HTTPException, DatabaseUnavailable):
        return None
    return f"{page}?{urlencode({KEPT: kept})}" if kept else None


async def _form(request: Request) -> FormData:
    if request.headers.get("content-type", "").lower().startswith(MULTIPART):
        return await FormRequest(request.scope, request.receive).form()
    return await request.form()


async def recall(services: Services, viewer: Viewer, form_id: str, page: str) -> tuple[str, FormData] | None:
    """Return the path that the viewer's kept form goes to, and the form; None where it is not this page's."""
    found = await kept_form(services, viewer, form_id) if form_id else None
    if found is None or page_of(found[0]) != page:
        return None
    return found[0], FormData([*found[1], (KEPT, form_id)])
