"""Days of a notice as people type them, and from when on a year needs one."""

from datetime import date

import pytest

from casework.days_typed import read_days, write_days
from casework.overview import years_that_need_a_notice


@pytest.mark.parametrize(
    ("text", "days", "unreadable"),
    [
        ("", [], []),
        ("2027-01-01", ["2027-01-01"], []),
        ("2027-01-01,2027-01-03；2027-01-02、2027-01-02", ["2027-01-01", "2027-01-02", "2027-01-03"], []),
        ("2027-02-27 至 2027-03-01", ["2027-02-27", "2027-02-28", "2027-03-01"], []),
        ("2027-02-27~2027-02-27\n2027-03-05", ["2027-02-27", "2027-03-05"], []),
        ("2027-02-29 明天 2027-1-1", [], ["2027-02-29", "明天", "2027-1-1"]),
        ("2027-03-02 至 2027-03-01", [], ["2027-03-02~2027-03-01"]),
        ("2027-01-01~2099-01-01", [], ["2027-01-01~2099-01-01"]),
        ("２０２７-01-01", [], ["２０２７-01-01"]),
    ],
)
def test_days_are_read_one_by_one_and_from_one_to_another(
    text: str, days: list[str], unreadable: list[str]
) -> None:
    found, faults = read_days(text)
    assert (sorted(map(str, found)), faults) == (days, unreadable)


def test_what_is_written_reads_the_same() -> None:
    days = frozenset(date(2027, 2, day) for day in (1, 5, 6, 7, 9, 10))
    written = write_days(days)
    assert written == "2027-02-01\n2027-02-05 至 2027-02-07\n2027-02-09 至 2027-02-10"
    assert read_days(written) == (days, [])


@pytest.mark.parametrize(
    ("today", "years"),
    [
        (date(2026, 10, 31), [2026]),
        (date(2026, 11, 1), [2026, 2027]),
        (date(2026, 12, 31), [2026, 2027]),
        (date(2099, 12, 1), [2099]),
    ],
)
def test_the_next_year_needs_a_notice_from_november_on(today: date, years: list[int]) -> None:
    assert years_that_need_a_notice(today) == years
