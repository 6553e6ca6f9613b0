"""What a decision knows beside the case: the instant, who acts, the policy and the calendar."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.calendar import Calendar
from rules.case.events import Actor
from rules.policy import Policy


@dataclass(frozen=True)
class Context:
    """``at`` is aware and in UTC; nothing in the rules reads a clock."""

    at: datetime
    actor: Actor
    policy: Policy
    calendar: Calendar

    def closing_after(self, start: datetime, days: int) -> datetime:
        """Return closing time of the `days`-th working day after the day of `start`."""
        return self.calendar.add_working_days(start, days)

    def hours_after(self, start: datetime, hours: float) -> datetime:
        """Return the instant `hours` working hours after `start`."""
        return self.calendar.add_working_hours(start, timedelta(hours=hours))
