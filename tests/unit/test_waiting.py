"""What an open case waits for, and whose order is due: the columns that work lists go by."""

import pytest

from rules.case.vocabulary import Role
from rules.case.waiting import next_order_due, next_step
from tests.support.cases import Story, dispatched, handled, leader, shown, told, triage

DAY = "03-09 09:20"


def replied() -> Story:
    return handled(DAY).give("reply", "03-09 10:00")


def returned(times: int) -> Story:
    story = dispatched(DAY, unit="market")
    for unit in ("housing", "social", "civil")[: times - 1]:
        story.give("return_order").give("decide_return", accept=True, unit=unit)
    return story.give("return_order")


WAITS = [
    ("registered", Story(DAY), "triage", Role.CLERK),
    ("dispatched", dispatched(DAY), "sign", Role.CONTACT),
    ("first return", returned(1), "decide_return", Role.WINDOW_LEAD),
    ("second return", returned(2), "decide_return", Role.CENTRE),
    ("third return", returned(3), "decide_return", Role.SUPERVISOR),
    ("handling", handled(DAY), "reply", Role.CONTACT),
    ("unable", handled(DAY).give("mark_unable"), "coordinate", Role.DEPUTY_LEADER),
    ("coordinated", handled(DAY).give("mark_unable").give("coordinate"), "reply", Role.CONTACT),
    ("complex", Story(DAY).give(triage("complex")), "set_limit", Role.SUPERVISOR),
    ("suspended", handled(DAY).give("suspend"), "resume", Role.WINDOW_LEAD),
    (
        "extension",
        handled(DAY).give("request_extension", working_days=1),
        "decide_extension",
        Role.WINDOW_LEAD,
    ),
    (
        "second extension",
        handled(DAY)
        .give("request_extension", working_days=1)
        .give("decide_extension", accept=True)
        .give("request_extension", working_days=1),
        "decide_extension",
        Role.SUPERVISOR,
    ),
    ("unsolvable", handled(DAY).give("declare_unsolvable"), "confirm_unsolvable", Role.WINDOW_LEAD),
    (
        "explaining",
        handled(DAY).give("declare_unsolvable").give("confirm_unsolvable", accept=True),
        "reply",
        Role.CONTACT,
    ),
    ("referred", handled(DAY).give("refer_up", due_on="03-20"), "referral_reply", Role.SUPERIOR),
    ("replied", replied(), "check_reply", Role.WINDOW_LEAD),
    ("told", told(handled(DAY), "03-10 15:00"), "revisit", Role.CLERK),
    (
        "dissatisfied",
        told(handled(DAY), "03-10 15:00").give("revisit", "03-11 10:00", reached=True, rating=1),
        "judge_revisit",
        Role.WINDOW_LEAD,
    ),
]


@pytest.mark.parametrize(("story", "step", "by"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS])
def test_an_open_case_waits_for_one_step_of_one_role(story: Story, step: str, by: Role) -> None:
    waits = next_step(story.state)
    assert waits is not None and (waits.step, waits.by) == (step, by)


def test_a_closed_case_waits_for_nothing() -> None:
    story = told(handled(DAY), "03-10 15:00").give("revisit", "03-11 10:00", reached=True, rating=5)
    assert next_step(story.state) is None and next_order_due(story.state) is None


def test_a_withdrawn_case_waits_for_nothing_though_a_request_was_pending() -> None:
    story = handled(DAY).give("request_extension", working_days=1).give("withdraw")
    assert next_step(story.state) is None


def test_the_first_unanswered_order_counts_until_it_is_answered() -> None:
    story = handled(DAY).give("order", "03-09 10:00").give("order", "03-10 10:00")
    first, second = (order.due_at for order in story.state.orders)
    assert next_order_due(story.state) == first and shown(first) < str(shown(second))
    story.give("answer_order", "03-10 11:00", actor=leader(), order="1")
    assert next_order_due(story.state) == second
    story.give("answer_order", "03-10 12:00", actor=leader(), order="2")
    assert next_order_due(story.state) is None
