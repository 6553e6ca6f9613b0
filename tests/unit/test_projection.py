"""The case as people read it: what is said of a closing is said of closed cases only."""

from activities.projection import columns_of
from tests.support.cases import handled, shown, told


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
