"""Types of fields that people fill in: what may stand in them is checked here, once.

Lengths, phones and forbidden characters: contract.md, Filing and The case. A fault is named by a
slug of `routes.wording.FAULTS`.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from casework.texts import is_clean, text_fault
from rules.calendar import SHANGHAI
from rules.case.typed import MOBILE_OR_LANDLINE, Typed
from rules.identifiers import id_number_fault, plain_identifier, uscc_fault

# Dates outside are slips of the hand, and far ones can't be moved between time zones.
FIRST_YEAR, LAST_YEAR = 2000, 2099
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def fault(slug: str) -> PydanticCustomError:
    """Return the error that names a fault by its slug."""
    return PydanticCustomError(slug, slug)


def cleaned(text: str, mark: Typed) -> str:
    """Return a typed text trimmed at both ends. Raises the fault that it has."""
    # Before trimming: some control characters count as white space.
    if not is_clean(text):
        raise fault("control_characters")
    text = text.strip()
    if text and not any(_visible(letter) for letter in text):
        raise fault("blank")
    if slug := text_fault(text, mark.longest, mark.shortest):
        raise fault(slug)
    if mark.pattern and not re.fullmatch(mark.pattern, text, re.ASCII):
        raise fault("string_pattern_mismatch")
    return text


def _visible(letter: str) -> bool:
    """Letters, digits, marks and signs; no spaces and no format characters of zero width."""
    return unicodedata.category(letter)[0] not in "ZC"


@dataclass(frozen=True)
class Checked:
    """Makes a `str` of a model a typed text: `Annotated[str, Checked(Typed(1, 100))]`."""

    mark: Typed

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the text after it was found to be one."""
        check = partial(cleaned, mark=self.mark)
        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Say in the OpenAPI document what passes."""
        return self.shown()

    def shown(self) -> JsonSchemaValue:
        """Return the JSON schema."""
        shown: JsonSchemaValue = {
            "type": "string",
            "minLength": self.mark.shortest,
            "maxLength": self.mark.longest,
        }
        if self.mark.pattern:
            digits = self.mark.pattern.replace(r"\d", "[0-9]")
            shown["pattern"] = f"^(?:{digits})$"
        return shown


def text_type(mark: Typed) -> Any:
    """Return the type of a typed text, for models that are made at run time."""
    return Annotated[str, Checked(mark)]


def listed(text: Any) -> Any:
    """Return a list of texts as one: the materials of a one-time notice may come either way."""
    if isinstance(text, list) and text and all(isinstance(item, str) for item in text):
        return "、".join(item.strip() if is_clean(item) else item for item in text)
    return text


def materials_type(mark: Typed) -> Any:
    """Return the type of a text that may also come as a list of texts."""
    one = Checked(mark).shown()
    schema = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
    return Annotated[str, BeforeValidator(listed), Checked(mark), WithJsonSchema(schema)]


Name = Annotated[str, Checked(Typed(1, 100))]
Text = Annotated[str, Checked(Typed(1, 2000))]
LongText = Annotated[str, Checked(Typed(1, 4000))]
Phone = Annotated[str, Checked(Typed(1, 20, MOBILE_OR_LANDLINE))]

Code = Annotated[str, Checked(Typed(1, 64))]
"""The code of a hall or a unit, the number of an order: looked up, never shown as typed."""

CaseRef = Annotated[str, Checked(Typed(1, 100))]
"""The id or number of a case."""


def _within_years(at: Any) -> Any:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise fault("out_of_range")
    return at


def _day(value: Any) -> date:
    """Read a date; a number is none, though it could pass for seconds since 1970."""
    if not isinstance(value, str):
        raise fault("date_type")
    try:
        if not _DAY.fullmatch(value):
            raise ValueError
        return date.fromisoformat(value)
    except ValueError:
        raise fault("date_parsing") from None


def _moment(value: Any) -> datetime:
    if not isinstance(value, str):
        raise fault("datetime_type")
    try:
        if not _DAY.match(value):
            raise ValueError
        at = datetime.fromisoformat(value)
    except ValueError:
        raise fault("datetime_parsing") from None
    if at.tzinfo is None:
        raise fault("timezone_aware")
    return at


# Read by hand: pydantic also takes numbers, and dates with a time of midnight.
PlainDay = Annotated[date, BeforeValidator(_day)]
Day = Annotated[PlainDay, AfterValidator(_within_years)]
Moment = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_within_years)]


def _period(value: Any, until: bool) -> datetime:
    """Read a border of a period: an instant, or a date of Shanghai (as its end: the whole day)."""
    if isinstance(value, str) and _DAY.fullmatch(value):
        day = _within_years(_day(value))
        return datetime.combine(day + timedelta(days=until), time(), SHANGHAI)
    # In a query a plus sign that was not escaped arrives as a space.
    at = _moment(value.replace(" ", "+") if isinstance(value, str) else value)
    _within_years(at)
    return at


_BORDER = WithJsonSchema(
    {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}
)
PeriodStart = Annotated[datetime, BeforeValidator(lambda value: _period(value, False)), _BORDER]
PeriodEnd = Annotated[datetime, BeforeValidator(lambda value: _period(value, True)), _BORDER]

Stars = Annotated[int, Field(ge=1, le=5)]
WorkingDays = Annotated[int, Field(ge=1, le=400)]


def _identifier(check: Any) -> Any:
    def checked(text: str) -> str:
        plain = plain_identifier(text.strip())
        if slug := check(plain):
            raise fault(slug)
        return plain

    return AfterValidator(checked)


_EIGHTEEN = {"type": "string", "minLength": 18, "maxLength": 18}
IdNumber = Annotated[
    str,
    _identifier(id_number_fault),
    WithJsonSchema({**_EIGHTEEN, "pattern": "^[1-9][0-9]{16}[0-9Xx]$"}),
]
Uscc = Annotated[
    str,
    _identifier(uscc_fault),
    WithJsonSchema({**_EIGHTEEN, "pattern": "^[0-9A-HJ-NPQRTUWXYa-hj-npqrtuwxy]{18}$"}),
]
