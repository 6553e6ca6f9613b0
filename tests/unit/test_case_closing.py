"""回访, 好差评, 异议, 归档: no handled case is closed without hearing the citizen.

Source: S1, 答复-回头看-归档; S0, 公众意见反馈; domain.md, section 4.
"""

from collections.abc import Callable
from typing import Any

import pytest

from rules.case.events import CITIZEN
from tests.support.cases import (
    CLERK,
    LEAD,
    Story,
    contact,
    dispatched,
    handled,
    leader,
    shown,
    t,
    told,
    triage,
)

MONDAY = "03-09 09:20"
TOLD = "03-11 10:00"


def revisiting(kind: str = "simple") -> Story:
    return told(handled(MONDAY, kind), TOLD)


def explained() -> Story:
    story = handled(MONDAY).give("declare_unsolvable").give("confirm_unsolvable")
    return told(story, TOLD, resolved=False)


# --- the check


def test_accepted_the_citizen_is_told_and_the_revisit_is_the_clerks() -> None:
    story = revisiting()
    assert (story.state.status, story.told()) == ("revisiting", ["clerk"])
    assert (shown(story.state.round.told_at), story.state.round.resolved) == (TOLD, True)


def test_a_reply_is_checked_within_four_hours() -> None:
    story = handled(MONDAY).give("reply", "03-11 10:00").until("03-11 15:30")
    assert story.fired() == ["check_late 03-11 15:30"]
    assert story.told() == ["window_lead"]


def test_a_reply_is_not_sent_back_without_a_reason() -> None:
    story = handled(MONDAY).give("reply")
    assert story.refusal("check_reply", accept=False, reason=None) == "reason: required"
    story.give("check_reply", accept=False, reason="不全")
    assert (story.state.status, story.told()) == ("handling", ["contact housing"])


# --- the revisit


def test_the_revisit_is_made_within_three_days_of_being_told() -> None:
    story = revisiting().until("03-16 17:30")
    assert story.fired("revisit_late") == ["revisit_late 03-16 17:30"]
    assert story.told() == ["clerk", "window_lead"]


def test_the_revisit_stays_due_while_a_judgement_is_owed() -> None:
    """A bad rating of the citizen's own does not stand in for the revisit."""
    story = revisiting().give("rate", rating=1).until("03-16 17:30")
    assert story.fired()[1:] == ["judgement_late 03-12 17:30", "revisit_late 03-16 17:30"]


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"reached": True}, "rating: required"),
        ({"reached": True, "rating": 0}, "rating: one_to_five"),
        ({"reached": True, "rating": 6}, "rating: one_to_five"),
        ({"reached": False, "rating": 4}, "rating: not_reached"),
        ({"reached": False}, None),
        ({"reached": True, "rating": 1}, None),
        ({"reached": True, "rating": 5}, None),
    ],
)
def test_a_revisit_that_reached_the_citizen_has_a_rating(given: dict[str, Any], fault: str | None) -> None:
    assert revisiting().refusal("revisit", **given) == fault


SATISFACTION = [
    # teller, rating, resolved, closed
    (revisiting, 5, None, "solved"),
    (revisiting, 3, True, "solved"),
    (revisiting, 2, True, None),
    (revisiting, 1, None, None),
    (revisiting, 5, False, None),  # the reply said resolved
    (explained, 3, False, "explained"),
    (explained, 5, None, "explained"),
    (explained, 2, False, None),
    (explained, 4, True, "solved"),
]


@pytest.mark.parametrize(("teller", "rating", "resolved", "closed"), SATISFACTION)
def test_dissatisfied_is_a_rating_of_one_or_two_or_a_reply_that_does_not_hold(
    teller: Callable[..., Story], rating: int, resolved: bool | None, closed: str | None
) -> None:
    story = teller().give("revisit", "03-12 10:00", rating=rating, resolved=resolved)
    state = story.state
    assert (state.status, state.outcome) == (("closed", closed) if closed else ("revisiting", None))
    assert (state.judgement_since is None) == bool(closed)
    assert story.told() == ([] if closed else ["window_lead"])


def test_a_dissatisfied_citizen_waits_for_a_judgement_one_day() -> None:
    story = revisiting().give("revisit", "03-12 10:00", rating=1)
    assert story.armed() == {"judgement_late": "03-13 17:30"}
    assert story.refusal("revisit", rating=5) == "revisited"


ATTEMPTS = [
    # at, closed by the last one
    (["03-12 10:00", "03-12 15:00"], False),
    (["03-12 10:00", "03-12 15:00", "03-12 17:00"], False),  # one day only
    (["03-12 10:00", "03-12 15:00", "03-13 09:00"], True),
    (["03-12 10:00", "03-13 09:00"], False),  # two only
    (["03-12 10:00", "03-12 15:00", "03-12 17:00", "03-13 09:00"], True),
    (["03-12 23:59", "03-13 00:01", "03-13 00:02"], True),  # the days of Shanghai
]


@pytest.mark.parametrize(("attempts", "closed"), ATTEMPTS)
def test_the_third_failed_attempt_on_the_second_day_closes_by_itself(
    attempts: list[str], closed: bool
) -> None:
    story = revisiting()
    for at in attempts:
        assert story.state.status == "revisiting"
        story.give("revisit", at, reached=False)
    assert story.state.status == ("closed" if closed else "revisiting")
    assert len(story.state.round.attempts) == len(attempts)
    if closed:
        assert (story.state.outcome, story.state.round.reached) == ("solved", False)
        assert story.refusal("archive") == "objection_period"


def test_a_citizen_not_reached_who_rated_badly_still_waits_for_the_judgement() -> None:
    story = revisiting().give("rate", rating=2)
    assert story.refusal("judge_revisit", reopen=False) == "revisit_needed"
    for at in ("03-12 10:00", "03-12 15:00", "03-13 09:00"):
        story.give("revisit", at, reached=False)
    assert story.state.status == "revisiting"
    story.give("judge_revisit", reopen=False)
    assert (story.state.status, story.state.outcome) == ("closed", "solved")


def test_no_handled_case_is_closed_without_its_revisit() -> None:
    story = revisiting().give("rate", rating=1)
    assert story.refusal("judge_revisit", reopen=False) == "revisit_needed"
    assert story.refusal("judge_revisit", reopen=True) is None


# --- ratings


def test_the_two_ratings_are_kept_apart_and_the_citizens_counts() -> None:
    story = revisiting().give("rate", rating=5).give("revisit", rating=1)
    assert (story.state.status, story.state.round.rating) == ("closed", 5)
    assert (story.state.round.clerk_rating, story.state.round.citizen_rating) == (1, 5)
    story = revisiting().give("rate", rating=1).give("revisit", rating=5)
    assert (story.state.status, story.state.round.rating) == ("revisiting", 1)
    story = revisiting().give("revisit", rating=4)
    assert (story.state.round.rating, story.state.round.citizen_rating) == (4, None)


def test_the_citizens_good_rating_settles_what_only_the_clerks_bad_one_asked_for() -> None:
    story = revisiting().give("revisit", rating=2)
    assert "judgement_late" in story.armed()
    story.give("rate", rating=5)
    assert (story.state.status, story.state.outcome, story.state.round.rating) == ("closed", "solved", 5)


def test_a_good_rating_settles_no_reply_that_does_not_hold_and_no_objection() -> None:
    story = revisiting().give("revisit", rating=2, resolved=False).give("rate", rating=5)
    assert (story.state.status, story.refusal("judge_revisit", reopen=True)) == ("revisiting", None)
    story = closed().give("object", "03-13 10:00").give("rate", rating=5)
    assert (story.state.status, story.refusal("judge_revisit", reopen=True)) == ("revisiting", None)


def test_a_good_rating_does_not_stand_in_for_the_revisit() -> None:
    story = revisiting().give("rate", rating=5)
    assert (story.state.status, story.refusal("revisit", rating=4)) == ("revisiting", None)


def test_the_citizen_rates_once_a_round() -> None:
    story = revisiting().give("rate", rating=1)
    assert story.refusal("rate", rating=5) == "rated"
    story.give("judge_revisit", reopen=True)
    told(story, "03-12 10:00")
    assert story.refusal("rate", rating=5) is None
    assert [r.rating for r in story.give("rate", rating=4).state.rounds] == [1, 4]


@pytest.mark.parametrize("rating", [0, 6, -1])
def test_there_are_five_levels(rating: int) -> None:
    assert revisiting().refusal("rate", rating=rating) == "rating: one_to_five"


@pytest.mark.parametrize(("rating", "status"), [(1, "revisiting"), (2, "revisiting"), (3, "closed")])
def test_a_bad_rating_after_closing_asks_for_a_judgement(rating: int, status: str) -> None:
    story = revisiting().give("revisit", "03-12 10:00", rating=4).give("rate", "03-13 10:00", rating=rating)
    assert story.state.status == status
    if status == "revisiting":
        assert story.armed() == {"judgement_late": "03-16 17:30"}
        assert story.refusal("revisit", rating=5) == "revisited"
        assert story.refusal("judge_revisit", reopen=False) is None


def test_a_bad_rating_before_the_reply_is_accepted_is_judged_once_it_is() -> None:
    story = handled(MONDAY).give("reply", TOLD).give("rate", rating=1)
    assert story.state.judgement_since is None
    story.give("check_reply")
    assert shown(story.state.judgement_since) == TOLD


# --- judgement and objection


def closed(outcome: str = "solved") -> Story:
    if outcome == "solved":
        return revisiting().give("revisit", "03-12 10:00", rating=4)
    kind = {"consulted": "consultation", "informed": "out_of_scope"}[outcome]
    return dispatched("03-12 10:00", kind)


@pytest.mark.parametrize(
    ("at", "refused"),
    [("03-26 17:29", None), ("03-26 17:30", "status"), ("03-26 17:31", "status")],
)
def test_the_citizen_objects_within_ten_days_of_closing(at: str, refused: str | None) -> None:
    """At closing time of the tenth day the case goes to the archive."""
    assert closed().refusal("object", at) == refused


def test_an_objection_asks_for_a_judgement_of_the_window_lead() -> None:
    story = closed().give("object", "03-13 10:00")
    assert (story.state.status, story.told(), story.armed()) == (
        "revisiting",
        ["window_lead"],
        {"judgement_late": "03-16 17:30"},
    )


@pytest.mark.parametrize("outcome", ["solved", "consulted", "informed"])
def test_a_judgement_may_close_again_with_a_reason_and_the_outcome_stays(outcome: str) -> None:
    story = closed(outcome).give("object", "03-13 10:00").give("judge_revisit", "03-16 10:00", reopen=False)
    assert (story.state.status, story.state.outcome, shown(story.state.closed_at)) == (
        "closed",
        outcome,
        "03-16 10:00",
    )
    assert story.armed() == {"auto_archive": "03-30 17:30"}


def test_reopened_the_next_round_is_with_the_same_unit_and_the_leader_is_told() -> None:
    story = revisiting().give("revisit", "03-12 10:00", rating=1).give("judge_revisit", reopen=True)
    state = story.state
    assert (state.status, state.round.round, state.unit) == ("handling", 2, "housing")
    assert (state.outcome, state.closed_at, state.judgement_since, state.reply) == (None, None, None, None)
    assert story.told() == ["contact housing", "deputy_leader housing"]
    assert {"reply", "progress"} <= set(story.allowed(contact())) & set(story.allowed(leader()))


@pytest.mark.parametrize(
    ("kind", "hall", "due"),
    [
        ("simple", "guilin", "03-17 17:30"),
        ("commitment", "guilin", "03-19 17:30"),
        ("commitment", "chengzhong", "03-26 17:30"),
    ],
)
def test_a_second_round_counts_from_the_reopening(kind: str, hall: str, due: str) -> None:
    story = told(handled(MONDAY, kind, "housing", hall), TOLD).give("revisit", "03-12 10:00", rating=1)
    assert story.give("judge_revisit", reopen=True).due == due
    assert shown(story.state.original_due_at) != due


def test_a_second_round_of_a_complex_case_has_the_limit_that_was_set() -> None:
    story = handled(MONDAY).give("report_complex").give("set_limit", "03-10 10:00", due_on="03-19")  # 7 wd
    told(story, "03-11 10:00").give("revisit", "03-12 10:00", rating=1).give("judge_revisit", reopen=True)
    assert story.due == "03-23 17:30"


def test_a_second_round_has_a_ladder_of_its_own_even_where_it_is_due_on_the_old_day() -> None:
    story = told(handled(MONDAY), "03-09 10:00").give("revisit", "03-09 11:00", rating=1)
    story.give("judge_revisit", reopen=True)
    assert [shown(r.due_at) for r in story.state.rounds] == ["03-16 17:30", "03-16 17:30"]
    assert (story.state.due_epoch, story.state.light) == (2, "green")
    assert story.until("03-16 18:00").fired() == [
        "due_soon_1 03-13 09:00",
        "due_soon_2 03-16 09:00",
        "overdue_1 03-16 17:30:01",
    ]
    assert told(story, "03-17 10:00").state.rounds[1].on_time is False


def test_a_second_round_keeps_warnings_of_the_first_apart() -> None:
    story = told(handled(MONDAY).until("03-13 10:00"), "03-13 10:00")
    assert story.state.light == "yellow"
    story.give("revisit", "03-13 11:00", rating=1).give("judge_revisit", reopen=True)
    assert (story.due, story.state.light) == ("03-20 17:30", "green")
    assert story.until("03-20 10:00").state.light == "yellow"


def rounds(number: int) -> Story:
    story, day = handled(MONDAY, "simple"), 9
    for _ in range(number - 1):
        told(story, f"03-{day:02} 14:00").give("revisit", rating=1).give("judge_revisit", reopen=True)
        day += 1
    return story


@pytest.mark.parametrize(
    ("number", "level"), [(1, "contact"), (2, "contact"), (3, "supervision"), (4, "supervision")]
)
def test_from_round_three_the_level_is_supervision(number: int, level: str) -> None:
    assert (rounds(number).state.round.round, rounds(number).state.level) == (number, level)


@pytest.mark.parametrize("outcome", ["consulted", "informed"])
def test_an_untriaged_case_goes_back_to_triage(outcome: str) -> None:
    story = closed(outcome).give("object", "03-13 10:00").give("judge_revisit", reopen=True)
    state = story.state
    assert (state.status, state.round.round, state.kind, state.due_at) == ("registered", 2, None, None)
    assert (state.light, story.told(), story.armed()) == (
        "grey",
        ["window_lead"],
        {"triage_late": "03-13 12:00"},
    )


@pytest.mark.parametrize(
    ("kind", "due"), [("simple", "03-18 17:30"), ("commitment", "03-20 17:30"), ("complex", "03-20 17:30")]
)
def test_triaged_in_the_second_round_it_counts_from_the_reopening(kind: str, due: str) -> None:
    story = closed("consulted").give("object", "03-13 10:00").give("judge_revisit", reopen=True)
    assert story.give(triage(kind), "03-16 10:00").due == due


def test_triaged_in_the_third_round_the_level_is_supervision() -> None:
    story = closed("consulted")
    for _ in range(2):
        story.give("object").give("judge_revisit", reopen=True)
        if story.state.round.round == 2:
            story.give(triage("consultation"))
    story.give(triage("simple"))
    assert (story.state.round.round, story.state.level, story.state.status) == (
        3,
        "supervision",
        "dispatched",
    )


def test_a_withdrawn_case_reopened_goes_on_where_a_unit_has_it() -> None:
    story = handled(MONDAY).give("withdraw", "03-10 10:00").give("object", "03-11 10:00")
    assert story.refusal("judge_revisit", reopen=False) is None  # never told: no revisit is owed
    story.give("judge_revisit", reopen=True)
    assert (story.state.status, story.state.unit, story.due) == ("handling", "housing", "03-18 17:30")
    assert "response_late" not in story.armed()


def test_a_merged_case_that_is_reopened_stands_on_its_own_again() -> None:
    older = dict(into="older", into_hall="guilin", into_received_at=t("03-06 10:00"), into_open=True)
    story = handled(MONDAY).give("merge", "03-10 10:00", **older)
    assert story.state.merged_into == "older"
    story.give("object", "03-11 10:00").give("judge_revisit", reopen=True)
    assert story.state.merged_into is None


# --- the archive


ARCHIVABLE = [
    ("satisfied", lambda: closed(), None),
    ("satisfied by the citizen's own rating", lambda: unreached().give("rate", rating=4), None),
    ("not reached", lambda: unreached(), "objection_period"),
    ("judged", lambda: judged(), "objection_period"),
    ("consulted", lambda: closed("consulted"), "objection_period"),
    ("withdrawn", lambda: handled(MONDAY).give("withdraw"), "objection_period"),
]


def unreached() -> Story:
    story = revisiting()
    for at in ("03-12 10:00", "03-12 15:00", "03-13 09:00"):
        story.give("revisit", at, reached=False)
    return story


def judged() -> Story:
    return revisiting().give("revisit", rating=2).give("judge_revisit", reopen=False)


@pytest.mark.parametrize(("teller", "refused"), [a[1:] for a in ARCHIVABLE], ids=[a[0] for a in ARCHIVABLE])
def test_a_case_is_archived_at_once_only_if_the_citizen_was_reached_and_satisfied(
    teller: Callable[..., Story], refused: str | None
) -> None:
    story = teller()
    assert story.refusal("archive", actor=LEAD) == refused
    assert ("archive" in story.allowed(LEAD)) == (refused is None)


@pytest.mark.parametrize("teller", [a[1] for a in ARCHIVABLE], ids=[a[0] for a in ARCHIVABLE])
def test_any_case_goes_to_the_archive_by_itself_after_ten_days(teller: Callable[..., Story]) -> None:
    story = teller()
    assert list(story.armed()) == ["auto_archive"]
    story.until("04-30 10:00")
    assert story.state.status == "archived"
    assert story.state.archived_at == story.events[-1].at
    assert story.armed() == {}
    assert [story.allowed(actor) for actor in (LEAD, CLERK, CITIZEN)] == [[], [], []]


def test_the_lesson_learnt_goes_to_the_archive() -> None:
    assert closed().give("archive", lesson="共享证件不得重复收取").events[-1].texts["lesson"]


# --- merging


OLDER = {"into": "0", "into_hall": "guilin", "into_received_at": t("03-06 10:00"), "into_open": True}


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({}, None),
        ({"into": "case"}, "merge_into_itself"),
        ({"into_hall": "chengzhong"}, "merge_other_hall"),
        ({"into_open": False}, "merge_into_closed"),
        ({"into_received_at": t("03-09 09:21")}, "merge_into_younger"),
        ({"into_received_at": t(MONDAY), "into": "z"}, "merge_into_younger"),
        ({"into_received_at": t(MONDAY), "into": "a"}, None),  # the same minute: the smaller id is older
    ],
)
@pytest.mark.parametrize("teller", [Story, dispatched, handled], ids=["registered", "dispatched", "handling"])
def test_a_case_is_merged_into_an_older_open_one_of_the_same_hall(
    teller: Callable[..., Story], given: dict[str, Any], refused: str | None
) -> None:
    assert teller(MONDAY).refusal("merge", **{**OLDER, **given}) == refused


def test_a_clerk_may_not_merge_but_what_clerks_merged_once_is_decided_as_it_was() -> None:
    story = handled(MONDAY)
    assert story.refusal("merge", actor=CLERK, **OLDER) == "forbidden"
    assert "merge" not in story.allowed(CLERK)
    assert "merge" in story.allowed(LEAD)
    # A replay of a history from before comes to the decider straight, past the asking.
    assert story.give("merge", actor=CLERK, **OLDER).state.outcome == "merged"
