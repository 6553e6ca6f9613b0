"""`/admin/deliveries`: messages outside on the record, those given up sent again or let go; the default."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.delivery_choices import Choice, Wanted, choice_of, choose_default
from casework.delivery_record import FILTERS, drop, read_record, send_again
from casework.errors import BadInput
from models.outside import DEFAULT
from pages.admin_parts import Admin, show
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.labels import DIGEST, OUTSIDE
from pages.list_links import linker
from routes.dependencies import Given
from routes.pages import Page
from routes.refusal_log import address
from routes.wording import fault_words

router = APIRouter(dependencies=SIGNED_IN)

PATH = "/admin/deliveries"
PER_PAGE = 50
FILTER = {"all": "全部", "dead": "未送达", "waiting": "待发送"}
ALL = "all"
DONE = {
    "saved": "默认设置已保存。",
    "sent": "已重新安排发送。",
    "dropped": "已放弃，不再发送。",
    "none": "没有未送达的通知。",
}
Only = Annotated[str, Query(max_length=10)]


@router.get("/admin/deliveries")
async def deliveries(
    request: Request, given: Given, viewer: Admin, only: Only = "all", page: Page = 1, done: str = ""
) -> Response:
    """Show the record."""
    default = await choice_of(given, DEFAULT)
    return await _page(request, given, default, {}, only=only, page=page, message=DONE.get(done))


@router.post("/admin/deliveries/again")
async def again(request: Request, given: Given, viewer: Admin) -> Response:
    """Send again what was given up: what a button names, or all of it."""
    form = await request.form()
    keys = [value for value in form.getlist("key") if isinstance(value, str)]
    done = await send_again(given, viewer, None if ALL in keys else keys, address(request))
    return RedirectResponse(f"{PATH}?done={'sent' if done else 'none'}", SEE_OTHER)


@router.post("/admin/deliveries/drop")
async def let_go(request: Request, given: Given, viewer: Admin) -> Response:
    """Let go of what a button names; of all of it only an operator does."""
    form = await request.form()
    keys = [value for value in form.getlist("key") if isinstance(value, str)]
    done = await drop(given, viewer, keys, address(request))
    return RedirectResponse(f"{PATH}?done={'dropped' if done else 'none'}", SEE_OTHER)


@router.post("/admin/deliveries/default")
async def set_default(request: Request, given: Given, viewer: Admin) -> Response:
    """Put the default in force."""
    form = await request.form()
    means = [value for value in form.getlist("means") if isinstance(value, str)]
    wanted = Wanted(True, means, str(form.get("digest") or ""), form.get("quiet") == "yes")
    try:
        await choose_default(given, viewer, wanted, address(request))
    except BadInput as refusal:
        return await _page(request, given, await choice_of(given, DEFAULT), refusal.faults)
    return RedirectResponse(f"{PATH}?done=saved", SEE_OTHER)


async def _page(
    request: Request,
    given: Given,
    default: Choice,
    faults: dict[str, str],
    *,
    only: str = "all",
    page: int = 1,
    message: str | None = None,
) -> Response:
    only = only if only in FILTERS else "all"
    return show(
        request,
        "deliveries.html",
        status=422 if faults else 200,
        found=await read_record(given, only, page, PER_PAGE),
        default=default,
        offered=[(str(means), OUTSIDE[means]) for means in given.means],
        digests=list(DIGEST.items()),
        faults={name: fault_words(slug) for name, slug in faults.items()},
        only=only,
        filters=[(name, FILTER[name]) for name in ("all", "dead", "waiting")],
        page=page,
        per_page=PER_PAGE,
        link=linker(PATH, {"only": None if only == "all" else only}),
        message=message,
    )
