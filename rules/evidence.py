"""When a head over all chains is due: every day of the calendar, at one time of day in Shanghai.

An owner of the database tampers on holidays too, so no working calendar is asked.
"""

from datetime import datetime, time, timedelta

from rules.calendar import local

HEAD_AT = time(23, 50)  # [P] after the day's work, and the head bears that day's date
_DAY = timedelta(days=1)


def latest_head_due(now: datetime) -> datetime:
    """Return the instant of the latest head that is due by `now`, exactly now included."""
    here = local(now)
    due = datetime.combine(here.date(), HEAD_AT, here.tzinfo)
    return due if due <= here else due - _DAY


def next_head_due(now: datetime) -> datetime:
    """Return the first instant after `now` at which a head is due."""
    return latest_head_due(now) + _DAY
