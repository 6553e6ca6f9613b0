"""Where a hall's working days come from: three national layers and the hall's own days on top.

For each year the notice that an admin loaded counts; without one, the chinesecalendar library where
it covers the year; without either the year is provisional: statutory holidays by date, no swaps.
Pure functions over given data: reading the tables is the caller's part.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date

import chinese_calendar

from models.calendar_values import calendar_version
from models.statutory import statutory_holidays
from rules.calendar import Calendar, Hours, Notice

LIBRARY_SOURCE = "chinesecalendar"
PROVISIONAL_SOURCE = "国务院通知尚未公布，暂按法定节假日计算"

_DECEMBER = 12


def build_calendar(
    years: Iterable[int],
    notices: Mapping[int, Notice],
    hall_days: Mapping[int, Notice],
    hours: Hours,
) -> Calendar:
    """The calendar of a hall for `years`, with a version named by its content.

    `notices` are the loaded national notices by year, `hall_days` the hall's own days by year, as
    exceptions from the national calendar. Dates outside `years` count as provisional and without
    holidays. Raises ValueError when a notice names days that it can't move (stray_days), and for a
    year that no layer knows (before 2004, after 2099).
    """
    wanted = frozenset(years)
    in_force = {year: notice_in_force(year, notices) for year in wanted}
    # Loaded notices of other years too: the one for next January may move days of this December.
    national = {**notices, **{year: notice for year, (notice, _) in in_force.items()}}
    days = _worked(national) | _worked(hall_days)
    days = {day: works for day, works in days.items() if day.year in wanted}
    calendar = Calendar(
        version="",
        off=frozenset(day for day, works in days.items() if not works and day.weekday() < 5),
        work=frozenset(day for day, works in days.items() if works and day.weekday() >= 5),
        published=frozenset(year for year, (_, published) in in_force.items() if published),
        hours=hours,
    )
    return replace(calendar, version=calendar_version(calendar))


def notice_in_force(year: int, notices: Mapping[int, Notice]) -> tuple[Notice, bool]:
    """The national notice that counts for `year`, and whether it was published.

    False: the year is provisional. Raises ValueError for a year that no layer knows.
    """
    if year in notices:
        return notices[year], True
    if covered := _library_notice(year):
        return covered, True
    return Notice(frozenset(statutory_holidays(year)), frozenset(), PROVISIONAL_SOURCE), False


def stray_days(year: int, notice: Notice) -> list[date]:
    """Days that the notice of `year` can't move: outside the year and the December before it.

    元旦 is at times swapped with a weekend of the old year, as in the notices for 2007 and 2012.
    """
    return sorted(
        day
        for day in notice.off | notice.work
        if day.year != year and (day.year, day.month) != (year - 1, _DECEMBER)
    )


def _library_notice(year: int) -> Notice | None:
    off = frozenset(day for day in chinese_calendar.holidays if day.year == year)
    work = frozenset(day for day in chinese_calendar.workdays if day.year == year)
    # New Year's Day is in every notice: without it the library has no more than a stray day.
    covered = any((day.month, day.day) == (1, 1) for day in off)
    return Notice(off, work, LIBRARY_SOURCE) if covered else None


def _worked(notices: Mapping[int, Notice]) -> dict[date, bool]:
    """Whether each day that the notices name is worked; the later notice wins."""
    days: dict[date, bool] = {}
    for year, notice in sorted(notices.items()):
        if stray := stray_days(year, notice):
            raise ValueError(f"days outside the notice of {year}: {', '.join(map(str, stray))}")
        days |= dict.fromkeys(notice.off, False) | dict.fromkeys(notice.work, True)
    return days
