"""What came back from a command's form: as a JSON body for the routes' checks, and as it was typed.

Texts that cannot be what their field wants are handed on as they are, so that the one place that
checks bodies (routes/command_bodies.py) finds the fault and names it.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData

from pages.command_forms import FILES, CommandForm, Input, command_form
from pages.command_words import NO, YES
from routes.wording import fault_words
from rules.calendar import SHANGHAI

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[ T]+(\d\d?):(\d\d)")
_NUMBER = re.compile(r"[+-]?\d{1,9}", re.ASCII)

# What a triage opens with (pages/prefilled_notice.py): nobody may have typed it.
PREFILLED = frozenset({"unit", "one_time_notice"})

Typed = Mapping[str, str | Sequence[str]]
"""What was typed, by the names of the fields; of a field with several answers all of them."""

# What the API says of these would not tell a person what to type.
_WORDS: Mapping[tuple[str, str], str] = {
    ("moment", "datetime_parsing"): "请按 2026-11-22 09:30 的格式填写",
    ("moment", "timezone_aware"): "请按 2026-11-22 09:30 的格式填写",
    ("day", "date_parsing"): "请按 2026-11-22 的格式填写",
    ("many", "too_short"): "至少选择一项",
    ("many", "missing"): "至少选择一项",
    ("yes_no", "bool_type"): "请选择一项",
    ("yes_no", "missing"): "请选择一项",
    ("choice", "missing"): "请选择一项",
    ("choice", "required"): "请选择一项",
}


def body_of_form(name: str, form: FormData) -> bytes:
    """Return the body of a command as `routes.command_bodies.read_draft` reads it.

    Empty fields are left out, yes and no become booleans, digits numbers, an instant of Shanghai one
    with its offset; ``guidance.unit`` stands in ``guidance``. Fields of no command are not looked at, nor
    are those of a triage that came filled in and belong to another kind: scripts leave them out, too.
    """
    inputs = command_form(name).inputs
    if name == "triage":
        inputs = tuple(each for each in inputs if each.name not in PREFILLED or _fits(each, form))
    return json.dumps(_values(inputs, form), ensure_ascii=True).encode()


def typed_of(name: str, form: FormData) -> Typed:
    """Return everything that was typed into the form of a command, to show it again."""
    typed: dict[str, str | Sequence[str]] = {}
    for each in command_form(name).inputs:
        for part in each.parts or (each,):
            typed[part.name] = _all(form, part.name) if part.kind == "many" else _one(form, part.name)
    return typed


def shown_faults(form: CommandForm, faults: Mapping[str, str]) -> dict[str, str]:
    """Return the faults of a form as words, in the order of its fields; others come last.

    A fault of one item of a list belongs to the field; those of files are words already, by their names.
    """
    kinds = {part.name: part.kind for each in form.inputs for part in (each, *each.parts)}
    shown: dict[str, str] = {}
    for field, slug in faults.items():
        owner = field if field in kinds else field.partition(".")[0]
        name = owner if owner in kinds else field
        words = slug if field == FILES else _WORDS.get((kinds.get(name, ""), slug)) or fault_words(slug)
        shown.setdefault(name, words)
    order = {name: place for place, name in enumerate(kinds)}
    return dict(sorted(shown.items(), key=lambda item: order.get(item[0], len(order))))


def _fits(given: Input, form: FormData) -> bool:
    chosen = _one(form, given.when.field) if given.when else ""
    return given.when is None or not chosen or chosen in given.when.values


def _values(inputs: Sequence[Input], form: FormData) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for each in inputs:
        value = _value(each, form)
        if value not in (None, "", [], {}):
            values[each.name.rpartition(".")[2]] = value
    return values


def _value(given: Input, form: FormData) -> Any:
    if given.kind == "group":
        return _values(given.parts, form)
    if given.kind == "many":
        return _all(form, given.name)
    typed = _one(form, given.name)
    if not typed.strip():
        return None
    readers: Mapping[str, Callable[[str], Any]] = {
        "yes_no": lambda text: {YES: True, NO: False}.get(text, text),
        "number": lambda text: int(text) if _NUMBER.fullmatch(text.strip()) else text,
        "moment": _instant,
        "day": str.strip,
    }
    rating = given.name == "rating"  # chosen from five, sent as a number
    return readers.get("number" if rating else given.kind, str)(typed)


def _instant(text: str) -> str:
    found = _MOMENT.fullmatch(text.strip())
    if not found:
        return text
    try:
        at = datetime.fromisoformat(f"{found[1]}T{found[2]:0>2}:{found[3]}")
    except ValueError:
        return text
    return at.replace(tzinfo=SHANGHAI).isoformat()


def _one(form: FormData, name: str) -> str:
    """Return a text as it was typed: browsers send its line breaks as two characters."""
    value = form.get(name)
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def _all(form: FormData, name: str) -> list[str]:
    return [each for each in form.getlist(name) if isinstance(each, str) and each]
