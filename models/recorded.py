"""Commands as the ledger has them: their facts in clear, in place of what was typed a mark.

A decision asks whether a text is there and never what it says, so that a case can be decided again
without opening its texts, also after they were erased.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, get_args, get_type_hints

from models.messages import Values, decode_command
from rules.case.commands import COMMANDS, Command
from rules.case.decide import holds_text
from rules.case.events import Actor
from rules.case.vocabulary import Role

TYPED = "—"


def recorded_command(name: str, data: Mapping[str, Any]) -> Command | None:
    """Return the command that made an event of this type, None for an alarm's event.

    Raises `Invalid` where the facts do not make the command.
    """
    name = "register" if name == "registered" else name
    if name not in COMMANDS:
        return None
    facts, typed = _parts(name)
    return decode_command(name, {**typed, **{field: data[field] for field in facts if field in data}})


@cache
def _parts(name: str) -> tuple[tuple[str, ...], Values]:
    """Return a command's fields that are facts, and what stands in for all the others."""
    hints = get_type_hints(COMMANDS[name], include_extras=True)
    typed = {field.name: holds_text(hints[field.name]) for field in fields(COMMANDS[name])}
    facts = tuple(field for field, text in typed.items() if not text)
    return facts, {field: _typed(hints[field]) for field, text in typed.items() if text}


def recorded_actor(values: Mapping[str, Any]) -> Actor:
    """Return who acted, as an event names them."""
    role = Role(values["role"])
    return Actor(role, values.get("username"), values.get("name"), unit=values.get("unit"))


def _typed(hint: Any) -> Any:
    """Return what stands in for a text, or for a record of texts."""
    for part in (hint, *get_args(hint)):
        if isinstance(part, type) and is_dataclass(part):
            return {field.name: TYPED for field in fields(part)}
    return TYPED
