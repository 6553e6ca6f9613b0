"""On time: judged once, by what the policy says, and not cured by what happens afterwards.

Source: domain.md, section 4, fine print; section 3.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rules.calendar import AfterHours
from tests.support.cases import POLICIES, Story, dispatched, handled, shown, t, told, triage

MONDAY = "03-09 09:20"  # a commitment case of Guilin is due on Monday 03-16, a simple one on 03-12
OLDER = {"into_received_at": t("03-01 10:00"), "into_open": True}


@pytest.mark.parametrize(
    ("hall", "kind", "received", "due"),
    [
        ("guilin", "simple", MONDAY, "03-12 17:30"),
        ("guilin", "commitment", MONDAY, "03-16 17:30"),
        ("guilin", "complex", MONDAY, "03-16 17:30"),  # the guard until a limit is set
        ("chengzhong", "simple", MONDAY, "03-12 17:30"),
        ("chengzhong", "commitment", MONDAY, "03-23 17:30"),
        ("guilin", "simple", "03-09 20:00", "03-12 17:30"),  # an evening filing still has that day as day 0
        ("guilin", "simple", "03-08 10:00", "03-11 17:30"),  # a Sunday filing too
        ("guilin", "simple", "02-13 16:00", "02-25 17:30"),  # make-up Saturday 02-14, Spring Festival
        ("guilin", "commitment", "09-30 16:50", "10-13 17:30"),  # National Day, make-up Saturday 10-10
    ],
)
def test_the_limit_ends_at_closing_of_the_nth_working_day_after_t0(
    hall: str, kind: str, received: str, due: str
) -> None:
    story = dispatched(received, kind, hall=hall)
    assert (story.due, shown(story.state.original_due_at)) == (due, due)


@pytest.mark.parametrize(
    ("received", "due"), [("03-09 17:31", "03-13 17:30"), ("03-09 17:30", "03-12 17:30")]
)
def test_under_next_day_a_filing_after_closing_counts_from_the_next_working_day(
    received: str, due: str
) -> None:
    policy = replace(POLICIES["guilin"], after_hours=AfterHours.NEXT_DAY)
    assert dispatched(received, "simple", policy=policy).due == due


def test_the_clock_runs_from_the_filing_not_from_a_late_registration() -> None:
    """The engine may have been down: T0 stays."""
    story = Story(MONDAY, registered="03-11 10:00")
    assert story.fired("triage_late") == []
    story.give(triage("simple"))
    assert story.due == "03-12 17:30"
    assert story.fired("triage_late") == ["triage_late 03-11 10:00"]


REPLY_AND_CHECK = [
    # hall, reply, check, on time
    ("guilin", "03-16 10:00", "03-16 17:30", True),  # told exactly at due
    ("guilin", "03-16 10:00", "03-16 17:30:01", False),  # done, but told late
    ("guilin", "03-16 17:30", "03-17 09:00", False),
    ("chengzhong", "03-23 17:30", "03-24 15:00", True),  # replied exactly at due
    ("chengzhong", "03-23 17:30:01", "03-23 17:30:02", False),
]


@pytest.mark.parametrize(("hall", "reply", "check", "on_time"), REPLY_AND_CHECK)
def test_guilin_is_judged_by_being_told_and_chengzhong_by_the_reply(
    hall: str, reply: str, check: str, on_time: bool
) -> None:
    story = handled(MONDAY, hall=hall).give("reply", reply).give("check_reply", check)
    judged = story.state.round
    assert (judged.on_time, shown(judged.replied_at), shown(judged.told_at)) == (on_time, reply, check)


def test_on_time_is_null_before_a_reply_is_accepted() -> None:
    story = handled(MONDAY).give("reply", "03-10 10:00")
    assert story.state.round.on_time is None
    assert story.give("check_reply", "03-20 10:00", accept=False, reason="不全").state.round.on_time is None


def test_the_reply_that_was_accepted_counts_not_the_first_one() -> None:
    story = handled(MONDAY, hall="chengzhong").give("reply", "03-10 10:00")
    story.give("check_reply", "03-10 11:00", accept=False, reason="不全")
    told(story, "03-24 10:00")
    assert (shown(story.state.round.replied_at), story.state.round.on_time) == ("03-24 10:00", False)


@pytest.mark.parametrize(("milliseconds", "on_time"), [(40, True), (999, True), (1000, False)])
@pytest.mark.parametrize("hall", ["guilin", "chengzhong"])
def test_the_due_second_is_on_time_to_its_end_as_nothing_is_overdue_before(
    hall: str, milliseconds: int, on_time: bool
) -> None:
    """A command takes its milliseconds; late without an overdue_1 there is none."""
    story = handled(MONDAY, hall=hall)
    story.until(story.due or "")
    story.clock += timedelta(milliseconds=milliseconds)
    story.give("reply").give("check_reply")
    assert story.state.rounds[0].on_time is on_time
    assert bool(story.fired("overdue_1")) is not on_time


@pytest.mark.parametrize(("milliseconds", "in_time"), [(999, True), (1000, False)])
def test_what_is_asked_for_within_the_due_second_is_asked_for_in_time(
    milliseconds: int, in_time: bool
) -> None:
    story = handled(MONDAY).until("03-16 17:30")
    story.clock += timedelta(milliseconds=milliseconds)
    assert story.refusal("request_extension", working_days=1) == (None if in_time else "overdue")
    story.give("withdraw")
    assert story.state.rounds[0].on_time is (None if in_time else False)


def test_a_reply_disarms_the_due_ladder_and_the_light_stays_as_it_was() -> None:
    story = handled(MONDAY).give("reply", "03-13 16:00").until("03-20 17:30")
    assert story.fired("due_soon_2", "overdue_1", "overdue_2") == []
    assert story.state.light == "yellow"


def test_a_reply_refused_before_due_arms_the_ladder_again() -> None:
    story = handled(MONDAY).give("reply", "03-12 10:00")
    story.give("check_reply", "03-12 11:00", accept=False, reason="不全")
    assert story.until("03-16 17:30:01").fired() == [
        "due_soon_1 03-13 09:00",
        "due_soon_2 03-16 09:00",
        "overdue_1 03-16 17:30:01",
    ]


def test_a_reply_refused_after_due_is_overdue_at_once_and_a_day_later_with_supervision() -> None:
    story = handled(MONDAY).give("reply", "03-16 16:00")
    story.give("check_reply", "03-18 10:00", accept=False, reason="不全").until("03-19 18:00")
    assert story.fired("overdue_1", "overdue_2") == ["overdue_1 03-18 10:00", "overdue_2 03-19 17:30"]
    (overdue,) = (event for event in story.events if event.type == "overdue_1")
    assert shown(overdue.data["was_due_at"]) == "03-16 17:30:01"
    assert (story.state.light, story.state.level) == ("red", "supervision")


def test_a_late_reply_refused_is_not_overdue_twice() -> None:
    story = handled(MONDAY).give("reply", "03-17 10:00")
    story.give("check_reply", "03-18 10:00", accept=False, reason="不全").until("03-19 17:30")
    assert story.fired("overdue_1", "overdue_2") == ["overdue_1 03-16 17:30:01", "overdue_2 03-19 17:30"]


def test_a_second_refusal_gives_another_day_before_supervision_takes_it_up() -> None:
    story = handled(MONDAY).give("reply", "03-16 16:00")
    story.give("check_reply", "03-18 10:00", accept=False, reason="不全").give("reply", "03-18 16:00")
    story.give("check_reply", "03-20 10:00", accept=False, reason="仍不全").until("03-23 17:30")
    assert story.fired("overdue_1", "overdue_2") == ["overdue_1 03-18 10:00", "overdue_2 03-23 17:30"]


# What moves the due date after it has passed, and whether the reply that follows is on time.
CURES = [
    ("reclassified in time", ["reclassify 03-11 10:00 commitment"], "03-16 17:30", True),
    ("reclassified late", ["reclassify 03-13 10:00 commitment"], "03-16 17:30", False),
    ("reported in time", ["report_complex 03-12 17:30", "set_limit 03-13 10:00 03-31"], "03-31 17:30", True),
    ("reported late", ["report_complex 03-13 09:00", "set_limit 03-13 10:00 03-31"], "03-31 17:30", False),
    ("referred in time", ["refer_up 03-12 17:30 03-31", "referral_reply 03-13 10:00"], "03-31 17:30", True),
    ("referred late", ["refer_up 03-13 10:00 03-31", "referral_reply 03-13 11:00"], "03-31 17:30", False),
    (
        "declared in time, confirmed late",
        ["declare_unsolvable 03-12 17:30", "confirm_unsolvable 03-13 16:00"],
        "03-17 17:30",
        True,
    ),
    (
        "declared late",
        ["declare_unsolvable 03-12 17:31", "confirm_unsolvable 03-13 09:00"],
        "03-12 17:30",
        False,
    ),
]


@pytest.mark.parametrize(("steps", "due", "on_time"), [c[1:] for c in CURES], ids=[c[0] for c in CURES])
def test_what_was_asked_in_time_cures_and_what_came_later_does_not(
    steps: list[str], due: str, on_time: bool
) -> None:
    story = handled(MONDAY, "simple")
    for step in steps:
        name, day, clock, *value = step.split()
        field = "kind" if name == "reclassify" else "due_on"
        story.give(name, f"{day} {clock}", **{field: value[0]} if value else {})
    assert story.due == due
    told(story, "03-13 16:30")
    assert story.state.round.on_time is on_time


def test_an_extension_asked_for_in_time_and_granted_late_cures() -> None:
    story = handled(MONDAY).give("request_extension", "03-16 17:30", working_days=3)
    story.give("decide_extension", "03-17 10:00")
    assert story.fired("overdue_1") == ["overdue_1 03-16 17:30:01"]
    assert (story.due, story.state.light, story.state.level) == ("03-19 17:30", "green", "deputy_leader")
    assert told(story, "03-19 17:30").state.round.on_time is True


def test_reclassification_after_due_moves_the_date_but_not_the_judgement() -> None:
    story = handled(MONDAY, "simple").give("reclassify", "03-13 10:00", kind="commitment")
    assert (story.due, story.state.light, story.state.due_epoch) == ("03-16 17:30", "green", 2)
    told(story, "03-13 16:00")
    assert (story.state.round.on_time, story.state.round.late) == (False, True)
    assert shown(story.state.original_due_at) == "03-12 17:30"


WITHDRAWN = [
    # at, what came before, on time
    ("03-16 17:30", [], None),
    ("03-16 17:30:01", [], False),
    ("03-17 09:00", [("suspend", "03-16 15:00", {})], None),  # the clock stood still
    ("03-17 09:00", [("reply", "03-16 15:00", {})], False),  # done, but not told by then
    ("03-13 10:00", [("reply", "03-12 15:00", {}), ("check_reply", "03-12 16:00", {})], True),
    ("03-18 10:00", [("reply", "03-12 15:00", {}), ("check_reply", "03-12 16:00", {})], True),
    (
        "03-18 10:00",
        [("report_complex", "03-17 09:00", {}), ("set_limit", "03-17 10:00", {"due_on": "03-31"})],
        False,
    ),
]


@pytest.mark.parametrize(("at", "before", "on_time"), WITHDRAWN)
def test_a_case_withdrawn_after_due_counts_as_late(
    at: str, before: list[tuple[str, str, dict[str, Any]]], on_time: bool | None
) -> None:
    story = handled(MONDAY)
    for name, when, given in before:
        story.give(name, when, **given)
    story.give("withdraw", at)
    assert (story.state.round.on_time, story.state.outcome) == (on_time, "withdrawn")


def test_a_reply_in_time_is_not_late_where_replies_are_judged_though_withdrawn_unchecked() -> None:
    story = handled(MONDAY, hall="chengzhong").give("reply", "03-23 17:00").give("withdraw", "03-25 10:00")
    assert story.state.round.on_time is None
    story = handled(MONDAY, hall="chengzhong").give("reply", "03-23 18:00").give("withdraw", "03-25 10:00")
    assert story.state.round.on_time is False


def test_a_merged_case_is_not_judged() -> None:
    story = handled(MONDAY).give("merge", "03-20 10:00", into="0", into_hall="guilin", **OLDER)
    assert (story.state.outcome, story.state.round.on_time, story.state.merged_into) == ("merged", None, "0")


LATE = [
    ("dispatched", lambda: dispatched(MONDAY).until("03-17 09:00")),
    ("replied", lambda: handled(MONDAY).give("reply", "03-17 09:00")),
    ("revisiting", lambda: told(handled(MONDAY), "03-17 09:00")),
    ("closed", lambda: told(handled(MONDAY), "03-17 09:00").give("revisit", rating=4)),
]


@pytest.mark.parametrize(("status", "teller"), LATE)
def test_lateness_is_excused_apart_never_as_on_time(status: str, teller: Callable[[], Story]) -> None:
    story = teller()
    assert story.state.status == status
    story.give("excuse")
    assert (story.state.excused, story.state.round.on_time) == (True, story.states[-2].round.on_time)
    assert story.refusal("excuse") == "excused"


def test_nothing_is_excused_that_was_not_late_nor_after_archiving() -> None:
    assert handled(MONDAY).refusal("excuse", "03-16 17:30") == "not_late"
    late = told(handled(MONDAY), "03-17 09:00").give("revisit", rating=4).give("archive")
    assert late.refusal("excuse") == "status"


def test_on_time_is_of_the_first_round_and_each_round_has_its_own() -> None:
    story = told(handled(MONDAY, "simple"), "03-13 10:00").give("revisit", rating=1)
    story.give("judge_revisit", reopen=True)
    told(story, "03-18 17:30").give("revisit", rating=5)
    assert [r.on_time for r in story.state.rounds] == [False, True]
    assert [shown(r.due_at) for r in story.state.rounds] == ["03-12 17:30", "03-18 17:30"]
