"""The Chinese terms of reports: kinds, categories, and why the supervision department looks at a case."""

REPORT_KIND = {"hall_weekly": "窗口周报", "centre_weekly": "中心周汇总"}
CATEGORY = {"forms_and_ledger": "登记表与台账", "summary": "汇总"}
REASON = {
    "overdue": "超期",
    "warned": "预警",
    "limit_asked": "复杂件(报请拟定时限)",
    "referred": "已上报上级",
    "supervision": "升级到监督层级",
    "order_open": "督办单未答复",
}
