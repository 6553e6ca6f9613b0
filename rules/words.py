"""The Chinese term of every value of a case, on screen and in documents. Source: domain.md, section 10."""

STATUS = {
    "registered": "已登记",
    "dispatched": "待签收",
    "return_review": "退单待裁定",
    "handling": "办理中",
    "limit_pending": "待定时限",
    "suspended": "暂停计时",
    "referred": "已上报",
    "explaining": "释明中",
    "replied": "待审核答复",
    "revisiting": "待回访",
    "closed": "已办结",
    "archived": "已归档",
}
KIND = {
    "consultation": "咨询",
    "simple": "即办件",
    "commitment": "承诺件",
    "complex": "复杂件",
    "out_of_scope": "不属受理范围",
}
LEVEL = {"contact": "联系人", "deputy_leader": "分管领导", "supervision": "监督管理部门"}
LIGHT = {"green": "正常", "yellow": "预警", "red": "超期", "grey": "未计时"}
OUTCOME = {
    "solved": "已解决",
    "explained": "已释明",
    "consulted": "已解答",
    "informed": "已告知去向",
    "withdrawn": "已撤回",
    "merged": "已并案",
}
CAUSE = {
    "materials_incomplete": "材料不齐不敢办",
    "mechanical_application": "机械执行不愿办",
    "poor_attitude_or_skill": "业务不熟、态度不好不给办",
    "policy_gap": "政策明确不能办但可柔性处理",
    "no_classification": "目录无明确分类",
    "system_barrier": "网络信息壁垒",
    "legacy": "历史遗留",
    "other": "其他",
}
CHANNEL = {"counter": "窗口", "phone": "电话", "online": "线上"}
MEANS = {"phone": "电话", "visit": "上门", "sms": "短信", "letter": "信函", "online": "线上"}
PETITIONER = {"person": "个人", "enterprise": "企业"}
PENDING = {"extension": "延期申请", "unsolvable": "无法解决的认定"}
RATING = {5: "非常满意", 4: "满意", 3: "基本满意", 2: "不满意", 1: "非常不满意"}
