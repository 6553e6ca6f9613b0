"""The case as people read it: what is said of a closing is said of closed cases only."""

from activities.projection import columns_of
from tests.support.cases import dispatched, handled, shown, told


def test_a_case_that_is_open_again_shows_neither_outcome_nor_closing() -> None:
    story = told(handled("03-09 09:20"), "03-10 15:00").give("revisit", "03-11 10:00", reached=True, rating=5)
    closed = columns_of(story.state)
    assert (closed["status"], closed["outcome"], shown(closed["closed_at"])) == (
        "closed",
        "solved",
        "03-11 10:00",
    )
    again = columns_of(story.give("object", "03-12 10:00").state)
    assert (again["status"], again["outcome"], again["closed_at"]) == ("revisiting", None, None)


def test_a_citizen_is_owed_a_word_from_the_dispatch_until_told() -> None:
    story = dispatched("03-09 09:20")
    assert shown(columns_of(story.state)["response_since"]) == "03-09 09:20"
    assert shown(columns_of(story.give("sign").state)["response_since"]) == "03-09 09:20"
    assert columns_of(story.give("inform").state)["response_since"] is None


def test_a_word_that_is_owed_stands_only_while_the_unit_works() -> None:
    story = dispatched("03-09 09:20").give("sign")
    story.give("suspend", "03-09 10:00")
    assert story.state.response_since and columns_of(story.state)["response_since"] is None
