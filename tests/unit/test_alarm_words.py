"""The next alarm in words: what will happen, never as if it had."""

import pytest

from activities.wording import SENTENCES
from pages import labels
from pages.alarm_words import will_happen
from rules.case.notices import RECIPIENTS
from rules.case.vocabulary import Status

AT = "11月27日 周五 10:00"


@pytest.mark.parametrize("alarm", sorted(labels.ALARM))
@pytest.mark.parametrize("status", ["handling", "limit_pending", "return_review"])
def test_every_alarm_is_worded_as_what_will_happen_and_when(alarm: str, status: str) -> None:
    said = will_happen(alarm, AT, status)
    assert f"，将于 {AT} " in said
    assert said.startswith(("若", "暂停期满"))
    assert "已" not in said
    assert said != SENTENCES.get(alarm)


def test_the_sentence_names_condition_instant_and_act() -> None:
    assert will_happen("sign_late_1", AT, "dispatched") == f"若仍未签收，将于 {AT} 提醒备用联系人"


@pytest.mark.parametrize("alarm", ["due_soon_1", "due_soon_2", "overdue_1", "overdue_2"])
def test_waiting_for_a_limit_supervision_is_told_and_not_the_unit(alarm: str) -> None:
    said = will_happen(alarm, AT, Status.LIMIT_PENDING)
    assert "监督管理部门" in said
    assert "联系人" not in said


@pytest.mark.parametrize("alarm", ["due_soon_1", "due_soon_2"])
def test_while_a_return_is_undecided_the_window_lead_is_warned(alarm: str) -> None:
    assert "提醒窗口负责人" in will_happen(alarm, AT, Status.RETURN_REVIEW)


def test_alarms_are_those_that_somebody_is_told_of() -> None:
    assert set(labels.ALARM) - {"auto_archive"} <= set(RECIPIENTS)
