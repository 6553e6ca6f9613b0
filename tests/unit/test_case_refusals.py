"""Refusals: who, then what was written, then how the case stands; and nothing changes.

Source: domain.md, section 4, fine print; contract.md, order of refusals (403, 422, 409).
"""

from dataclasses import replace
from typing import Any

import pytest

from rules.case.decide import decide
from rules.case.errors import Forbidden, Illegal, Invalid
from rules.case.events import SYSTEM, Actor
from tests.support.cases import (
    AUDITOR,
    CLERK,
    GUIDANCE,
    LEAD,
    NATIONAL,
    NOTICE,
    POLICIES,
    Story,
    contact,
    dispatched,
    handled,
    leader,
    make,
    t,
    triage,
)

MONDAY = "03-09 09:20"


@pytest.mark.parametrize(
    ("actor", "due_on", "refusal"),
    [
        (AUDITOR, "03-01", "forbidden"),  # 403 before 422 before 409
        (None, "03-01", "due_on: not_after_today"),
        (None, "03-31", "status"),
    ],
)
def test_the_role_is_judged_before_the_values_and_the_values_before_the_status(
    actor: Actor | None, due_on: str, refusal: str
) -> None:
    assert dispatched(MONDAY).refusal("set_limit", actor=actor, due_on=due_on) == refusal


def test_the_status_is_judged_before_the_other_rules() -> None:
    story = handled(MONDAY, "simple").give("reply")
    assert story.refusal("request_extension", working_days=1) == "status"


def test_a_refusal_knows_facts() -> None:
    story = dispatched(MONDAY)
    with pytest.raises(Illegal) as illegal:
        story.give("reply")
    assert (illegal.value.command, illegal.value.status, illegal.value.rule) == (
        "reply",
        "dispatched",
        "status",
    )
    with pytest.raises(Forbidden) as forbidden:
        story.give("sign", actor=CLERK)
    assert (forbidden.value.command, forbidden.value.role) == ("sign", "clerk")
    with pytest.raises(Invalid) as invalid:
        Story(MONDAY).give("triage", kind="simple")
    assert invalid.value.faults == {
        "cause": "required",
        "unit": "required",
        "one_time_notice": "required",
    }
    assert len(story.events) == 2


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"kind": "consultation"}, "answer: required"),
        ({"kind": "consultation", "answer": "可以"}, None),
        ({"kind": "out_of_scope"}, "guidance: required"),
        ({"kind": "out_of_scope", "guidance": GUIDANCE}, None),
        ({"kind": "complex", "cause": "legacy", "one_time_notice": NOTICE}, "unit: required"),
        ({"kind": "complex", "cause": "legacy", "unit": "housing"}, "one_time_notice: required"),
        ({"kind": "simple", "unit": "housing", "one_time_notice": NOTICE}, "cause: required"),
        ({"kind": "simple", "cause": "other", "unit": "housing", "one_time_notice": NOTICE}, None),
    ],
)
def test_a_triage_has_what_its_kind_needs(given: dict[str, Any], fault: str | None) -> None:
    assert Story(MONDAY).refusal("triage", **given) == fault


def test_the_cause_may_have_been_given_with_the_filing() -> None:
    story = Story(MONDAY)
    state = story.state
    story.states.append(replace(state, cause="legacy"))
    assert story.refusal("triage", kind="simple", unit="housing", one_time_notice=NOTICE) is None


def test_a_case_is_registered_once_and_by_the_system() -> None:
    story = Story(MONDAY)
    again = make(
        "register",
        case_id="case",
        number="2",
        hall="guilin",
        channel="counter",
        received_at=t(MONDAY),
        policy=story.state.policy,
        calendar="",
    )
    assert story.refusal(again, actor=SYSTEM) == "status"
    assert story.refusal(again, actor=LEAD) == "forbidden"


def test_nothing_is_done_to_a_case_that_is_not_registered() -> None:
    with pytest.raises(ValueError, match="not registered"):
        decide(None, triage("simple"), t(MONDAY), CLERK, POLICIES["guilin"], NATIONAL)


# --- joint handling


def convened() -> Story:
    return handled(MONDAY).give("convene", "03-10 10:00", co_units=("civil", "social"))


@pytest.mark.parametrize(
    ("co_units", "fault"),
    [
        ((), "co_units: required"),
        (("housing",), "co_units: lead_unit"),
        (("civil", "housing"), "co_units: lead_unit"),
        (("civil", "civil"), "co_units: twice"),
        (("civil", "social"), None),
    ],
)
def test_there_is_one_lead_unit_and_co_units_beside_it(co_units: tuple[str, ...], fault: str | None) -> None:
    assert handled(MONDAY).refusal("convene", co_units=co_units) == fault


def test_each_co_unit_opines_once_until_it_is_asked_again() -> None:
    story = convened().give("opine", actor=leader("civil"))
    assert story.state.opinions_missing() == ("social",)
    assert story.refusal("opine", actor=contact("civil")) == "opinion_given"
    assert story.refusal("opine", actor=contact("social")) is None
    story.give("convene", "03-11 10:00", co_units=("civil",))
    assert story.state.opinions_missing() == ("social", "civil")
    assert story.refusal("opine", actor=contact("civil")) is None


def test_the_lead_unit_gives_no_opinion_and_a_co_unit_does_not_act_for_it() -> None:
    story = convened()
    assert story.refusal("opine", actor=contact()) == "forbidden"
    for name in ("reply", "progress", "inform", "mark_unable"):
        assert story.refusal(name, actor=contact("civil")) == "forbidden"


def test_a_co_unit_that_gets_the_case_is_no_co_unit_any_more() -> None:
    story = convened().give("reassign", unit="civil")
    assert [c.unit for c in story.state.co_units] == ["social"]
    assert "sign" in story.allowed(contact("civil"))


# --- attachments


@pytest.mark.parametrize(
    "actor", [CLERK, LEAD, contact(), leader(), contact("civil")], ids=lambda a: a.username
)
def test_whoever_may_act_on_the_case_may_attach(actor: Actor) -> None:
    story = convened().give("attach", actor=actor)
    assert story.state.attachments == 1
    assert (story.events[-1].data["sha256"], story.events[-1].texts["file_name"]) == ("0" * 64, "证明.pdf")


def test_a_case_takes_ten_files() -> None:
    story = handled(MONDAY)
    for _ in range(10):
        assert story.refusal("attach") is None
        story.give("attach")
    assert story.refusal("attach") == "attachments_full"


# --- telling the citizen


@pytest.mark.parametrize("actor", [CLERK, LEAD, contact(), leader()], ids=lambda a: a.username)
def test_the_first_word_after_a_dispatch_is_the_response(actor: Actor) -> None:
    story = dispatched(MONDAY)
    assert story.armed()["response_late"] == "03-10 17:30"
    story.give("inform", actor=actor)
    assert "response_late" not in story.armed()


def test_an_accepted_reply_is_the_response_too() -> None:
    story = dispatched(MONDAY).give("sign").give("reply", "03-10 10:00").give("check_reply")
    assert story.until("03-10 18:00").fired("response_late") == []


def test_each_dispatch_owes_a_response() -> None:
    story = handled(MONDAY).give("reassign", "03-10 10:00", unit="market")
    assert story.armed()["response_late"] == "03-11 17:30"
    assert story.state.responses_owed == 2
