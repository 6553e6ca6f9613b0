"""The days of a calendar and its edges: each row names the notice or the rule it stands for."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest

from rules.calendar import AfterHours, Calendar, Notice, local
from tests.support.calendars import CALENDAR_2026 as CALENDAR
from tests.support.calendars import at, day, hours


@pytest.mark.parametrize(
    ("when", "worked", "reason"),
    [
        ("01-01", False, "元旦: Thursday, the holiday itself"),
        ("01-02", False, "元旦: Friday off, swapped with Sunday 4 January"),
        ("01-03", False, "元旦: Saturday, third day of the holiday"),
        ("01-04", True, "元旦: make-up Sunday"),
        ("01-05", True, "ordinary Monday"),
        ("01-10", False, "ordinary Saturday"),
        ("01-11", False, "ordinary Sunday"),
        ("02-13", True, "春节: last Friday before"),
        ("02-14", True, "春节: make-up Saturday before"),
        ("02-15", False, "春节: Sunday, first of nine days"),
        ("02-16", False, "春节: 除夕"),
        ("02-17", False, "春节: 初一"),
        ("02-18", False, "春节: 初二"),
        ("02-19", False, "春节: 初三"),
        ("02-20", False, "春节: Friday off, swapped with 14 February"),
        ("02-21", False, "春节: Saturday"),
        ("02-22", False, "春节: Sunday"),
        ("02-23", False, "春节: Monday off, swapped with 28 February"),
        ("02-24", True, "春节: first day back"),
        ("02-28", True, "春节: make-up Saturday after"),
        ("03-01", False, "ordinary Sunday after the make-up Saturday"),
        ("04-03", True, "清明节: Friday before"),
        ("04-04", False, "清明节: Saturday"),
        ("04-05", False, "清明节: Sunday, the day itself"),
        ("04-06", False, "清明节: Monday in lieu of Sunday"),
        ("04-07", True, "清明节: first day back"),
        ("04-20", True, "三月三 is a Guangxi day, not a national one (around 19-22 April)"),
        ("04-21", True, "三月三 is not in the national notice"),
        ("04-30", True, "劳动节: Thursday before"),
        ("05-01", False, "劳动节: Friday"),
        ("05-02", False, "劳动节: Saturday"),
        ("05-03", False, "劳动节: Sunday"),
        ("05-04", False, "劳动节: Monday in lieu of Saturday"),
        ("05-05", False, "劳动节: Tuesday off, swapped with 9 May"),
        ("05-06", True, "劳动节: first day back"),
        ("05-09", True, "劳动节: make-up Saturday"),
        ("05-10", False, "ordinary Sunday after the make-up Saturday"),
        ("06-18", True, "端午节: Thursday before"),
        ("06-19", False, "端午节: Friday"),
        ("06-20", False, "端午节: Saturday"),
        ("06-22", True, "端午节: first day back"),
        ("09-19", False, "ordinary Saturday before the make-up Sunday"),
        ("09-20", True, "国庆节: make-up Sunday before"),
        ("09-25", False, "中秋节: Friday"),
        ("09-26", False, "中秋节: Saturday"),
        ("09-28", True, "中秋节: first day back"),
        ("09-30", True, "国庆节: Wednesday before"),
        ("10-01", False, "国庆节: Thursday"),
        ("10-02", False, "国庆节: Friday"),
        ("10-03", False, "国庆节: Saturday"),
        ("10-04", False, "国庆节: Sunday"),
        ("10-05", False, "国庆节: Monday in lieu of Saturday"),
        ("10-06", False, "国庆节: Tuesday off, swapped with 20 September"),
        ("10-07", False, "国庆节: Wednesday off, swapped with 10 October"),
        ("10-08", True, "国庆节: first day back"),
        ("10-10", True, "国庆节: make-up Saturday after"),
        ("10-11", False, "ordinary Sunday after the make-up Saturday"),
        ("12-31", True, "ordinary Thursday, the year's last day"),
    ],
)
def test_a_day_of_2026_is_worked_as_the_notice_says(when: str, worked: bool, reason: str) -> None:
    assert CALENDAR.is_working_day(day(when)) is worked, reason


@pytest.mark.parametrize(
    "result",
    [
        CALENDAR.add_working_days(at("03-09 10:00"), 1),
        CALENDAR.add_working_hours(at("03-09 10:00"), hours(1)),
        CALENDAR.add_working_hours(at("03-09 10:00"), hours(0)),
        CALENDAR.opening(day("03-09")),
        CALENDAR.closing(day("03-09")),
    ],
)
def test_results_are_in_utc(result: datetime) -> None:
    assert result.tzinfo is UTC


def test_opening_and_closing_of_a_date() -> None:
    assert CALENDAR.opening(day("03-09")) == at("03-09 09:00")
    assert CALENDAR.closing(day("03-09")) == at("03-09 17:30")


@pytest.mark.parametrize(
    ("of", "after", "before", "reason"),
    [
        ("03-09", "03-10", "03-06", "Monday"),
        ("03-07", "03-09", "03-06", "Saturday"),
        ("02-14", "02-24", "02-13", "make-up Saturday before 春节"),
        ("02-17", "02-24", "02-14", "初一"),
        ("09-19", "09-20", "09-18", "before a make-up Sunday"),
        ("10-05", "10-08", "09-30", "a report day off in 国庆节"),
    ],
)
def test_neighbouring_working_days(of: str, after: str, before: str, reason: str) -> None:
    assert CALENDAR.next_working_day(day(of)) == day(after), reason
    assert CALENDAR.previous_working_day(day(of)) == day(before), reason


@pytest.mark.parametrize(
    ("start", "end", "provisional", "reason"),
    [
        ("12-30 10:00", "12-31 17:30", False, "inside a published year"),
        ("12-31 10:00", "2027-01-04 17:30", True, "reaches into a year without a notice"),
        ("2027-02-01 10:00", "2027-02-03 17:30", True, "inside a year without a notice"),
        ("2025-12-31 15:00", "01-06 17:30", False, "two published years"),
        ("2024-12-31 15:00", "01-06 17:30", True, "starts in a year without a notice"),
        ("2024-12-31 15:00", "2027-01-06 17:30", True, "published years only in the middle"),
    ],
)
def test_a_time_is_provisional_when_any_year_it_crosses_has_no_notice(
    start: str, end: str, provisional: bool, reason: str
) -> None:
    assert CALENDAR.is_provisional(at(start), at(end)) is provisional, reason


def test_the_year_of_a_provisional_time_is_the_one_in_shanghai() -> None:
    """2026-12-31 16:30 UTC is already 2027 at the counter."""
    already_2027 = datetime(2026, 12, 31, 16, 30, tzinfo=UTC)
    assert CALENDAR.is_provisional(already_2027, already_2027)


def test_a_hall_may_have_hours_of_its_own() -> None:
    whole_day = Calendar(
        "x", frozenset(), frozenset(), frozenset(), ((time(8), time(12)), (time(12), time(18)))
    )
    assert whole_day.add_working_days(at("03-09 17:45"), 1, AfterHours.NEXT_DAY) == at("03-10 18:00")
    assert whole_day.add_working_hours(at("03-09 11:00"), hours(2)) == at("03-09 13:00")


NAIVE = datetime.fromisoformat("2026-03-09 10:00")
AWARE = at("03-09 10:00")


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        (CALENDAR.add_working_days, (NAIVE, 1)),
        (CALENDAR.add_working_hours, (NAIVE, hours(1))),
        (CALENDAR.add_working_hours, (NAIVE, hours(0))),
        (CALENDAR.working_days_between, (NAIVE, AWARE)),
        (CALENDAR.working_days_between, (AWARE, NAIVE)),
        (CALENDAR.working_hours_between, (NAIVE, AWARE)),
        (CALENDAR.working_hours_between, (AWARE, NAIVE)),
        (CALENDAR.is_provisional, (NAIVE, AWARE)),
        (CALENDAR.is_provisional, (AWARE, NAIVE)),
        (local, (NAIVE,)),
    ],
)
def test_an_instant_without_a_zone_is_refused(
    method: Callable[..., object], arguments: tuple[object, ...]
) -> None:
    with pytest.raises(ValueError, match="time zone"):
        method(*arguments)


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        CALENDAR.add_working_days(at("03-09 10:00"), -1)
    with pytest.raises(ValueError, match="negative"):
        CALENDAR.add_working_hours(at("03-09 10:00"), timedelta(microseconds=-1))


def test_an_instant_is_no_date() -> None:
    """A datetime is a date to Python but equals none: every holiday would look worked."""
    with pytest.raises(TypeError, match="date"):
        CALENDAR.is_working_day(at("05-01 10:00"))


def test_a_date_cannot_be_off_and_worked() -> None:
    both = frozenset({day("05-09")})
    with pytest.raises(ValueError, match="2026-05-09"):
        Calendar("x", both, both, frozenset())
    with pytest.raises(ValueError, match="2026-05-09"):
        Notice(both, both, "国务院办公厅")


@pytest.mark.parametrize(
    "periods",
    [
        (),
        ((time(12), time(9)),),
        ((time(9), time(9)),),
        ((time(9), time(12)), (time(11), time(17))),
        ((time(13), time(17)), (time(9), time(12))),
        ((time(9, tzinfo=UTC), time(12, tzinfo=UTC)),),
    ],
)
def test_opening_hours_are_ordered_periods_of_the_wall_clock(
    periods: tuple[tuple[time, time], ...],
) -> None:
    with pytest.raises(ValueError, match="opening hours"):
        Calendar("x", frozenset(), frozenset(), frozenset(), periods)


def test_without_exceptions_every_weekday_is_worked() -> None:
    bare = Calendar("bare", frozenset(), frozenset(), frozenset())
    assert bare.working_days_between(at("01-01 00:00"), at("12-31 00:00")) == 260
