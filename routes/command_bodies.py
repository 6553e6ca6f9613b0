"""The bodies of the commands, derived from the dataclasses that the rules decide on.

One source: a field added to a command in rules/case/commands/ is a field of its body here, with
its length, its pattern and its place in the OpenAPI document.
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from types import NoneType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import Field, ValidationError, create_model
from pydantic_core import from_json, to_json

from casework.commanding import BY_NAME, Draft
from routes.bodies import Body
from routes.fields import CaseRef, Code, Day, Moment, Stars, WorkingDays, materials_type, text_type
from routes.problems import validation_faults
from rules.case.commands import COMMANDS, Command
from rules.case.typed import Typed

# Where the rules' plain types say less than the contract.
_SPECIAL: Mapping[tuple[str, str], Any] = {
    ("merge", "into"): CaseRef,
    ("revisit", "rating"): Stars | None,
    ("request_extension", "working_days"): WorkingDays,
    ("convene", "co_units"): Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)],
}
# Looked up by casework, never sent by a client.
_RESOLVED = frozenset({"into_hall", "into_received_at", "into_open"})
_PLAIN: Mapping[Any, Any] = {str: Code, date: Day, datetime: Moment}


def _body_type(hint: Any) -> Any:
    """Return the type of a body's field for the type hint of a command's field."""
    if get_origin(hint) is Annotated:
        marks = [mark for mark in get_args(hint)[1:] if isinstance(mark, Typed)]
        return text_type(marks[0])
    if is_dataclass(hint) and isinstance(hint, type):
        return _model(hint.__name__, hint)
    if NoneType in get_args(hint):
        options = [_body_type(each) for each in get_args(hint) if each is not NoneType]
        return Union[(*options, None)]
    return _PLAIN.get(hint, hint)


def _model(name: str, source: type) -> type[Body]:
    hints = get_type_hints(source, include_extras=True)
    command = source.name if issubclass(source, Command) else ""
    made: dict[str, Any] = {}
    for field in fields(source):
        if field.name in _RESOLVED:
            continue
        kind = _SPECIAL.get((command, field.name)) or _body_type(hints[field.name])
        if field.name == "materials":
            kind = materials_type(get_args(hints[field.name])[1])
        made[field.name] = (kind, ... if field.default is MISSING else field.default)
    return create_model(name, __base__=Body, __doc__=source.__doc__, **made)


def _lenient(model: type[Body]) -> type[Body]:
    """Return the same model with every field optional: for what is left of a faulty body."""
    made: dict[str, Any] = {
        name: (field.rebuild_annotation() | None, None) for name, field in model.model_fields.items()
    }
    return create_model(f"Partial{model.__name__}", __base__=Body, **made)


BODIES: Mapping[str, type[Body]] = {
    name: _model(f"{''.join(part.title() for part in name.split('_'))}Body", COMMANDS[name])
    for name in BY_NAME
}
_PARTIAL = {name: _lenient(model) for name, model in BODIES.items()}


def read_draft(name: str, raw: bytes) -> Draft:
    """Return the body of a command as far as it can be read, with the faults of its fields.

    What is sound is handed on beside the faults, so that the directory's and the rules' own
    objections come in the same answer.
    """
    try:
        return Draft(_plain(BODIES[name].model_validate_json(raw or b"{}")))
    except ValidationError as error:
        faults = dict(validation_faults(error.errors(include_url=False)))
    return Draft(_sound(name, raw, faults), faults)


def _sound(name: str, raw: bytes, faults: Mapping[str, str]) -> dict[str, Any]:
    faulty = {field.partition(".")[0] for field in faults}
    try:
        given = from_json(raw or b"{}", allow_inf_nan=False)
        sound = {field: value for field, value in given.items() if field not in faulty}
        return _plain(_PARTIAL[name].model_validate_json(to_json(sound)))
    except (ValueError, AttributeError):  # no JSON at all, or no object
        return {}


def _plain(body: Body) -> dict[str, Any]:
    return body.model_dump(mode="json", exclude_none=True)
