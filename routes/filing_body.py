"""The body of a filing (contract.md, Filing; 附件2)."""

import json
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo

from casework.errors import BadInput
from routes.bodies import Body
from routes.fields import Code, IdNumber, LongText, Name, Phone, PlainDay, Text, Uscc, fault
from routes.problems import validation_faults
from rules.case.vocabulary import Cause, Channel

MOST_ATTEMPTS = 50
FIRST_YEAR = 1949
_OTHER_HALL = "other_hall"
NO_FAULTS: Mapping[str, str] = MappingProxyType({})


class OtherHall(BadInput):
    """The form is for another hall than the clerk's own; `hall` is the code that it names."""

    def __init__(self, faults: Mapping[str, str], hall: str) -> None:
        super().__init__(faults)
        self.hall = hall


def _in_the_past(on: date, info: ValidationInfo) -> date:
    """Legacy matters go back for decades, but not before there was anybody to ask."""
    if on.year < FIRST_YEAR:
        raise fault("out_of_range")
    if info.context and on > info.context["today"]:
        raise fault("in_the_future")
    return on


def _own(hall: str, info: ValidationInfo) -> str:
    """A clerk files for the own hall only."""
    if info.context and hall != info.context["hall"]:
        raise fault(_OTHER_HALL)
    return hall


class EarlierAttempt(Body):
    """An earlier attempt of the citizen: how, when, where, and what was said."""

    channel: Name
    on: Annotated[PlainDay, AfterValidator(_in_the_past)]
    where: Text
    said: Text


class PetitionerBody(Body):
    """Who brings the case; only what is needed (design.md, Personal data)."""

    kind: Literal["person", "enterprise"]
    name: Name
    phone: Phone
    id_number: IdNumber | None = None
    uscc: Uscc | None = None


class FilingBody(Body):
    """The registration form 附件2, as far as the citizen's side of it goes."""

    hall: Annotated[Code, AfterValidator(_own)]
    channel: Channel
    petitioner: PetitionerBody
    matter: Text
    problem: LongText
    attempts: Annotated[list[EarlierAttempt], Field(max_length=MOST_ATTEMPTS)] | None = None
    cause: Cause | None = None


def read_filing(
    raw: bytes, hall: str | None, today: date, faults: Mapping[str, str] = NO_FAULTS
) -> dict[str, Any]:
    """Return the form as JSON values, without what was left out. Raises `BadInput`, `OtherHall`.

    `hall` is the clerk's own, `today` the date in Shanghai; `faults` were found elsewhere already.
    """
    context: Mapping[str, Any] = {"hall": hall, "today": today}
    try:
        body = FilingBody.model_validate_json(raw or b"{}", context=context)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        found = {**faults, **dict(validation_faults(errors))}
        if found.get("hall") == _OTHER_HALL:
            named = next(each["input"] for each in errors if each["loc"] == ("hall",))
            raise OtherHall(found, named) from error
        raise BadInput(found) from error
    if faults:
        raise BadInput(faults)
    return body.model_dump(mode="json", exclude_none=True)


def read_form(body: Mapping[str, Any], hall: str, today: date) -> dict[str, Any]:
    """Return a form that another system or a file gave, checked as one of the counter. Raises `BadInput`."""
    return read_filing(json.dumps(body).encode(), hall, today)
