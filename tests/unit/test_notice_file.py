"""A holiday notice out of a file: which year it is of, and what is wrong with it."""

import json
from datetime import date
from typing import Any

import pytest

from casework.errors import BadInput
from casework.notice_file import read_draft


def notice(**changed: Any) -> str:
    return json.dumps({"off": ["2027-01-01"], "work": ["2027-01-03"], "source": " 国办通知 "} | changed)


@pytest.mark.parametrize(
    ("text", "year", "expected"),
    [
        (notice(), None, 2027),  # that of its latest day
        (notice(off=["2026-12-31"], work=[]), None, 2026),
        (notice(), 2028, 2028),  # as told; that its days are of another year is found later
        (notice(year=2027), None, 2027),  # as the API shows a year
        (notice(year=2027), 2027, 2027),
        (notice(off=[], work=[], year=2027), None, 2027),  # nothing but weekends
    ],
)
def test_the_year_is_the_one_told_or_that_of_the_file_or_of_its_latest_day(
    text: str, year: int | None, expected: int
) -> None:
    draft = read_draft(text, year, None)
    assert (draft.year, draft.source) == (expected, "国办通知")


def test_days_and_hall_are_taken_over() -> None:
    draft = read_draft(notice(), None, "guilin")
    assert (draft.hall, draft.off, draft.work) == ("guilin", {date(2027, 1, 1)}, {date(2027, 1, 3)})


@pytest.mark.parametrize(
    ("text", "year", "faults"),
    [
        ("{", None, {"body"}),
        (notice(off=["2027-02-30"], x=1), None, {"off.0", "x"}),
        (notice(off=[], work=[]), None, {"year"}),  # of no year at all
        (notice(year=2027), 2028, {"year"}),
        (notice(year="soon"), None, {"year"}),
    ],
)
def test_every_fault_of_a_file_is_named(text: str, year: int | None, faults: set[str]) -> None:
    with pytest.raises(BadInput) as refused:
        read_draft(text, year, None)
    assert set(refused.value.faults) == faults
