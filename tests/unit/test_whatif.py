"""What-if: under its own terms a case comes out as recorded; under others as the rules then say."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from models.recorded import TYPED, recorded_command
from rules.case.commands import Guidance, OneTimeNotice
from rules.case.events import Event
from rules.case.vocabulary import Level
from rules.counts import Counts
from rules.facts import facts_of
from rules.whatif import Replayed, Tally, outages_of, tally
from tests.support.cases import CENTRE, NATIONAL, POLICIES, Story, handled, make, t, told, triage
from tests.support.whatif import again
from tests.unit.test_machine import CALENDARS, CaseMachine

GUILIN = POLICIES["guilin"]
KNOWN = {calendar.version: calendar for calendar in CALENDARS}


def fired(events: Iterable[Event]) -> list[str]:
    """The alarms that fired, in order."""
    return [event.type for event in events if event.fired]


class ReplayMachine(CaseMachine):
    """The machine that breaks no case, told a second time at the end of each story."""

    def teardown(self) -> None:
        if not hasattr(self, "state"):
            return
        twice = again(self.events, self.state, self.policy, KNOWN, self.now)
        assert twice.not_applicable == ()
        assert twice.state == self.state
        assert fired(twice.events) == fired(self.events)
        self.counted()

    def counted(self) -> None:
        """What is counted of the case is what the figures count of it."""
        facts = facts_of(self.events, self.policy, KNOWN[self.state.calendar])
        counts = facts.counts
        if not (counts.told or (facts.counts_at and facts.counts_at < self.now)):
            counts = Counts()
        found = tally(self.events, self.now)
        for name in ("handled", "on_time", "excused", "escalated"):
            assert getattr(found, name) == getattr(counts, name), name
        assert (found.cases, found.orders, found.alarms) == (
            1,
            len(self.state.orders),
            len(fired(self.events)),
        )


TestReplay = ReplayMachine.TestCase
TestReplay.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


MONDAY = "03-09 09:20"  # a commitment case of Guilin is due on Monday 03-16


def under(story: Story, until: str | None = None, **values: Any) -> Replayed:
    """The story under the same policy with some values changed."""
    policy = replace(story.policy, version="other", **values)
    end = t(until) if until else story.clock
    return again(story.events, story.state, policy, {NATIONAL.version: NATIONAL}, end)


def test_a_shorter_limit_makes_late_what_was_on_time() -> None:
    story = told(handled(MONDAY), "03-13 10:00")
    twice = under(story, commitment=3)
    assert (story.state.rounds[0].on_time, twice.state.rounds[0].on_time) == (True, False)
    assert twice.state.due_at == t("03-12 17:30")
    assert "overdue_1" in fired(twice.events) and "overdue_1" not in fired(story.events)
    assert twice.state.level is Level.DEPUTY_LEADER
    assert twice.state.policy.version == "other"


def test_what_the_other_policy_refuses_is_named_and_the_case_goes_on() -> None:
    story = handled(MONDAY).give("request_extension", "03-11 10:00", working_days=2)
    story = told(story.give("decide_extension"), "03-17 10:00")
    twice = under(story, extensions=0)
    assert [(each.command, each.rule) for each in twice.not_applicable] == [
        ("request_extension", "extensions_used_up"),
        ("decide_extension", "no_extension_pending"),
    ]
    assert twice.not_applicable[0].at == t("03-11 10:00")
    assert (story.state.rounds[0].on_time, twice.state.rounds[0].on_time) == (True, False)
    assert twice.state.status is story.state.status


def test_judging_by_the_reply_cures_a_late_check() -> None:
    story = handled(MONDAY).give("reply", "03-16 17:00").give("check_reply", "03-17 10:00")
    assert under(story, judged_by="reply").state.rounds[0].on_time
    assert not under(story).state.rounds[0].on_time


def test_an_answer_finds_its_order_whatever_other_orders_there_are() -> None:
    """Recorded: the supervisor's order is the first, the ladder's the second."""
    story = handled(MONDAY).give("order", "03-17 15:00").until("03-18 09:00")
    assert [order.ladder is not None for order in story.state.orders] == [False, True]
    story.give("answer_order", "03-18 10:00", order="1").give("answer_order", order="2")
    sooner = under(story, commitment=3).state.orders
    assert [(order.ladder is not None, order.answered_at is not None) for order in sooner] == [
        (True, True),
        (False, True),
    ]
    never = under(story, commitment=50)
    assert [order.answered_at for order in never.state.orders] == [t("03-18 10:00")]
    assert [(each.command, each.rule) for each in never.not_applicable] == [("answer_order", "no_order_open")]


def test_an_outage_of_the_past_holds_up_alarms_again() -> None:
    story = handled(MONDAY).outage("03-20 10:00").until("03-20 18:00")
    twice = under(story)
    assert [mark.at for mark in twice.state.fired] == [mark.at for mark in story.state.fired]
    other = under(story, commitment=6)  # due on 03-17, in the outage, too
    assert {mark.at for mark in other.state.fired if mark.key.startswith("overdue")} == {t("03-20 10:00")}


def test_only_what_waited_is_an_outage() -> None:
    at = [t(f"03-09 {hour:02}:00") for hour in range(9, 14)]
    assert outages_of([(at[0], None), (at[2], at[1]), (at[2], at[1]), (at[3], at[3])]) == ((at[1], at[2]),)
    # Due before the event that armed it: it fired at once.
    assert outages_of([(at[1], None), (at[1], at[0])]) == ()
    assert outages_of([]) == ()


def test_another_calendar_moves_the_due_date() -> None:
    story = told(handled(MONDAY), "03-17 10:00")
    festival = replace(
        NATIONAL, version="festival", off=NATIONAL.off | {date(2026, 3, 11), date(2026, 3, 12)}
    )
    twice = again(story.events, story.state, GUILIN, {NATIONAL.version: festival}, story.clock)
    assert (twice.state.due_at, twice.state.calendar) == (t("03-18 17:30"), "festival")
    assert twice.state.rounds[0].on_time


def test_an_open_case_is_followed_until_the_end_asked_for() -> None:
    story = handled(MONDAY)
    assert "overdue_2" in fired(under(story, "03-31 10:00").events)
    assert fired(under(story).events) == []


def test_alarms_without_end_are_refused() -> None:
    story = Story(MONDAY).give(triage("complex"))
    with pytest.raises(ValueError, match="more than 1000 alarms"):
        under(story, "2031-03-09 09:00")


def test_a_case_is_registered_first() -> None:
    story = handled(MONDAY)
    with pytest.raises(ValueError, match="registers"):
        again(story.events[1:], story.state, GUILIN, {"": NATIONAL}, story.clock)


# --- counting


def judged(story: Story, at: str | None = None) -> bool | None:
    counted = tally(story.events, t(at) if at else story.clock)
    return bool(counted.on_time) if counted.handled else None


@pytest.mark.parametrize(
    ("story", "at", "expected"),
    [
        (told(handled(MONDAY), "03-13 10:00"), None, True),
        (told(handled(MONDAY), "03-17 10:00"), None, False),
        (handled(MONDAY), "03-16 17:30", None),  # exactly at due it can still be on time
        (handled(MONDAY), "03-16 17:31", False),
        (handled(MONDAY).give("reply", "03-16 16:00"), "03-17 10:00", None),  # not checked yet
        (handled(MONDAY).give("suspend", "03-13 10:00"), "03-18 10:00", None),
        (handled(MONDAY).give("withdraw", "03-10 10:00"), None, None),
        (handled(MONDAY).give("withdraw", "03-18 10:00"), None, False),
        (Story(MONDAY).give(triage("consultation")), "04-09 10:00", None),
        (Story(MONDAY).give(triage("out_of_scope")), "04-09 10:00", None),
        (Story(MONDAY), "04-09 10:00", None),
    ],
    ids=range(11),
)
def test_a_case_counts_as_the_figures_say(story: Story, at: str | None, expected: bool | None) -> None:
    assert judged(story, at) is expected


def test_a_merged_case_does_not_count() -> None:
    merged = handled(MONDAY).give(
        "merge",
        "03-18 10:00",
        into="older",
        into_hall="guilin",
        into_received_at="03-01 10:00",
        into_open=True,
    )
    assert judged(merged) is None


def test_a_tally_counts_what_a_policy_costs() -> None:
    late = handled(MONDAY).until("03-27 10:00").give("excuse", "03-27 11:00")
    names = [event.type for event in late.events if event.fired]
    counted = tally(late.events, late.clock, not_applicable=2)
    assert counted == Tally(
        cases=1,
        handled=1,
        excused=1,
        escalated=1,
        alarms=len(names),
        reminders=sum(name.startswith("due_soon") for name in names),
        orders=1,
        drafts=1,
        not_applicable=2,
    )
    both = counted + tally(told(handled(MONDAY), "03-13 10:00").events, late.clock)
    assert (both.cases, both.handled, both.on_time, both.on_time_rate) == (2, 2, 1, 0.5)
    assert Tally().on_time_rate is None
    with pytest.raises(ValueError, match="without events"):
        tally([], late.clock)


def test_withdrawn_in_time_and_reopened_a_case_is_judged_by_its_second_round() -> None:
    story = handled(MONDAY).give("withdraw", "03-10 10:00").give("object", "03-11 10:00")
    assert judged(story) is None
    told(story.give("judge_revisit", "03-11 11:00", reopen=True), "03-12 10:00")
    assert story.state.rounds[0].on_time is None
    assert judged(story) is True


def test_escalated_once_is_escalated_though_the_level_fell_again() -> None:
    story = handled(MONDAY).give("mark_unable", "03-09 10:00").give("reassign", unit="market").give("sign")
    assert tally(told(story, "03-13 10:00").events, story.clock).escalated == 1
    assert not story.state.escalated


def test_two_refused_replies_are_a_draft_as_well() -> None:
    story = handled(MONDAY)
    for hour in (10, 12):
        story.give("reply", f"03-10 {hour}:00").give(
            "check_reply", f"03-10 {hour + 1}:00", accept=False, reason="未说清。"
        )
    assert tally(story.events, story.clock).drafts == 1


def test_two_refused_returns_are_a_draft_as_well() -> None:
    story = Story(MONDAY).give(triage("commitment"))
    story.give("return_order", "03-09 10:00").give("decide_return", accept=False, reason="属其职责。")
    story.give("sign").give("mark_unable").give("reassign", unit="market").give("return_order")
    assert tally(story.events, story.clock).drafts == 0
    story.give("decide_return", None, CENTRE, accept=False, reason="属其职责。")
    assert tally(story.events, story.clock).drafts == 1


def test_no_text_is_needed_to_decide_again() -> None:
    """They are sealed, and one day erased; a mark stands in for each."""
    command = recorded_command("triage", {"kind": "out_of_scope"})
    assert command is not None
    assert command == make(
        "triage",
        kind="out_of_scope",
        note=TYPED,
        matter=TYPED,
        answer=TYPED,
        guidance=Guidance(unit=TYPED, address=TYPED, phone=TYPED),
        one_time_notice=OneTimeNotice(materials=TYPED, window=TYPED, person=TYPED, contact=TYPED),
    )
    assert recorded_command("overdue_1", {}) is None
