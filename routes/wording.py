"""What people read: one Chinese sentence for each slug of a refusal or a fault."""

from rules.case.vocabulary import Role

PROBLEMS: dict[str, tuple[str, str]] = {
    "no-token": ("未登录", "请先登录。"),
    "bad-token": ("登录已失效", "登录已失效或已退出,请重新登录。"),
    "bad-credentials": ("登录失败", "用户名、密码或动态口令不正确。"),
    "otp-required": ("需要动态口令", "该账号启用了双重验证,请填写动态口令。"),
    "forbidden": ("无权操作", "您的角色或所属范围无权进行此操作。"),
    "not-found": ("未找到", "没有这项内容,或您无权查看。"),
    "method-not-allowed": ("方法不支持", "该地址不支持这种请求方法。"),
    "command-not-allowed": ("当前不能这样办理", "按办件目前的情况,不能进行此操作。"),
    "invalid-input": ("填写有误", "提交的内容有误,请按提示逐项更正。"),
    "too-large": ("内容过大", "提交的内容超过大小限制。"),
    "unsupported-media-type": ("文件类型不支持", "只接受 PDF、JPEG、PNG、DOCX、XLSX 文件。"),
    "too-many-requests": ("请求过于频繁", "尝试次数过多,请稍后再试。"),
    "sign-in-locked": ("暂停登录", "登录失败次数过多,请稍后再试。"),
    "engine-unavailable": ("服务暂时不可用", "流程引擎暂时无法连接,本次操作没有生效,请稍后再试。"),
    "database-unavailable": ("服务暂时不可用", "数据库暂时无法连接,本次操作没有生效,请稍后再试。"),
    "not-ready": ("服务未就绪", "依赖的服务暂时无法连接。"),
    "internal-error": ("系统错误", "系统发生错误,已记录。请稍后再试或联系管理员。"),
    "rehearsal-unsettled": ("演练时间已推进", "时间已推进,但到期事项尚未全部记入台账,请稍后查看。"),
    "too-many-attachments": ("附件已满", "每个办件最多 10 个附件。"),
}
"""Slug → title and detail."""

RULES: dict[str, str] = {
    "status": "办件目前的状态不允许此操作。",
    "attachments_full": "每个办件最多 10 个附件。",
    "excused": "该办件的超期已作情况说明,不能重复。",
    "extensions_used_up": "延期次数已用完。",
    "kind": "该类办件不适用此操作。",
    "level": "办件已升级,联系人不能再标记无法办理。",
    "merged": "该办件已并入其他办件。",
    "new_due_is_past": "改动后的期限已经过去,不能改动。",
    "no_extension_pending": "没有待审批的延期申请。",
    "no_judgement_owed": "没有待研判的回访结果。",
    "no_order_open": "没有待答复的督办单。",
    "no_unit": "办件尚未转办,没有承办单位。",
    "no_unsolvable_pending": "没有待确认的无法解决认定。",
    "not_late": "办件没有超期,无需情况说明。",
    "objection_period": "异议期未满,暂不能归档。",
    "objection_period_over": "异议期已过。",
    "opinion_given": "贵单位没有待提交的会商意见。",
    "order_answered": "该督办单已经答复。",
    "overdue": "办件已经超期,不能再申请。",
    "rated": "本轮已经评价过。",
    "request_pending": "已有一项申请待决定。",
    "return_refused_before": "贵单位的退单曾被驳回,不能再次退单。",
    "revisit_needed": "办件须回访后方可结束。",
    "revisited": "已经回访。",
    "simple_not_extendable": "即办件不得延期。",
    "suspension_used_up": "暂停时间已用完。",
    "unresolved_only_from_explaining": "只有经确认无法解决后,才能答复未解决。",
}
"""Rule of domain.md, section 4, that a 409 names → what it means."""

FAULTS: dict[str, str] = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段",
    "string_type": "应为文本",
    "string_too_short": "不能为空",
    "string_too_long": "超过长度限制",
    "string_pattern_mismatch": "格式不正确",
    "string_unicode": "含有无效字符",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "bool_type": "应为 true 或 false",
    "list_type": "应为列表",
    "dict_type": "应为对象",
    "model_type": "应为对象",
    "model_attributes_type": "应为对象",
    "dataclass_type": "应为对象",
    "date_type": "应为日期(YYYY-MM-DD)",
    "date_parsing": "应为日期(YYYY-MM-DD)",
    "date_from_datetime_parsing": "应为日期(YYYY-MM-DD)",
    "date_from_datetime_inexact": "应为日期(YYYY-MM-DD)",
    "datetime_type": "应为带时区的时间",
    "datetime_parsing": "应为带时区的时间",
    "datetime_from_date_parsing": "应为带时区的时间",
    "timezone_aware": "时间须带时区",
    "enum": "不在可选范围内",
    "literal_error": "不在可选范围内",
    "greater_than": "数值过小",
    "greater_than_equal": "数值过小",
    "less_than": "数值过大",
    "less_than_equal": "数值过大",
    "too_short": "项目过少",
    "too_long": "项目过多",
    "decimal_type": "应为数字",
    "decimal_parsing": "应为数字",
    "finite_number": "应为有限的数字",
    "json_invalid": "不是有效的 JSON",
    "control_characters": "含有控制字符或文字方向控制符",
    "blank": "不能为空",
    "unknown": "没有这一项",
    "unknown_hall": "没有这个大厅",
    "unknown_unit": "没有这个承办单位",
    "not_this_year": "日期不属于该年度",
    "off_and_work": "同一天既放假又上班",
    "not_a_weekend": "调休上班日应为周六或周日",
    "no_working_day_left": "该年度没有剩下任何工作日",
    "year_out_of_range": "年度超出可计算范围",
    "given_twice": "重复出现",
    "one_of_three": "to、working_hours、working_days 须且只能填一项",
    "one_of_two": "工作日与工作小时须且只能填一项",
    "out_of_range": "超出可计算范围",
    "in_the_past": "不能早于现在",
    "in_the_future": "不能晚于现在",
    "idempotency_key_reused": "同一幂等键已用于内容不同的请求",
}
"""Slug of a fault → what it means, to stand behind the field's name."""

ROLES: dict[Role, str] = {
    Role.CLERK: "窗口工作人员",
    Role.WINDOW_LEAD: "窗口负责人",
    Role.CONTACT: "承办单位联系人",
    Role.DEPUTY_LEADER: "承办单位分管领导",
    Role.CENTRE: "政务服务中心",
    Role.SUPERVISOR: "政务服务监督管理部门",
    Role.SUPERIOR: "上级部门",
    Role.AUDITOR: "纪检审计",
    Role.ADMIN: "系统管理员",
    Role.CITIZEN: "反映人",
    Role.SYSTEM: "系统",
}


def problem_words(slug: str) -> tuple[str, str]:
    """Return title and detail of a problem; an unknown slug gets general words."""
    return PROBLEMS.get(slug, ("请求被拒绝", "请求未能完成。"))


def fault_words(slug: str) -> str:
    """Return what is wrong with a field."""
    return FAULTS.get(slug, "填写不正确")
