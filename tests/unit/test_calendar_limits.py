"""Limits in working days and hours: the shared vectors and the worked cases, as tables."""

import json
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from rules.calendar import OPENING_HOURS, AfterHours, local
from tests.support.calendars import CALENDAR_2026 as CALENDAR
from tests.support.calendars import at, day, hours

VECTORS = json.loads((Path(__file__).parents[1] / "data" / "calendar_vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["day_vectors"], ids=lambda v: f"{v['start']}+{v['workdays']}")
def test_limits_in_days_follow_the_shared_vectors(vector: dict[str, str]) -> None:
    start, count = at(vector["start"]), int(vector["workdays"])
    assert CALENDAR.add_working_days(start, count) == at(vector["due_literal"])
    due = CALENDAR.add_working_days(start, count, AfterHours.NEXT_DAY)
    assert due == at(vector["due_next_day_policy"])


@pytest.mark.parametrize("vector", VECTORS["hour_vectors"], ids=lambda v: f"{v['start']}+{v['work_hours']}h")
def test_limits_in_hours_follow_the_shared_vectors(vector: dict[str, str]) -> None:
    due = CALENDAR.add_working_hours(at(vector["start"]), hours(float(vector["work_hours"])))
    assert due == at(vector["due"])


def test_the_vectors_are_made_for_the_default_opening_hours() -> None:
    periods = (period.split("-") for period in VECTORS["hours"].split(","))
    written = tuple((time.fromisoformat(begin), time.fromisoformat(end)) for begin, end in periods)
    assert written == OPENING_HOURS


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
        ("03-09 10:00:00.000001", 1, "03-09 11:00:00.000001", "to the microsecond"),
        ("03-09 08:00", 1, "03-09 10:00", "before opening"),
        ("03-09 00:00", 1, "03-09 10:00", "at midnight"),
        ("03-07 11:00", 1, "03-09 10:00", "on a Saturday"),
        ("03-09 10:00", 0, "03-09 10:00", "nothing to add: the instant itself"),
        ("03-07 11:00", 0, "03-07 11:00", "nothing to add on a rest day: the instant itself"),
        ("12-31 17:00", 1, "2027-01-01 09:30", "over New Year in a calendar that knows no 2027"),
    ],
)
def test_working_hours_run_only_inside_opening_hours(start: str, amount: int, due: str, reason: str) -> None:
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
        ("03-06 10:00", "03-08 10:00", 0, "ends on a rest day"),
        ("03-07 10:00", "03-09 00:00", 1, "starts on a rest day"),
        ("03-10 09:00", "03-09 09:00", 0, "end before start"),
    ],
)
def test_handling_time_in_days_of_the_worked_cases(start: str, end: str, count: int, case: str) -> None:
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
        ("03-10 16:00", "03-09 10:00", 0, "end before start"),
    ],
)
def test_working_time_between_instants(start: str, end: str, minutes: int, reason: str) -> None:
    expected = timedelta(minutes=minutes)
    assert CALENDAR.working_hours_between(at(start), at(end)) == expected, reason
