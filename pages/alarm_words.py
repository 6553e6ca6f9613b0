"""The next alarm of a case, as what will happen unless somebody acts: it has not fired yet.

The inbox words the same alarms as what has happened (activities/wording.py).
"""

from collections.abc import Mapping
from typing import NamedTuple

from rules.case.vocabulary import Status


class Foreseen(NamedTuple):
    """An alarm to come: under which condition it fires, and what it does then."""

    unless: str
    does: str


_WORDS: Mapping[str, Foreseen] = {
    "triage_late": Foreseen("若仍未分派", "提醒窗口负责人"),
    "sign_late_1": Foreseen("若仍未签收", "提醒备用联系人"),
    "sign_late_2": Foreseen("若仍未签收", "升级至分管领导，并提醒窗口负责人"),
    "return_undecided": Foreseen("若退单仍未裁定", "提醒裁定人和上一级裁定人"),
    "leader_undecided": Foreseen("若分管领导仍未协调", "升级至监督管理部门，并提醒窗口负责人"),
    "limit_missing": Foreseen("若仍未拟定办结时间", "提醒监督管理部门和窗口负责人"),
    "extension_undecided": Foreseen("若延期申请仍未审批", "提醒审批人和窗口负责人"),
    "unsolvable_unconfirmed": Foreseen("若无法解决的认定仍未备案", "提醒窗口负责人"),
    "judgement_late": Foreseen("若回访结果仍未研判", "提醒窗口负责人"),
    "check_late": Foreseen("若答复仍未审核", "提醒窗口负责人"),
    "revisit_late": Foreseen("若仍未回访", "提醒窗口工作人员和窗口负责人"),
    "opinion_late": Foreseen("若协办单位仍未提出意见", "提醒协办单位联系人和窗口负责人"),
    "progress_late": Foreseen("若仍未记录办理进展", "提醒联系人和窗口负责人"),
    "response_late": Foreseen("若仍未向反映人反馈", "提醒联系人和窗口负责人"),
    "due_soon_1": Foreseen("若仍未答复", "提醒联系人次一工作日到期，亮黄灯"),
    "due_soon_2": Foreseen("若仍未答复", "提醒联系人当日到期，亮黄灯"),
    "overdue_1": Foreseen("若仍未答复", "亮红灯，升级至分管领导，并提醒窗口负责人"),
    "overdue_2": Foreseen("若仍未答复", "升级至监督管理部门，并下达督办单"),
    "order_unanswered": Foreseen("若督办单仍未答复", "生成通报批评草稿，交监督管理部门审定"),
    "auto_resume": Foreseen("暂停期满", "自动恢复计时"),
    "auto_archive": Foreseen("若反映人未提出异议", "自动归档"),
}

_OTHERWISE: Mapping[tuple[str, str], Foreseen] = {
    # Waiting for a limit, the late one is supervision, not the unit (domain.md, section 4, fine print).
    (Status.LIMIT_PENDING, "due_soon_1"): Foreseen(
        "若仍未拟定办结时间", "提醒监督管理部门次一工作日到期，亮黄灯"
    ),
    (Status.LIMIT_PENDING, "due_soon_2"): Foreseen("若仍未拟定办结时间", "提醒监督管理部门当日到期，亮黄灯"),
    (Status.LIMIT_PENDING, "overdue_1"): Foreseen(
        "若仍未拟定办结时间", "亮红灯，提醒监督管理部门和窗口负责人"
    ),
    (Status.LIMIT_PENDING, "overdue_2"): Foreseen("若仍未拟定办结时间", "提醒监督管理部门和上级部门"),
    # Without a unit at work, warnings go to the window lead (the same place).
    (Status.RETURN_REVIEW, "due_soon_1"): Foreseen("若仍未答复", "提醒窗口负责人次一工作日到期，亮黄灯"),
    (Status.RETURN_REVIEW, "due_soon_2"): Foreseen("若仍未答复", "提醒窗口负责人当日到期，亮黄灯"),
}


def will_happen(alarm: str, at: str, status: str) -> str:
    """Return one sentence: 若仍未签收，将于 11月27日 周五 10:00 提醒备用联系人. `at` is worded already."""
    unless, does = _OTHERWISE.get((status, alarm)) or _WORDS[alarm]
    return f"{unless}，将于 {at} {does}"
