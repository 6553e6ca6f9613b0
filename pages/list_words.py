"""What lists call their queues, and how they say how much working time is left."""

from collections.abc import Mapping
from datetime import timedelta

from casework.rows import Left
from casework.searching import COUNTED
from pages.labels import COMMAND, STATUS
from rules.case.vocabulary import ENDED, Status

QUEUE: Mapping[str, str] = {
    "all": "全部在办",
    "sign": "待签收",
    "work": "办理中",
    "opine": "待提会商意见",
    "orders": "督办单待答复",
    "elsewhere": "等待他人",
    "decide": "待我决定",
    "decide_return": "退单待裁定",
    "decide_extension": "延期待审批",
    "confirm_unsolvable": "认定待备案",
    "check_reply": "答复待审核",
    "judge_revisit": "回访待研判",
    "triage": "待分派",
    "revisit": "待回访",
    "overdue": "已超期",
    "warned": "预警",
    "limit": "待定时限",
    "referred": "已上报",
    "climbed": "升级到分管领导",
}
SUPERVISION_QUEUE = {**QUEUE, "climbed": "已升级", "supervision": "升级到监督层级"}

OPEN_STATUS = {status.value: STATUS[status] for status in Status if status not in ENDED}
STEPS = {
    step: COMMAND[step]
    for step in (
        "triage",
        "sign",
        "decide_return",
        "reply",
        "coordinate",
        "set_limit",
        "decide_extension",
        "confirm_unsolvable",
        "resume",
        "referral_reply",
        "check_reply",
        "revisit",
        "judge_revisit",
    )
}
SORTS = {"urgency": "紧急程度", "newest": "最近受理", "oldest": "最早受理", "due": "办结时限"}

_TENTH = timedelta(minutes=6)


def left_words(left: Left | None) -> str:
    """Return "还剩 5.5 工作小时", "已超 2 工作小时", or that it is just about now.

    In tenths of an hour, rounded to the side of caution: less left than there is, more over.
    """
    if left is None:
        return "—"
    if left.time < _TENTH:
        return "刚刚超期" if left.over else "即将到期"
    tenths = -(-left.time // _TENTH) if left.over else left.time // _TENTH
    whole, tenth = divmod(tenths, 10)
    hours = f"{whole}.{tenth}" if tenth else str(whole)
    return f"{'已超' if left.over else '还剩'} {hours} 工作小时"


def counted_words(total: int) -> str:
    """Return a count as a list says it: exact as far as it was counted."""
    return f"{COUNTED}+" if total > COUNTED else str(total)
