"""What crosses Temporal when a calendar is published: plain dataclasses, free of tables."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Publication:
    """A notice of one year that was loaded; ``hall`` None means the national one.

    ``number`` is its version among those of this year (and hall): the row of `CalendarYear`.
    """

    hall: str | None
    year: int
    number: int


@dataclass(frozen=True)
class SweepRequest:
    """Asks for every case of a hall (None: all halls) to be told of its calendar as it is at `now`."""

    hall: str | None
    now: datetime
