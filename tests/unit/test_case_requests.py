"""延期, 暂停, 无法解决: what a unit may ask for, and what the answer does to the clock.

Source: S0, 对于完全没有办法协调解决的问题; domain.md, sections 3 and 4.
"""

from dataclasses import replace

import pytest

from rules.case.events import Actor
from tests.support.cases import LEAD, POLICIES, SUPERVISOR, Story, contact, handled, shown, told

MONDAY = "03-09 09:20"  # due 03-16 17:30


# --- extensions


def test_an_extension_counts_from_the_old_due_date() -> None:
    story = handled("04-30 15:00").until("05-08 10:00")  # May Day, make-up Saturday 05-09
    assert story.due == "05-11 17:30"
    assert story.give("request_extension", working_days=5).give("decide_extension").due == "05-18 17:30"
    assert shown(story.state.original_due_at) == "05-11 17:30"


@pytest.mark.parametrize(
    ("at", "refused"), [("03-16 17:30", None), ("03-16 17:30:01", "overdue"), ("03-17 09:00", "overdue")]
)
def test_an_extension_is_asked_for_at_or_before_due(at: str, refused: str | None) -> None:
    assert handled(MONDAY).refusal("request_extension", at, working_days=1) == refused


@pytest.mark.parametrize(
    ("days", "refused"),
    [
        (0, "working_days: at_least_one"),
        (-1, "working_days: at_least_one"),
        (1, None),
        (5, None),
        (6, "beyond_original_limit"),
    ],
)
def test_an_extension_is_no_longer_than_the_original_limit(days: int, refused: str | None) -> None:
    assert handled(MONDAY).refusal("request_extension", working_days=days) == refused


def test_of_a_complex_case_the_limit_that_was_set_is_the_original_one() -> None:
    story = handled(MONDAY).give("report_complex").give("set_limit", due_on="03-19")
    assert story.refusal("request_extension", working_days=8) is None
    assert story.refusal("request_extension", working_days=9) == "beyond_original_limit"


def test_a_simple_case_has_no_extension() -> None:
    story = handled(MONDAY, "simple")
    assert story.refusal("request_extension", working_days=1) == "simple_not_extendable"


def test_an_extension_that_waits_lapses_when_the_case_becomes_a_simple_one() -> None:
    story = handled(MONDAY).give("request_extension", working_days=2).give("reclassify", kind="simple")
    assert story.state.pending is None
    assert story.refusal("decide_extension") == "no_extension_pending"
    assert "extension_undecided" not in story.armed()


def test_a_determination_that_waits_does_not_lapse_with_the_kind() -> None:
    story = handled(MONDAY).give("declare_unsolvable").give("reclassify", kind="simple")
    assert story.refusal("confirm_unsolvable") is None


def test_at_most_two_are_granted_refused_ones_do_not_count() -> None:
    story = handled(MONDAY)
    for accept in (False, True, False, True):
        story.give("request_extension", working_days=1)
        story.give("decide_extension", actor=story_decider(story), accept=accept)
    assert (story.state.extensions, story.due) == (2, "03-18 17:30")
    assert story.refusal("request_extension", working_days=1) == "extensions_used_up"


def story_decider(story: Story) -> Actor:
    return SUPERVISOR if story.state.extensions else LEAD


def test_one_request_at_a_time() -> None:
    story = handled(MONDAY).give("request_extension", working_days=1)
    assert story.refusal("request_extension", working_days=1) == "request_pending"
    assert story.refusal("declare_unsolvable") == "request_pending"


def test_the_window_lead_decides_until_one_was_granted_then_the_supervisor() -> None:
    story = handled(MONDAY).give("request_extension", working_days=1)
    assert (story.told(), "decide_extension" in story.allowed(LEAD)) == (["window_lead"], True)
    assert story.refusal("decide_extension", actor=SUPERVISOR) == "forbidden"
    story.give("decide_extension").give("request_extension", working_days=1)
    assert (story.told(), "decide_extension" in story.allowed(SUPERVISOR)) == (["supervisor"], True)
    assert story.refusal("decide_extension", actor=LEAD) == "forbidden"


def test_the_clock_runs_while_an_extension_is_undecided() -> None:
    story = handled(MONDAY).give("request_extension", "03-13 10:00", working_days=2).until("03-16 18:00")
    assert story.fired() == [
        "due_soon_1 03-13 09:00",
        "due_soon_2 03-16 09:00",
        "extension_undecided 03-16 17:30",
        "overdue_1 03-16 17:30:01",
    ]


@pytest.mark.parametrize("accept", [True, False])
def test_either_way_the_citizen_is_told_within_a_day(accept: bool) -> None:
    story = handled(MONDAY).give("request_extension", working_days=2)
    story.give("decide_extension", "03-10 10:00", accept=accept)
    assert story.armed()["response_late"] == "03-11 17:30"
    assert (story.due, story.state.pending) == ("03-18 17:30" if accept else "03-16 17:30", None)


def test_a_new_debt_to_the_citizen_does_not_put_off_an_old_one() -> None:
    """The response after the dispatch stays due when a decision is to be told as well."""
    story = handled(MONDAY).give("reassign", "03-10 10:00", unit="market").give("sign")
    story.give("request_extension", "03-11 09:30", working_days=2).give("decide_extension")
    story.until("03-13 10:00")
    assert story.fired("response_late") == ["response_late 03-11 17:30", "response_late 03-12 17:30"]


def test_one_word_to_the_citizen_settles_all_that_is_owed() -> None:
    story = handled(MONDAY).give("reassign", "03-10 10:00", unit="market").give("sign")
    story.give("request_extension", "03-11 09:30", working_days=2).give("decide_extension").give("inform")
    assert "response_late" not in story.armed()


# --- suspension


def test_a_pause_adds_the_working_days_after_the_pause_up_to_the_resumption() -> None:
    story = handled(MONDAY).give("suspend", "03-11 10:00").give("resume", "03-13 15:00")
    assert (story.due, story.state.status, story.state.suspended_days) == ("03-18 17:30", "handling", 2)


@pytest.mark.parametrize(
    ("pause", "resume", "days"),
    [
        ("03-11 09:00", "03-11 17:00", 0),
        ("03-11 17:30", "03-12 09:00", 1),
        ("03-13 10:00", "03-16 10:00", 1),  # over a weekend
        ("03-13 10:00", "03-15 10:00", 0),
    ],
)
def test_only_working_days_count(pause: str, resume: str, days: int) -> None:
    assert handled(MONDAY).give("suspend", pause).give("resume", resume).state.suspended_days == days


@pytest.mark.parametrize(
    ("at", "refused"), [("03-16 17:29", None), ("03-16 17:30", "overdue"), ("03-17 09:00", "overdue")]
)
def test_a_case_is_suspended_only_before_due(at: str, refused: str | None) -> None:
    assert handled(MONDAY).refusal("suspend", at) == refused


def test_a_suspended_case_resumes_itself_at_closing_of_the_fifth_day() -> None:
    story = handled(MONDAY).give("suspend", "03-11 10:00").until("03-18 17:30")
    assert story.fired() == ["auto_resume 03-18 17:30"]
    assert (story.state.status, story.due, story.state.suspended_days) == ("handling", "03-23 17:30", 5)
    assert story.events[-1].data["previous_due_at"] is not None
    assert story.told() == ["contact housing", "window_lead"]
    assert story.refusal("suspend") == "suspension_used_up"


def test_five_days_are_all_there_is_over_several_pauses() -> None:
    story = handled(MONDAY).give("suspend", "03-10 10:00").give("resume", "03-12 10:00")
    story.give("suspend", "03-12 11:00").until("03-17 18:00")
    assert story.fired() == ["auto_resume 03-17 17:30"]
    assert (story.state.suspended_days, story.due) == (5, "03-23 17:30")


def test_five_days_are_all_there_is_over_several_rounds() -> None:
    story = handled(MONDAY).give("suspend", "03-10 10:00").give("resume", "03-13 10:00")
    told(story, "03-13 11:00").give("revisit", rating=1).give("judge_revisit", reopen=True)
    assert story.due == "03-20 17:30"
    story.give("suspend", "03-16 10:00").until("03-18 18:00")
    assert story.fired("auto_resume") == ["auto_resume 03-18 17:30"]
    assert (story.state.suspended_days, story.due) == (5, "03-24 17:30")
    assert story.give("reclassify", kind="simple").due == "03-20 17:30"  # 3 wd and the 2 of this round


def test_a_policy_may_forbid_suspension() -> None:
    policy = replace(POLICIES["guilin"], suspension_total=0)
    assert handled(MONDAY, policy=policy).refusal("suspend") == "suspension_used_up"


def test_a_resumption_that_an_outage_held_up_adds_no_more_than_was_left() -> None:
    story = handled(MONDAY).give("suspend", "03-11 10:00").outage(until="03-20 10:00")
    assert story.fired("auto_resume") == ["auto_resume 03-20 10:00"]
    assert (story.state.suspended_days, story.due) == (5, "03-23 17:30")


def test_alarms_are_off_while_suspended_but_resumption_and_orders() -> None:
    story = handled(MONDAY).give("convene", co_units=("civil",)).give("order", "03-10 10:00")
    story.give("request_extension", "03-10 11:00", working_days=1).give("mark_unable")
    story.give("suspend", "03-10 15:00")
    assert story.armed() == {"order_unanswered": "03-12 17:30", "auto_resume": "03-17 17:30"}


def test_the_light_is_grey_while_suspended_and_then_as_it_was() -> None:
    story = handled(MONDAY).give("suspend", "03-11 10:00")
    assert story.state.light == "grey"
    assert story.give("resume", "03-12 10:00").state.light == "green"
    warned = handled(MONDAY).until("03-13 10:00").give("suspend")
    assert warned.give("resume", "03-13 11:00").state.light == "yellow"  # the date did not move
    warned = handled(MONDAY).until("03-13 10:00").give("suspend")
    assert warned.give("resume", "03-16 11:00").state.light == "green"  # it did


def test_an_extension_granted_while_suspended_moves_the_date_and_leaves_the_light_grey() -> None:
    story = handled(MONDAY).give("request_extension", working_days=2).give("suspend", "03-11 10:00")
    story.give("decide_extension")
    assert (story.due, story.state.light) == ("03-18 17:30", "grey")
    assert story.give("resume", "03-12 10:00").due == "03-19 17:30"


def test_the_due_date_that_passes_during_a_pause_is_not_overdue() -> None:
    story = handled(MONDAY).give("suspend", "03-16 10:00").until("03-18 10:00").give("resume")
    assert (story.fired("overdue_1"), story.due) == ([], "03-18 17:30")
    assert told(story, "03-18 17:00").state.round.on_time is True


# --- unsolvable


@pytest.mark.parametrize(
    ("declared", "confirmed", "due"),
    [
        ("03-10 10:00", "03-10 11:00", "03-16 17:30"),  # the case's own limit is the later one
        ("03-11 17:30", "03-12 09:00", "03-16 17:30"),
        ("03-13 10:00", "03-13 11:00", "03-18 17:30"),  # determination + 3 wd
        ("03-16 17:30", "03-16 17:30", "03-19 17:30"),  # at due is in time
        ("03-16 10:00", "03-18 10:00", "03-19 17:30"),  # confirmed late counts from the declaration
        ("03-16 17:31", "03-17 10:00", "03-16 17:30"),  # a late determination cures nothing
    ],
)
def test_confirmed_the_case_is_due_three_days_after_a_determination_in_time(
    declared: str, confirmed: str, due: str
) -> None:
    story = handled(MONDAY).give("declare_unsolvable", declared).give("confirm_unsolvable", confirmed)
    assert (story.state.status, story.due) == ("explaining", due)


def test_while_unconfirmed_the_due_alarms_run_and_the_lead_is_reminded() -> None:
    story = handled(MONDAY).give("declare_unsolvable", "03-13 10:00")
    assert story.told() == ["window_lead"]
    assert story.until("03-16 17:30:01").fired() == [
        "due_soon_1 03-13 09:00",
        "due_soon_2 03-16 09:00",
        "unsolvable_unconfirmed 03-16 17:30",
        "overdue_1 03-16 17:30:01",
    ]


def test_a_refused_determination_leaves_the_case_in_handling() -> None:
    story = handled(MONDAY).give("declare_unsolvable", "03-13 10:00")
    story.give("confirm_unsolvable", accept=False, reason="可协调")
    assert (story.state.status, story.due, story.state.pending) == ("handling", "03-16 17:30", None)


def test_not_resolved_is_said_only_from_explaining() -> None:
    rule = "unresolved_only_from_explaining"
    assert handled(MONDAY).refusal("reply", resolved=False) == rule
    assert handled(MONDAY).give("refer_up", due_on="03-31").refusal("reply", resolved=False) == rule
    story = handled(MONDAY).give("declare_unsolvable").give("confirm_unsolvable")
    assert story.refusal("reply", resolved=False) is None
    assert story.refusal("reply", resolved=True) is None


def test_a_refused_explanation_stays_in_explaining() -> None:
    story = handled(MONDAY).give("declare_unsolvable").give("confirm_unsolvable")
    story.give("reply", resolved=False, actor=contact()).give("check_reply", accept=False, reason="未说清")
    assert (story.state.status, story.state.refused_replies) == ("explaining", 1)


def test_an_accepted_explanation_counts_as_explained() -> None:
    story = handled(MONDAY).give("declare_unsolvable").give("confirm_unsolvable")
    told(story, "03-12 10:00", resolved=False).give("revisit", rating=3, resolved=False)
    assert (story.state.status, story.state.outcome) == ("closed", "explained")
    assert story.state.round.on_time is True


def test_the_ladder_runs_while_explaining() -> None:
    story = handled(MONDAY).give("declare_unsolvable").give("confirm_unsolvable").until("03-16 17:30:01")
    assert story.fired("overdue_1") == ["overdue_1 03-16 17:30:01"]
