"""The working calendar of a hall: which days are worked, and where a limit in working time ends.

Counting follows the Civil Code (201, 203): the day of the start is day 0, and a limit of N working
days ends at closing time of the N-th working day after it. Working days follow the State Council's
yearly holiday notice, make-up weekends (调休) included, with a hall's own days on top. Working
hours run only inside opening hours. A year without a published notice is provisional.

Methods take instants of any time zone, judge them by the date and clock of Asia/Shanghai, and
answer in UTC.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import TypeAlias
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")

Hours: TypeAlias = tuple[tuple[time, time], ...]
"""Opening periods of a working day on the wall clock of Shanghai, in order, half-open."""

OPENING_HOURS: Hours = ((time(9), time(12)), (time(13, 30), time(17, 30)))
"""The default; a hall may have hours of its own."""

_DAY = timedelta(days=1)
_NOTHING = timedelta()


class AfterHours(StrEnum):
    """What a filing after closing or on a rest day counts from. Source: policy, after_hours."""

    SAME_DAY = "same_day"
    """Its own date is day 0."""
    NEXT_DAY = "next_day"
    """The next working day is day 0."""


@dataclass(frozen=True)
class Notice:
    """A holiday notice for a year: the days it sets free, the weekend days it makes working days.

    `source` names the document for people. Raises ValueError when a date is both off and worked.
    """

    off: frozenset[date]
    work: frozenset[date]
    source: str

    def __post_init__(self) -> None:
        _refuse_both(self.off, self.work)


@dataclass(frozen=True)
class Calendar:
    """A snapshot of one hall's calendar; `version` names its content.

    `off` are dates not worked and `work` weekend dates worked, so only exceptions from
    Monday-to-Friday. `published` are the years with a notice; all others are provisional.
    Raises ValueError when a date is both off and worked, or when `hours` are not ordered periods.
    """

    version: str
    off: frozenset[date]
    work: frozenset[date]
    published: frozenset[int]
    hours: Hours = OPENING_HOURS

    def __post_init__(self) -> None:
        _refuse_both(self.off, self.work)
        edges = [edge for period in self.hours for edge in period]
        zoned = any(edge.tzinfo for edge in edges)
        if not edges or zoned or edges != sorted(edges) or any(a == b for a, b in self.hours):
            raise ValueError(f"opening hours are not ordered periods: {self.hours}")

    def is_working_day(self, day: date) -> bool:
        """Whether `day` is worked. Raises TypeError for a datetime: take local(...).date()."""
        # A datetime equals no date: every holiday would silently look worked.
        if isinstance(day, datetime):
            raise TypeError("a date is needed, not an instant")
        return day in self.work or (day.weekday() < 5 and day not in self.off)

    def opening(self, day: date) -> datetime:
        """The instant (UTC) when the hall opens on `day`, worked or not."""
        return _instant(day, _since_midnight(self.hours[0][0]))

    def closing(self, day: date) -> datetime:
        """The instant (UTC) when the hall closes on `day`, worked or not."""
        return _instant(day, _since_midnight(self.hours[-1][1]))

    def next_working_day(self, day: date) -> date:
        """The first working day strictly after `day`."""
        return next(filter(self.is_working_day, _walk(day, _DAY)))

    def previous_working_day(self, day: date) -> date:
        """The last working day strictly before `day`."""
        return next(filter(self.is_working_day, _walk(day, -_DAY)))

    def add_working_days(
        self, start: datetime, days: int, after_hours: AfterHours = AfterHours.SAME_DAY
    ) -> datetime:
        """Closing time (UTC) of the `days`-th working day after day 0.

        Day 0 is the local date of `start`; under NEXT_DAY, when `start` lies strictly after closing
        or on a rest day, the next working day. No days at all: closing time of day 0.
        Raises ValueError for an instant without a time zone and for a negative number.
        Source: Civil Code 201, 203.
        """
        if days < 0:
            raise ValueError(f"negative number of working days: {days}")
        day = local(start).date()
        late = start > self.closing(day) or not self.is_working_day(day)
        if late and after_hours == AfterHours.NEXT_DAY:
            day = self.next_working_day(day)
        for _ in range(days):
            day = self.next_working_day(day)
        return self.closing(day)

    def add_working_hours(self, start: datetime, amount: timedelta) -> datetime:
        """The instant (UTC) at which `amount` of working time after `start` is over.

        A period that is filled exactly ends at its own end (12:00, not 13:30). Nothing to add gives
        `start` itself. Raises ValueError for an instant without a time zone or a negative amount.
        """
        if amount < _NOTHING:
            raise ValueError(f"negative working time: {amount}")
        now = local(start)
        if not amount:
            return start.astimezone(UTC)
        day, left = now.date(), self._worked_before(now) + amount
        if not self.is_working_day(day):
            day = self.next_working_day(day)
        whole_day = self._day_length()
        while left > whole_day:
            day, left = self.next_working_day(day), left - whole_day
        return _instant(day, self._clock_after(left))

    def working_days_between(self, start: datetime, end: datetime) -> int:
        """Working days d with local date of `start` < d <= local date of `end`; never negative.

        Raises ValueError for an instant without a time zone.
        """
        return self._count(local(start).date() + _DAY, local(end).date() + _DAY)

    def working_hours_between(self, start: datetime, end: datetime) -> timedelta:
        """Working time in [start, end); nothing when `end` is not after `start`.

        Raises ValueError for an instant without a time zone.
        """
        first, last = local(start), local(end)
        if end <= start:
            return _NOTHING
        whole_days = self._count(first.date(), last.date()) * self._day_length()
        return whole_days + self._worked_before(last) - self._worked_before(first)

    def measured_to(self, end: datetime) -> Callable[[datetime], timedelta]:
        """Return what measures working time from an instant to `end`: for many instants of one end.

        It answers as working_hours_between, and counts the days from each date only once.
        """
        last = local(end)
        spent_last, whole_day = self._worked_before(last), self._day_length()
        whole_days = cache(lambda day: self._count(day, last.date()) * whole_day)

        def spent(start: datetime) -> timedelta:
            first = local(start)
            if end <= start:
                return _NOTHING
            return whole_days(first.date()) + spent_last - self._worked_before(first)

        return spent

    def is_provisional(self, start: datetime, end: datetime) -> bool:
        """Whether any local date from `start` to `end` lies in a year without a published notice.

        Raises ValueError for an instant without a time zone.
        """
        years = range(local(start).year, local(end).year + 1)
        return not self.published.issuperset(years)

    def _count(self, first: date, stop: date) -> int:
        """Working days in [first, stop)."""
        days = (first + timedelta(offset) for offset in range((stop - first).days))
        return sum(map(self.is_working_day, days))

    def _day_length(self) -> timedelta:
        return sum((_length(period) for period in self.hours), _NOTHING)

    def _worked_before(self, now: datetime) -> timedelta:
        """Working time of the date of `now`, a local time, that lies before it."""
        if not self.is_working_day(now.date()):
            return _NOTHING
        clock = _since_midnight(now.time())
        spent = (clock - _since_midnight(begin) for begin, _ in self.hours)
        limits = map(_length, self.hours)
        return sum((max(_NOTHING, min(a, b)) for a, b in zip(spent, limits, strict=True)), _NOTHING)

    def _clock_after(self, worked: timedelta) -> timedelta:
        """Time since midnight at which `worked`, at most a day's length, is over."""
        for period in self.hours:
            if worked <= _length(period):
                return _since_midnight(period[0]) + worked
            worked -= _length(period)
        raise ValueError("more working time than a day has")


def local(at: datetime) -> datetime:
    """The instant on the wall clock of Asia/Shanghai. Raises ValueError without a time zone."""
    if at.utcoffset() is None:
        raise ValueError(f"an instant without a time zone: {at.isoformat()}")
    return at.astimezone(SHANGHAI)


def _instant(day: date, since_midnight: timedelta) -> datetime:
    return (datetime.combine(day, time(), SHANGHAI) + since_midnight).astimezone(UTC)


def _since_midnight(clock: time) -> timedelta:
    return timedelta(
        hours=clock.hour,
        minutes=clock.minute,
        seconds=clock.second,
        microseconds=clock.microsecond,
    )


def _length(period: tuple[time, time]) -> timedelta:
    return _since_midnight(period[1]) - _since_midnight(period[0])


def _walk(day: date, step: timedelta) -> Iterator[date]:
    while True:
        day += step
        yield day


def _refuse_both(off: frozenset[date], work: frozenset[date]) -> None:
    if both := sorted(off & work):
        raise ValueError(f"both off and worked: {', '.join(map(str, both))}")
