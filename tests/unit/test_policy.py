"""The packaged policies hold the values of their documents; a faulty file is refused by name."""

import dataclasses
import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from models.policies import policy_texts, read_policies
from rules.calendar import AfterHours
from rules.policy import HallOffer, Policy, parse_offer, parse_policy, policy_sources

PACKAGED = ["chengzhong", "guilin"]
FROM_DOCUMENTS = {
    "guilin": {"judged_by", "simple", "commitment", "unsolvable"},
    "chengzhong": {"judged_by", "simple", "commitment"},
}

COMMON = {
    # limits
    "simple": (3, "working days"),
    "unsolvable": (3, "working days"),
    "set_limit": (2, "working days"),
    "second_round_simple": (3, "working days"),
    # stages
    "triage": (2, "working hours"),
    "sign_simple": (2, "working hours"),
    "sign_other": (4, "working hours"),
    "return_decision": (4, "working hours"),
    "check_reply": (4, "working hours"),
    "response": (1, "working days"),
    "leader_decision": (1, "working days"),
    "extension_decision": (1, "working days"),
    "unsolvable_confirmation": (1, "working days"),
    "judgement": (1, "working days"),
    "revisit": (3, "working days"),
    "progress": (5, "working days"),
    "opinion_before_due": (1, "working days"),
    "suspension_total": (5, "working days"),
    "objection": (10, "working days"),
    "order": (2, "working days"),
    "overdue_2": (1, "working days"),
    "revisit_attempts": (3, "times"),
    "revisit_attempt_days": (2, "days"),
    "extensions": (2, "times"),
    "after_hours": ("same_day", "choice"),
}
OWN = {
    "guilin": {"judged_by": ("told", "choice"), "commitment": (5, "working days")},
    "chengzhong": {"judged_by": ("reply", "choice"), "commitment": (10, "working days")},
}


OFFERS = {each.name for each in dataclasses.fields(HallOffer)}


def packaged(name: str) -> str:
    return (resources.files("policies") / f"{name}.toml").read_text(encoding="utf-8")


def test_the_packaged_policies_are_read_by_id() -> None:
    policies = read_policies(None)
    assert sorted(policies) == PACKAGED
    assert all(policy.id == key for key, policy in policies.items())
    assert policies["guilin"].title == "桂林市政务服务大厅“办不成事”反映窗口实施方案"


@pytest.mark.parametrize("name", PACKAGED)
def test_every_value_is_the_one_of_its_document_or_the_default(name: str) -> None:
    expected = COMMON | OWN[name]
    shown = policy_sources(packaged(name))
    found = {key: (value, unit) for key, (value, unit, _) in shown.items() if key not in OFFERS}
    assert found == expected
    values = dataclasses.asdict(parse_policy(packaged(name)))
    assert {key: values[key] for key in expected} == {k: v for k, (v, _) in expected.items()}
    assert set(values) - set(expected) == {"id", "version", "title"}


@pytest.mark.parametrize("name", PACKAGED)
def test_every_value_names_its_source(name: str) -> None:
    """A phrase of the document, or the mark of a proposal where the documents are silent."""
    mark = {"guilin": "S0 ", "chengzhong": "S1 "}[name]
    for key, (_, _, source) in policy_sources(packaged(name)).items():
        if key in FROM_DOCUMENTS[name]:
            assert source.startswith(mark), key
            assert re.search("「.+」$", source), f"{key}: the phrase itself"
        else:
            assert source.startswith("[P] proposal where the documents are silent"), key


@pytest.mark.parametrize("name", PACKAGED)
def test_what_a_hall_offers_is_no_part_of_the_policy_that_cases_are_pinned_to(name: str) -> None:
    assert not OFFERS & {each.name for each in dataclasses.fields(Policy)}
    open_now = packaged(name).replace('"not_offered"', '"offered"')
    assert open_now != packaged(name)
    assert parse_policy(open_now) == parse_policy(packaged(name))
    assert parse_offer(packaged(name)).online_filing == "not_offered"
    assert parse_offer(open_now).online_filing == "offered"


def test_a_file_without_offers_offers_nothing() -> None:
    text = packaged("guilin")
    without = text[: text.index("[offers]")]
    assert parse_offer(without) == HallOffer()
    assert HallOffer().online_filing == "not_offered"
    assert parse_policy(without) == parse_policy(text)


def test_an_offer_that_is_none_is_named() -> None:
    text = packaged("guilin").replace('"not_offered"', '"sometimes"')
    for parse in (parse_offer, parse_policy):
        with pytest.raises(ValueError, match="online_filing: 'sometimes' is none of offered, not_offered"):
            parse(text)


def test_choices_are_typed() -> None:
    policy = read_policies(None)["guilin"]
    assert policy.after_hours is AfterHours.SAME_DAY
    assert policy.judged_by == "told"


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("triage = {", "triagee = {", "triagee"),
        ("triage = {", "triagee = {", "missing: triage"),
        (
            "[stages]",
            '[stages]\ncoffee = { value = 1, unit = "working hours", source = "S9" }',
            "coffee",
        ),
        (
            "[stages]",
            '[stages]\nsimple = { value = 1, unit = "working days", source = "x" }',
            "simple",
        ),
        ('id = "guilin"\n', "", "missing: id"),
        ('id = "guilin"\n', 'id = "guilin"\nowner = "x"\n', "owner"),
        ('id = "guilin"', "id = 7", "id"),
        ('id = "guilin"', 'id = " "', "id"),
        ("triage = { value = 2", "triage = { value = 0", "triage"),
        ("triage = { value = 2", "triage = { value = -2", "triage"),
        ("triage = { value = 2", "triage = { value = 401", "triage"),
        ("triage = { value = 2", "triage = { value = true", "triage"),
        ("triage = { value = 2", "triage = { value = 2.5", "triage"),
        ("triage = { value = 2", 'triage = { value = "2"', "triage"),
        (
            'triage = { value = 2, unit = "working hours"',
            'triage = { value = 2, unit = "hours"',
            "triage",
        ),
        ("triage = { value = 2, unit", "triage = { value = 2, max = 3, unit", "triage"),
        ("triage = { value = 2, unit", "triage = { unit", "triage"),
        ('judged_by = { value = "told"', 'judged_by = { value = "asked"', "judged_by"),
        ('judged_by = { value = "told"', "judged_by = { value = 1", "judged_by"),
        ('after_hours = { value = "same_day"', 'after_hours = { value = "later"', "after_hours"),
        (
            "revisit_attempts = { value = 3",
            "revisit_attempts = { value = 1",
            "revisit_attempt_days",
        ),
    ],
)
def test_a_faulty_file_is_refused_and_the_fault_named(old: str, new: str, named: str) -> None:
    text = packaged("guilin")
    assert old in text
    with pytest.raises(ValueError, match=named):
        parse_policy(text.replace(old, new, 1))


def test_every_fault_is_named_at_once() -> None:
    text = packaged("guilin").replace("triage = { value = 2", "triage = { value = 0")
    text = text.replace("order = { value = 2", "orders = { value = 2")
    with pytest.raises(ValueError, match=r"(?s)missing: order.*unknown: orders.*triage"):
        parse_policy(text)


def test_a_value_without_a_source_is_refused() -> None:
    text = 'id = "x"\n[stages]\ntriage = { value = 2, unit = "working hours", source = " " }\n'
    with pytest.raises(ValueError, match="triage: no source"):
        parse_policy(text)


def test_a_value_that_is_no_table_is_refused() -> None:
    with pytest.raises(ValueError, match="triage"):
        parse_policy("[stages]\ntriage = 2\n")


@pytest.mark.parametrize(("key", "least"), [("extensions", 0), ("suspension_total", 0)])
def test_what_a_hall_may_forbid_may_be_zero(key: str, least: int) -> None:
    entry = tomllib.loads(packaged("guilin"))
    now = next(section[key]["value"] for section in entry.values() if key in section)
    text = packaged("guilin").replace(f"{key} = {{ value = {now}", f"{key} = {{ value = {least}")
    assert getattr(parse_policy(text), key) == least


def test_a_value_outside_any_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="triage: has no unit and source"):
        parse_policy("triage = 2\n")


def test_sources_of_a_faulty_file_are_not_shown() -> None:
    with pytest.raises(ValueError, match="missing"):
        policy_sources('id = "x"')


def test_a_folder_of_ones_own_replaces_the_packaged_policies(tmp_path: Path) -> None:
    own = packaged("guilin").replace('id = "guilin"', 'id = "yangshuo"')
    (tmp_path / "yangshuo.toml").write_text(own, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a policy", encoding="utf-8")
    assert list(read_policies(tmp_path)) == ["yangshuo"]
    assert policy_texts(tmp_path) == {"yangshuo": own}


def test_a_faulty_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.toml").write_text("id =", encoding="utf-8")
    with pytest.raises(ValueError, match=r"broken\.toml"):
        read_policies(tmp_path)


def test_a_file_is_named_after_its_policy(tmp_path: Path) -> None:
    """Else two files could hold one id, and the order of a folder would decide a limit."""
    (tmp_path / "other.toml").write_text(packaged("guilin"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.toml.*guilin"):
        read_policies(tmp_path)


def test_a_folder_without_policies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no policy"):
        read_policies(tmp_path)
    with pytest.raises(ValueError, match="no policy"):
        read_policies(tmp_path / "missing")


def test_a_policy_cannot_be_changed() -> None:
    policy: Policy = read_policies(None)["guilin"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        policy.simple = 9  # type: ignore[misc]
