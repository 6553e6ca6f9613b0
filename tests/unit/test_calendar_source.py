"""The three layers of a hall's calendar, cross-checked between two independent libraries."""

import json
from dataclasses import replace
from datetime import date, time, timedelta

import holidays
import pytest

from models.calendar_source import build_calendar, notice_in_force, stray_days
from models.calendar_values import calendar_from_values, calendar_values, calendar_version
from models.statutory import YEARS, statutory_holidays
from rules.calendar import OPENING_HOURS, Calendar, Notice

NATIONAL = build_calendar([2026, 2027], {}, {}, OPENING_HOURS)


def notice(off: str = "", work: str = "", source: str = "国务院办公厅") -> Notice:
    """A notice from ISO dates separated by blanks."""
    return Notice(dates(off), dates(work), source)


def dates(text: str) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, text.split()))


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(offset) for offset in range((date(year + 1, 1, 1) - first).days)]


@pytest.mark.parametrize("year", [2024, 2025, 2026])
def test_two_libraries_agree_on_every_day_of_the_published_years(year: int) -> None:
    other = holidays.country_holidays("CN", years=year)
    ours = build_calendar([year], {}, {}, OPENING_HOURS)
    assert ours.published == {year}
    differing = [d for d in days_of(year) if ours.is_working_day(d) != other.is_working_day(d)]
    assert not differing


def test_the_library_knows_the_make_up_days_of_2026() -> None:
    make_up = "2026-01-04 2026-02-14 2026-02-28 2026-05-09 2026-09-20 2026-10-10"
    assert NATIONAL.work == dates(make_up)


@pytest.mark.parametrize("year", range(2004, 2027))
def test_the_library_covers_every_year_back_to_2004(year: int) -> None:
    found, published = notice_in_force(year, {})
    assert published
    assert date(year, 1, 1) in found.off
    assert not stray_days(year, found)


def test_2027_is_provisional_by_date_without_swaps() -> None:
    """13 days by the calendar; six of them fall on a weekend and are no exceptions."""
    found, published = notice_in_force(2027, {})
    assert not published
    assert found.work == frozenset()
    assert found.off == dates(
        """2027-01-01 2027-02-05 2027-02-06 2027-02-07 2027-02-08 2027-04-05 2027-05-01 2027-05-02
        2027-06-09 2027-09-15 2027-10-01 2027-10-02 2027-10-03"""
    )
    alone = build_calendar([2027], {}, {}, OPENING_HOURS)
    assert alone.published == frozenset()
    assert alone.work == frozenset()
    assert alone.off == dates(
        """2027-01-01 2027-02-05 2027-02-08 2027-04-05 2027-06-09 2027-09-15 2027-10-01"""
    )
    assert alone.off == frozenset(d for d in found.off if d.weekday() < 5)


@pytest.mark.parametrize("year", YEARS)
def test_statutory_days_agree_with_the_other_library(year: int) -> None:
    """Named days only: its days in lieu (observed) and its swaps are guesses for years to come."""
    other = holidays.country_holidays("CN", years=year, observed=False, language="zh_CN")
    named = {d for d, name in other.items() if d.year == year and "调休" not in name}
    assert set(statutory_holidays(year)) == named


def test_statutory_days_have_their_names() -> None:
    assert {day.isoformat(): name for day, name in statutory_holidays(2028).items()} == {
        "2028-01-01": "元旦",
        "2028-01-25": "春节",
        "2028-01-26": "春节",
        "2028-01-27": "春节",
        "2028-01-28": "春节",
        "2028-04-04": "清明节",
        "2028-05-01": "劳动节",
        "2028-05-02": "劳动节",
        "2028-05-28": "端午节",
        "2028-10-01": "国庆节",
        "2028-10-02": "国庆节",
        "2028-10-03": "中秋节、国庆节",
    }


@pytest.mark.parametrize("year", [2003, 2100, 0, 10_000])
def test_a_year_that_nobody_knows_is_refused(year: int) -> None:
    with pytest.raises(ValueError, match=str(year)):
        build_calendar([year], {}, {}, OPENING_HOURS)


def test_a_notice_given_replaces_the_whole_year_of_the_library() -> None:
    given = notice(off="2026-05-01", work="2026-05-02")
    calendar = build_calendar([2026], {2026: given}, {}, OPENING_HOURS)
    assert calendar.off == dates("2026-05-01")
    assert calendar.work == dates("2026-05-02")
    assert calendar.published == {2026}


def test_a_notice_given_makes_a_provisional_year_published() -> None:
    given = notice(off="2027-02-05 2027-02-08 2027-02-09", work="2027-01-31")
    calendar = build_calendar([2026, 2027], {2027: given}, {}, OPENING_HOURS)
    assert calendar.published == {2026, 2027}
    assert calendar.is_working_day(date(2027, 1, 31))
    assert not calendar.is_working_day(date(2027, 2, 9))
    assert calendar.is_working_day(date(2027, 10, 1)), "whole year: nothing provisional stays"
    assert not NATIONAL.is_working_day(date(2027, 10, 1))


def test_a_notice_of_a_year_not_asked_for_changes_nothing() -> None:
    calendar = build_calendar([2026], {2030: notice(off="2030-05-02")}, {}, OPENING_HOURS)
    assert calendar == build_calendar([2026], {}, {}, OPENING_HOURS)


def test_only_exceptions_are_kept() -> None:
    """A holiday on a weekend and a worked weekday say nothing that the weekday doesn't."""
    given = notice(off="2027-05-01 2027-05-03", work="2027-05-08 2027-05-10")
    calendar = build_calendar([2027], {2027: given}, {}, OPENING_HOURS)
    assert calendar.off == dates("2027-05-03")
    assert calendar.work == dates("2027-05-08")


def test_a_notice_may_move_days_of_the_december_before() -> None:
    """As those of 2007, 2008 and 2012 did: 元旦 swapped with a weekend of the old year."""
    given = {2028: notice(off="2028-01-01 2027-12-31", work="2027-12-25")}
    calendar = build_calendar([2027, 2028], given, {}, OPENING_HOURS)
    assert not calendar.is_working_day(date(2027, 12, 31))
    assert calendar.is_working_day(date(2027, 12, 25))
    assert calendar.published == {2028}
    assert not calendar.is_working_day(date(2027, 10, 1)), "the rest of 2027 stays provisional"
    assert build_calendar([2027], given, {}, OPENING_HOURS).work == dates("2027-12-25")
    assert build_calendar([2028], given, {}, OPENING_HOURS).work == frozenset()


def test_the_later_notice_wins_in_december() -> None:
    given = {2027: notice(off="2027-12-31"), 2028: notice(work="2027-12-31")}
    calendar = build_calendar([2027, 2028], given, {}, OPENING_HOURS)
    assert calendar.is_working_day(date(2027, 12, 31))


@pytest.mark.parametrize(
    ("days", "stray"),
    [
        ("2028-01-01 2028-12-31 2027-12-25", []),
        ("2027-11-30 2028-05-01", ["2027-11-30"]),
        ("2029-01-01", ["2029-01-01"]),
        ("2026-12-31", ["2026-12-31"]),
    ],
)
def test_days_that_a_notice_of_2028_cannot_move(days: str, stray: list[str]) -> None:
    for given in (notice(off=days), notice(work=days)):
        assert stray_days(2028, given) == sorted(map(date.fromisoformat, stray))
        if stray:
            with pytest.raises(ValueError, match=stray[0]):
                build_calendar([2028], {2028: given}, {}, OPENING_HOURS)
            with pytest.raises(ValueError, match=stray[0]):
                build_calendar([2028], {}, {2028: given}, OPENING_HOURS)


def test_a_halls_own_days_lie_on_top() -> None:
    """三月三 off, a local closure on a make-up day, and a holiday that this hall works."""
    own = notice(off="2026-04-20 2026-04-21 2026-02-14", work="2026-10-07 2026-04-25")
    calendar = build_calendar([2026], {}, {2026: own}, OPENING_HOURS)
    assert not calendar.is_working_day(date(2026, 4, 20))
    assert not calendar.is_working_day(date(2026, 4, 21))
    assert not calendar.is_working_day(date(2026, 2, 14))
    assert calendar.is_working_day(date(2026, 10, 7))
    assert calendar.is_working_day(date(2026, 4, 25))
    assert calendar.is_working_day(date(2026, 2, 28)), "the rest of the national notice stands"
    assert calendar.version != build_calendar([2026], {}, {}, OPENING_HOURS).version


def test_a_halls_own_days_do_not_publish_a_year() -> None:
    calendar = build_calendar([2027], {}, {2027: notice(off="2027-04-09")}, OPENING_HOURS)
    assert calendar.published == frozenset()
    assert not calendar.is_working_day(date(2027, 4, 9))


def test_a_halls_days_survive_a_national_notice() -> None:
    own = {2027: notice(off="2027-04-09")}
    calendar = build_calendar([2027], {2027: notice(work="2027-04-10")}, own, OPENING_HOURS)
    assert not calendar.is_working_day(date(2027, 4, 9))
    assert calendar.is_working_day(date(2027, 4, 10))


def test_the_version_is_stable() -> None:
    again = build_calendar(iter([2027, 2026, 2026]), {}, {}, OPENING_HOURS)
    assert again == NATIONAL
    assert calendar_version(again) == again.version
    assert len(again.version) == 12
    assert int(again.version, 16) >= 0


def test_the_version_is_of_the_content_not_of_its_source() -> None:
    """The library's 2026 loaded as a notice moves no due date, so it is no new version."""
    found, _ = notice_in_force(2026, {})
    loaded = build_calendar([2026, 2027], {2026: replace(found, source="loaded by hand")}, {}, OPENING_HOURS)
    assert loaded.version == NATIONAL.version


@pytest.mark.parametrize(
    "changed",
    [
        replace(NATIONAL, off=NATIONAL.off | {date(2026, 4, 20)}),
        replace(NATIONAL, off=NATIONAL.off - {date(2026, 5, 1)}),
        replace(NATIONAL, work=NATIONAL.work - {date(2026, 5, 9)}),
        replace(NATIONAL, off=NATIONAL.work, work=NATIONAL.off),
        replace(NATIONAL, published=frozenset({2026, 2027})),
        replace(NATIONAL, hours=((time(8), time(12)), (time(13, 30), time(17, 30)))),
    ],
)
def test_the_version_changes_with_the_content(changed: Calendar) -> None:
    assert calendar_version(changed) != NATIONAL.version


def test_a_calendar_survives_its_way_through_json() -> None:
    """The snapshot crosses Temporal and lies in a table: same values, byte for byte."""
    text = json.dumps(calendar_values(NATIONAL))
    assert calendar_from_values(json.loads(text)) == NATIONAL
    assert calendar_from_values(json.loads(text)) is calendar_from_values(json.loads(text))  # for all cases
    rebuilt = replace(NATIONAL, off=frozenset(sorted(NATIONAL.off, reverse=True)))
    assert json.dumps(calendar_values(rebuilt)) == text
    assert len(json.dumps(calendar_values(NATIONAL), separators=(",", ":"))) < 800
