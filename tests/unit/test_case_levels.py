"""The level: contact, deputy leader, supervision. It climbs by itself and by people, and seldom falls.

Source: S0, 联系人没办法办理的 and 督促问效; domain.md, section 4.
"""

from collections.abc import Callable
from typing import Any

import pytest

from rules.case.events import Actor
from tests.support.cases import (
    CENTRE,
    LEAD,
    SUPERVISOR,
    Story,
    contact,
    dispatched,
    handled,
    leader,
    told,
    triage,
)

MONDAY = "03-09 09:20"


@pytest.mark.parametrize(
    ("kind", "first", "second"),
    [("simple", "03-09 11:20", "03-09 14:50"), ("commitment", "03-09 14:50", "03-10 10:20")],
)
def test_nobody_signs_the_alternate_is_told_then_the_leader_and_the_level_rises(
    kind: str, first: str, second: str
) -> None:
    story = dispatched(MONDAY, kind).until(first)
    assert story.told() == ["alternate housing"]
    assert story.state.level == "contact"
    story.until(second)
    assert story.told() == ["deputy_leader housing", "window_lead"]
    assert story.state.level == "deputy_leader"
    assert story.fired() == [f"sign_late_1 {first}", f"sign_late_2 {second}"]


def test_signing_ends_the_sign_for_limit() -> None:
    story = dispatched(MONDAY).give("sign", "03-09 14:00").until("03-10 17:00")
    assert story.fired("sign_late_1", "sign_late_2") == []


def test_mark_unable_hands_the_case_to_the_leader() -> None:
    story = handled(MONDAY).give("mark_unable", "03-10 10:00")
    assert (story.state.level, story.told()) == ("deputy_leader", ["deputy_leader housing"])
    assert story.armed()["leader_undecided"] == "03-11 17:30"


def test_an_idle_leader_is_reported_to_supervision() -> None:
    story = handled(MONDAY).give("mark_unable", "03-10 10:00").until("03-11 17:30")
    assert story.fired() == ["leader_undecided 03-11 17:30"]
    assert (story.state.level, story.told()) == ("supervision", ["supervisor", "window_lead"])


ACTS_OF_THE_LEADER = [
    ("coordinate", {}),
    ("progress", {}),
    ("inform", {}),
    ("attach", {}),
    ("request_extension", {"working_days": 2}),
    ("declare_unsolvable", {}),
    ("answer_order", {}),
]


@pytest.mark.parametrize(("act", "given"), ACTS_OF_THE_LEADER)
def test_any_act_of_the_leader_ends_his_limit(act: str, given: dict[str, Any]) -> None:
    story = handled(MONDAY).give("order").give("mark_unable", "03-10 10:00")
    story.give(act, "03-11 17:00", actor=leader(), **given)
    assert "leader_undecided" not in story.armed()


@pytest.mark.parametrize(
    ("act", "actor"),
    [
        ("progress", contact()),  # the contact's work is not the leader's decision
        ("opine", leader("civil")),  # nor is a co-unit's leader the one who was asked
        ("attach", leader("civil")),
    ],
)
def test_no_one_elses_act_ends_the_leaders_limit(act: str, actor: Actor) -> None:
    story = handled(MONDAY).give("convene", co_units=("civil",)).give("mark_unable", "03-10 10:00")
    story.give(act, "03-11 10:00", actor=actor)
    assert story.armed()["leader_undecided"] == "03-11 17:30"


def test_only_mark_unable_starts_the_leaders_limit() -> None:
    assert "leader_undecided" not in dispatched(MONDAY).until("03-10 10:20").give("sign").armed()


@pytest.mark.parametrize(
    ("away", "back", "limit"),
    [
        (("suspend", {}), ("resume", {}), "03-16 17:30"),
        (("refer_up", {"due_on": "03-31"}), ("referral_reply", {}), "03-16 17:30"),
        (("report_complex", {}), ("set_limit", {"due_on": "03-31"}), "03-16 17:30"),
        (("reply", {}), ("check_reply", {"accept": False, "reason": "不全"}), "03-16 17:30"),
    ],
    ids=lambda step: step[0] if isinstance(step, tuple) else "",
)
def test_the_leaders_limit_starts_anew_when_the_case_comes_back_to_him(
    away: tuple[str, dict[str, Any]], back: tuple[str, dict[str, Any]], limit: str
) -> None:
    """While it lay elsewhere he could not coordinate."""
    story = handled(MONDAY).give("mark_unable", "03-10 10:00").give(away[0], "03-10 15:00", **away[1])
    assert "leader_undecided" not in story.armed()
    story.give(back[0], "03-13 10:00", **back[1])
    assert story.armed()["leader_undecided"] == limit


def test_once_it_rose_to_supervision_the_leaders_limit_does_not_come_back() -> None:
    """One mark_unable, one leader_undecided, wherever the case goes afterwards."""
    story = handled(MONDAY).give("mark_unable", "03-10 10:00").give("reply", "03-12 10:00")
    story.give("check_reply", "03-12 11:00", accept=False, reason="不全").until("03-16 17:00")
    assert story.fired("leader_undecided") == ["leader_undecided 03-11 17:30"]
    assert "leader_undecided" not in story.armed()


def test_coordinate_may_hand_the_case_up() -> None:
    story = handled(MONDAY).give("mark_unable", "03-10 10:00").give("coordinate", "03-10 11:00")
    assert story.state.level == "deputy_leader"
    story.give("coordinate", "03-10 12:00", to="supervision")
    assert (story.state.level, story.told()) == ("supervision", ["contact housing", "supervisor"])


def test_the_level_limits_nobody_who_may_act_otherwise() -> None:
    story = handled(MONDAY).give("coordinate", "03-10 11:00", to="supervision")
    assert {"progress", "reply", "inform"} <= set(story.allowed(contact()))
    assert {"progress", "reply", "coordinate"} <= set(story.allowed(leader()))
    assert "mark_unable" not in story.allowed(contact())


def _climbed() -> Story:
    return handled(MONDAY).give("coordinate", "03-10 11:00", to="supervision")


def test_the_level_falls_on_dispatch_to_another_unit() -> None:
    assert _climbed().give("reassign", unit="market").state.level == "contact"
    returned = dispatched(MONDAY).until("03-10 10:20").give("return_order")
    assert returned.state.level == "deputy_leader"
    assert returned.give("decide_return", unit="market").state.level == "contact"


STAYS = [
    (
        "a refused return",
        lambda: (
            dispatched(MONDAY).until("03-10 10:20").give("return_order").give("decide_return", accept=False)
        ),
        "deputy_leader",
    ),
    (
        "a limit set before signing",
        lambda: (
            dispatched(MONDAY).until("03-10 10:20").give("report_complex").give("set_limit", due_on="03-31")
        ),
        "deputy_leader",
    ),
    ("signing", lambda: dispatched(MONDAY).until("03-10 10:20").give("sign"), "deputy_leader"),
    (
        "an extension",
        lambda: _climbed().give("request_extension", working_days=1).give("decide_extension"),
        "supervision",
    ),
    ("a referral", lambda: _climbed().give("refer_up", due_on="03-31").give("referral_reply"), "supervision"),
    (
        "reopening",
        lambda: told(_climbed(), "03-10 15:00").give("revisit", rating=1).give("judge_revisit", reopen=True),
        "supervision",
    ),
]


@pytest.mark.parametrize(("story", "level"), [s[1:] for s in STAYS], ids=[s[0] for s in STAYS])
def test_the_level_stays_on_anything_else(story: Callable[[], Story], level: str) -> None:
    assert story().state.level == level


ESCALATED = [
    ("nothing", lambda: handled(MONDAY), False),
    ("a limit asked for", lambda: handled(MONDAY).give("report_complex"), True),
    ("complex from the start", lambda: dispatched(MONDAY, "complex"), True),
    ("referred", lambda: handled(MONDAY).give("refer_up", due_on="03-31").give("referral_reply"), True),
    ("marked unable", lambda: handled(MONDAY).give("mark_unable"), True),
    ("convened", lambda: handled(MONDAY).give("convene", co_units=("civil",)), False),
    ("ordered", lambda: handled(MONDAY).give("order"), False),
    (
        "extended",
        lambda: handled(MONDAY).give("request_extension", working_days=1).give("decide_extension"),
        False,
    ),
]


@pytest.mark.parametrize(("story", "escalated"), [e[1:] for e in ESCALATED], ids=[e[0] for e in ESCALATED])
def test_escalated_means_above_contact_a_limit_asked_for_or_referred(
    story: Callable[[], Story], escalated: bool
) -> None:
    assert story().state.escalated is escalated


# A case that nobody touches climbs by itself, to the second.
UNTOUCHED = [
    "triage_late 03-09 11:20",
    "sign_late_1 03-10 16:30",
    "response_late 03-11 17:30",
    "sign_late_2 03-11 12:00",
    "due_soon_1 03-13 09:00",
    "due_soon_2 03-16 09:00",
    "overdue_1 03-16 17:30:01",
    "overdue_2 03-17 17:30",
    "order_unanswered 03-19 17:30",
]


def test_a_case_that_nobody_touches_climbs_by_itself() -> None:
    story = Story(MONDAY).give(triage("commitment"), "03-10 11:00").until("12-31 17:30")
    assert sorted(story.fired()) == sorted(UNTOUCHED)
    assert (story.state.level, story.state.light, story.state.status) == ("supervision", "red", "dispatched")


@pytest.mark.parametrize("actor", [LEAD, CENTRE, SUPERVISOR], ids=lambda actor: actor.role)
def test_a_reminder_is_logged_and_goes_as_far_up_as_the_level_says(actor: Actor) -> None:
    story = handled(MONDAY)
    for level, told_so_far in [
        ("contact", ["contact housing"]),
        ("deputy_leader", ["contact housing", "deputy_leader housing"]),
        ("supervision", ["contact housing", "deputy_leader housing", "supervisor"]),
    ]:
        if level == "deputy_leader":
            story.give("mark_unable")
        elif level == "supervision":
            story.give("coordinate", to="supervision")
        before = story.state
        story.give("remind", actor=actor)
        assert story.told() == told_so_far
        assert story.state == before
        assert story.events[-1].texts["text"]
