"""Tables for the working calendar: each row names the notice or the rule that it stands for."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from rules.calendar import OPENING_HOURS, SHANGHAI, AfterHours, Calendar, Notice, local

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "calendar_vectors.json").read_text())

# Written out from 国务院办公厅关于2026年部分节假日安排的通知 (2025-11-04), no library asked.
OFF_2026 = """
01-01 01-02 02-16 02-17 02-18 02-19 02-20 02-23 04-06 05-01 05-04 05-05 06-19 09-25
10-01 10-02 10-05 10-06 10-07
""".split()
WORK_2026 = "01-04 02-14 02-28 05-09 09-20 10-10".split()


def days_of(year: int, days: list[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(f"{year}-{day}") for day in days)


CALENDAR = Calendar(
    version="notice-2026",
    off=days_of(2026, OFF_2026),
    work=days_of(2026, WORK_2026),
    published=frozenset({2025, 2026}),
)
WEEKDAYS_ONLY = Calendar("bare", frozenset(), frozenset(), frozenset())


def at(text: str) -> datetime:
    """An instant of 2026 (or of the year written) on the wall clock of Shanghai."""
    full = text if text[:2] == "20" else f"2026-{text}"
    return datetime.fromisoformat(full).replace(tzinfo=SHANGHAI)


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


def hours(amount: float) -> timedelta:
    return timedelta(hours=amount)


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


@pytest.mark.parametrize("vector", VECTORS["day_vectors"], ids=lambda v: f"{v['start']}+{v['workdays']}")
def test_limits_in_days_follow_the_shared_vectors(vector: dict[str, str]) -> None:
    start, count = at(vector["start"]), int(vector["workdays"])
    assert CALENDAR.add_working_days(start, count) == at(vector["due_literal"])
    due = CALENDAR.add_working_days(start, count, AfterHours.NEXT_DAY)
    assert due == at(vector["due_next_day_policy"])


@pytest.mark.parametrize(
    "vector", VECTORS["hour_vectors"], ids=lambda v: f"{v['start']}+{v['work_hours']}h"
)
def test_limits_in_hours_follow_the_shared_vectors(vector: dict[str, str]) -> None:
    due = CALENDAR.add_working_hours(at(vector["start"]), hours(float(vector["work_hours"])))
    assert due == at(vector["due"])


def test_the_vectors_are_made_for_the_default_opening_hours() -> None:
    periods = (period.split("-") for period in VECTORS["hours"].split(","))
    assert OPENING_HOURS == tuple(
        (time.fromisoformat(begin), time.fromisoformat(end)) for begin, end in periods
    )


@pytest.mark.parametrize(
    ("start", "count", "due", "case"),
    [
        ("03-09 09:20", 3, "03-12", "1: simple"),
        ("04-02 10:10", 5, "04-10", "2: over 清明节"),
        ("04-29 15:00", 10, "05-15", "5: over 劳动节 with its make-up Saturday"),
        ("01-27 00:00", 2, "01-29", "6: a limit to be set within 2 days"),
        ("05-06 11:00", 5, "05-12", "7: make-up Saturday 05-09 counts"),
        ("05-12 09:00", 3, "05-15", "7: explanation after the determination"),
        ("09-18 14:00", 3, "09-22", "8: make-up Sunday 09-20 counts"),
        ("09-30 16:50", 5, "10-13", "9: over 国庆节, make-up Saturday 10-10 counts"),
        ("10-13 17:30", 1, "10-14", "9: second rung at closing one day after due"),
        ("10-14 17:30", 2, "10-16", "9: supervision order"),
        ("06-18 09:40", 5, "06-26", "10: over 端午节"),
        ("06-26 17:30", 5, "07-03", "10: extension, counted from the old due date"),
        ("07-01 10:00", 10, "07-15", "11: ten days"),
        ("07-08 15:00", 1, "07-09", "11: the citizen is told within a day"),
        ("02-13 16:00", 3, "02-25", "12: over 春节, make-up Saturday 02-14 counts"),
        ("02-24 10:00", 3, "02-27", "12: second round"),
        ("05-11 17:30", 5, "05-18", "extension: due 05-11, five more days"),
        ("03-09 12:00", 0, "03-09", "no days: closing of the day itself"),
        ("05-01 12:00", 0, "05-01", "no days, on a rest day: still that date"),
    ],
)
def test_due_dates_of_the_worked_cases(start: str, count: int, due: str, case: str) -> None:
    assert CALENDAR.add_working_days(at(start), count) == at(f"{due} 17:30"), case


@pytest.mark.parametrize(
    ("start", "amount", "due", "case"),
    [
        ("09-30 16:50", 4, "10-08 13:50", "9: sign-for limit over 国庆节 and lunch"),
        ("10-08 13:50", 4, "10-09 09:20", "9: one stage limit later, over the night"),
        ("09-20 09:15", 2, "09-20 11:15", "8: on a make-up Sunday"),
        ("09-18 16:00", 4, "09-20 11:30", "8: return decision reaches into the make-up Sunday"),
    ],
)
def test_stage_limits_of_the_worked_cases(start: str, amount: int, due: str, case: str) -> None:
    assert CALENDAR.add_working_hours(at(start), hours(amount)) == at(due), case


@pytest.mark.parametrize(
    ("start", "amount", "due", "reason"),
    [
        ("03-09 09:00", 3, "03-09 12:00", "a filled morning ends at 12:00, not at 13:30"),
        ("03-09 09:00", 7, "03-09 17:30", "a filled day ends at closing, not at the next opening"),
        ("03-09 09:00", 14, "03-10 17:30", "two filled days"),
        ("03-09 12:00", 1, "03-09 14:30", "exactly at the end of the morning"),
        ("03-09 12:45", 1, "03-09 14:30", "in the lunch break"),
        ("03-09 13:30", 1, "03-09 14:30", "exactly at the start of the afternoon"),
        ("03-09 17:30", 1, "03-10 10:00", "exactly at closing"),
        ("03-09 17:30:00.000001", 1, "03-10 10:00", "a microsecond after closing"),
        ("03-09 17:29:59", 1, "03-10 09:59:59", "a second before closing"),
        ("03-09 08:00", 1, "03-09 10:00", "before opening"),
        ("03-09 00:00", 1, "03-09 10:00", "at midnight"),
        ("03-07 11:00", 1, "03-09 10:00", "on a Saturday"),
        ("03-09 10:00", 0, "03-09 10:00", "nothing to add: the instant itself"),
        ("03-07 11:00", 0, "03-07 11:00", "nothing to add on a rest day: the instant itself"),
        ("12-31 17:00", 1, "2027-01-01 09:30", "over New Year in a calendar that knows no 2027"),
    ],
)
def test_working_hours_run_only_inside_opening_hours(
    start: str, amount: int, due: str, reason: str
) -> None:
    assert CALENDAR.add_working_hours(at(start), hours(amount)) == at(due), reason


@pytest.mark.parametrize(
    ("start", "next_day_due", "reason"),
    [
        ("03-09 17:30", "03-10", "exactly at closing is not after closing"),
        ("03-09 17:30:00.000001", "03-11", "just after closing"),
        ("03-09 23:59", "03-11", "late in the evening"),
        ("03-09 00:00", "03-10", "before opening belongs to its own day"),
        ("03-09 12:30", "03-10", "the lunch break is not after closing"),
        ("03-06 18:00", "03-10", "Friday evening: day 0 is Monday"),
        ("03-07 10:00", "03-10", "Saturday: day 0 is Monday"),
        ("02-14 10:00", "02-24", "make-up Saturday in hours: its own day 0"),
        ("02-14 18:00", "02-25", "make-up Saturday evening: day 0 is the first day back"),
        ("10-03 10:00", "10-09", "in 国庆节: day 0 is the first day back"),
    ],
)
def test_after_hours_policy_next_day(start: str, next_day_due: str, reason: str) -> None:
    due = CALENDAR.add_working_days(at(start), 1, AfterHours.NEXT_DAY)
    assert due == at(f"{next_day_due} 17:30"), reason


def test_the_date_is_the_one_in_shanghai_whatever_the_zone_of_the_instant() -> None:
    """2026-03-09 20:00 UTC is four in the morning of the 10th at the counter."""
    start = datetime(2026, 3, 9, 20, tzinfo=UTC)
    assert CALENDAR.add_working_days(start, 1) == at("03-11 17:30")
    assert local(start) == start
    assert local(start).date() == day("03-10")


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
    ("start", "end", "count", "case"),
    [
        ("03-09 09:20", "03-10 15:00", 1, "1"),
        ("04-02 10:10", "04-09 16:00", 4, "2"),
        ("04-29 15:00", "05-14 11:00", 9, "5"),
        ("01-26 09:30", "04-14 16:00", 51, "6"),
        ("05-06 11:00", "05-14 10:00", 7, "7"),
        ("09-18 14:00", "09-22 11:00", 3, "8"),
        ("09-30 16:50", "10-19 10:00", 9, "9"),
        ("06-18 09:40", "07-02 15:00", 9, "10"),
        ("07-01 10:00", "07-24 10:00", 17, "11"),
        ("02-13 16:00", "02-14 11:00", 1, "12, first round"),
        ("02-13 16:00", "02-27 14:00", 5, "12, all of it"),
        ("03-11 10:00", "03-13 10:00", 2, "pause: due 03-16 moves by these to 03-18"),
        ("03-09 23:00", "03-09 01:00", 0, "same date"),
        ("03-10 09:00", "03-09 09:00", 0, "end before start"),
    ],
)
def test_handling_time_in_days_of_the_worked_cases(
    start: str, end: str, count: int, case: str
) -> None:
    assert CALENDAR.working_days_between(at(start), at(end)) == count, case


def test_a_pause_moves_the_due_date_by_the_days_that_it_took() -> None:
    paused = CALENDAR.working_days_between(at("03-11 10:00"), at("03-13 10:00"))
    assert CALENDAR.add_working_days(at("03-16 17:30"), paused) == at("03-18 17:30")


@pytest.mark.parametrize(
    ("start", "end", "minutes", "reason"),
    [
        ("03-09 09:20", "03-10 15:00", 670, "case 1: 11.17 working hours"),
        ("03-09 12:00", "03-09 13:30", 0, "the lunch break"),
        ("03-09 11:59", "03-09 13:31", 2, "around the lunch break"),
        ("03-09 17:30", "03-10 09:00", 0, "a night"),
        ("03-07 00:00", "03-09 00:00", 0, "a weekend"),
        ("02-14 00:00", "02-24 00:00", 420, "make-up Saturday, then 春节"),
        ("03-09 00:00", "03-10 00:00", 420, "a whole day"),
        ("03-09 10:00", "03-09 10:00", 0, "nothing"),
        ("03-10 10:00", "03-09 10:00", 0, "end before start"),
    ],
)
def test_working_time_between_instants(start: str, end: str, minutes: int, reason: str) -> None:
    expected = timedelta(minutes=minutes)
    assert CALENDAR.working_hours_between(at(start), at(end)) == expected, reason


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


@pytest.mark.parametrize(
    "call",
    [
        lambda naive, aware: CALENDAR.add_working_days(naive, 1),
        lambda naive, aware: CALENDAR.add_working_hours(naive, hours(1)),
        lambda naive, aware: CALENDAR.add_working_hours(naive, hours(0)),
        lambda naive, aware: CALENDAR.working_days_between(naive, aware),
        lambda naive, aware: CALENDAR.working_days_between(aware, naive),
        lambda naive, aware: CALENDAR.working_hours_between(naive, aware),
        lambda naive, aware: CALENDAR.working_hours_between(aware, naive),
        lambda naive, aware: CALENDAR.is_provisional(naive, aware),
        lambda naive, aware: CALENDAR.is_provisional(aware, naive),
        lambda naive, aware: local(naive),
    ],
)
def test_an_instant_without_a_zone_is_refused(call) -> None:  # type: ignore[no-untyped-def]
    naive = datetime.fromisoformat("2026-03-09 10:00")
    with pytest.raises(ValueError, match="time zone"):
        call(naive, at("03-09 10:00"))


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
    assert WEEKDAYS_ONLY.working_days_between(at("01-01 00:00"), at("12-31 00:00")) == 260
