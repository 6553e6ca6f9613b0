"""A published calendar moves open due dates, says so, and leaves alone what fired or was accepted.

Source: domain.md, section 3, point 5; section 4, fine print.
"""

from dataclasses import replace

from tests.support.cases import ADMIN, Story, dispatched, handled, shown, told

MONDAY = "03-09 09:20"  # a commitment case: due 03-16 17:30


def test_a_new_calendar_moves_the_due_date_and_records_old_and_new() -> None:
    story = handled(MONDAY).change_calendar("03-10 10:00", off=["03-12"])
    assert story.due == "03-17 17:30"
    data = story.events[-1].data
    assert (shown(data["previous_due_at"]), shown(data["due_at"])) == ("03-16 17:30", "03-17 17:30")
    assert story.state.calendar == story.calendar.version
    assert story.until("03-17 18:00").fired() == [
        "due_soon_1 03-16 09:00",
        "due_soon_2 03-17 09:00",
        "overdue_1 03-17 17:30:01",
    ]


def test_what_fired_stays_and_the_new_date_has_its_own_ladder() -> None:
    story = handled(MONDAY).until("03-16 10:00").change_calendar("03-16 10:00", off=["03-12"])
    assert (story.state.light, story.state.due_epoch) == ("green", 2)
    story.until("03-16 10:00")
    assert story.fired() == ["due_soon_1 03-13 09:00", "due_soon_2 03-16 09:00", "due_soon_1 03-16 10:00"]
    assert story.state.light == "yellow"


def test_a_calendar_that_moves_nothing_leaves_the_ladder_alone() -> None:
    story = handled(MONDAY).until("03-13 10:00").change_calendar("03-13 10:00", off=["03-31"])
    assert (story.due, story.state.due_epoch, story.state.light) == ("03-16 17:30", 1, "yellow")
    assert "due_at" not in story.events[-1].data
    assert story.until("03-16 10:00").fired() == ["due_soon_1 03-13 09:00", "due_soon_2 03-16 09:00"]


def test_a_new_due_date_already_past_fires_at_once() -> None:
    story = handled(MONDAY).until("03-16 10:00").change_calendar("03-16 10:00", work=["03-14"])
    story.until("03-16 10:00")
    assert story.due == "03-14 17:30"
    assert story.fired("overdue_1", "overdue_2") == ["overdue_1 03-16 10:00"]
    assert story.state.light == "red"
    assert story.armed()["overdue_2"] == "03-16 17:30"


def test_an_extension_and_a_set_date_are_reckoned_again_too() -> None:
    story = handled(MONDAY).give("request_extension", working_days=5).give("decide_extension")
    assert story.due == "03-23 17:30"
    assert story.change_calendar("03-10 10:00", off=["03-12", "03-18"]).due == "03-25 17:30"
    story = handled(MONDAY).give("refer_up", due_on="03-31").give("referral_reply")
    story.give("request_extension", working_days=2).give("decide_extension")
    assert story.due == "04-02 17:30"
    assert story.change_calendar("03-10 10:00", off=["04-01", "03-12"]).due == "04-03 17:30"


def test_an_accepted_reply_keeps_its_due_date() -> None:
    story = told(handled(MONDAY), "03-10 10:00").change_calendar("03-10 11:00", off=["03-12"])
    assert (story.due, story.state.calendar) == ("03-16 17:30", story.calendar.version)
    story.give("revisit", "03-11 10:00", rating=4).change_calendar("03-11 11:00", off=["03-13"])
    assert story.due == "03-16 17:30"


def test_a_reply_that_waits_for_its_check_does_not() -> None:
    story = handled(MONDAY).give("reply", "03-10 10:00").change_calendar("03-10 11:00", off=["03-12"])
    assert story.due == "03-17 17:30"
    assert story.give("check_reply", "03-17 17:30").state.round.on_time is True


def test_while_suspended_a_change_counts_at_resume() -> None:
    story = handled(MONDAY).give("suspend", "03-10 10:00").change_calendar("03-10 11:00", off=["03-12"])
    assert story.due == "03-16 17:30"
    assert story.state.light == "grey"
    assert story.give("resume", "03-13 10:00").due == "03-19 17:30"  # 2 wd paused, and 03-12 off


def test_alarms_that_have_not_fired_are_armed_anew() -> None:
    story = dispatched(MONDAY).change_calendar("03-09 11:00", off=["03-10"])
    assert story.armed()["sign_late_1"] == "03-09 14:50"
    assert story.armed()["sign_late_2"] == "03-11 10:20"
    assert story.armed()["response_late"] == "03-11 17:30"


def test_open_orders_are_reckoned_again_those_past_or_answered_are_not() -> None:
    story = handled(MONDAY).give("order", "03-09 10:00").give("order", "03-10 10:00").give("order")
    story.give("answer_order", order="2").change_calendar("03-12 10:00", off=["03-11", "03-12"])
    assert [shown(o.due_at) for o in story.state.orders] == ["03-11 17:30", "03-12 17:30", "03-16 17:30"]


def test_the_archive_moves_with_the_calendar() -> None:
    story = dispatched(MONDAY, "consultation").change_calendar("03-10 10:00", off=["03-12"])
    assert story.armed() == {"auto_archive": "03-24 17:30"}
    assert story.until("03-31 10:00").refusal("calendar_changed", calendar="x") == "status"


def test_only_the_system_changes_calendars() -> None:
    assert handled(MONDAY).refusal("calendar_changed", actor=ADMIN) == "forbidden"


def test_a_due_time_in_a_year_without_a_notice_is_provisional_until_it_is_loaded() -> None:
    story = handled("2026-12-29 10:00", "simple")
    assert (story.due, story.state.due_provisional) == ("2027-01-04 17:30", True)
    story.calendar = replace(story.calendar, published=story.calendar.published | {2027})
    story.change_calendar("2026-12-30 10:00", off=["2027-01-04"])
    assert (story.due, story.state.due_provisional) == ("2027-01-05 17:30", False)
    assert handled(MONDAY).state.due_provisional is False


def test_a_change_before_triage_has_nothing_to_move() -> None:
    story = Story(MONDAY).change_calendar("03-09 10:00", off=["03-12"])
    assert story.due is None
