"""What a command's form says where the general label of a field would leave people guessing.

Only words and the order of things stand here: which fields there are, and which of them must be
filled in, comes from the commands themselves (pages/command_forms.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

YES, NO = "yes", "no"


@dataclass(frozen=True)
class When:
    """A field that belongs to some answers of another field of its form only."""

    field: str
    values: tuple[str, ...]


LABELS: Mapping[tuple[str, str], str] = {
    ("triage", "matter"): "政务服务事项(核定)",
    ("triage", "unit"): "承办单位",
    ("triage", "answer"): "咨询解答",
    ("guidance", "unit"): "应去的单位",
    ("guidance", "phone"): "该单位电话",
    ("one_time_notice", "contact"): "联系电话",
    ("transfer", "hall"): "移交给",
    ("return_order", "reason"): "退单理由",
    ("decide_return", "accept"): "裁定",
    ("decide_return", "unit"): "改派给",
    ("progress", "text"): "进展情况",
    ("inform", "text"): "告知内容",
    ("mark_unable", "reason"): "办不了的原因",
    ("coordinate", "text"): "协调意见",
    ("convene", "at"): "会商时间",
    ("convene", "place"): "会商地点",
    ("opine", "text"): "会商意见",
    ("report_complex", "reason"): "报请理由",
    ("set_limit", "due_on"): "办结时限",
    ("set_limit", "reason"): "定此时限的理由",
    ("refer_up", "to"): "上报给",
    ("refer_up", "due_on"): "请求答复时限",
    ("referral_reply", "text"): "上级答复内容",
    ("request_extension", "working_days"): "延长的工作日",
    ("decide_extension", "accept"): "审批结果",
    ("suspend", "reason"): "等待反映人的事由",
    ("reclassify", "kind"): "改为",
    ("reassign", "unit"): "改派给",
    ("declare_unsolvable", "basis"): "认定依据",
    ("confirm_unsolvable", "accept"): "审核结果",
    ("reply", "text"): "答复内容",
    ("reply", "resolved"): "问题是否解决",
    ("check_reply", "accept"): "审核结果",
    ("revisit", "resolved"): "问题是否解决",
    ("revisit", "text"): "回访情况",
    ("archive", "lesson"): "经验(可供借鉴的做法)",
    ("merge", "into"): "并入的办件编号",
    ("remind", "text"): "催办内容",
    ("order", "text"): "督办要求",
    ("answer_order", "text"): "答复内容",
    ("excuse", "reason"): "情况说明",
}

YES_NO: Mapping[tuple[str, str], tuple[str, str]] = {
    ("decide_return", "accept"): ("同意退单，改派其他单位", "不同意，仍由原单位办理"),
    ("decide_extension", "accept"): ("同意延期", "不同意"),
    ("confirm_unsolvable", "accept"): ("同意认定并备案", "不同意"),
    ("reply", "resolved"): ("已解决", "未解决，作出释明"),
    ("check_reply", "accept"): ("通过，并告知反映人", "不通过，退回重办"),
    ("revisit", "reached"): ("已联系上", "未联系上"),
    ("revisit", "resolved"): ("已解决", "未解决"),
    ("judge_revisit", "reopen"): ("重新办理", "维持办结"),
}

HINTS: Mapping[tuple[str, str], str] = {
    ("triage", "kind"): "咨询件填解答；不属受理范围的填去向指引；其余填承办单位和一次性告知",
    ("triage", "matter"): "与登记时相同的可不填",
    ("triage", "cause"): "登记时未选成因的须选",
    ("decide_return", "unit"): "同意退单时选择",
    ("decide_return", "reason"): "不同意时请说明",
    ("decide_extension", "reason"): "不同意时请说明",
    ("confirm_unsolvable", "reason"): "不同意时请说明",
    ("check_reply", "reason"): "不通过时请说明，承办单位据此改进",
    ("revisit", "rating"): "联系上反映人时填写",
    ("reply", "resolved"): "“未解决”只适用于已备案的无法解决事项",
    ("request_extension", "working_days"): "从目前的时限起算，不超过原办理时限",
    ("set_limit", "due_on"): "须为今天以后的工作日，下班时到期；格式 2026-11-22",
    ("refer_up", "due_on"): "须为今天以后的工作日，下班时到期；格式 2026-11-22",
    ("merge", "into"): "本大厅受理更早、尚未办结的办件",
    ("suspend", "reason"): "只用于等待反映人补充材料等情形，累计不超过规定天数",
}

WHEN: Mapping[tuple[str, str], When] = {
    ("triage", "answer"): When("kind", ("consultation",)),
    ("triage", "guidance"): When("kind", ("out_of_scope",)),
    **{
        ("triage", field): When("kind", ("simple", "commitment", "complex"))
        for field in ("cause", "unit", "one_time_notice")
    },
    ("decide_return", "unit"): When("accept", (YES,)),
    ("decide_return", "reason"): When("accept", (NO,)),
    ("revisit", "rating"): When("reached", (YES,)),
    ("revisit", "resolved"): When("reached", (YES,)),
}

SHORT = frozenset({"address", "place", "to", "matter", "name", "person", "window"})
"""Texts that fit on one line though more would be taken."""

WITH_FILES = frozenset({"reply", "progress"})
"""Commands whose form takes files along: they are added to the case before the command is given."""
