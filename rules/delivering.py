"""When a message for somebody outside is due, and how long a failed one is tried.

Quiet hours are those outside the hall's working hours; a text about an overdue case waits for nothing.
[P] the windows of digests and the delays: docs/how-to/notifications.md tells them to operators.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from rules.calendar import SHANGHAI, Calendar, local

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
MOST_ATTEMPTS = 30  # about a day: 30 s, 1, 2, … 32 minutes, then every hour
STALE = timedelta(hours=24)
"""What could have gone out for so long, and did not, is news no more: nobody worked, say."""
DIGEST_LINES = 20
"""How many notices one message holds at most; what is more goes into the next."""

URGENT_KINDS = frozenset({"overdue_1", "overdue_2", "order_unanswered"})
RED = "red"


class Means(StrEnum):
    """The ways by which one person is reached outside."""

    EMAIL = "email"
    SMS = "sms"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


class Digest(StrEnum):
    """Whether notices are gathered into one message: at once, by the hour, once a working day."""

    NONE = "none"
    HOURLY = "hourly"
    DAILY = "daily"


def is_urgent(kind: str, light: str | None) -> bool:
    """Whether a notice is about an overdue case: by what it says, or because the case is red now."""
    return kind in URGENT_KINDS or light == RED


def due_at(at: datetime, *, urgent: bool, quiet: bool, digest: Digest, calendar: Calendar) -> datetime:
    """Return when a notice of `at` is to be sent: at once, at the end of its window, or at opening.

    A window is a full hour of the wall clock, or a working day: that one ends at its opening. With
    `quiet` whatever would go out in non-working hours, the noon break too, waits for the next opening.
    Raises ValueError for an instant without a time zone.
    """
    if urgent:
        return at
    if digest is Digest.HOURLY:
        at = _next_full_hour(at)
    elif digest is Digest.DAILY:
        at = _next_morning(at, calendar)
    return next_open(at, calendar) if quiet else at


def next_open(at: datetime, calendar: Calendar) -> datetime:
    """Return `at` where the hall is open then, else the instant when it opens next.

    Open is half-open: [09:00, 12:00). Raises ValueError for an instant without a time zone.
    """
    now = local(at)
    day = now.date()
    if calendar.is_working_day(day):
        for begin, end in calendar.hours:
            if now.time() < begin:
                return datetime.combine(day, begin, SHANGHAI).astimezone(at.tzinfo)
            if now.time() < end:
                return at
    return calendar.opening(calendar.next_working_day(day))


def retry_after(attempts: int) -> timedelta | None:
    """Return how long to wait after so many failed attempts; None: it is given up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    # Capped before it is raised: two to the power of many is a number nobody wants to hold.
    factor: int = 2 ** min(attempts - 1, 10)
    return min(FIRST_DELAY * factor, LONGEST_DELAY)


def _next_full_hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _next_morning(at: datetime, calendar: Calendar) -> datetime:
    """Return the next opening of a working day, strictly after `at`."""
    day = local(at).date()
    today = calendar.opening(day)
    if calendar.is_working_day(day) and at < today:
        return today
    return calendar.opening(calendar.next_working_day(day))
