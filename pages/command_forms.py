"""The forms of all commands, described for a template: one source with what the rules decide on.

A field added to a command in rules/case/commands/ is a field of its form here; templates draw what
`command_form` returns (templates/command_fields.html), `pages.form_values` reads what comes back.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from datetime import date, datetime
from enum import EnumType
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from pages import labels
from pages.command_words import HINTS, LABELS, NO, SHORT, WHEN, WITH_FILES, YES, YES_NO, When
from rules.case.commands import COMMANDS
from rules.case.typed import Typed
from rules.case.vocabulary import Kind

# Looked up by casework, never asked of anybody.
_RESOLVED = frozenset({"into_hall", "into_received_at", "into_open"})

FILES, FILES_LABEL = "files", "附件"

Pairs = tuple[tuple[str, str], ...]
"""(value, words), in the order in which they are offered."""


@dataclass(frozen=True)
class Choices:
    """What can be chosen about this case: (code, name) of units and halls, (id, text) of open orders.

    ``unit`` and ``hall`` are where the case is now.
    """

    units: Pairs = ()
    halls: Pairs = ()
    orders: Pairs = ()
    unit: str | None = None
    hall: str | None = None


@dataclass(frozen=True)
class Input:
    """One field. ``kind``: text, area, day, moment, number, yes_no, choice, many or group.

    ``name`` is the field's in the form; a group's parts are named ``guidance.unit``. ``required`` says
    that the form cannot do without, whatever else was answered. ``default`` stands in an empty form.
    """

    name: str
    label: str
    kind: str
    required: bool = False
    options: Pairs = ()
    hint: str | None = None
    longest: int | None = None
    when: When | None = None
    parts: tuple["Input", ...] = ()
    default: str = ""


@dataclass(frozen=True)
class CommandForm:
    """A command as people see it."""

    name: str
    label: str
    inputs: tuple[Input, ...]
    takes_files: bool = False

    def label_of(self, field: str) -> str:
        """Return what a field is called on the screen, for the summary of faults."""
        for each in self.inputs:
            for part in (each, *each.parts):
                if part.name == field:
                    return part.label
        if field == FILES and self.takes_files:
            return FILES_LABEL
        return labels.word("field", field)


def command_form(name: str, choices: Choices = Choices()) -> CommandForm:
    """Return the form of a command. Raises KeyError for what is none."""
    plain = _plain_form(name)
    return replace(plain, inputs=tuple(_offered(name, each, choices) for each in plain.inputs))


@cache
def _plain_form(name: str) -> CommandForm:
    inputs = [each for each in _inputs(COMMANDS[name], name) if each.name != "note"]
    note = Input("note", labels.word("field", "note"), "area", longest=2000)
    return CommandForm(name, labels.word("command", name), (*inputs, note), name in WITH_FILES)


def _inputs(source: type, owner: str, prefix: str = "") -> list[Input]:
    hints = get_type_hints(source, include_extras=True)
    made = []
    for field in fields(source):
        if field.name in _RESOLVED:
            continue
        key = owner, field.name
        given = Input(
            prefix + field.name,
            LABELS.get(key) or labels.word("field", field.name),
            "text",
            required=field.default is MISSING,
            hint=HINTS.get(key),
            when=WHEN.get(key),
        )
        made.append(_shaped(given, key, hints[field.name]))
    return made


def _shaped(given: Input, key: tuple[str, str], hint: Any) -> Input:
    """Return a field with the kind of input that its type asks for."""
    options = [each for each in get_args(hint) if each is not NoneType]
    if get_origin(hint) is not Annotated and len(options) < len(get_args(hint)):
        hint = options[0]
    if get_origin(hint) is Annotated:
        mark = next(each for each in get_args(hint) if isinstance(each, Typed))
        short = mark.longest <= 100 or key[1] in SHORT
        return replace(given, kind="text" if short else "area", longest=mark.longest)
    if is_dataclass(hint) and isinstance(hint, type):
        parts = _inputs(hint, key[1], f"{key[1]}.")
        # A browser must let a form pass whose group is left out as a whole.
        whole = (replace(part, required=part.required and given.required) for part in parts)
        return replace(given, kind="group", parts=tuple(whole))
    if get_origin(hint) is Literal:
        return replace(given, kind="choice", options=(("supervision", labels.LEVEL["supervision"]),))
    if isinstance(hint, EnumType):
        return replace(given, kind="choice", options=_terms(key[1], hint))
    if key == ("revisit", "rating"):
        return replace(given, kind="choice", options=tuple((str(n), w) for n, w in labels.RATING.items()))
    if hint is bool:
        yes, no = YES_NO[key]
        return replace(given, kind="yes_no", options=((YES, yes), (NO, no)))
    kinds: Mapping[Any, str] = {int: "number", date: "day", datetime: "moment", tuple[str, ...]: "many"}
    return replace(given, kind=kinds.get(hint, "text"))


def _terms(field: str, values: EnumType) -> Pairs:
    return tuple((str(each), labels.word(field, each)) for each in values)  # type: ignore[var-annotated]


def _offered(name: str, given: Input, choices: Choices) -> Input:
    """Return a field with what can be chosen about this case."""
    others = tuple(each for each in choices.units if each[0] != choices.unit)
    offers: Mapping[tuple[str, str], Pairs] = {
        ("triage", "unit"): choices.units,
        ("decide_return", "unit"): others,
        ("reassign", "unit"): others,
        ("convene", "co_units"): others,
        ("transfer", "hall"): tuple(each for each in choices.halls if each[0] != choices.hall),
        ("answer_order", "order"): choices.orders,
        ("reclassify", "kind"): tuple((k.value, labels.KIND[k]) for k in (Kind.SIMPLE, Kind.COMMITMENT)),
    }
    if (name, given.name) not in offers:
        return given
    offered = offers[name, given.name]
    only_one = offered[0][0] if given.kind != "many" and given.name == "order" and len(offered) == 1 else ""
    kind = "many" if given.kind == "many" else "choice"
    return replace(given, kind=kind, options=offered, default=only_one)
