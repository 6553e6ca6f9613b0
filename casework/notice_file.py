"""A holiday notice out of a JSON file: what `PUT /api/calendar/{year}` takes, and a `year` if need be."""

from datetime import date

from pydantic import BaseModel, ConfigDict, ValidationError

from casework.drafts import Draft
from casework.errors import BadInput


class _NoticeFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    off: list[date]
    work: list[date]
    source: str
    year: int | None = None


def read_draft(text: str, year: int | None, hall: str | None) -> Draft:
    """Return the notice of a file. Without a `year`, here or in it, it is that of its latest day.

    Raises `BadInput` naming every fault.
    """
    try:
        file = _NoticeFile.model_validate_json(text)
    except ValidationError as error:
        faults = {".".join(map(str, fault["loc"])) or "body": fault["type"] for fault in error.errors()}
        raise BadInput(faults) from error
    if file.year is not None and year is not None and file.year != year:
        raise BadInput({"year": "not_this_year"})
    year = file.year if year is None else year
    days = [*file.off, *file.work]
    if year is None and not days:
        raise BadInput({"year": "missing"})
    return Draft(
        year=max(day.year for day in days) if year is None else year,
        hall=hall,
        off=frozenset(file.off),
        work=frozenset(file.work),
        source=file.source.strip(),
    )
