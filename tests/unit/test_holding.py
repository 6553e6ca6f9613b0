"""Who held a case for how many working hours: the heart of 督查问责.

Source: contract.md, holders by status; domain.md, section 9.
"""

from datetime import timedelta
from itertools import pairwise

from rules.holding import stretches, working_hours
from tests.support.cases import Story, dispatched, handled, leader, told, triage

MONDAY = "03-09 09:00"


def held(story: Story) -> list[str]:
    """Holder, unit and working hours of each stretch that has any."""
    lines = []
    for stretch in stretches(story.events):
        hours = working_hours(stretch, story.calendar, story.clock) / timedelta(hours=1)
        if hours:
            lines.append(" ".join(filter(None, (stretch.holder, stretch.unit, f"{hours:g}"))))
    return lines


def test_the_window_holds_a_case_from_t0_until_it_is_triaged() -> None:
    """Not from its registration: an outage is the house's own time."""
    story = Story(MONDAY, registered="03-09 11:00").give(triage("simple"), "03-09 12:00")
    assert held(story.until("03-09 14:30")) == ["window 3", "contact housing 1"]


def test_the_holder_follows_the_status() -> None:
    story = dispatched(MONDAY).give("return_order", "03-09 10:00")  # contact 1
    story.give("decide_return", "03-09 12:00", unit="market")  # window 2
    story.give("sign", "03-09 14:30").give("reply", "03-09 15:30")  # market 2
    story.give("check_reply", "03-09 16:30", accept=False, reason="不全")  # window 1
    story.give("suspend", "03-09 17:30").give("resume", "03-10 11:00")  # market 1, citizen 2
    story.give("refer_up", "03-10 12:00", due_on="03-31")  # market 1
    story.give("referral_reply", "03-10 16:30")  # superior 3
    story.give("report_complex", "03-10 17:30")  # market 1
    story.give("set_limit", "03-11 10:00", due_on="03-31")  # supervision 1
    told(story, "03-11 12:00").give("revisit", "03-11 15:30", rating=4)  # market 2, window 2
    assert held(story) == [
        "contact housing 1",
        "window 2",
        "contact market 2",
        "window 1",
        "contact market 1",
        "citizen 2",
        "contact market 1",
        "superior 3",
        "contact market 1",
        "supervision 1",
        "contact market 2",
        "window 2",
    ]


def test_within_the_unit_the_level_says_who_holds_it() -> None:
    story = (
        handled(MONDAY).give("mark_unable", "03-09 10:00").give("coordinate", "03-09 12:00", to="supervision")
    )
    story.give("declare_unsolvable", "03-09 14:30").give("confirm_unsolvable").until("03-09 17:30")
    assert held(story) == ["contact housing 1", "deputy_leader housing 2", "supervision 4"]


def test_an_alarm_that_raises_the_level_hands_the_case_on() -> None:
    story = dispatched(MONDAY).until("03-10 12:00")
    assert held(story) == ["contact housing 8", "deputy_leader housing 2"]


def test_nobody_holds_a_closed_case_and_a_reopened_one_is_held_again() -> None:
    story = told(handled(MONDAY, "simple"), "03-09 10:00").give("revisit", "03-09 11:00", rating=4)
    story.give("object", "03-10 09:00").give("judge_revisit", "03-10 10:00", reopen=True)
    story.until("03-10 12:00")
    assert held(story) == ["contact housing 1", "window 1", "window 1", "contact housing 2"]
    first, last = stretches(story.events)[0], stretches(story.events)[-1]
    assert (first.start, last.end) == (story.state.received_at, None)


def test_stretches_leave_no_gap_while_the_case_is_open() -> None:
    story = dispatched(MONDAY).until("03-12 10:00").give("sign").give("coordinate", actor=leader())
    told(story, "03-20 10:00")
    found = stretches(story.events)
    assert all(a.end == b.start for a, b in pairwise(found))
    total = sum((working_hours(s, story.calendar, story.clock) for s in found), timedelta())
    assert total == story.calendar.working_hours_between(story.state.received_at, story.clock)
