"""A case in the citizen's words: what its status means for whoever waits for an answer."""

from collections.abc import Mapping
from typing import Any

STATUS: Mapping[str, tuple[str, str]] = {
    "registered": ("已登记", "您反映的问题我们已经收到，正在安排由哪个单位办理。"),
    "dispatched": ("已转办", "已经转给承办单位，等待承办单位签收。"),
    "return_review": ("正在确定承办单位", "正在核实应由哪个单位办理，时间照常计算。"),
    "handling": ("正在办理", "承办单位正在办理，办结后会答复您。"),
    "limit_pending": ("正在确定办结时间", "您的问题比较复杂，正在确定需要多长时间，定下后会写在这里。"),
    "suspended": ("等待您配合", "办理需要您配合，暂停计时。请按窗口的告知办理，有疑问请与窗口联系。"),
    "referred": ("已上报上级部门", "您的问题需要上级部门答复，正在等待。"),
    "explaining": ("正在准备说明", "承办单位正在准备向您说明情况和理由。"),
    "replied": ("答复审核中", "承办单位已经作出答复，窗口正在审核，通过后马上告知您。"),
    "revisiting": ("已答复，等待回访", "答复已经告知您，窗口会与您联系，听取您的意见。"),
    "closed": ("已办结", "您反映的问题已经办结。不同意办理结果的，可以在下面提出异议。"),
    "archived": ("已归档", "办件已经归档。又遇到同样问题的，可以到窗口重新反映。"),
}
"""Status → how it is called, and what it means."""

# Beside the general meaning, where more is known.
NO_OBJECTION = "您反映的问题已经办结。"
NO_OBJECTION_AGAIN = "您反映的问题重新办理后已经办结。"
OBJECT = "仍不同意的，可以在下面提出异议。"
LATE = "已经超过办结时限，窗口和承办单位的负责人已收到提醒。"

NOT_FOUND = (
    "没有找到这个办件。请核对回执上的查询码(不分大小写，横线可以不填),以及登记时所留手机号的后四位。"
    "回执丢了的，请带身份证件到窗口补发查询码。"
)
THANKS: Mapping[str, str] = {
    "rate": "谢谢您的评价，我们已经记下。",
    "object": "您的异议已经收到，窗口负责人会重新研究并与您联系。",
}
RULES: Mapping[str, str] = {
    "status": "办件的情况刚刚有变化，现在不能这样办理。最新情况见下。",
    "rated": "您已经评价过了，谢谢。",
    "objection_period_over": "提出异议的期限已过。仍有问题的，请到窗口重新反映。",
}
"""Rule that a refusal names → what the citizen is told."""


JUDGEMENT: Mapping[str, tuple[str, str]] = {
    "objection": (
        "异议研究中",
        "您的异议已经收到，窗口负责人正在研究是否重新办理，可能会与您联系。结果会写在这里。",
    ),
    "dissatisfaction": (
        "不满意的原因研究中",
        "我们知道您对结果不满意，窗口负责人正在研究是否重新办理。结果会写在这里。",
    ),
    "upheld": ("已办结", "窗口负责人研究后认为不需要重新办理，办件已经办结。"),
}
"""How it stands with what the citizen did not agree with → how that is called, and what it means."""

AGAIN: Mapping[str, tuple[str, str]] = {
    "registered": ("准备重新办理", "您的意见已经采纳，正在重新安排由哪个单位办理。"),
    "dispatched": ("已重新转办", "已经重新转给承办单位，等待承办单位签收。"),
    "handling": ("正在重新办理", "您的意见已经采纳，承办单位正在重新办理，办结后会再次答复您。"),
    "explaining": ("正在重新准备说明", "承办单位正在重新准备向您说明情况和理由。"),
    "replied": (
        "新的答复审核中",
        "承办单位重新作出了答复，窗口正在审核，通过后马上告知您。",
    ),
    "revisiting": (
        "已再次答复，等待回访",
        "新的答复已经告知您，窗口会与您联系，听取您的意见。",
    ),
    "closed": (
        "重新办理后已办结",
        "您反映的问题重新办理后已经办结。不同意办理结果的，可以在下面提出异议。",
    ),
}
"""The same as `STATUS`, from the second round on; what is not named here reads as in the first."""


def status_words(view: Mapping[str, Any]) -> tuple[str, str]:
    """Return how the status of a case is called and what it means now, for its citizen."""
    status, again = view["status"], view["round"] > 1
    if words := JUDGEMENT.get(view["judgement"] or ""):
        name, meaning = words
        objectable = status == "closed" and "object" in view["allowed"]
        return name, meaning + OBJECT if objectable else meaning
    name, meaning = AGAIN[status] if again and status in AGAIN else STATUS[status]
    if status == "closed" and "object" not in view["allowed"]:
        return name, NO_OBJECTION_AGAIN if again else NO_OBJECTION
    return name, meaning
