"""The Chinese terms of reports: kinds, categories, lists, and why supervision looks at a case."""

REPORT_KIND = {
    "hall_weekly": "窗口周报",
    "centre_weekly": "中心周汇总",
    "monthly_lists": "窗口月度清单",
    "monthly": "中心月度汇总",
}
CATEGORY = {"forms_and_ledger": "登记表与台账", "lists": "问题、需求与措施清单", "summary": "汇总"}
REASON = {
    "overdue": "超期",
    "warned": "预警",
    "limit_asked": "复杂件(报请拟定时限)",
    "referred": "已上报上级",
    "supervision": "升级到监督层级",
    "order_open": "督办单未答复",
}
NEED = {
    "policy_gap": "需研究政策",
    "no_classification": "需明确事项归口",
    "system_barrier": "需打通信息系统",
    "legacy": "需专题研究历史遗留问题",
    "joint": "需部门会商",
    "level.deputy_leader": "需分管领导协调",
    "level.supervision": "需监督管理部门协调",
    "limit_asked": "需拟定办结时限",
    "referred": "需上级支持",
}
MEASURE = {
    "coordinate": "协调决定",
    "convene": "组织会商",
    "opine": "会商意见",
    "refer_up": "上报上级",
    "referral_reply": "上级批复",
    "reply": "答复",
    "explanation": "释明",
    "archive": "经验",
}
NO_CAUSE = "none"
CAUSES = {
    "problems": "问题",
    "registered": "其中本期登记",
    "open": "期末在办",
    "demands": "需求",
    "measures": "措施(项)",
}
"""What the summary of a month counts by cause, in its order."""
