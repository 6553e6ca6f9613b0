"""The calendar of 2026 for tests, written out from its notice: no library is asked."""

from datetime import date, datetime, timedelta

from rules.calendar import SHANGHAI, Calendar

# 国务院办公厅关于2026年部分节假日安排的通知 (2025-11-04): weekdays off, weekend days worked.
OFF = """
01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25
10-01 10-02 10-05 10-06 10-07
"""
WORK = "01-04 02-14 02-28 05-09 09-20 10-10"


def day(text: str) -> date:
    """A date of 2026, written MM-DD."""
    return date.fromisoformat(f"2026-{text}")


def at(text: str) -> datetime:
    """An instant on the wall clock of Shanghai, of 2026 where no year is written."""
    full = text if text.startswith("20") else f"2026-{text}"
    return datetime.fromisoformat(full).replace(tzinfo=SHANGHAI)


def hours(amount: float) -> timedelta:
    """Working hours."""
    return timedelta(hours=amount)


CALENDAR_2026 = Calendar(
    version="notice-2026",
    off=frozenset(map(day, OFF.split())),
    work=frozenset(map(day, WORK.split())),
    published=frozenset({2025, 2026}),
)
