"""When a message outside is due: at once, at the end of its window, at opening; and how long it is tried."""

from datetime import UTC, datetime, time, timedelta

import pytest

from rules.calendar import Calendar
from rules.delivering import (
    LONGEST_DELAY,
    MOST_ATTEMPTS,
    Digest,
    due_at,
    is_urgent,
    next_open,
    retry_after,
)
from tests.support.calendars import CALENDAR_2026
from tests.support.cases import shown, t


def due(at: str, *, urgent: bool = False, quiet: bool = True, digest: str = "none") -> str:
    return str(
        shown(due_at(t(at), urgent=urgent, quiet=quiet, digest=Digest(digest), calendar=CALENDAR_2026))
    )


# 2026-03-09 is a Monday. The notice of 2026: 15 to 23 February off, 14 February worked.
@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("03-09 09:00", "03-09 09:00"),  # opening is open
        ("03-09 08:59", "03-09 09:00"),
        ("03-09 11:59", "03-09 11:59"),
        ("03-09 12:00", "03-09 13:30"),  # the noon break is quiet
        ("03-09 17:29", "03-09 17:29"),
        ("03-09 17:30", "03-10 09:00"),  # closing is closed
        ("03-13 20:00", "03-16 09:00"),  # over a weekend
        ("02-14 10:00", "02-14 10:00"),  # a Saturday that is worked
        ("02-14 18:00", "02-24 09:00"),  # over Spring Festival
        ("03-10 00:00", "03-10 09:00"),
    ],
)
def test_outside_working_hours_a_message_waits_for_the_next_opening(at: str, expected: str) -> None:
    assert due(at) == expected


@pytest.mark.parametrize("at", ["03-09 03:00", "02-18 12:30"])
def test_a_text_about_an_overdue_case_waits_for_nothing(at: str) -> None:
    for digest in Digest:
        assert due(at, urgent=True, digest=digest) == at


def test_who_wants_no_quiet_hours_is_told_at_once() -> None:
    assert due("03-09 03:00", quiet=False) == "03-09 03:00"


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("03-09 09:00", "03-09 10:00"),  # half-open: the full hour begins the next window
        ("03-09 09:59", "03-09 10:00"),
        ("03-09 11:10", "03-09 13:30"),  # noon is quiet
        ("03-09 17:05", "03-10 09:00"),
    ],
)
def test_by_the_hour_a_message_goes_at_the_full_hour(at: str, expected: str) -> None:
    assert due(at, digest="hourly") == expected


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("03-09 08:00", "03-09 09:00"),
        ("03-09 09:00", "03-10 09:00"),
        ("03-13 15:00", "03-16 09:00"),
        ("02-14 08:00", "02-14 09:00"),
    ],
)
def test_daily_a_message_goes_at_the_opening_of_a_working_day(at: str, expected: str) -> None:
    assert due(at, digest="daily") == expected
    assert due(at, digest="daily", quiet=False) == expected


def test_without_quiet_hours_the_window_of_an_hour_ends_at_noon_too() -> None:
    assert due("03-09 11:10", digest="hourly", quiet=False) == "03-09 12:00"


def test_halls_have_hours_of_their_own() -> None:
    hall = Calendar("own", frozenset(), frozenset(), frozenset({2026}), ((time(8), time(20)),))
    assert str(shown(next_open(t("03-09 07:00"), hall))) == "03-09 08:00"
    assert str(shown(next_open(t("03-09 19:59"), hall))) == "03-09 19:59"


def test_an_instant_in_utc_stays_one() -> None:
    at = datetime(2026, 3, 9, 0, 30, tzinfo=UTC)  # 08:30 in Shanghai
    assert next_open(at, CALENDAR_2026) == datetime(2026, 3, 9, 1, tzinfo=UTC)
    assert next_open(at, CALENDAR_2026).utcoffset() == timedelta()


def test_an_instant_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        next_open(datetime(2026, 3, 9), CALENDAR_2026)  # noqa: DTZ001 - what is refused


@pytest.mark.parametrize(
    ("kind", "light", "expected"),
    [
        ("overdue_1", "red", True),
        ("overdue_1", None, True),
        ("order_unanswered", "green", True),
        ("remind", "red", True),
        ("remind", "yellow", False),
        ("due_soon_2", "yellow", False),
        ("hall_weekly", None, False),
    ],
)
def test_urgent_is_what_is_about_an_overdue_case(kind: str, light: str | None, expected: bool) -> None:
    assert is_urgent(kind, light) is expected


def test_delays_grow_to_an_hour_and_end_after_about_a_day() -> None:
    delays = [retry_after(attempts) for attempts in range(1, MOST_ATTEMPTS)]
    known = [delay for delay in delays if delay is not None]
    assert known == sorted(known)
    assert known[:3] == [timedelta(seconds=30), timedelta(minutes=1), timedelta(minutes=2)]
    assert known[-1] == LONGEST_DELAY
    assert timedelta(hours=20) < sum(known, timedelta()) < timedelta(hours=26)
    assert retry_after(MOST_ATTEMPTS) is None
