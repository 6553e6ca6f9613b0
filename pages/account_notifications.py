"""`/account/notifications`: by which means, when and where one hears of what is in the inbox."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData
from starlette.responses import Response

from casework.delivery_choices import Choice, Wanted, choice_of, choose, try_out
from casework.errors import BadInput, TooMany
from casework.viewer import Viewer
from models.outside import DEFAULT
from pages.errors import SEE_OTHER
from pages.frame import SIGNED_IN
from pages.labels import DIGEST, OUTSIDE
from pages.rendering import render
from pages.sessions import PageViewer
from routes.dependencies import Given
from routes.refusal_log import address
from routes.wording import fault_words
from rules.delivering import Means
from rules.outside_addresses import masked_address

router = APIRouter(dependencies=SIGNED_IN)

PATH = "/account/notifications"
LONGEST = 500  # characters of a field
DONE = {
    "saved": "已保存。",
    "tried": "测试消息已写入站内消息，并将按上面的方式发出，通常在几秒内到达。",
}
SOON = "刚刚发送过测试消息，请一分钟后再试。"
HINTS = {
    "email": "如 name@example.cn",
    "sms": "11 位手机号码",
    "wecom": "群机器人的 key，或复制机器人的完整地址",
    "dingtalk": "群机器人的 access_token 或完整地址；启用加签的，写作 SEC…@access_token",
    "feishu": "群机器人的 token，或复制机器人的完整地址",
}


@router.get("/account/notifications")
async def notifications(request: Request, given: Given, viewer: PageViewer, done: str = "") -> Response:
    """Show what is chosen, addresses masked."""
    choice = await choice_of(given, viewer.username)
    return await _page(request, given, viewer, _values(choice), {}, message=DONE.get(done))


@router.post("/account/notifications")
async def save(request: Request, given: Given, viewer: PageViewer) -> Response:
    """Put a choice in force."""
    form = await request.form()
    wanted = _wanted(form, given.means)
    try:
        await choose(given, viewer, wanted, address(request))
    except BadInput as refusal:
        values = {
            "own": wanted.own,
            "means": wanted.means,
            "digest": wanted.digest,
            "quiet": wanted.quiet,
            "typed": {name: typed for name, typed in wanted.addresses.items() if typed},
        }
        return await _page(request, given, viewer, values, refusal.faults)
    return RedirectResponse(f"{PATH}?done=saved", SEE_OTHER)


@router.post("/account/notifications/try")
async def try_means(request: Request, given: Given, viewer: PageViewer) -> Response:
    """Send oneself a message by the means in force."""
    try:
        await try_out(given, viewer)
    except TooMany:
        choice = await choice_of(given, viewer.username)
        return await _page(request, given, viewer, _values(choice), {}, message=SOON, status=429)
    return RedirectResponse(f"{PATH}?done=tried", SEE_OTHER)


def _wanted(form: FormData, offered: tuple[Means, ...]) -> Wanted:
    """Read the form: an address left empty stays as it was, one that is ticked is forgotten."""
    forgotten = set(_ticked(form, "forget"))
    addresses = {}
    for means in offered:
        if typed := _text(form, f"address_{means}"):
            addresses[str(means)] = typed
        elif means in forgotten:
            addresses[str(means)] = ""
    return Wanted(
        own=_text(form, "own") == "yes",
        means=_ticked(form, "means"),
        digest=_text(form, "digest"),
        quiet=_text(form, "quiet") == "yes",
        addresses=addresses,
    )


def _ticked(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str)]


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:LONGEST] if isinstance(value, str) else ""


def _values(choice: Choice) -> dict[str, Any]:
    return {
        "own": choice.own,
        "means": [str(means) for means in choice.means],
        "digest": str(choice.digest),
        "quiet": choice.quiet,
        "typed": {},
    }


async def _page(
    request: Request,
    given: Given,
    viewer: Viewer,
    values: dict[str, Any],
    faults: dict[str, str],
    *,
    message: str | None = None,
    status: int = 200,
) -> Response:
    choice = await choice_of(given, viewer.username)
    default = await choice_of(given, DEFAULT)
    inforce = choice.reached_by(default, given.means)
    return render(
        request,
        "account/notifications.html",
        status=422 if faults else status,
        values=values,
        faults={name: fault_words(slug) for name, slug in faults.items()},
        labels_of=_label,
        offered=[str(means) for means in given.means],
        means_options=[(str(means), OUTSIDE[means]) for means in given.means],
        digests=list(DIGEST.items()),
        addresses={str(m): masked_address(m, a) for m, a in choice.addresses.items()},
        hints=HINTS,
        default=default,
        inforce=[str(means) for means in given.means if means in inforce.means],
        message=message,
        refused=status >= SEE_OTHER,
    )


def _label(field: str) -> str:
    if field.startswith("address_"):
        return OUTSIDE[field.removeprefix("address_")]
    return {"means": "方式", "digest": "汇总"}.get(field, field)
