"""催办, 督办单, 通报 material: what supervision does with a case that is late.

Source: S0, 跟踪督办 and 督促问效; domain.md, section 4.
"""

from datetime import UTC, datetime

import pytest

from rules.case.vocabulary import Ground
from tests.support.cases import Story, dispatched, handled, shown, told

MONDAY = "03-09 09:20"  # due 03-16 17:30


def order_times(story: Story) -> list[tuple[str | None, str | None]]:
    return [(shown(o.given_at), shown(o.due_at)) for o in story.state.orders]


def test_an_order_has_an_id_and_is_due_in_two_days() -> None:
    story = handled(MONDAY).give("order", "03-10 10:00")
    (order,) = story.state.orders
    assert (order.id, shown(order.due_at), order.answered_at) == ("1", "03-12 17:30", None)
    data = story.events[-1].data
    assert (data["order"], shown(data["order_due_at"])) == ("1", "03-12 17:30")
    assert story.told() == ["deputy_leader housing", "contact housing"]


def test_several_orders_may_be_open_and_each_is_answered_once() -> None:
    story = handled(MONDAY).give("order", "03-10 10:00").give("order", "03-11 10:00")
    story.give("answer_order", order="2")
    assert [o.answered_at is None for o in story.state.orders] == [True, False]
    assert story.told() == ["supervisor"]
    assert story.refusal("answer_order", order="2") == "order_answered"
    assert story.refusal("answer_order", order="3") == "order_unknown"
    story.give("answer_order", order="1")
    assert story.refusal("answer_order", order="1") == "no_order_open"


def test_an_unanswered_order_is_material_at_its_due_time() -> None:
    """拒不配合: a draft for a person to decide on, never issued by a machine."""
    story = handled(MONDAY).give("order", "03-10 10:00").until("03-12 17:30")
    assert story.fired() == ["order_unanswered 03-12 17:30"]
    assert story.told() == ["supervisor", "deputy_leader housing"]
    assert [(m.ground, m.unit, m.order) for m in story.materials()] == [
        (Ground.ORDER_UNANSWERED, "housing", "1")
    ]
    assert story.refusal("answer_order") is None  # late, but an answer


def test_an_answered_order_and_a_closed_case_give_no_material() -> None:
    answered = handled(MONDAY).give("order", "03-10 10:00").give("answer_order", "03-12 17:00")
    assert answered.until("03-13 10:00").materials() == []
    closed = told(handled(MONDAY).give("order", "03-10 10:00"), "03-11 10:00").give("revisit", rating=4)
    assert closed.until("03-13 10:00").materials() == []


def test_an_order_whose_time_came_while_the_case_was_closed_is_no_material_later() -> None:
    story = told(handled(MONDAY).give("order", "03-10 10:00"), "03-11 10:00").give("revisit", rating=4)
    story.give("object", "03-16 10:00").until("03-17 10:00")
    assert story.materials() == []
    assert "order_unanswered" not in story.armed()


def test_an_order_that_comes_due_after_the_case_was_opened_again_counts() -> None:
    story = told(handled(MONDAY).give("order", "03-10 10:00"), "03-11 10:00").give("revisit", rating=4)
    story.give("object", "03-12 10:00").until("03-12 17:30")
    assert [m.ground for m in story.materials()] == [Ground.ORDER_UNANSWERED]


@pytest.mark.parametrize("status", ["replied", "revisiting", "suspended"])
def test_an_order_runs_wherever_the_open_case_is(status: str) -> None:
    story = handled(MONDAY).give("order", "03-10 10:00")
    if status == "suspended":
        story.give("suspend")
    else:
        story.give("reply")
    if status == "revisiting":
        story.give("check_reply")
    assert story.state.status == status
    assert story.until("03-12 17:30").fired("order_unanswered") == ["order_unanswered 03-12 17:30"]


def test_a_day_after_due_supervision_takes_it_up_with_an_order() -> None:
    story = handled(MONDAY).until("03-17 17:30")
    assert story.fired("overdue_1", "overdue_2") == ["overdue_1 03-16 17:30:01", "overdue_2 03-17 17:30"]
    assert story.state.level == "supervision"
    assert order_times(story) == [("03-17 17:30", "03-19 17:30")]
    assert story.events[-1].data["order"] == "1"
    assert story.told() == ["supervisor", "deputy_leader housing", "window_lead"]


def test_while_the_case_stays_overdue_a_new_order_follows_two_days_after_each_answer() -> None:
    story = handled(MONDAY).until("03-18 10:00").give("answer_order", order="1").until("03-24 10:00")
    assert story.fired("overdue_2") == ["overdue_2 03-17 17:30", "overdue_2 03-20 17:30"]
    assert order_times(story) == [("03-17 17:30", "03-19 17:30"), ("03-20 17:30", "03-24 17:30")]
    story.give("answer_order", order="2").until("03-26 17:30")
    assert story.fired("overdue_2")[2:] == ["overdue_2 03-26 17:30"]
    assert [event.fired[0] for event in story.events if event.type == "overdue_2"] == [
        "overdue_2/1/1",
        "overdue_2/1/2",
        "overdue_2/1/3",
    ]


# Overdue since 03-16, ordered on 03-17 17:30, replied to on 03-18 11:00: when the next order comes.
REFUSED_AFTER_AN_ANSWER = [
    ("answered long before the refusal", "03-18 10:00", "03-23 10:00", "03-24 17:30"),
    ("answered two days before it", "03-18 10:00", "03-20 10:00", "03-23 17:30"),
    ("answered a day before it", "03-18 10:00", "03-19 10:00", "03-20 17:30"),
    ("answered just before it", "03-18 10:30", "03-18 15:00", "03-20 17:30"),
    ("answered after it", "03-19 10:00", "03-18 15:00", "03-23 17:30"),
]


@pytest.mark.parametrize(
    ("answered", "refused", "ordered"),
    [case[1:] for case in REFUSED_AFTER_AN_ANSWER],
    ids=[case[0] for case in REFUSED_AFTER_AN_ANSWER],
)
def test_a_late_reply_refused_brings_no_further_order_before_a_day_is_over(
    answered: str, refused: str, ordered: str
) -> None:
    """Two days after the answer, but one day after the refusal at the earliest."""
    story = handled(MONDAY).until("03-18 09:00")
    refusal = {"accept": False, "reason": "不全"}
    if answered < refused:
        story.give("answer_order", answered).give("reply", "03-18 11:00")
        story.give("check_reply", refused, **refusal)
    else:
        story.give("reply", "03-18 11:00").give("check_reply", refused, **refusal)
        story.give("answer_order", answered)
    assert story.armed()["overdue_2"] == ordered
    story.until(ordered)
    assert story.fired("overdue_2") == ["overdue_2 03-17 17:30", f"overdue_2 {ordered}"]
    assert [shown(order.given_at) for order in story.state.orders] == ["03-17 17:30", ordered]


def test_after_the_order_that_a_refusal_put_off_the_next_one_follows_its_answer() -> None:
    story = handled(MONDAY).until("03-18 09:00").give("answer_order", "03-18 10:00")
    story.give("reply", "03-18 11:00").give("check_reply", "03-23 10:00", accept=False, reason="不全")
    story.give("answer_order", "03-25 10:00", order="2")
    assert story.armed()["overdue_2"] == "03-27 17:30"


def test_without_an_answer_there_is_no_further_order() -> None:
    story = handled(MONDAY).until("04-30 18:00")
    assert len(story.state.orders) == 1
    assert story.fired("order_unanswered") == ["order_unanswered 03-19 17:30"]


def test_an_answer_to_the_supervisors_own_order_brings_no_new_one() -> None:
    story = handled(MONDAY).give("order", "03-16 18:00").give("answer_order", "03-17 10:00")
    story.until("03-31 10:00")
    assert [o.ladder for o in story.state.orders] == [None, 1]


def test_no_new_order_once_the_case_is_replied_to_or_its_due_date_moved() -> None:
    story = handled(MONDAY).until("03-18 10:00").give("answer_order", order="1").give("reply", "03-19 10:00")
    assert story.until("03-31 10:00").fired("overdue_2") == ["overdue_2 03-17 17:30"]
    story = handled(MONDAY).until("03-18 10:00").give("answer_order", order="1")
    story.give("refer_up", "03-19 10:00", due_on="04-15")
    assert story.until("03-31 10:00").fired("overdue_2") == ["overdue_2 03-17 17:30"]


def test_no_new_order_while_the_case_waits_for_a_limit() -> None:
    """Then the late one is supervision; an order without an addressee would repeat for ever."""
    story = handled(MONDAY).until("03-18 10:00").give("answer_order", order="1")
    story.give("report_complex", "03-19 10:00").until("03-31 10:00")
    assert story.fired("overdue_2") == ["overdue_2 03-17 17:30"]


def test_what_a_rung_grants_counts_from_its_firing() -> None:
    """After an outage the leader still has his two days."""
    story = handled(MONDAY).outage(until="03-24 10:00")
    assert order_times(story) == [("03-24 10:00", "03-26 17:30")]
    (event,) = (e for e in story.events if e.type == "overdue_2")
    assert (shown(event.at), shown(event.data["was_due_at"])) == ("03-24 10:00", "03-17 17:30")


def test_in_return_review_the_order_goes_to_the_unit_that_had_the_case() -> None:
    story = dispatched(MONDAY).give("return_order", "03-16 16:00").until("03-17 17:30")
    assert story.fired("overdue_2") == ["overdue_2 03-17 17:30"]
    assert len(story.state.orders) == 1


# --- two refused replies: 敷衍应付


def refused_replies(story: Story, times: int) -> Story:
    for _ in range(times):
        story.give("reply").give("check_reply", accept=False, reason="不全")
    return story


def test_two_refused_replies_are_material_and_a_third_adds_none() -> None:
    assert refused_replies(handled(MONDAY), 1).materials() == []
    for times in (2, 3):
        found = refused_replies(handled(MONDAY), times).materials()
        assert [(m.ground, m.unit) for m in found] == [(Ground.TWO_REFUSED_REPLIES, "housing")]


def test_refused_replies_of_two_units_are_not_added_up() -> None:
    story = refused_replies(handled(MONDAY), 1).give("reassign", unit="market").give("sign")
    assert refused_replies(story, 1).materials() == []
    assert [m.unit for m in refused_replies(story, 1).materials()] == ["market"]


def test_refused_replies_add_up_over_rounds() -> None:
    story = told(refused_replies(handled(MONDAY), 1), "03-10 10:00").give("revisit", rating=1)
    story.give("judge_revisit", reopen=True)
    assert [m.ground for m in refused_replies(story, 1).materials()] == [Ground.TWO_REFUSED_REPLIES]


def test_a_joint_consultation_is_not_convened_for_a_day_that_is_over() -> None:
    story = handled(MONDAY)
    yesterday = datetime(2026, 3, 8, 10, tzinfo=UTC)
    assert story.refusal("convene", co_units=("civil",), at=yesterday) == "at: in_the_past"
