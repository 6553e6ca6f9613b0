"""Templates into answers. A template shows what it is given: no rule and no query lives in one."""

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from casework.viewer import Viewer
from pages import labels
from pages.csrf import csrf_token
from pages.navigation import folded, navigation
from pages.sessions import VISITOR, is_secure
from pages.static_files import static
from pages.tour import tour
from rules.calendar import local

WEEKDAYS = "一二三四五六日"


def moment(at: str | datetime | None, otherwise: str = "—") -> str:
    """Return an instant on the clock of Shanghai: 2026-11-22 09:30."""
    return otherwise if at is None else f"{_local(at):%Y-%m-%d %H:%M}"


def day(at: str | datetime | date | None, otherwise: str = "—") -> str:
    """Return a date with its day of the week: 11月22日 周日."""
    if at is None:
        return otherwise
    on = at if isinstance(at, date) and not isinstance(at, datetime) else _local(at).date()
    return f"{on.month}月{on.day}日 周{WEEKDAYS[on.weekday()]}"


def clock(at: str | datetime | None, otherwise: str = "—") -> str:
    """Return date, day of the week and time: 11月22日 周日 17:30."""
    return otherwise if at is None else f"{day(at)} {_local(at):%H:%M}"


def weekday(at: str | datetime) -> str:
    """Return the day of the week of an instant: 周日."""
    return f"周{WEEKDAYS[_local(at).weekday()]}"


def _local(at: str | datetime) -> datetime:
    return local(datetime.fromisoformat(at) if isinstance(at, str) else at)


def _back(request: Request, viewer: Viewer | None) -> str:
    """Return where to come back to: this page, unless it answers a form."""
    if request.method != "GET":
        return "/" if viewer else "/public"
    query = f"?{request.url.query}" if request.url.query else ""
    return request.url.path + query


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {"moment": moment, "day": day, "clock": clock, "weekday": weekday}
    made.filters["compact_json"] = lambda value: json.dumps(value, ensure_ascii=False)
    made.globals |= {"static": static, "labels": labels, "word": labels.word}
    return made


TEMPLATES = _environment()


def render(request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Return a page. `viewer`, `unread`, the tour and the rehearsal's `now` come from the request's state.

    Raises jinja2's UndefinedError for a value that the template wants and nobody gave.
    """
    viewer: Viewer | None = getattr(request.state, "viewer", None)
    shared: Mapping[str, Any] = {
        "request_path": request.url.path,
        "viewer": viewer,
        "navigation": navigation(viewer),
        "folded": folded(viewer),
        "csrf": csrf_token(request),
        "unread": getattr(request.state, "unread", 0),
        "rehearsal_now": getattr(request.state, "rehearsal_now", None),
        "rehearsal_next": _back(request, viewer),
        "tour": tour(request, viewer),
    }
    content = TEMPLATES.get_template(template).render({**shared, **values})
    response = HTMLResponse(content, status)
    if new := getattr(request.state, "visitor", None):
        response.set_cookie(VISITOR, new, httponly=True, secure=is_secure(request), samesite="lax", path="/")
    return response
