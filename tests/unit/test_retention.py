"""How long personal data is kept: calendar years from the archiving, on the clock of Shanghai."""

from datetime import timedelta

import pytest

from models.policies import policy_texts, read_policies, read_retentions
from rules.policy import parse_policy
from rules.retention import Retention, parse_retention, years_after
from tests.support.cases import t

SECTION = """
[retention]
after_archiving = { value = 5, unit = "years", source = "本市档案管理办法" }
"""


@pytest.mark.parametrize(
    ("at", "years", "expected"),
    [
        ("2026-03-02 09:30", 3, "2029-03-02 09:30"),
        ("2028-02-29 17:30", 3, "2031-02-28 17:30"),  # no such day
        ("2028-02-29 17:30", 4, "2032-02-29 17:30"),
        ("2026-01-01 07:59", 1, "2027-01-01 07:59"),  # still the year before in UTC
        ("2029-03-02 09:30", -3, "2026-03-02 09:30"),
    ],
)
def test_years_are_those_of_the_calendar_in_shanghai(at: str, years: int, expected: str) -> None:
    assert years_after(t(at), years) == t(expected)


def test_a_case_is_erased_once_its_period_has_ended_and_not_a_second_before() -> None:
    retention, archived = Retention(after_archiving=3), t("2026-03-02 09:30:00")
    end = retention.ends(archived)
    assert retention.over(end) == archived
    assert retention.over(end - timedelta(seconds=1)) < archived


def test_the_erasure_is_announced_some_days_before() -> None:
    retention, archived = Retention(announced=30), t("2026-03-02 09:30")
    end = retention.ends(archived)
    assert retention.announced_to(end - timedelta(days=30)) >= archived
    assert retention.announced_to(end - timedelta(days=31)) < archived


@pytest.mark.parametrize(
    ("days_ago", "passed"),
    [
        ([*range(0, 60)], True),  # every night
        ([42, 29, 16, 3], True),  # off over the holidays, again and again
        ([30, 16, 2], True),
        ([], False),
        ([29, 20, 10, 1], False),  # it began within the days of the announcement
        ([45, 29, 16, 3], False),  # nothing within two weeks of their first day
        ([44, 30, 15, 1], False),  # a gap of over two weeks: a clock may have gone over it at once
        ([60, 45, 31, 17], False),  # no word since
        ([*range(1096, 1200), 0], False),  # three years at once, and one night after it
        ([*range(1111, 1200), *range(0, 15)], False),  # two weeks after it
    ],
)
def test_the_announced_days_have_passed_once_the_nights_among_them_were_seen(
    days_ago: list[int], passed: bool
) -> None:
    now = t("2029-03-02 09:30")
    seen = [now - timedelta(days=days) for days in days_ago]
    assert Retention(announced=30).announcement_passed(seen, now) is passed


def test_what_a_file_does_not_say_is_as_proposed() -> None:
    assert parse_retention(SECTION) == Retention(after_archiving=5)
    assert parse_retention('id = "x"') == Retention()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("after_archiving", "for_ever"),
        ("value = 5", "value = 0"),
        ("value = 5", "value = 101"),
        ("value = 5", "value = true"),
        ("value = 5", 'value = "5"'),
        ('"years"', '"days"'),
        ('source = "本市档案管理办法"', 'source = " "'),
        ('{ value = 5, unit = "years", source = "本市档案管理办法" }', "5"),
        ("[retention]\nafter_archiving", "retention"),
    ],
)
def test_a_faulty_section_is_refused(before: str, after: str) -> None:
    assert before in SECTION
    with pytest.raises(ValueError, match=r"after_archiving|retention"):
        parse_retention(SECTION.replace(before, after))


def test_the_period_is_pinned_to_no_case() -> None:
    for text in policy_texts(None).values():
        without = text[: text.index("[retention]")] + text[text.index("[score]") :]
        assert parse_policy(without) == parse_policy(text)


def test_every_packaged_policy_says_its_period_with_its_source() -> None:
    assert read_retentions(None).keys() == read_policies(None).keys()
    assert all("[retention]" in text for text in policy_texts(None).values())
