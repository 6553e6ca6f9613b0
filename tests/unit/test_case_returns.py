"""退单: who decides, what it does to the clocks, and who may not return again.

Source: domain.md, section 4 (decide_return; return_review; material for a 通报).
"""

import pytest

from rules.case.events import Actor
from rules.case.vocabulary import Ground
from tests.support.cases import CENTRE, CLERK, LEAD, SUPERVISOR, Story, contact, dispatched, leader

MONDAY = "03-09 09:20"


def returned(times: int = 1) -> Story:
    """A case returned `times` times, each but the last accepted by whoever had to decide."""
    story, units = dispatched(MONDAY), ("market", "social", "medical", "civil")
    for unit in units[: times - 1]:
        story.give("return_order").give("decide_return", unit=unit)
    return story.give("return_order")


@pytest.mark.parametrize(
    ("times", "decider"), [(1, LEAD), (2, CENTRE), (3, SUPERVISOR), (4, SUPERVISOR)], ids=str
)
def test_the_decider_climbs_with_each_return_and_the_earlier_ones_decide_no_more(
    times: int, decider: Actor
) -> None:
    story = returned(times)
    for actor in (CLERK, LEAD, CENTRE, SUPERVISOR):
        assert ("decide_return" in story.allowed(actor)) == (actor == decider)
        refused = story.refusal("decide_return", actor=actor, unit="education")
        assert refused == (None if actor == decider else "forbidden")
    assert story.told() == [str(decider.role)]


def test_refused_returns_count_for_the_decider_too() -> None:
    story = dispatched(MONDAY).give("return_order").give("decide_return", accept=False)
    story.give("reassign", unit="market").give("return_order")
    assert story.refusal("decide_return", actor=LEAD, unit="social") == "forbidden"
    story.give("decide_return", actor=CENTRE, unit="social")
    assert (story.state.returns, story.state.refused_returns) == (2, 1)


def test_an_accepted_return_needs_a_new_unit() -> None:
    story = returned()
    assert story.refusal("decide_return") == "unit: required"
    assert story.refusal("decide_return", unit="housing") == "same_unit"
    story.give("decide_return", unit="market")
    assert (story.state.unit, story.state.status, story.state.dispatches) == ("market", "dispatched", 2)
    assert story.told() == ["contact market"]


def test_a_refused_return_goes_back_to_the_same_unit_which_may_not_return_it_again() -> None:
    story = returned().give("decide_return", accept=False)
    assert (story.state.unit, story.state.status, story.state.dispatches) == ("housing", "dispatched", 1)
    assert story.refusal("return_order", actor=contact()) == "return_refused_before"
    assert story.refusal("return_order", actor=leader()) == "return_refused_before"
    assert "return_order" not in story.allowed(contact())


def test_a_refused_unit_may_not_return_the_case_even_when_it_comes_back_later() -> None:
    story = returned().give("decide_return", accept=False).give("reassign", unit="market")
    story.give("return_order").give("decide_return", unit="housing")
    assert story.refusal("return_order") == "return_refused_before"


def test_a_return_asks_a_reason_and_the_case_clock_runs_on() -> None:
    story = returned().until("03-16 17:30:01")
    assert story.due == "03-16 17:30"
    assert story.fired("overdue_1") == ["overdue_1 03-16 17:30:01"]


def test_the_sign_for_alarm_is_off_in_return_review_and_starts_anew() -> None:
    story = dispatched(MONDAY).give("return_order", "03-09 14:00")
    assert not {"sign_late_1", "sign_late_2"} & set(story.armed())
    story.give("decide_return", "03-10 09:00", unit="market")
    assert story.armed()["sign_late_1"] == "03-10 14:30"
    assert story.armed()["sign_late_2"] == "03-11 10:00"


def test_a_refused_return_is_no_new_dispatch_what_fired_for_it_stays_silent() -> None:
    """Domain.md, section 4: the instance is the dispatch, and an alarm fires once per key."""
    story = dispatched(MONDAY).until("03-09 14:50").give("return_order", "03-09 15:00")
    assert story.fired() == ["sign_late_1 03-09 14:50"]
    story.give("decide_return", "03-09 16:00", accept=False)
    assert "sign_late_1" not in story.armed()
    assert story.armed()["sign_late_2"] == "03-10 17:00"
    story.until("03-10 17:00").give("reassign", unit="market")
    assert story.armed().keys() >= {"sign_late_1", "sign_late_2"}


def test_an_undecided_return_reminds_the_decider_and_the_next_one_after_four_hours() -> None:
    story = dispatched(MONDAY).give("return_order", "03-09 10:00").until("03-09 15:30")
    assert story.fired() == ["return_undecided 03-09 15:30"]
    assert story.told() == ["window_lead", "centre"]
    story.give("decide_return", unit="market").give("return_order", "03-10 09:00").until("03-10 14:30")
    assert story.told() == ["centre", "supervisor"]
    story.give("decide_return", unit="social").give("return_order", "03-11 09:00").until("03-11 14:30")
    assert story.told() == ["supervisor"]


def test_without_a_unit_warnings_go_to_the_window_lead() -> None:
    story = dispatched(MONDAY).give("return_order", "03-12 17:00").until("03-13 09:00")
    assert story.events[-1].type == "due_soon_1"
    assert story.told() == ["window_lead"]


def test_two_refused_returns_are_material_and_name_the_unit() -> None:
    """推诿扯皮. A third one adds nothing: the material is there."""
    story = returned().give("decide_return", accept=False).give("reassign", unit="market")
    assert story.materials() == []
    story.give("return_order").give("decide_return", accept=False)
    assert [(m.ground, m.unit) for m in story.materials()] == [(Ground.TWO_REFUSED_RETURNS, "market")]
    story.give("reassign", unit="social").give("return_order").give("decide_return", accept=False)
    assert len(story.materials()) == 1


def test_accepted_returns_are_no_material() -> None:
    assert returned(4).give("decide_return", unit="education").materials() == []


def test_after_two_returns_only_the_third_decider_may_decide_the_next_one() -> None:
    story = returned(2).give("decide_return", unit="civil")
    assert story.refusal("decide_return", actor=CENTRE, unit="education") == "forbidden"
    assert story.refusal("decide_return", actor=SUPERVISOR, unit="education") == "status"


def test_a_new_dispatch_takes_over_the_response_that_the_one_before_owed() -> None:
    story = dispatched(MONDAY).give("reassign", unit="social").until("03-10 17:30")
    assert story.fired("response_late") == ["response_late 03-10 17:30"]
