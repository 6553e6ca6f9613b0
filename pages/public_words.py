"""A case in the citizen's words: what its status means for whoever waits for an answer."""

from collections.abc import Mapping

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


def status_words(status: str, allowed: list[str]) -> tuple[str, str]:
    """Return how the status is called and what it means now."""
    name, meaning = STATUS[status]
    return name, NO_OBJECTION if status == "closed" and "object" not in allowed else meaning
