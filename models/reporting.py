"""What crosses Temporal for reports: plain dataclasses, free of tables and of personal data."""

from dataclasses import dataclass
from datetime import datetime

from rules.reporting import Due


@dataclass(frozen=True)
class ReportingInput:
    """Starts a hall's reporting, or carries it on; `since` is when it began (None: now)."""

    hall: str
    since: datetime | None = None


@dataclass(frozen=True)
class PlanRequest:
    """Asks for the next report of a hall whose reporting began at `since`."""

    hall: str
    since: datetime


@dataclass(frozen=True)
class MakeRequest:
    """Asks for a report of a hall to be made, at `made_at` (UTC) on the clock of the domain."""

    hall: str
    due: Due
    made_at: datetime
