"""The values of a policy in words: how much, and where it comes from."""

import re

from rules.policy import Sourced

POLICY = {
    "judged_by": "按时与否的判定",
    "after_hours": "下班后受理的起算",
    "simple": "即办件办结",
    "commitment": "承诺件办结",
    "unsolvable": "无法解决的释明",
    "set_limit": "拟定复杂件时限",
    "second_round_simple": "即办件再次办理",
    "triage": "分派",
    "sign_simple": "签收(即办件)",
    "sign_other": "签收(其他)",
    "return_decision": "退单裁定",
    "check_reply": "审核答复",
    "response": "首次回应反映人",
    "leader_decision": "分管领导处理",
    "extension_decision": "延期审批",
    "unsolvable_confirmation": "无法解决的备案",
    "judgement": "回访研判",
    "revisit": "回访",
    "progress": "复杂件进展记录间隔",
    "opinion_before_due": "会商意见提前",
    "suspension_total": "暂停计时合计",
    "objection": "异议期",
    "order": "督办单答复",
    "overdue_2": "超期后升级",
    "revisit_attempts": "回访次数",
    "revisit_attempt_days": "回访分布天数",
    "extensions": "延期次数",
    "online_filing": "反映人网上登记",
}
UNIT = {"working days": "个工作日", "working hours": "个工作小时", "times": "次", "days": "天", "choice": ""}
CHOICE = {
    "told": "办结并告知反映人",
    "reply": "答复",
    "same_day": "当日为第 0 日",
    "next_day": "次一工作日为第 0 日",
    "offered": "开放",
    "not_offered": "不开放",
}
_PHRASE = re.compile("「[^」]*」")


def amount_words(sourced: Sourced) -> str:
    """Return a value with its unit: 3 个工作日."""
    return CHOICE.get(str(sourced.value)) or f"{sourced.value} {UNIT[sourced.unit]}"


def source_words(source: str) -> str:
    """Return where a value comes from: the phrases quoted, and whether it is but a proposal."""
    phrases = "".join(_PHRASE.findall(source))
    if source.startswith("[P]"):
        return "建议值，文件未作规定" + (f";文件原文：{phrases}" if phrases else "")
    return phrases or source
