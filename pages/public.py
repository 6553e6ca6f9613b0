"""`/public`: a citizen follows the own case, rates it, objects; query code and phone in bodies only.

An address stays in histories, in logs and on shared screens: nothing of the pair may stand in one.
So each post answers with the page itself, not with a way to it, and a reload of it does no harm:
the rules take one rating a round and one objection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse
from pydantic import ValidationError
from starlette.responses import Response

from casework.errors import Conflict, NotFound, TooMany
from casework.online_filing import places
from casework.public import Pair, act, track
from casework.services import Services
from pages.errors import SEE_OTHER
from pages.frame import OPEN_TO_ALL
from pages.labels import RATING
from pages.public_words import LATE, NOT_FOUND, RULES, THANKS, status_words
from pages.rendering import render
from routes.dependencies import Given
from routes.problems import validation_faults
from routes.public import ObjectBody, PairBody, RateBody
from routes.refusal_log import address
from routes.wording import fault_words
from rules.case.commands import Command, Object, Rate
from rules.case.vocabulary import ENDED

STARS = frozenset("12345")
router = APIRouter(prefix="/public", dependencies=OPEN_TO_ALL)

# Longer than any field may be: what is too long is told beside its field.
Typed = Annotated[str, Form(max_length=100_000)]
Values = Mapping[str, str]
NOTHING: Values = {}
_PAIR = ("query_code", "phone_tail")


@dataclass(frozen=True)
class _Act:
    """What a form of the case page does: its body, the command made of it, and its name."""

    body: type[PairBody]
    command: Callable[[Any], Command]
    name: str


RATE = _Act(RateBody, lambda body: Rate(rating=body.rating, note=body.note), "rate")
OBJECT = _Act(ObjectBody, lambda body: Object(reason=body.reason), "object")


@router.get("")
async def form(request: Request, given: Given) -> Response:
    """Show the form; and the way to file, where a hall offers it."""
    return _asking(request, NOTHING, files=bool(await places(given)))


@router.get("/track")
@router.get("/rate")
@router.get("/object")
async def again() -> Response:
    """Lead whoever asks for the address of an answer to the form."""
    return RedirectResponse("/public", SEE_OTHER)


@router.post("/track")
async def follow(request: Request, given: Given, query_code: Typed = "", phone_tail: Typed = "") -> Response:
    """Show the case."""
    return await _answer(request, given, {"query_code": query_code, "phone_tail": phone_tail})


@router.post("/rate")
async def rate(
    request: Request,
    given: Given,
    query_code: Typed = "",
    phone_tail: Typed = "",
    rating: Typed = "",
    note: Typed = "",
) -> Response:
    """Rate how the case was handled."""
    typed = {"query_code": query_code, "phone_tail": phone_tail, "rating": rating, "note": note}
    return await _answer(request, given, typed, RATE)


@router.post("/object")
async def object_(
    request: Request, given: Given, query_code: Typed = "", phone_tail: Typed = "", reason: Typed = ""
) -> Response:
    """Object to the closing."""
    typed = {"query_code": query_code, "phone_tail": phone_tail, "reason": reason}
    return await _answer(request, given, typed, OBJECT)


async def _answer(request: Request, given: Services, typed: Values, wanted: _Act | None = None) -> Response:
    """Check what was typed and do it; every refusal is told on the page, with all that was typed."""
    typed = {name: text.replace("\r\n", "\n") for name, text in typed.items()}
    body, faults = _checked(wanted.body if wanted else PairBody, typed)
    if faults.keys() & set(_PAIR):
        return _asking(request, typed, faults, status=422)
    pair = Pair(*(typed[name].strip() for name in _PAIR))
    status, words = 422 if faults else 200, NOTHING
    try:
        if wanted and body:
            view, words = await _acted(request, given, pair, wanted.command(body), wanted.name)
            status = 409 if "refusal" in words else 200
        else:
            view = await track(given, pair, address(request))
    except NotFound:
        return _asking(request, typed, {}, refusal=NOT_FOUND, status=404)
    except TooMany as refusal:
        return _too_many(request, typed, refusal)
    return _case(request, view, typed, faults, words, status)


async def _acted(
    request: Request, given: Services, pair: Pair, command: Command, name: str
) -> tuple[Mapping[str, Any], Values]:
    """Rate or object; what the case does not allow any more is told beside the case."""
    try:
        return await act(given, pair, address(request), command), {"thanks": THANKS[name]}
    except Conflict as refusal:
        view = await track(given, pair, address(request))
        return view, {"refusal": RULES[str(refusal.extra["rule"])]}


def _checked(model: type[PairBody], typed: Values) -> tuple[PairBody | None, dict[str, str]]:
    """Return the body, or the faults in words by their fields."""
    values: dict[str, Any] = {name: text for name, text in typed.items() if text.strip()}
    if typed.get("rating") in STARS:
        values["rating"] = int(typed["rating"])
    try:
        return model.model_validate(values), {}
    except ValidationError as error:
        found = validation_faults(error.errors(include_url=False))
    return None, {field: _fault(field, code) for field, code in found}


def _fault(field: str, code: str) -> str:
    if field == "phone_tail" and code != "missing":
        return "请填写四位数字"
    return "请选择一项" if field == "rating" else fault_words(code)


def _asking(
    request: Request,
    typed: Values,
    faults: Values = NOTHING,
    *,
    refusal: str | None = None,
    files: bool = False,
    status: int = 200,
) -> Response:
    values = {name: typed.get(name, "") for name in _PAIR} | {"refusal": refusal, "files": files}
    return render(request, "public/ask.html", status=status, faults=faults, **values)


def _too_many(request: Request, typed: Values, error: TooMany) -> Response:
    seconds = max(1, ceil(error.retry_after.total_seconds()))
    words = f"查询码或手机号后四位填错的次数太多，请 {seconds} 秒后再试。"
    page = _asking(request, typed, refusal=words, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page


def _case(
    request: Request, view: Mapping[str, Any], typed: Values, faults: Values, words: Values, status: int
) -> Response:
    name, meaning = status_words(view)
    return render(
        request,
        "public/case.html",
        status=status,
        case=view,
        status_name=name,
        meaning=meaning,
        late=LATE if view["light"] == "red" and view["status"] not in ENDED else None,
        typed={"rating": "", "note": "", "reason": ""} | dict(typed),
        faults=faults,
        thanks=words.get("thanks"),
        refusal=words.get("refusal"),
        ratings=list(RATING.items()),
    )
