"""What the figures count of a case: the worked cases, the rules around N, and random histories by hand."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.case.events import evolve
from rules.case.state import CaseState
from rules.counts import COUNTED, Counts
from rules.facts import CaseFacts, facts_of, outline, settled, stirs
from tests.support import counting
from tests.support.cases import CENTRE, Story, dispatched, handled, leader, shown, told
from tests.support.figuring import wander
from tests.unit.test_worked_cases import ALL, HANDLED, case_3, case_4, case_8, case_9, case_10, case_12

SATISFIED = dict(reached=True, rating=4)


def facts(story: Story) -> CaseFacts:
    return facts_of(story.events, story.policy, story.calendar)


@pytest.fixture(scope="module")
def worked() -> dict[str, CaseFacts]:
    return {case.__name__: facts(case()) for case in ALL}


# The expected figures of the worked cases.


def test_the_worked_cases_add_up_to_the_expected_figures(worked: dict[str, CaseFacts]) -> None:
    total = sum((found.counts for found in worked.values()), Counts())
    expected = {
        "handled": 10,
        "on_time": 9,
        "solved": 9,
        "unsolved": 1,
        "satisfied_final": 9,
        "rated_final": 10,
        "satisfied_first": 8,
        "rated_first": 10,
        "told": 10,
        "revisited": 10,
        "escalated": 4,
        "extended": 1,
        "reopened": 1,
        "returns": 1,
        "dispatches": 11,
        "handling_days": 115,
    }
    assert {name: getattr(total, name) for name in expected} == expected


def test_two_of_the_worked_cases_are_shown_apart(worked: dict[str, CaseFacts]) -> None:
    apart = {name for name, found in worked.items() if found.apart}
    usual = [found.counts.handling_days for name, found in worked.items() if name not in apart]
    assert apart == {"case_6", "case_11"}
    assert sum(usual) / 8 == 5.875


def test_consultations_and_what_is_out_of_scope_are_no_handled_cases() -> None:
    for story, name in ((case_3(), "consulted"), (case_4(), "out_of_scope")):
        found = facts(story)
        assert getattr(found, name) == 1
        assert (found.counts_at, found.counts.handled) == (None, 0)


def test_forty_four_filings_are_thirty_consultations_and_fourteen_cases() -> None:
    """S1 counts 44 = 30 consultations + 14 cases."""
    found = [facts(case_3())] * 30 + [facts(told(handled("03-09 09:20"), "03-10 15:00"))] * 14
    assert sum(each.consulted for each in found) == 30
    assert sum((each.counts for each in found), Counts()).handled == 14


@pytest.mark.parametrize("case", HANDLED, ids=lambda case: case.__name__)
def test_a_case_counts_at_the_earlier_of_due_time_and_accepted_reply(case: object) -> None:
    story = case()  # type: ignore[operator]
    first = story.state.rounds[0]
    assert facts(story).counts_at == min(first.due_at, first.replied_at)


# N


def test_a_case_that_is_neither_late_nor_told_counts_when_its_due_time_comes() -> None:
    story = handled("03-09 09:20", "simple")
    assert shown(facts(story).counts_at) == "03-12 17:30"


def test_a_withdrawn_case_counts_only_if_it_was_overdue_and_then_as_late() -> None:
    early = handled("03-09 09:20", "simple").give("withdraw", "03-10 10:00")
    late = handled("03-09 09:20", "simple").give("withdraw", "03-13 10:00")
    assert facts(early).counts_at is None
    assert (shown(facts(late).counts_at), facts(late).counts.on_time) == ("03-12 17:30", 0)
    assert facts(late).counts.handled == 1


def test_a_merged_case_is_in_no_n() -> None:
    story = handled("03-09 09:20", "simple").until("03-13 10:00")
    older = dict(into="older", into_hall="guilin", into_open=True)
    story.give("merge", **older, into_received_at=story.state.received_at.replace(year=2025))
    assert (facts(story).merged, facts(story).counts_at) == (1, None)


def test_a_suspended_case_counts_nowhere_until_it_goes_on() -> None:
    story = handled("03-09 09:20", "simple").give("suspend", "03-10 10:00")
    assert facts(story).counts_at is None
    assert shown(facts(story.give("resume", "03-11 10:00")).counts_at) == "03-13 17:30"


def test_a_reply_given_in_time_is_neither_late_nor_on_time_before_its_check() -> None:
    story = handled("03-09 09:20", "simple").give("reply", "03-12 17:00")
    assert facts(story).counts_at is None
    assert shown(facts(story.give("check_reply", "03-12 17:20")).counts_at) == "03-12 17:00"


def test_what_was_withdrawn_in_time_and_reopened_is_judged_by_its_second_round() -> None:
    story = handled("03-09 09:20", "simple").give("withdraw", "03-10 10:00").give("object", "03-11 10:00")
    story.give("judge_revisit", "03-11 11:00", reopen=True)
    assert shown(facts(story).counts_at) == "03-16 17:30"


# On time


def test_told_after_due_is_late_for_the_hall_and_on_time_for_the_unit() -> None:
    story = handled("03-09 09:20", "simple").give("reply", "03-12 17:20").give("check_reply", "03-13 09:30")
    assert (facts(story).counts.on_time, facts(story).counts.unit_on_time) == (0, 1)


def test_excused_lateness_is_counted_apart_and_never_as_on_time() -> None:
    story = handled("03-09 09:20", "simple").until("03-16 10:00").give("excuse")
    found = facts(told(story, "03-16 11:00")).counts
    assert (found.on_time, found.excused, found.unit_on_time, found.unit_excused) == (0, 1, 0, 1)


def test_a_case_that_only_an_extension_kept_on_time_is_late_without_it() -> None:
    found = facts(case_10()).counts
    assert (found.on_time, found.on_time_unextended) == (1, 0)
    assert (found.unit_on_time, found.unit_on_time_unextended) == (1, 0)


def test_a_case_that_was_done_before_its_old_due_time_needed_no_extension() -> None:
    story = handled("06-18 09:40", "commitment").give("request_extension", "06-24 10:00", working_days=5)
    story.give("decide_extension", "06-24 15:00")
    assert facts(told(story, "06-25 10:00")).counts.on_time_unextended == 1


def test_a_date_that_supervision_sets_after_an_extension_has_no_extension_in_it() -> None:
    story = handled("06-18 09:40", "commitment").give("request_extension", "06-24 10:00", working_days=5)
    story.give("decide_extension", "06-24 15:00").give("refer_up", "06-25 10:00", due_on="07-31")
    story.give("referral_reply", "07-20 10:00")
    found = facts(told(story, "07-21 10:00")).counts
    assert (found.extended, found.on_time_unextended) == (1, 1)


# Response, sign-for


@pytest.mark.parametrize(
    ("act", "at", "counts"),
    [
        ("inform", "03-10 17:30", 1),
        ("inform", "03-11 09:00", 0),
        ("reply", "03-10 15:00", 1),
    ],
)
def test_the_citizen_hears_something_within_a_working_day_of_the_first_dispatch(
    act: str, at: str, counts: int
) -> None:
    story = dispatched("03-09 09:20", "simple").give("sign", "03-09 10:00").give(act, at)
    assert facts(told_later(story)).counts.responded == counts


def told_later(story: Story) -> Story:
    if story.state.status == "replied":
        return story.give("check_reply")
    return told(story, "03-11 10:00")


def test_a_second_dispatch_does_not_give_the_response_more_time() -> None:
    story = dispatched("03-09 09:20", "simple", "social").give("return_order", "03-10 10:00")
    story.give("decide_return", "03-10 11:00", unit="market").give("sign").give("inform", "03-11 10:00")
    assert facts(told(story, "03-11 11:00")).counts.responded == 0


def test_signing_after_the_reminder_is_not_in_time() -> None:
    found = facts(told(dispatched("03-09 09:20", "simple").give("sign", "03-09 14:00"), "03-10 10:00"))
    assert (found.counts.signed, found.counts.signed_in_time) == (1, 0)


# What belongs to which unit


def test_a_returned_case_leaves_its_hours_and_its_return_with_the_first_unit() -> None:
    found = facts(case_8())
    assert found.unit == "medical"
    share = found.elsewhere["social"]
    assert (share.dispatches, share.returns, share.signed, share.contact_minutes) == (1, 1, 0, 115)
    assert (found.counts.dispatches, found.counts.returns, found.counts.contact_minutes) == (2, 1, 1060)


def test_a_refused_return_stays_with_the_unit_that_was_refused() -> None:
    story = dispatched("03-09 09:20", "simple", "social").give("return_order", "03-09 10:00")
    story.give("decide_return", "03-09 10:30", accept=False).give("reassign", "03-09 11:00", unit="market")
    found = facts(told(story.give("sign"), "03-10 10:00"))
    assert (found.elsewhere["social"].refused_returns, found.unit) == (1, "market")


def test_an_order_stays_with_the_unit_that_it_was_given_to() -> None:
    story = handled("03-09 09:20", "simple", "social").give("order", "03-09 10:00")
    story.give("answer_order", "03-09 11:00", actor=leader("social"))
    found = facts(told(story.give("reassign", unit="market").give("sign"), "03-10 10:00"))
    assert (found.elsewhere["social"].orders, found.counts.orders, found.counts.ordered) == (1, 1, 1)


def test_holding_minutes_of_the_shopkeeper(worked: dict[str, CaseFacts]) -> None:
    found = worked["case_1"].counts
    assert (found.contact_minutes, found.window_minutes, found.handling_minutes) == (670, 210, 670)


def test_a_stretch_that_lasts_is_no_part_of_the_minutes() -> None:
    found = facts(handled("03-09 09:20", "simple").until("03-13 10:00"))
    running = found.running
    assert running is not None
    assert (running.holder, running.unit, shown(running.since)) == (
        "deputy_leader",
        "housing",
        "03-12 17:30:01",
    )
    assert found.counts.contact_minutes == 1660
    assert facts(case_9()).running is None


def test_escalated_once_is_escalated_though_the_level_fell_again() -> None:
    story = (
        handled("03-09 09:20", "simple").give("mark_unable", "03-09 10:00").give("reassign", unit="market")
    )
    assert story.state.level == "contact"
    assert facts(told(story.give("sign"), "03-10 10:00")).counts.escalated == 1


def test_a_second_round_is_rated_apart_and_judged_by_the_first(worked: dict[str, CaseFacts]) -> None:
    found = worked["case_12"]
    assert (found.counts.satisfied_first, found.counts.satisfied_final) == (0, 1)
    assert found.counts.handling_days == 5
    assert shown(found.counts_at) == shown(case_12().state.rounds[0].replied_at)


def test_a_case_without_events_has_no_facts() -> None:
    story = case_3()
    with pytest.raises(ValueError, match="without events"):
        facts_of([], story.policy, story.calendar)


# When facts are written


def test_the_usual_case_writes_its_facts_four_times() -> None:
    """Registration, triage, told, closed: the other commands cost the ledger nothing."""
    story = told(handled("03-09 09:20", "simple"), "03-10 15:00").give("revisit", "03-11 10:00", **SATISFIED)
    story.give("archive")
    assert _stirring(story) == ["registered", "triage", "check_reply", "revisit"]


def _stirring(story: Story) -> list[str]:
    state: CaseState | None = None
    found = []
    for event in story.events:
        before, state = state, evolve(state, event)
        if stirs(before, event, state):
            found.append(event.type)
    return found


def test_an_extension_and_a_pause_write_when_the_case_will_count() -> None:
    story = handled("03-09 09:20").give("request_extension", "03-10 10:00", working_days=2)
    story.give("decide_extension", actor=None).give("suspend", "03-10 11:00").give("resume", "03-11 10:00")
    assert _stirring(story)[2:] == ["decide_extension", "suspend", "resume"]


def test_a_transfer_moves_a_case_to_the_other_hall() -> None:
    story = Story("03-09 09:20").give("transfer", "03-09 09:30", actor=CENTRE, hall="chengzhong")
    assert facts(story).hall == "chengzhong"
    assert _stirring(story) == ["registered", "transfer"]


# Random histories


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_facts_are_what_is_counted_by_hand(seed: int) -> None:
    story = wander(Random(seed), 14)
    found = facts(story)
    counts = found.counts.told or (found.counts_at is not None and found.counts_at < story.clock)
    expected = counting.period_of(story.state, story.clock)
    assert expected == (found.counts_at if counts else None)
    if expected is None:
        return
    by_hand = counting.one(story, story.clock)
    assert {name: getattr(found.counts, name) for name in by_hand} == dict(by_hand)
    elsewhere: Counter[str] = Counter()
    for part in found.elsewhere.values():
        elsewhere.update({n: v for n, v in vars(part).items() if v})
    assert all(value <= getattr(found.counts, name) for name, value in elsewhere.items())


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_what_is_written_as_it_happens_is_what_the_ledger_says(seed: int) -> None:
    """Facts written only when an event stirs them never fall behind those of the whole ledger."""
    story = wander(Random(seed), 14)
    state: CaseState | None = None
    written: CaseFacts | None = None
    for index, event in enumerate(story.events, 1):
        before, state = state, evolve(state, event)
        if stirs(before, event, state):
            whole = facts_of(story.events[:index], story.policy, story.calendar)
            written = whole if settled(state, event.at) else outline(state)
    assert written is not None and state is not None
    now = facts(story)
    if settled(state, story.events[-1].at):
        assert written == now
    else:
        place = replace(now, counts=Counts(), elsewhere={}, running=None)
        if state.status == "replied":  # the reply itself wrote nothing: the case counts nowhere yet
            place = replace(place, counts_at=written.counts_at, counts_on=written.counts_on)
        assert written == place


def test_counts_can_be_added_and_taken_away() -> None:
    one, two = Counts(handled=1, told=1), Counts(handled=2, orders=3)
    assert one + two == Counts(handled=3, told=1, orders=3)
    assert one + two - two == one
    assert all(a != b for a, b in pairwise(COUNTED))
