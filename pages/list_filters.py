"""The filters of /cases as they were chosen: values that are none are passed over, dates are checked."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar, get_args

from pydantic import TypeAdapter, ValidationError

from casework.searching import LAST_PAGE, Sort, Wanted
from casework.texts import is_code
from pages.list_words import STEPS
from routes.fields import Name, PeriodEnd, PeriodStart
from routes.wording import fault_words
from rules.case.vocabulary import Kind, Level, Light, Status

NAMES = ("status", "kind", "unit", "hall", "light", "level", "step", "received_from", "received_to", "sort")
SEVERAL = ("open", "all")
"""What `status` can say beside the name of one."""

_NAME: TypeAdapter[str] = TypeAdapter(Name)
_START: TypeAdapter[datetime] = TypeAdapter(PeriodStart)
_END: TypeAdapter[datetime] = TypeAdapter(PeriodEnd)
Chosen = TypeVar("Chosen", bound=StrEnum)


@dataclass(frozen=True)
class Filters:
    """What was chosen: as values, as texts to show again, and what is wrong with it."""

    wanted: Wanted
    typed: Mapping[str, str]
    faults: Mapping[str, str]


def read_filters(given: Mapping[str, Any]) -> Filters:
    """Read the filters from a query or a form."""
    typed = {name: value.strip() for name in NAMES if isinstance(value := given.get(name, ""), str)}
    faults: dict[str, str] = {}
    status = typed["status"]
    if status not in SEVERAL:
        status = _one_of(Status, status) or "open"
    sort = typed["sort"] if typed["sort"] in get_args(Sort) else "urgency"
    wanted = Wanted(
        status=status,  # type: ignore[arg-type]
        kind=_one_of(Kind, typed["kind"]),
        unit=code(typed["unit"]),
        hall=code(typed["hall"]),
        light=_one_of(Light, typed["light"]),
        level=_one_of(Level, typed["level"]),
        step=typed["step"] if typed["step"] in STEPS else None,
        received_from=_checked(_START, "received_from", typed, faults),
        received_to=_checked(_END, "received_to", typed, faults),
        sort=sort,  # type: ignore[arg-type]
        page=_page(str(given.get("page", ""))),
    )
    if sort == "urgency" and not wanted.of_open:
        wanted = replace(wanted, sort="newest")
    return Filters(wanted, {**typed, "status": str(status), "sort": wanted.sort}, faults)


def code(typed: str) -> str | None:
    """Return what may be the code of a hall or a unit, None for what can be none."""
    return typed if is_code(typed) else None


def read_search(given: Mapping[str, Any], faults: dict[str, str]) -> str:
    """Return what was typed to search for, trimmed; what can't be searched for becomes a fault of `q`."""
    typed = given.get("q", "")
    if not isinstance(typed, str) or not typed.strip():
        return ""
    return _checked(_NAME, "q", {"q": typed}, faults) or ""


def _checked(adapter: TypeAdapter[Any], name: str, typed: Mapping[str, str], faults: dict[str, str]) -> Any:
    if not typed[name]:
        return None
    try:
        return adapter.validate_python(typed[name])
    except ValidationError as error:
        faults[name] = fault_words(error.errors()[0]["type"])
        return None


def _one_of(kind: type[Chosen], value: str) -> Chosen | None:
    try:
        return kind(value)
    except ValueError:
        return None


def _page(typed: str) -> int:
    """Return a page there may be: whoever types another number sees the nearest one."""
    return min(max(int(typed), 1), LAST_PAGE) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 1
