"""The monthly volume of the hotline 12345: which months a report tells of.

A month is written `YYYY-MM` and is one of Shanghai's calendar; months so written sort by time. Source:
S3; domain.md, section 8.
"""

import re
from datetime import UTC, datetime, timedelta

from rules.calendar import SHANGHAI, local

_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])", re.ASCII)


def is_month(text: str) -> bool:
    """Whether a text names a month of this century."""
    return _MONTH.fullmatch(text) is not None


def end_of(month: str) -> datetime:
    """Return the instant, in UTC, at which a month is over: its volume is whole then."""
    year, number = map(int, month.split("-"))
    following = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=SHANGHAI)
    return following.astimezone(UTC)


def month_before(at: datetime) -> str:
    """Return the last month that is over at an instant."""
    today = local(at)
    months = today.year * 12 + today.month - 2
    return f"{months // 12}-{months % 12 + 1:02}"


def months_over(start: datetime, end: datetime) -> list[str]:
    """Return the months that come to be over in (start, end], the earliest first.

    A monthly report (20 February, 20 March] tells of February.
    """
    found: list[str] = []
    month = month_before(end)
    while end_of(month) > start:
        found.insert(0, month)
        month = month_before(end_of(month) - timedelta.resolution)
    return found
