"""Limits that people set: complex cases, referrals, reclassification, another hall, another unit.

Source: S0, 办理时限; S1, 上报; domain.md, section 4.
"""

from collections.abc import Callable

import pytest

from rules.case.vocabulary import Light
from tests.support.cases import (
    CLERK,
    POLICIES,
    SUPERVISOR,
    Story,
    contact,
    dispatched,
    handled,
    shown,
    told,
    triage,
)

MONDAY = "03-09 09:20"


# --- complex cases, limit_pending


def test_a_complex_case_waits_for_a_limit_under_the_commitment_limit() -> None:
    story = dispatched(MONDAY, "complex")
    assert (story.state.status, story.due, story.state.light) == ("limit_pending", "03-16 17:30", "green")
    assert story.told() == ["supervisor"]
    assert story.armed()["limit_missing"] == "03-11 17:30"


def test_a_case_that_went_to_no_unit_yet_owes_no_response() -> None:
    """The response runs from the dispatch, and the unit has not heard of the case."""
    story = dispatched(MONDAY, "complex").until("03-12 10:00")
    assert story.fired("response_late") == []
    assert story.state.dispatches == 0
    story.give("set_limit", due_on="04-15")
    assert story.armed()["response_late"] == "03-13 17:30"


@pytest.mark.parametrize("kind", ["simple", "commitment"])
def test_reported_as_complex_the_due_date_stands_until_a_limit_is_set(kind: str) -> None:
    story = handled(MONDAY, kind)
    due = story.due
    story.give("report_complex", "03-10 10:00")
    assert (story.state.kind, story.due, story.state.status) == ("complex", due, "limit_pending")


def test_a_limit_before_signing_is_a_dispatch_and_after_signing_goes_on() -> None:
    unsigned = dispatched(MONDAY).give("report_complex").give("set_limit", "03-10 10:00", due_on="04-15")
    assert (unsigned.state.status, unsigned.state.dispatches) == ("dispatched", 2)
    assert unsigned.armed()["sign_late_1"] == "03-10 15:30"
    signed = handled(MONDAY).give("report_complex").give("set_limit", "03-10 10:00", due_on="04-15")
    assert (signed.state.status, signed.state.dispatches) == ("handling", 1)
    assert unsigned.due == signed.due == "04-15 17:30"


@pytest.mark.parametrize(
    ("due_on", "fault"),
    [
        ("03-10", "due_on: not_after_today"),
        ("03-09", "due_on: not_after_today"),
        ("03-14", "due_on: not_a_working_day"),
        ("05-01", "due_on: not_a_working_day"),
        ("03-11", None),
        ("05-09", None),  # a make-up Saturday
    ],
)
@pytest.mark.parametrize("command", ["set_limit", "refer_up"])
def test_a_date_set_by_a_person_is_a_working_day_after_today(
    command: str, due_on: str, fault: str | None
) -> None:
    story = handled(MONDAY)
    if command == "set_limit":
        story.give("report_complex")
    assert story.refusal(command, "03-10 10:00", due_on=due_on) == fault


def test_today_is_the_date_in_shanghai() -> None:
    """At 01:00 in Shanghai it is still yesterday in UTC."""
    story = handled(MONDAY).give("report_complex")
    assert story.refusal("set_limit", "03-11 01:00", due_on="03-11") == "due_on: not_after_today"


def test_a_missing_limit_is_reminded_every_day_at_closing() -> None:
    story = dispatched(MONDAY, "complex").until("03-13 18:00")
    assert story.fired("limit_missing") == [
        "limit_missing 03-11 17:30",
        "limit_missing 03-12 17:30",
        "limit_missing 03-13 17:30",
    ]
    assert story.told() == ["supervisor", "window_lead"]
    story.give("set_limit", "03-16 10:00", due_on="04-15").until("03-31 18:00")
    assert len(story.fired("limit_missing")) == 3


def test_waiting_for_a_limit_the_late_one_is_supervision_not_the_unit() -> None:
    story = dispatched(MONDAY, "complex").until("03-16 17:30:01")
    assert (story.events[-1].type, story.told()) == ("overdue_1", ["supervisor", "window_lead"])
    assert (story.state.light, story.state.level) == ("red", "contact")
    story.until("03-17 17:30")
    assert "overdue_2 03-17 17:30" in story.fired()
    assert (story.state.level, story.state.orders) == ("supervision", ())


def test_set_limit_starts_a_new_epoch_and_what_fired_stays() -> None:
    story = handled(MONDAY).give("report_complex", "03-13 10:00").until("03-16 10:00")
    assert story.fired("due_soon_1", "due_soon_2") == ["due_soon_1 03-13 09:00", "due_soon_2 03-16 09:00"]
    story.give("set_limit", due_on="03-20")
    assert (story.state.due_epoch, story.state.light, story.due) == (2, "green", "03-20 17:30")
    assert shown(story.state.original_due_at) == "03-16 17:30"
    story.until("03-20 10:00")
    assert story.fired("due_soon_1", "due_soon_2")[2:] == ["due_soon_1 03-19 09:00", "due_soon_2 03-20 09:00"]


def test_every_move_of_the_due_date_is_told_old_and_new() -> None:
    story = handled(MONDAY).give("report_complex").give("set_limit", "03-10 10:00", due_on="04-15")
    data = story.events[-1].data
    assert (shown(data["previous_due_at"]), shown(data["due_at"])) == ("03-16 17:30", "04-15 17:30")
    assert "due_at" not in story.give("progress").events[-1].data


def test_a_complex_case_owes_an_entry_every_five_days() -> None:
    story = handled(MONDAY).give("report_complex").give("set_limit", "03-10 10:00", due_on="05-29")
    assert story.armed()["progress_late"] == "03-17 17:30"
    story.give("progress", "03-16 10:00").until("03-31 10:00")
    assert story.fired("progress_late") == ["progress_late 03-23 17:30", "progress_late 03-30 17:30"]
    assert story.told() == ["contact housing", "window_lead"]
    story.give("progress")
    assert story.armed()["progress_late"] == "04-08 17:30"  # Qingming: 04-04 to 04-06 off


def test_the_entries_are_owed_by_who_has_the_case_in_hand() -> None:
    """Not while supervision looks for a limit, nor by a new unit for what the old one left undone."""
    story = handled(MONDAY).give("report_complex", "03-12 10:00").until("03-17 17:00")
    story.give("set_limit", due_on="05-29")
    assert story.armed()["progress_late"] == "03-24 17:30"
    story.give("reassign", "03-24 10:00", unit="market").give("sign", "03-24 11:00")
    assert story.armed()["progress_late"] == "03-31 17:30"
    story.give("refer_up", "03-25 10:00", due_on="05-29")
    assert story.armed()["progress_late"] == "03-31 17:30"
    story.give("referral_reply", "03-26 10:00").give("declare_unsolvable").give("confirm_unsolvable")
    assert story.state.status == "explaining"
    assert story.armed()["progress_late"] == "04-02 17:30"


@pytest.mark.parametrize("kind", ["simple", "commitment"])
def test_only_complex_cases_owe_entries(kind: str) -> None:
    assert "progress_late" not in handled(MONDAY, kind).armed()


# --- referral


def test_refer_up_sets_the_date_and_owes_the_citizen_a_word() -> None:
    story = handled(MONDAY).give("refer_up", "03-11 15:00", due_on="03-31")
    assert (story.state.status, story.due, story.state.referred) == ("referred", "03-31 17:30", True)
    assert story.told() == ["superior", "clerk", "window_lead"]
    assert story.armed()["response_late"] == "03-12 17:30"
    story.give("inform", "03-12 10:00", actor=CLERK)
    assert "response_late" not in story.armed()


def test_the_limit_of_a_referred_case_runs_and_the_unit_may_reply_from_there() -> None:
    story = handled(MONDAY).give("refer_up", "03-11 15:00", due_on="03-31").give("inform")
    assert story.until("03-31 18:00").fired() == [
        "due_soon_1 03-30 09:00",
        "due_soon_2 03-31 09:00",
        "overdue_1 03-31 17:30:01",
    ]
    story.give("reply").give("check_reply", accept=False, reason="不全")
    assert story.state.status == "referred"


def test_the_referral_is_answered_and_the_unit_goes_on() -> None:
    story = handled(MONDAY).give("refer_up", "03-11 15:00", due_on="03-31").give("referral_reply")
    assert (story.state.status, story.due) == ("handling", "03-31 17:30")
    story = handled(MONDAY).give("refer_up", due_on="03-31").give("referral_reply", actor=SUPERVISOR)
    assert story.state.status == "handling"


# --- reclassification


@pytest.mark.parametrize(
    ("before", "after", "due"),
    [("simple", "commitment", "03-16 17:30"), ("commitment", "simple", "03-12 17:30")],
)
@pytest.mark.parametrize("teller", [dispatched, handled], ids=["dispatched", "handling"])
def test_reclassified_a_case_is_due_by_its_new_kind_from_t0(
    teller: Callable[..., Story], before: str, after: str, due: str
) -> None:
    story = teller(MONDAY, before).give("reclassify", "03-11 10:00", kind=after)
    assert (story.state.kind, story.due) == (after, due)


def test_reclassification_keeps_granted_suspension_and_drops_an_extension() -> None:
    story = handled(MONDAY).give("suspend", "03-10 10:00").give("resume", "03-12 10:00")
    story.give("request_extension", working_days=5).give("decide_extension")
    assert story.due == "03-25 17:30"
    assert story.give("reclassify", kind="simple").due == "03-16 17:30"


@pytest.mark.parametrize(("at", "refused"), [("03-12 17:30", None), ("03-12 17:30:01", "new_due_is_past")])
def test_reclassification_is_refused_if_the_new_date_is_past(at: str, refused: str | None) -> None:
    assert handled(MONDAY).refusal("reclassify", at, kind="simple") == refused


@pytest.mark.parametrize(
    ("kind", "refused"),
    [("commitment", "same_kind"), ("complex", "kind: simple_or_commitment"), ("simple", None)],
)
def test_only_simple_and_commitment_change_into_each_other(kind: str, refused: str | None) -> None:
    assert handled(MONDAY).refusal("reclassify", kind=kind) == refused


# --- another unit, another hall


def test_reassigned_the_case_goes_to_the_other_unit_and_its_clock_runs_on() -> None:
    story = handled(MONDAY).give("request_extension", working_days=1)
    story.give("reassign", "03-10 10:00", unit="market")
    state = story.state
    assert (state.status, state.unit, state.unit_signed, state.level) == (
        "dispatched",
        "market",
        False,
        "contact",
    )
    assert (story.due, state.pending, state.dispatches) == ("03-16 17:30", None, 2)
    assert story.told() == ["contact market"]
    assert story.allowed(contact()) == []
    assert {"sign", "return_order"} <= set(story.allowed(contact("market")))


def test_a_case_is_not_reassigned_to_the_unit_that_has_it() -> None:
    assert handled(MONDAY).refusal("reassign", unit="housing") == "same_unit"


def test_transfer_keeps_t0_and_takes_the_other_halls_policy_and_calendar() -> None:
    story = Story(MONDAY, "chengzhong").until("03-10 10:00")
    story.policy = POLICIES["guilin"]
    story.give("transfer", hall="guilin")
    state = story.state
    assert (state.hall, state.policy.id, state.status, state.due_at) == (
        "guilin",
        "guilin",
        "registered",
        None,
    )
    assert story.armed() == {"triage_late": "03-10 12:00"}
    assert story.told() == ["clerk", "window_lead"]
    assert story.give(triage("commitment")).due == "03-16 17:30"


def test_a_case_is_not_transferred_to_the_hall_that_has_it() -> None:
    assert Story(MONDAY).refusal("transfer", hall="guilin") == "hall: same_hall"


# --- the light


def test_the_light_is_grey_without_a_due_date_then_green_yellow_red() -> None:
    story = Story(MONDAY)
    lights = [story.state.light]
    lights.append(story.give(triage("simple")).state.light)
    lights += [story.until(at).state.light for at in ("03-11 09:00", "03-12 17:30:01")]
    assert lights == [Light.GREY, Light.GREEN, Light.YELLOW, Light.RED]


def test_a_closed_case_keeps_its_last_light() -> None:
    story = told(handled(MONDAY).until("03-13 09:00"), "03-13 10:00").give("revisit", rating=4)
    assert story.give("archive").state.light == "yellow"
