"""The arithmetic of the clock: what the page shows must add up to the due date of the rules."""

from datetime import date

import pytest

from casework.clockwork import COUNTS, Clockwork, What, clockwork
from tests.support.cases import Story, shown, triage


def work_of(story: Story) -> Clockwork:
    """The clockwork of a story, which must have a clock."""
    made = clockwork(story.events, story.policy, story.calendar)
    assert made is not None
    return made


def line(work: Clockwork) -> str:
    """The days of a clockwork in short: MM-DD and the number, or what it is instead."""
    return " ".join(f"{each.first:%m-%d}:{each.from_number or each.what}" for each in work.days)


def test_before_triage_no_clock_runs() -> None:
    story = Story("03-09 09:20")
    assert clockwork(story.events, story.policy, story.calendar) is None


def test_day_zero_is_not_counted_and_the_weekend_is_shown() -> None:
    work = work_of(Story("03-12 09:20").give(triage("simple"), "03-12 09:40"))
    assert line(work) == "03-12:start 03-13:1 03-14:weekend 03-15:weekend 03-16:2 03-17:3"
    assert work.limit == 3


# Source: the State Council's notice for 2026: 1 to 7 October off, 20 September and 10 October worked.
@pytest.mark.parametrize(
    ("received", "days"),
    [
        ("09-18 10:00", "09-18:start 09-19:weekend 09-20:1 09-21:2 09-22:3"),
        (
            "09-30 10:00",
            "09-30:start 10-01:holiday 10-02:holiday 10-03:weekend 10-04:weekend 10-05:holiday "
            "10-06:holiday 10-07:holiday 10-08:1 10-09:2 10-10:3",
        ),
    ],
)
def test_holidays_are_left_out_and_make_up_days_counted(received: str, days: str) -> None:
    work = work_of(Story(received).give(triage("simple"), received))
    assert line(work) == days


def test_make_up_days_are_named() -> None:
    work = work_of(Story("09-18 10:00").give(triage("simple"), "09-18 10:10"))
    made_up = [each for each in work.days if each.what is What.MAKE_UP]
    assert [(each.first, each.from_number) for each in made_up] == [(date(2026, 9, 20), 1)]


def test_a_pause_is_not_counted_and_moves_the_due_date() -> None:
    story = Story("03-09 09:20").give(triage("commitment"), "03-09 09:40").give("sign", "03-09 10:00")
    story.give("suspend", "03-10 10:00", reason="等材料").give("resume", "03-12 09:00")
    work = work_of(story)
    assert line(work).startswith("03-09:start 03-10:1 03-11:paused 03-12:paused 03-13:2 03-14:weekend")
    assert work.limit == 5
    assert [pause.days for pause in work.pauses] == [2]
    assert [(move.type, move.days, shown(move.due)) for move in work.moves] == [
        ("triage", 0, "03-16 17:30"),
        ("resume", 2, "03-18 17:30"),
    ]


def test_a_pause_that_lasts_says_so() -> None:
    story = Story("03-09 09:20").give(triage("commitment"), "03-09 09:40").give("sign", "03-09 10:00")
    work = work_of(story.give("suspend", "03-10 10:00"))
    assert [(shown(pause.start), pause.end) for pause in work.pauses] == [("03-10 10:00", None)]


def test_an_extension_is_a_move_with_the_reason_it_was_asked_for() -> None:
    story = Story("03-09 09:20").give(triage("commitment"), "03-09 09:40").give("sign", "03-09 10:00")
    story.give("request_extension", "03-12 10:00", working_days=3, reason="调取档案")
    work = work_of(story.give("decide_extension", "03-13 10:00", reason=None))
    move = work.moves[-1]
    assert (move.type, move.days, move.reason) == ("decide_extension", 3, "调取档案")
    assert (shown(move.previous), shown(move.due)) == ("03-16 17:30", "03-19 17:30")
    assert work.limit == 8


def test_a_date_set_by_supervision_is_counted_to_as_well() -> None:
    story = Story("03-09 09:20").give(triage("complex"), "03-09 09:40")
    work = work_of(story.give("set_limit", "03-11 10:00", due_on="04-30"))
    assert work.set_on == date(2026, 4, 30)
    assert len(work.days) < 31
    assert (
        sum((each.to_number or 0) - (each.from_number or 0) + 1 for each in work.days if each.from_number)
        == work.limit
    )


def test_a_round_counts_from_its_reopening() -> None:
    story = Story("03-09 09:20").give(triage("commitment"), "03-09 09:40").give("sign", "03-09 10:00")
    story.give("reply", "03-10 10:00").give("check_reply", "03-10 11:00")
    story.give("revisit", "03-10 15:00", rating=1).give("judge_revisit", "03-11 10:00", reopen=True)
    work = work_of(story)
    assert shown(work.start) == "03-11 10:00"
    assert line(work).startswith("03-11:start 03-12:1")
    assert work.moves[-1].round == 2


def test_the_explanation_counts_from_the_declaration() -> None:
    story = Story("03-09 09:20").give(triage("commitment"), "03-09 09:40").give("sign", "03-09 10:00")
    story.give("declare_unsolvable", "03-13 10:00").give("confirm_unsolvable", "03-13 11:00")
    work = work_of(story)
    assert work.declared
    assert line(work) == "03-13:start 03-14:weekend 03-15:weekend 03-16:1 03-17:2 03-18:3"


def test_an_evening_filing_may_count_from_the_next_working_day() -> None:
    for hall, start in (("guilin", "03-13"), ("chengzhong", "03-13")):
        story = Story("03-13 19:00", hall).give(triage("simple"), "03-16 09:30")
        work = work_of(story)
        zero = shown(story.calendar.add_working_days(work.start, 0, story.policy.after_hours))
        assert zero is not None
        assert line(work).startswith(f"{zero[:5]}:start")
        assert start <= zero[:5]


def test_the_last_day_shown_is_the_due_day_and_the_numbers_run_through() -> None:
    for received in ("03-09 09:20", "09-25 18:00", "12-30 09:00"):
        work = work_of(Story(received).give(triage("commitment"), received))
        numbers = [each.from_number for each in work.days if each.what in COUNTS]
        assert numbers == list(range(1, 6))
        due = shown(work.due_at)
        assert due is not None
        assert due.endswith(f"{work.days[-1].last:%m-%d} 17:30")
