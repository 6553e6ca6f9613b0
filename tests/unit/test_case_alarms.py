"""Alarms: their instants, their order at one instant, one per key, and what a restart does to them.

Source: domain.md, section 4, alarms.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from rules.case.alarms import Alarm, alarms
from rules.case.decide import decide
from rules.case.errors import Illegal
from rules.case.events import SYSTEM, fold
from tests.support.cases import Story, contact, dispatched, handled, shown, told, triage

MONDAY = "03-09 09:20"  # a commitment case: due 03-16 17:30

STAGES: dict[str, tuple[Callable[[], Story], str]] = {
    "triage_late": (lambda: Story(MONDAY), "03-09 11:20"),
    "sign_late_1": (lambda: dispatched(MONDAY), "03-09 14:50"),
    "sign_late_2": (lambda: dispatched(MONDAY), "03-10 10:20"),
    "return_undecided": (lambda: dispatched(MONDAY).give("return_order"), "03-09 14:50"),
    "leader_undecided": (lambda: handled(MONDAY).give("mark_unable"), "03-10 17:30"),
    "limit_missing": (lambda: handled(MONDAY).give("report_complex"), "03-11 17:30"),
    "extension_undecided": (
        lambda: handled(MONDAY).give("request_extension", working_days=1),
        "03-10 17:30",
    ),
    "unsolvable_unconfirmed": (lambda: handled(MONDAY).give("declare_unsolvable"), "03-10 17:30"),
    "check_late": (lambda: handled(MONDAY).give("reply"), "03-09 14:50"),
    "revisit_late": (lambda: told(handled(MONDAY), MONDAY), "03-12 17:30"),
    "judgement_late": (lambda: told(handled(MONDAY), MONDAY).give("revisit", rating=1), "03-10 17:30"),
    "opinion_late": (lambda: handled(MONDAY).give("convene", co_units=("civil",)), "03-13 17:30"),
    "progress_late": (
        lambda: handled(MONDAY).give("report_complex").give("set_limit", due_on="03-31"),
        "03-16 17:30",
    ),
    "response_late": (lambda: dispatched(MONDAY), "03-10 17:30"),
    "due_soon_1": (lambda: handled(MONDAY), "03-13 09:00"),
    "due_soon_2": (lambda: handled(MONDAY), "03-16 09:00"),
    "overdue_1": (lambda: handled(MONDAY), "03-16 17:30:01"),
    "overdue_2": (lambda: handled(MONDAY), "03-17 17:30"),
    "order_unanswered": (lambda: handled(MONDAY).give("order"), "03-11 17:30"),
    "auto_resume": (lambda: handled(MONDAY).give("suspend"), "03-16 17:30"),
    "auto_archive": (lambda: dispatched(MONDAY, "consultation"), "03-23 17:30"),
}


@pytest.mark.parametrize("name", STAGES)
def test_each_alarm_is_due_at_its_instant_and_fires_then_once(name: str) -> None:
    teller, at = STAGES[name]
    story = teller()
    assert story.armed()[name] == at
    story.until(at)
    assert story.fired(name) == [f"{name} {at}"]
    (event,) = (e for e in story.events if e.type == name)
    assert (shown(event.data["was_due_at"]), event.actor) == (at, SYSTEM)


@pytest.mark.parametrize("name", STAGES)
def test_an_alarm_that_is_not_due_or_not_armed_is_refused(name: str) -> None:
    teller, _ = STAGES[name]
    story = teller()
    armed = next(a for a in armed_alarms(story) if a.name == name)
    assert rule_of(story, armed) == "not_due"
    assert rule_of(story, replace(armed, instance="99")) == "not_armed"
    story.until("12-31 17:00")
    assert armed.key in {mark.key for mark in story.state.fired}
    assert rule_of(story, armed) == "not_armed"


def armed_alarms(story: Story) -> list[Alarm]:
    return alarms(story.state, story.policy, story.calendar)


def rule_of(story: Story, alarm: Alarm) -> str:
    with pytest.raises(Illegal) as refused:
        decide(story.state, alarm, story.clock, SYSTEM, story.policy, story.calendar)
    return refused.value.rule


def test_sign_for_limits_stop_at_noon_and_go_on_after_the_break() -> None:
    assert dispatched("03-09 10:00", "simple").armed()["sign_late_1"] == "03-09 12:00"
    assert dispatched("03-09 10:01", "simple").armed()["sign_late_1"] == "03-09 13:31"
    assert dispatched("03-13 17:00", "simple").armed()["sign_late_1"] == "03-16 10:30"


# --- at one instant


SAME_INSTANT = [
    # All of these are due at closing of 03-17: a decider's limit, the second rung, an order, a reminder.
    "extension_undecided 03-17 17:30",
    "overdue_2 03-17 17:30",
    "order_unanswered 03-17 17:30",
    "response_late 03-17 17:30",
]


def test_at_one_instant_first_deciders_then_rungs_then_orders_then_reminders() -> None:
    story = handled(MONDAY).give("order", "03-13 10:00")  # due 03-17
    story.give("request_extension", "03-13 11:00", working_days=1).give("decide_extension", accept=False)
    story.give("inform").give("reassign", "03-16 10:00", unit="market").give("sign")  # response by 03-17
    story.give("request_extension", working_days=1)  # to be decided by 03-17
    story.until("03-17 18:00")
    assert [line for line in story.fired() if line.endswith("03-17 17:30")] == SAME_INSTANT


def test_a_resumption_comes_before_all_else_at_its_instant() -> None:
    story = handled(MONDAY).give("suspend", "03-10 10:00").give("order", "03-13 10:00").until("03-17 17:30")
    assert story.fired() == ["auto_resume 03-17 17:30", "order_unanswered 03-17 17:30"]


# --- past when armed


def test_a_reminder_already_past_when_armed_fires_at_once() -> None:
    story = handled(MONDAY).give("report_complex", "03-10 10:00")
    story.give("set_limit", "03-10 16:00", due_on="03-11")
    event = story.until("03-10 16:00").events[-1]
    assert (event.type, event.fired) == ("due_soon_1", ("due_soon_1/2/1",))
    story.give("reply", "03-10 17:00").give("check_reply", "03-11 10:00", accept=False, reason="不全")
    assert story.until("03-11 10:00").events[-1].type == "due_soon_2"


def test_reminders_already_past_when_armed_merge_into_one_event_that_tells_everybody() -> None:
    story = handled(MONDAY).give("convene", co_units=("civil",)).give("reply", "03-12 10:00")
    story.give("check_reply", "03-16 10:00", accept=False, reason="不全").until("03-16 10:00")
    event = story.events[-1]
    assert (event.type, shown(event.data["was_due_at"])) == ("due_soon_2", "03-16 09:00")
    assert [item["name"] for item in event.data["merged"]] == ["due_soon_1", "opinion_late"]
    assert set(event.fired) == {"due_soon_1/1/1", "due_soon_2/1/1", "opinion_late/1.1/1"}
    assert set(story.told()) == {"contact housing", "contact civil", "window_lead"}
    assert story.state.light == "yellow"


def test_what_waited_out_a_pause_merges_when_the_case_goes_on() -> None:
    story = dispatched(MONDAY).give("sign").give("request_extension", working_days=1)
    story.give("suspend", "03-10 10:00").give("resume", "03-12 10:00").until("03-12 10:00")
    event = story.events[-1]
    assert (event.type, [m["name"] for m in event.data["merged"]]) == (
        "response_late",
        ["extension_undecided"],
    )


def test_rungs_already_past_when_armed_fire_at_once_each_for_itself() -> None:
    story = handled(MONDAY).give("request_extension", "03-16 10:00", working_days=1).until("03-19 10:00")
    story.give("decide_extension").until("03-19 10:00")  # due 03-17: past already
    assert story.due == "03-17 17:30"
    assert story.fired("overdue_1", "overdue_2")[2:] == ["overdue_1 03-19 10:00", "overdue_2 03-19 10:00"]
    assert story.fired("due_soon_1", "due_soon_2")[2:] == ["due_soon_2 03-19 10:00"]


def test_reminders_that_an_outage_held_up_fire_one_by_one() -> None:
    story = handled(MONDAY).outage(until="03-18 10:00")
    assert story.fired() == [
        f"{name} 03-18 10:00" for name in ("due_soon_1", "due_soon_2", "overdue_1", "overdue_2")
    ]
    assert all("merged" not in event.data for event in story.events)


def test_after_an_outage_the_gap_shows() -> None:
    story = dispatched(MONDAY).outage(until="03-11 10:00")
    late = [(e.type, shown(e.data["was_due_at"]), shown(e.at)) for e in story.events if e.fired]
    assert late == [
        ("sign_late_1", "03-09 14:50", "03-11 10:00"),
        ("sign_late_2", "03-10 10:20", "03-11 10:00"),
        ("response_late", "03-10 17:30", "03-11 10:00"),
    ]


# --- keys


def test_each_dispatch_has_sign_for_alarms_of_its_own() -> None:
    story = dispatched(MONDAY).until("03-10 10:20").give("reassign", unit="market").until("03-11 11:20")
    assert story.fired("sign_late_1", "sign_late_2") == [
        "sign_late_1 03-09 14:50",
        "sign_late_2 03-10 10:20",
        "sign_late_1 03-10 15:50",
        "sign_late_2 03-11 11:20",
    ]
    keys = [key for event in story.events for key in event.fired]
    assert len(keys) == len(set(keys))


def test_the_due_ladder_starts_anew_each_time_the_due_date_moves() -> None:
    story = handled(MONDAY).until("03-16 10:00").give("request_extension", working_days=3)
    story.give("decide_extension").give("inform").until("03-20 18:00")
    assert story.fired("due_soon_1", "due_soon_2", "overdue_1", "overdue_2") == [
        "due_soon_1 03-13 09:00",
        "due_soon_2 03-16 09:00",
        "due_soon_1 03-18 09:00",
        "due_soon_2 03-19 09:00",
        "overdue_1 03-19 17:30:01",
        "overdue_2 03-20 17:30",
    ]


def test_warnings_skip_days_off() -> None:
    """The working day before Thursday 10-08 is 09-30."""
    story = handled("09-28 10:00", "simple")
    assert (story.due, story.armed()["due_soon_1"]) == ("10-08 17:30", "09-30 09:00")


def test_opinions_are_asked_for_again_when_the_due_date_moves_or_others_are_convened() -> None:
    story = handled(MONDAY).give("convene", co_units=("civil", "social")).until("03-16 10:00")
    assert story.fired("opinion_late") == ["opinion_late 03-13 17:30"]
    story.give("opine", actor=contact("civil")).give("request_extension", working_days=2)
    story.give("decide_extension").give("inform").until("03-17 18:00")
    assert story.fired("opinion_late")[1:] == ["opinion_late 03-17 17:30"]
    assert story.told() == ["contact social", "window_lead"]
    story.give("opine", actor=contact("social"))
    assert "opinion_late" not in story.armed()


def test_the_state_that_a_ledger_folds_to_arms_the_same_alarms() -> None:
    story = handled(MONDAY).give("convene", co_units=("civil",)).until("03-17 18:00")
    assert fold(story.events) == story.state
    again = replace_state(story)
    assert again.armed() == story.armed()


def replace_state(story: Story) -> Story:
    again = Story(MONDAY)
    folded = fold(story.events)
    assert folded is not None
    again.states.append(folded)
    return again


def test_nothing_is_armed_in_the_archive() -> None:
    story = Story(MONDAY).give(triage("consultation")).until("12-31 10:00")
    assert (story.armed(), story.next_alarm()) == ({}, None)
