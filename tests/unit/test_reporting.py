"""When reports are due: Friday, Monday, the 20th and the 22nd, by the notice of 2026.

Source: the specification's list of days; national calendar of 2026, closing at 17:30, opening at 09:00.
"""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest

from rules.calendar import SHANGHAI, Calendar, local
from rules.reporting import (
    Due,
    Edge,
    ReportingTimes,
    ReportKind,
    centre_day,
    due_after,
    due_of,
    hall_day,
    lists_day,
    parse_times,
    summary_day,
)
from tests.support.calendars import CALENDAR_2026, at, day

HALL, CENTRE, LISTS, MONTHLY = ReportKind
TIMES = ReportingTimes()


def shown(instant: datetime) -> str:
    return f"{local(instant):%m-%d %H:%M}"


def told(due: Due) -> tuple[str, str, str]:
    """Due, from and to."""
    return shown(due.at), shown(due.start), shown(due.end)


def chain(kind: ReportKind, first: str, count: int, calendar: Calendar = CALENDAR_2026) -> list[Due]:
    """So many reports after an instant, one after the other as the workflow makes them."""
    found: list[Due] = []
    after = at(first)
    for _ in range(count):
        found.append(due_after(calendar, TIMES, kind, after))
        after = found[-1].at
    return found


@pytest.mark.parametrize(
    ("week", "expected"),
    [
        ("01-09", "01-09"),  # an ordinary Friday
        ("02-13", "02-13"),
        ("02-20", None),  # 春节 02-15 to 02-23: a week without a working day
        ("02-27", "02-27"),
        ("05-01", "04-30"),  # 劳动节
        ("10-02", "09-30"),  # 国庆节
        ("10-09", "10-09"),  # 10-10 is a make-up Saturday, after the cut-off
        ("06-19", "06-18"),  # 端午节
        ("09-25", "09-24"),  # 中秋节
        ("01-02", "12-31"),  # 元旦 01-01 to 01-03: the Wednesday of the year before
    ],
)
def test_a_halls_report_is_due_on_friday_or_the_last_working_day_before(
    week: str, expected: str | None
) -> None:
    found = hall_day(CALENDAR_2026, day(week))
    assert (f"{found:%m-%d}" if found else None) == expected


@pytest.mark.parametrize(
    ("week", "expected"),
    [
        ("01-12", "01-12"),
        ("02-16", "02-24"),  # 春节: this Monday and the next are off: both on the first working day
        ("02-23", "02-24"),
        ("04-06", "04-07"),  # 清明节
        ("05-04", "05-06"),
        ("10-05", "10-08"),  # 国庆节
    ],
)
def test_a_centres_summary_is_due_on_monday_or_the_next_working_day(week: str, expected: str) -> None:
    assert f"{centre_day(CALENDAR_2026, day(week)):%m-%d}" == expected


@pytest.mark.parametrize(
    ("month", "lists", "summary"),
    [
        (1, "01-20", "01-22"),
        (2, "02-24", "02-25"),  # 20th to 23rd off: the summary a working day after the lists
        (3, "03-20", "03-23"),  # 22 March is a Sunday
        (6, "06-22", "06-23"),  # 20 June a Saturday
        (9, "09-20", "09-22"),  # a make-up Sunday is a working day
        (12, "12-21", "12-22"),
    ],
)
def test_monthly_lists_are_due_by_the_20th_and_the_summary_by_the_22nd(
    month: int, lists: str, summary: str
) -> None:
    assert f"{lists_day(CALENDAR_2026, 2026, month):%m-%d}" == lists
    assert f"{summary_day(CALENDAR_2026, 2026, month):%m-%d}" == summary


def test_the_summary_is_at_least_a_working_day_after_the_lists() -> None:
    for month in range(1, 13):
        first, second = lists_day(CALENDAR_2026, 2026, month), summary_day(CALENDAR_2026, 2026, month)
        opened = CALENDAR_2026.opening(first)
        assert CALENDAR_2026.working_days_between(opened, CALENDAR_2026.opening(second)) >= 1


def test_lists_and_summary_of_the_months_around_spring_festival() -> None:
    """The 20th and the 22nd of February are off: the lists move on, the summary comes a day after them."""
    assert [told(due) for due in chain(LISTS, "01-20 17:00", 3)] == [
        ("01-20 17:30", "12-22 17:30", "01-20 17:30"),  # 20 December 2025 was a Saturday
        ("02-24 17:30", "01-20 17:30", "02-24 17:30"),
        ("03-20 17:30", "02-24 17:30", "03-20 17:30"),
    ]
    assert [told(due) for due in chain(MONTHLY, "01-20 17:30", 3)] == [
        ("01-22 17:30", "12-22 17:30", "01-20 17:30"),
        ("02-25 17:30", "01-20 17:30", "02-24 17:30"),
        ("03-23 17:30", "02-24 17:30", "03-20 17:30"),  # 22 March is a Sunday
    ]


def test_a_summary_of_a_month_is_of_the_lists_before_it() -> None:
    for lists, summary in zip(
        chain(LISTS, "01-01 00:00", 30), chain(MONTHLY, "01-01 00:00", 30), strict=True
    ):
        assert (summary.start, summary.end) == (lists.start, lists.end)
        assert lists.at < summary.at
        assert CALENDAR_2026.working_days_between(lists.at, summary.at) >= 1


def test_a_hall_closed_over_two_months_has_one_report_for_both() -> None:
    """From 19 March to 30 April: the lists of both months would be due on 6 May."""
    off = frozenset(date(2026, 3, 19) + timedelta(days=each) for each in range(43))
    calendar = replace(CALENDAR_2026, off=CALENDAR_2026.off | off)
    assert [told(due) for due in chain(LISTS, "03-01 00:00", 2, calendar)] == [
        ("05-06 17:30", "02-24 17:30", "05-06 17:30"),
        ("05-20 17:30", "05-06 17:30", "05-20 17:30"),
    ]
    assert [told(due) for due in chain(MONTHLY, "03-01 00:00", 2, calendar)] == [
        ("05-07 17:30", "02-24 17:30", "05-06 17:30"),
        ("05-22 17:30", "05-06 17:30", "05-20 17:30"),
    ]
    for month in ("03-15", "04-10"):
        assert shown(due_of(calendar, TIMES, LISTS, day(month)).at) == "05-06 17:30"


def test_fridays_around_spring_festival_merge_the_week_without_a_working_day() -> None:
    assert [told(due) for due in chain(HALL, "02-09 09:00", 3)] == [
        ("02-13 17:30", "02-06 17:30", "02-13 17:30"),
        ("02-27 17:30", "02-13 17:30", "02-27 17:30"),
        ("03-06 17:30", "02-27 17:30", "03-06 17:30"),
    ]


def test_mondays_around_spring_festival_are_one_summary() -> None:
    """02-16 and 02-23 are off; what came on Friday 13 February is summed up once, on the 24th."""
    assert [told(due) for due in chain(CENTRE, "02-06 12:00", 3)] == [
        ("02-09 09:00", "01-30 17:30", "02-06 17:30"),
        ("02-24 09:00", "02-06 17:30", "02-13 17:30"),
        ("03-02 09:00", "02-13 17:30", "02-27 17:30"),
    ]


def test_national_day_moves_friday_back_and_monday_on() -> None:
    assert [told(due) for due in chain(HALL, "09-30 09:00", 2)] == [
        ("09-30 17:30", "09-24 17:30", "09-30 17:30"),
        ("10-09 17:30", "09-30 17:30", "10-09 17:30"),
    ]
    assert [told(due) for due in chain(CENTRE, "09-30 17:30", 2)] == [
        ("10-08 09:00", "09-24 17:30", "09-30 17:30"),
        ("10-12 09:00", "09-30 17:30", "10-09 17:30"),
    ]


@pytest.mark.parametrize("kind", ReportKind)
def test_a_year_of_reports_leaves_no_gap_and_no_overlap(kind: ReportKind) -> None:
    year = chain(kind, "01-05 12:00", 45)
    for before, after in pairwise(year):
        assert before.end == after.start
        assert before.at < after.at
        assert after.start < after.end <= after.at


def test_a_weekly_summary_covers_whole_reports_of_its_hall() -> None:
    ends = {due.end for due in chain(HALL, "01-01 00:00", 52)}
    for due in chain(CENTRE, "01-12 12:00", 45):
        assert {due.start, due.end} <= ends


def test_a_report_due_now_is_not_the_next_one() -> None:
    first = due_after(CALENDAR_2026, TIMES, HALL, at("03-13 17:29"))
    assert shown(first.at) == "03-13 17:30"
    assert shown(due_after(CALENDAR_2026, TIMES, HALL, first.at).at) == "03-20 17:30"


@pytest.mark.parametrize(
    ("kind", "on", "expected"),
    [
        (HALL, "10-09", "10-09 17:30"),
        (HALL, "10-10", "10-09 17:30"),  # the make-up Saturday belongs to that week
        (HALL, "10-02", "09-30 17:30"),
        (HALL, "02-18", "02-27 17:30"),  # merged
        (CENTRE, "10-05", "10-08 09:00"),
        (CENTRE, "02-16", "02-24 09:00"),
        (CENTRE, "02-25", "02-24 09:00"),
        (LISTS, "02-01", "02-24 17:30"),
        (LISTS, "12-31", "12-21 17:30"),
        (MONTHLY, "02-28", "02-25 17:30"),
        (MONTHLY, "01-31", "01-22 17:30"),
    ],
)
def test_a_day_names_the_report_of_its_week_or_month(kind: ReportKind, on: str, expected: str) -> None:
    assert shown(due_of(CALENDAR_2026, TIMES, kind, day(on)).at) == expected


def test_a_hall_with_hours_and_days_of_its_own_has_cut_offs_of_its_own() -> None:
    own = replace(
        CALENDAR_2026,
        off=CALENDAR_2026.off | {date(2026, 4, 17)},  # 三月三
        hours=((time(8), time(12)), (time(15), time(18))),
    )
    assert shown(due_after(own, TIMES, HALL, at("04-14 09:00")).at) == "04-16 18:00"
    assert shown(due_after(own, TIMES, CENTRE, at("04-18 09:00")).at) == "04-20 08:00"


def test_the_times_of_day_are_the_policys() -> None:
    times = ReportingTimes(hall_weekly_at=Edge.OPENING, centre_weekly_at=Edge.CLOSING)
    assert shown(due_after(CALENDAR_2026, times, HALL, at("03-10 09:00")).at) == "03-13 09:00"
    summary = due_after(CALENDAR_2026, times, CENTRE, at("03-14 09:00"))
    assert told(summary) == ("03-16 17:30", "03-06 09:00", "03-13 09:00")
    early = ReportingTimes(monthly_lists_at=Edge.OPENING, monthly_at=Edge.OPENING)
    assert shown(due_after(CALENDAR_2026, early, LISTS, at("03-10 09:00")).at) == "03-20 09:00"
    assert told(due_after(CALENDAR_2026, early, MONTHLY, at("03-10 09:00"))) == (
        "03-23 09:00",
        "02-24 09:00",
        "03-20 09:00",
    )


def test_only_a_saturday_worked_in_a_week_makes_no_summary_of_nothing() -> None:
    """Monday to Friday off: no cut-off, and the summary on Saturday already has what there was."""
    off = frozenset(date(2026, 3, 9) + timedelta(days=each) for each in range(5))
    calendar = replace(
        CALENDAR_2026, off=CALENDAR_2026.off | off, work=CALENDAR_2026.work | {date(2026, 3, 14)}
    )
    assert hall_day(calendar, date(2026, 3, 11)) is None
    assert [told(due) for due in chain(CENTRE, "03-02 12:00", 2, calendar)] == [
        ("03-14 09:00", "02-27 17:30", "03-06 17:30"),
        ("03-23 09:00", "03-06 17:30", "03-20 17:30"),
    ]


def test_a_year_without_a_notice_is_provisional_and_says_so() -> None:
    assert due_after(CALENDAR_2026, TIMES, HALL, at("2027-01-11 09:00")).provisional
    assert due_after(CALENDAR_2026, TIMES, HALL, at("12-30 09:00")).provisional  # due on New Year's Day
    assert not due_after(CALENDAR_2026, TIMES, HALL, at("12-14 09:00")).provisional


def test_a_report_begins_where_the_last_one_ended_should_the_calendar_have_moved() -> None:
    due = due_after(CALENDAR_2026, TIMES, HALL, at("03-10 09:00"))
    assert due.chained(None) == due.chained(at("03-05 17:30")) == due
    moved = due.chained(at("03-12 17:30"))
    assert moved is not None
    assert told(moved) == ("03-13 17:30", "03-12 17:30", "03-13 17:30")
    assert due.chained(due.end) is None


def test_every_instant_is_in_utc() -> None:
    due = due_after(CALENDAR_2026, TIMES, CENTRE, at("03-10 09:00"))
    assert {due.at.tzinfo, due.start.tzinfo, due.end.tzinfo} == {UTC}
    assert due.at == datetime(2026, 3, 16, 9, tzinfo=SHANGHAI)


SECTION = """
[reporting]
hall_weekly_at = { value = "opening", unit = "choice", source = "[P]" }
"""


def test_a_policy_file_says_at_which_end_of_the_day() -> None:
    assert parse_times(SECTION) == ReportingTimes(hall_weekly_at=Edge.OPENING)
    assert parse_times('id = "x"') == ReportingTimes()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (SECTION.replace("hall_weekly_at", "weekly_at"), "no other keys"),
        (SECTION.replace('"opening"', '"noon"'), "none of opening, closing"),
        (SECTION.replace('"[P]"', '""'), "has a source"),
        (SECTION.replace('"choice"', '"hours"'), "the unit is choice"),
        ("[reporting]\nhall_weekly_at = 'opening'", "not a table"),
        ("reporting = 1", "no other keys"),
    ],
)
def test_a_faulty_section_is_refused_by_name(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_times(text)
