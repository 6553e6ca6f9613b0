"""When a 通报 is serious, how it is numbered, and from which file that comes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from models.oversight import read_seriousness
from rules.bulletin import (
    Serious,
    Seriousness,
    bulletin_number,
    months_before,
    parse_seriousness,
    serious_because,
)
from rules.calendar import SHANGHAI
from rules.case.vocabulary import Ground

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
RULE = Seriousness(issued=3, months=12, unanswered_after=1)
ORDER, RETURNS, REPLIES = Ground.ORDER_UNANSWERED, Ground.TWO_REFUSED_RETURNS, Ground.TWO_REFUSED_REPLIES


def days_before(*days: int) -> list[datetime]:
    return [AT - timedelta(days=each) for each in days]


@pytest.mark.parametrize(
    ("ground", "issued_days_before", "expected"),
    [
        (RETURNS, (), None),
        (RETURNS, (10,), None),
        (RETURNS, (10, 20), Serious.REPEATED),
        (REPLIES, (10, 20, 30), Serious.REPEATED),
        (REPLIES, (10, 400), None),
        (REPLIES, (10, 364), Serious.REPEATED),
        (REPLIES, (10, 365), None),  # exactly twelve months are over
        (REPLIES, (0, 0), Serious.REPEATED),  # at the same instant
        (ORDER, (), None),
        (ORDER, (10,), Serious.UNANSWERED_AGAIN),
        (ORDER, (400,), None),
        (ORDER, (10, 20), Serious.UNANSWERED_AGAIN),
    ],
)
def test_a_bulletin_is_serious_by_those_issued_before(
    ground: Ground, issued_days_before: tuple[int, ...], expected: Serious | None
) -> None:
    assert serious_because(ground, AT, days_before(*issued_days_before), RULE) is expected


def test_what_is_issued_later_does_not_count() -> None:
    assert serious_because(RETURNS, AT, [AT + timedelta(days=1)] * 3, RULE) is None


def test_with_other_values_the_first_one_is_serious() -> None:
    assert serious_because(RETURNS, AT, [], Seriousness(1, 12, 1)) is Serious.REPEATED


@pytest.mark.parametrize(
    ("at", "months", "expected"),
    [
        ("2026-11-26", 12, "2025-11-26"),
        ("2026-01-31", 2, "2025-11-30"),
        ("2028-02-29", 12, "2027-02-28"),
        ("2026-03-31", 1, "2026-02-28"),
        ("2026-12-15", 12, "2025-12-15"),
        ("2026-01-15", 1, "2025-12-15"),
    ],
)
def test_months_are_calendar_months_of_shanghai(at: str, months: int, expected: str) -> None:
    noon = timedelta(hours=12)
    given = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI) + noon
    found = months_before(given.astimezone(UTC), months)
    assert found == datetime.fromisoformat(expected).replace(tzinfo=SHANGHAI) + noon


def test_a_number_is_written_as_documents_write_it() -> None:
    assert bulletin_number(2026, 1) == "通报〔2026〕1号"


def test_the_packaged_values_are_the_proposal() -> None:
    assert read_seriousness(None) == RULE


def test_a_folder_of_the_operators_own_is_read_where_it_has_the_file(tmp_path: Path) -> None:
    assert read_seriousness(tmp_path) == RULE
    own = tmp_path / "oversight"
    own.mkdir()
    (own / "accountability.toml").write_text(text(issued=2), encoding="utf-8")
    assert read_seriousness(tmp_path) == Seriousness(2, 12, 1)


def text(**values: object) -> str:
    units = {"issued": "times", "months": "months", "unanswered_after": "times"}
    given = {"issued": 3, "months": 12, "unanswered_after": 1} | values
    return "[serious]\n" + "\n".join(
        f'{name} = {{ value = {value}, unit = "{units.get(name, "times")}", source = "[P]" }}'
        for name, value in given.items()
        if value is not None
    )


@pytest.mark.parametrize(
    ("faulty", "fault"),
    [
        (text(months=None), "months: missing"),
        (text(weeks=1), "weeks: unknown"),
        (text(issued=0), "issued: 0 is no whole number"),
        (text(issued="true"), "issued: True is no whole number"),
        (text().replace('"months"', '"days"'), "months: the unit is months"),
        ("[serious]\nissued = 3", "issued: not a table"),
        ("", "issued: missing; months: missing; unanswered_after: missing"),
    ],
)
def test_every_fault_of_the_file_is_named(faulty: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        parse_seriousness(faulty)
