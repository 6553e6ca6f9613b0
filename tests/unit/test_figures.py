"""Rates, spreads and scores: an empty denominator has none, ties share a rank, few cases have no rank."""

from fractions import Fraction
from importlib import resources
from pathlib import Path
from statistics import mean, median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.policies import read_policies
from rules.counts import Counts
from rules.facts import facts_of
from rules.figures import RATES, Intake, Rate, rates, spread
from rules.policy import parse_policy
from rules.score import Score, ranks, score
from rules.weights import PARTS, Weights, parse_weights
from tests.unit.test_worked_cases import ALL

FULL = Counts(
    handled=10,
    unit_on_time=10,
    solved=10,
    rated_final=10,
    satisfied_final=10,
    dispatched=10,
    responded=10,
)


def packaged(name: str = "guilin") -> str:
    return (resources.files("policies") / f"{name}.toml").read_text(encoding="utf-8")


# Rates


def test_the_expected_rates_of_the_worked_cases() -> None:
    stories = [case() for case in ALL]
    found = [facts_of(story.events, story.policy, story.calendar) for story in stories]
    intake = Intake(12, sum(f.consulted for f in found), sum(f.out_of_scope for f in found))
    shares = rates(sum((f.counts for f in found), Counts()), intake)
    expected = {
        "on_time_rate": (9, 10),
        "solved_rate": (9, 10),
        "satisfaction_final": (9, 10),
        "satisfaction_first": (8, 10),
        "revisit_rate": (10, 10),
        "escalation_rate": (4, 10),
        "extension_rate": (1, 10),
        "reopen_rate": (1, 10),
        "return_rate": (1, 11),
        "sign_rate": (10, 11),
    }
    assert {name: (shares[name].part, shares[name].whole) for name in expected} == expected
    assert (intake.registered, intake.consulted, intake.out_of_scope) == (12, 1, 1)
    days = [f.counts.handling_days for f in found if f.counts.told]
    assert (spread((d, 1) for d in days).mean, spread((d, 1) for d in days).median) == (Fraction(23, 2), 8)


def test_an_empty_denominator_has_no_rate() -> None:
    assert {rate.value for rate in rates(Counts(), Intake()).values()} == {None}
    assert Rate(0, 3).value == 0


def test_every_rate_is_made_of_counts_that_there_are() -> None:
    assert all(hasattr(Counts(), name) for pair in RATES.values() for name in pair)


# Spread


@pytest.mark.parametrize(
    ("values", "middle", "nine_of_ten"),
    [
        ([7], 7, 7),
        ([1, 2], Fraction(3, 2), 2),
        (list(range(1, 11)), Fraction(11, 2), 9),
        (list(range(1, 12)), 6, 10),
        ([0] * 9 + [99], 0, 0),
        ([0] * 8 + [99] * 2, 0, 99),
    ],
)
def test_median_and_p90(values: list[int], middle: Fraction, nine_of_ten: int) -> None:
    found = spread((value, 1) for value in values)
    assert (found.median, found.p90) == (middle, nine_of_ten)


@given(st.lists(st.integers(0, 50), min_size=1))
def test_a_histogram_gives_what_the_values_give(values: list[int]) -> None:
    found = spread((value, values.count(value)) for value in set(values))
    assert found.cases == len(values)
    assert found.mean == Fraction(sum(values), len(values)) == pytest.approx(mean(values))
    assert found.median == Fraction(median(values))
    assert found.p90 is not None
    within = sum(value <= found.p90 for value in values)
    less = sum(value < found.p90 for value in values)
    assert within * 10 >= len(values) * 9 > less * 10


def test_nothing_has_no_spread() -> None:
    assert (spread([]).cases, spread([(3, 0)]).mean) == (0, None)


# Score


def total(counts: Counts, **other: int) -> Fraction | None:
    return score(counts, **other).total


def test_a_unit_without_a_fault_has_a_hundred_though_one_part_is_missing() -> None:
    assert total(FULL) == 100


def test_a_missing_parts_weight_is_shared_out_in_proportion() -> None:
    parts = {part.name: part for part in score(FULL).parts}
    assert parts["close_out"].points is None
    assert [parts[name].weight for name in PARTS] == [
        Fraction(100, 3),
        Fraction(250, 9),
        Fraction(250, 9),
        Fraction(100, 9),
        0,
    ]
    with_items = {part.name: part.weight for part in score(FULL, close_out=Rate(1, 2)).parts}
    assert with_items == {"on_time": 30, "solved": 25, "satisfaction": 25, "response": 10, "close_out": 10}


def test_every_lost_point_has_its_part() -> None:
    counts = FULL + Counts(handled=10, dispatched=10, refused_returns=2, orders=1, unsolved=5)
    found = score(counts, bulletins=1)
    lost = sum((part.lost for part in found.parts), Fraction(0)) + sum(d.lost for d in found.deductions)
    assert found.total == 100 - lost
    assert {part.name: part.missed for part in found.parts} == {
        "on_time": 10,
        "solved": 5,
        "satisfaction": 0,
        "response": 10,
        "close_out": 0,
    }
    assert [(d.name, d.times, d.lost) for d in found.deductions] == [
        ("refused_return", 2, 2),
        ("order", 1, 2),
        ("bulletin", 1, 5),
    ]


def test_the_bonus_for_hard_cases_has_a_ceiling() -> None:
    assert [score(FULL + Counts(hard_solved=n)).bonus for n in (0, 2, 9)] == [0, 2, 5]


def test_excused_lateness_costs_no_point_and_earns_none() -> None:
    late = FULL + Counts(handled=1, unit_excused=1)
    part = score(late).parts[0]
    assert (part.rate, part.lost) == (Rate(10, 10), 0)


def test_nothing_to_judge_has_no_score() -> None:
    assert (score(Counts()).total, score(Counts()).enough) == (None, False)


@pytest.mark.parametrize(("cases", "enough"), [(4, False), (5, True)])
def test_fewer_than_five_cases_are_too_few_to_rank(cases: int, enough: bool) -> None:
    assert score(Counts(handled=cases, unit_on_time=cases)).enough is enough


def scored(points: str | None, enough: bool = True) -> Score:
    value = None if points is None else Fraction(points)
    return Score(10, (), (), 0, value, enough)


def test_ties_share_a_rank_and_the_next_is_left_out() -> None:
    assert ranks([scored("90"), scored("95"), scored("90"), scored("80")]) == [2, 1, 2, 4]


def test_what_looks_the_same_to_the_hundredth_is_a_tie() -> None:
    assert ranks([scored("90.001"), scored("90.004"), scored("89.99")]) == [1, 1, 3]


def test_who_has_too_few_cases_takes_no_rank_from_others() -> None:
    assert ranks([scored("99", enough=False), scored("50"), scored(None)]) == [None, 1, None]


# Weights


@pytest.mark.parametrize("name", ["guilin", "chengzhong"])
def test_the_packaged_weights_are_those_of_the_procedure(name: str) -> None:
    assert parse_weights(packaged(name)) == Weights()


def test_a_policy_without_weights_has_the_proposed_ones() -> None:
    assert parse_weights('id = "x"') == Weights()


def test_other_weights_make_another_score() -> None:
    own = parse_weights(packaged().replace("on_time = { value = 30", "on_time = { value = 60"))
    counts = FULL + Counts(handled=10)
    assert score(counts, weights=own).total != score(counts).total
    assert score(FULL, weights=own).total == 130


def test_weights_are_no_value_of_a_case() -> None:
    """A change of weights must not look like another policy to the cases that are pinned to it."""
    changed = packaged().replace("bulletin = { value = 5", "bulletin = { value = 9")
    assert changed != packaged()
    assert parse_policy(changed) == parse_policy(packaged())


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("bulletin = { value = 5", "bulletins = { value = 5", "missing: bulletin"),
        ("bulletin = { value = 5", "bulletins = { value = 5", "unknown: bulletins"),
        ("bulletin = { value = 5", "bulletin = { value = -5", "bulletin: -5"),
        ("bulletin = { value = 5", "bulletin = { value = true", "bulletin: True"),
        (
            'bulletin = { value = 5, unit = "points"',
            'bulletin = { value = 5, unit = "cases"',
            "unit is points",
        ),
        ('[score]\nversion = "1"', "[score]\nversion = 1", "version: not a text"),
        ("on_time = { value = 30", "on_time = 30 #", "on_time: not a table"),
    ],
)
def test_a_faulty_weight_is_named(old: str, new: str, named: str) -> None:
    assert old in packaged()
    with pytest.raises(ValueError, match=named):
        parse_weights(packaged().replace(old, new))


def test_a_policy_file_with_faulty_weights_is_refused_at_the_start(tmp_path: Path) -> None:
    text = packaged().replace("bulletin = { value = 5", "bulletin = { value = -5")
    (tmp_path / "guilin.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"guilin\.toml: faulty \[score\]: bulletin"):
        read_policies(tmp_path)


def test_weights_that_weigh_nothing_are_refused() -> None:
    text = packaged()
    for name, value in (
        ("on_time", 30),
        ("solved", 25),
        ("satisfaction", 25),
        ("response", 10),
        ("close_out", 10),
    ):
        text = text.replace(f"{name} = {{ value = {value}", f"{name} = {{ value = 0")
    with pytest.raises(ValueError, match="no part has any weight"):
        parse_weights(text)
