"""What the page of figures calls each figure, and how it says a share or a number of hours."""

from collections.abc import Mapping

RATE: Mapping[str, tuple[str, str]] = {
    "on_time_rate": ("按时率", "按时办结 ÷ 办理件"),
    "unit_on_time_rate": ("承办单位按时率", "按时答复 ÷ 办理件"),
    "on_time_rate_unextended": ("按时率(不计延期)", "不靠延期也按时 ÷ 办理件"),
    "unit_on_time_rate_unextended": ("承办单位按时率(不计延期)", "不靠延期也按时答复 ÷ 办理件"),
    "sign_rate": ("签收率", "签收 ÷ 转办"),
    "sign_in_time_rate": ("按时签收率", "提醒之前签收 ÷ 转办"),
    "response_rate": ("及时回应率", "首次转办后 1 个工作日内回应 ÷ 已转办的办件"),
    "solved_rate": ("解决率", "已解决 ÷ (已解决 + 未解决)"),
    "satisfaction_first": ("满意率(首轮)", "基本满意及以上 ÷ 首轮全部评价"),
    "satisfaction_final": ("满意率(最终)", "基本满意及以上 ÷ 最终全部评价"),
    "revisit_rate": ("回访率", "已回访 ÷ 已告知"),
    "reached_rate": ("回访联系率", "联系上 ÷ 已回访"),
    "repeat_rate": ("重复反映率", "90 日内同一人同一事项 ÷ 登记"),
    "return_rate": ("退单率", "退单 ÷ 转办"),
    "refused_return_rate": ("退单被驳回率", "被驳回的退单 ÷ 转办"),
    "escalation_rate": ("升级率", "升级的办件 ÷ 办理件"),
    "extension_rate": ("延期率", "延期的办件 ÷ 办理件"),
    "reopen_rate": ("重办率", "重办的办件 ÷ 办理件"),
    "order_rate": ("督办率", "被督办的办件 ÷ 办理件"),
}
"""Name and formula of every rate, in the order of the page."""

TABLE = ("unit_on_time_rate", "solved_rate", "satisfaction_final", "response_rate", "return_rate")
"""The rates that tables by group show."""

PART = {
    "on_time": "按时",
    "solved": "解决",
    "satisfaction": "满意",
    "response": "回应",
    "close_out": "按期销号",
}
PART_MISSED = {
    "on_time": "未按时答复",
    "solved": "未解决",
    "satisfaction": "评价不满意",
    "response": "未及时回应",
    "close_out": "未按期销号",
}
DEDUCTION = {"refused_return": "退单被驳回", "order": "督办单", "bulletin": "通报批评"}
REASON = {
    "late": "答复超期",
    "excused": "答复超期(已作情况说明，不扣分)",
    "unsolved": "未解决",
    "dissatisfied": "不满意",
    "no_response": "未及时回应",
}
TIMES = {"refused_returns": "退单被驳回", "orders": "督办单"}
STEP = {"month": "按月", "week": "按周"}


NOTES = (
    "办理件：即办件、承诺件、复杂件。咨询、不属受理范围、并案的不计；撤回的只在超期后撤回才计，并且算超期。",
    "办件计入哪个时间段，看有效时限和审核通过的答复哪个在前；登记、咨询、重复反映按受理时间计。",
    "按时率按各大厅的政策判定(办结并告知，或答复);承办单位按时率一律看答复是否不晚于有效时限。",
    "已作情况说明的超期单列，不算按时；评分时不计入承办单位的按时一项。",
    "持有时长是这些办件从受理到现在(或办结)在各方手里的工作小时；几个单位先后承办的，各算各的。",
    "“—”表示分母为零，没有可算的。",
)
"""How cases are counted, for those who read the figures."""


def percent(value: float | None) -> str:
    """Return a share: 96.3%, — where there is nothing to share."""
    return "—" if value is None else f"{value * 100:.1f}%"


def amount(value: float | None, digits: int = 1) -> str:
    """Return a number with so many decimals, — where there is none."""
    return "—" if value is None else f"{value:,.{digits}f}"


def points(value: float | None) -> str:
    """Return points without needless zeros: 27.5, 30."""
    return "—" if value is None else f"{value:.2f}".rstrip("0").rstrip(".")


def names_of(words: Mapping[str, str], value: str | None) -> str:
    """Return the term of a group; cases that have no such value are named so."""
    return "未分派" if value is None else words.get(value, value)
