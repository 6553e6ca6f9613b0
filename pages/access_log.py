"""`/access-log`: who signed in, was refused, took away or unmasked what; and the same as Excel."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from casework.access import Narrowed, access_page, access_wanted
from casework.exports import Export
from casework.sheets import Cell
from casework.texts import is_code
from casework.viewer import Viewer
from models.access import AccessLog
from pages.export_words import at_minute
from pages.frame import SIGNED_IN
from pages.labels import ACCESS
from pages.list_links import linker
from pages.rendering import render
from pages.sessions import page_only
from pages.sheets import Sheet, refused, send_query, spared_on_head
from routes.dependencies import Given
from routes.pages import Page
from rules.calendar import SHANGHAI
from rules.case.vocabulary import Role

router = APIRouter(dependencies=SIGNED_IN)

Overseer = Annotated[Viewer, Depends(page_only(Role.AUDITOR, Role.SUPERVISOR))]
PER_PAGE = 50
COLUMNS = (
    *(("时间", 17), ("用户名", 28), ("操作", 22), ("办件", 24), ("说明", 50), ("来自地址", 18)),
    ("序号", 10),
)


@dataclass(frozen=True)
class Chosen:
    """The filters as they were chosen: as values, as texts to show again, and what is wrong with them."""

    narrowed: Narrowed
    typed: dict[str, str | None]
    faults: dict[str, str]

    @property
    def words(self) -> str:
        """Return the filters in one sentence."""
        named = (("user", "用户名"), ("day", "日期"))
        said = [f"{title}:{self.typed[name]}" for name, title in named if self.typed[name]]
        action = self.typed["action"]
        return "；".join([*said, f"操作:{ACCESS[action]}"] if action else said)


@router.get("/access-log")
async def access_log(
    request: Request,
    given: Given,
    viewer: Overseer,
    user: str = "",
    action: str = "",
    day: str = "",
    page: Page = 1,
) -> Response:
    """Show the log as far as the viewer oversees it, newest first, narrowed by user, action and day."""
    chosen = _chosen(user, action, day)
    found = await access_page(given, viewer, chosen.narrowed, page, PER_PAGE)
    return render(
        request,
        "lists/access_log.html",
        status=422 if chosen.faults else 200,
        found=found,
        chosen=chosen,
        actions=ACCESS.items(),
        page=page,
        link=linker("/access-log", chosen.typed),
        export=linker("/access-log/export.xlsx", chosen.typed),
    )


@router.get("/access-log/export.xlsx")
@spared_on_head
async def export(
    request: Request, given: Given, viewer: Overseer, user: str = "", action: str = "", day: str = ""
) -> Response:
    """The same, all of it."""
    chosen = _chosen(user, action, day)
    if chosen.faults:
        return refused(request, "筛选条件有误", "；".join(chosen.faults.values()))

    def sheet(opened: Export) -> Sheet:
        return Sheet.of("访问日志", "access log", COLUMNS, chosen.words, opened, _cells)

    return await send_query(
        request, given, viewer, lambda session: access_wanted(session, viewer, chosen.narrowed), sheet
    )


def _cells(row: Any) -> list[Cell]:
    entry: AccessLog = row[0]
    said = (entry.username, ACCESS.get(entry.action, entry.action), row[1], entry.reason, entry.address)
    return [at_minute(entry.at), *said, entry.id]


def _chosen(user: str, action: str, day: str) -> Chosen:
    """Read the filters; the day is one of Shanghai, and what is none becomes a fault."""
    user, day = user.strip(), day.strip()
    faults: dict[str, str] = {}
    if user and not is_code(user):
        faults["user"] = "没有这样的用户名"
    start = _midnight(day) if day else None
    if day and start is None:
        faults["day"] = "应为日期(YYYY-MM-DD)"
    known = action if action in ACCESS else None
    end = start + timedelta(days=1) if start else None
    narrowed = Narrowed(user if user and not faults.get("user") else None, known, start, end)
    return Chosen(narrowed, {"user": user, "action": known, "day": day}, faults)


def _midnight(day: str) -> datetime | None:
    try:
        on = date.fromisoformat(day)
    except ValueError:
        return None
    return datetime.combine(on, time(), SHANGHAI) if 2000 <= on.year < 2100 else None
