"""When a head is due: each evening, holidays included, by the clock of Shanghai."""

from datetime import UTC, datetime, timedelta

import pytest

from rules.calendar import SHANGHAI
from rules.evidence import latest_head_due, next_head_due


def at(text: str) -> datetime:
    return datetime.strptime(f"2026-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("now", "latest", "following"),
    [
        ("03-09 09:00", "03-08 23:50", "03-09 23:50"),
        ("03-09 23:49", "03-08 23:50", "03-09 23:50"),
        ("03-09 23:50", "03-09 23:50", "03-10 23:50"),  # exactly then it is due
        ("03-10 00:00", "03-09 23:50", "03-10 23:50"),
        ("10-01 12:00", "09-30 23:50", "10-01 23:50"),  # on National Day too
        ("03-01 00:05", "02-28 23:50", "03-01 23:50"),
    ],
)
def test_a_head_is_due_each_evening(now: str, latest: str, following: str) -> None:
    assert latest_head_due(at(now)) == at(latest)
    assert next_head_due(at(now)) == at(following)


def test_the_zone_of_the_clock_does_not_matter() -> None:
    instant = at("03-10 00:10")
    assert latest_head_due(instant.astimezone(UTC)) == latest_head_due(instant)


def test_the_next_one_is_always_ahead() -> None:
    now = at("03-09 00:00")
    for minutes in range(0, 3000, 7):
        assert next_head_due(now + timedelta(minutes=minutes)) > now + timedelta(minutes=minutes)
