"""What crosses Temporal for reports: plain dataclasses, free of tables and of personal data."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class ReportingInput:
    """Starts a hall's reporting, or carries it on; `since` is when it began (None: now)."""

    hall: str
    since: datetime | None = None


@dataclass(frozen=True)
class DueRequest:
    """Asks for the report of a hall that is due by `now`, should there be one, and for the next one.

    `now` (UTC) is the clock of the domain; the hall's reporting began at `since`.
    """

    hall: str
    since: datetime
    now: datetime
