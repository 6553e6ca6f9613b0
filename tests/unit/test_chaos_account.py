"""The account at the end of the chaos finds what is planted: losses, doubles, alarms missed or false."""

from collections import Counter
from datetime import datetime

import pytest

from benchmarks.chaos_account import Account, count_acts, reckon_alarms
from benchmarks.chaos_load import Answers
from casework.pinned import Pinned
from models.case import LedgerEvent
from models.messages import encode_event
from tests.support.cases import Story, handled, t

CASE = "case"


def ledger(story: Story) -> list[LedgerEvent]:
    """The rows that the machine would have written of a story."""
    rows = []
    for seq, event in enumerate(story.events, 1):
        values = encode_event(event)
        values.pop("texts")
        at = datetime.fromisoformat(values.pop("at"))
        command_id = event.fired[0] if event.fired else f"command-{seq}"
        rows.append(
            LedgerEvent(case_id=CASE, seq=seq, at=at, command_id=command_id, prev_hash="", hash="", **values)
        )
    return rows


def answered(story: Story) -> Answers:
    """What the people of a story were answered."""
    acts = Counter((CASE, event.type) for event in story.events if event.actor.role != "system")
    return Answers(acts=acts)


def reckoned(story: Story, rows: list[LedgerEvent], until: str) -> Account:
    """The alarms of these rows under the terms of the story."""
    made = Account()
    reckon_alarms(made, CASE, rows, lambda _: Pinned(story.policy, story.calendar), t(until))
    return made


@pytest.fixture
def late() -> Story:
    """A simple case that nobody replies to: warned twice, overdue on 12 March at 17:30:01."""
    return handled("03-09 09:20", "simple").until("03-12 18:00")


def test_a_whole_ledger_has_no_finding(late: Story) -> None:
    rows, made = ledger(late), Account()
    count_acts(made, CASE, rows, answered(late))
    assert not made.findings
    found = reckoned(late, rows, "03-12 18:00")
    assert not found.findings
    assert found.alarms == sum(bool(row.fired) for row in rows) == 3


def test_an_answered_act_that_is_not_there_is_lost(late: Story) -> None:
    answers, made = answered(late), Account()
    answers.acts[CASE, "progress"] += 1
    count_acts(made, CASE, ledger(late), answers)
    assert (made.lost, made.doubled) == (1, 0)


def test_an_act_that_stands_twice_is_doubled(late: Story) -> None:
    answers, made = answered(late), Account()
    late.give("progress").give("progress")
    answers.acts[CASE, "progress"] += 1
    count_acts(made, CASE, ledger(late), answers)
    assert (made.lost, made.doubled) == (0, 1)


def test_a_case_that_is_registered_twice_is_doubled(late: Story) -> None:
    rows, made = ledger(late), Account()
    count_acts(made, CASE, [rows[0], *rows], answered(late))
    assert made.doubled == 1


def test_an_alarm_that_is_due_at_the_end_is_missed(late: Story) -> None:
    rows = ledger(late)
    assert rows.pop().type == "overdue_1"
    assert reckoned(late, rows, "03-12 17:30").alarms_missed == 0
    found = reckoned(late, rows, "03-12 17:30:01")
    assert (found.alarms_missed, found.alarms_doubled) == (1, 0)
    assert "overdue_1" in found.findings[0]


def test_an_alarm_left_out_before_another_event_is_missed(late: Story) -> None:
    rows = ledger(late)
    warned = next(row for row in rows if row.type == "due_soon_1")
    rows.remove(warned)
    found = reckoned(late, rows, "03-12 18:00")
    assert found.alarms_missed == 1
    assert "due_soon_1" in found.findings[0]


def test_an_alarm_that_fires_before_its_time_or_twice_is_doubled(late: Story) -> None:
    rows = ledger(late)
    rows[-1].at = t("03-12 17:29")
    assert reckoned(late, rows, "03-12 18:00").alarms_doubled == 1
    rows = ledger(late)
    assert reckoned(late, [*rows, rows[-1]], "03-12 18:00").alarms_doubled == 2  # not due, and a second time
