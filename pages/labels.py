"""Every word on a page that stands for a value: one Chinese term per value, domain.md, section 10."""

from collections.abc import Mapping

from activities.wording import SENTENCES
from routes.wording import ROLES
from rules.words import (
    CAUSE,
    CHANNEL,
    KIND,
    LEVEL,
    LIGHT,
    MEANS,
    OUTCOME,
    PENDING,
    PETITIONER,
    RATING,
    STATUS,
)

BULLETIN = {"draft": "草稿", "issued": "已通报", "rejected": "不予通报", "referred": "问责移送"}
ACCOUNTABILITY = {"referred": "待上级审定", "approved": "上级同意", "returned": "上级退回"}
SERIOUS = {
    "repeated": "该单位近期通报次数已达规定次数",
    "unanswered_again": "该单位被通报后又有督办单逾期未答复",
}
BULLETIN_ACT = {
    "drafted": "系统起草",
    "statement": "单位说明",
    "issued": "审定：予以通报",
    "rejected": "审定：不予通报",
    "referred": "移送问责",
    "referral_approved": "上级同意问责移送",
    "referral_returned": "上级退回问责移送",
}
GROUND = {
    "order_unanswered": "督办单逾期未答复(拒不配合)",
    "two_refused_returns": "两次退单被驳回(推诿扯皮)",
    "two_refused_replies": "两次答复未通过(敷衍应付)",
}
TYPICAL = {"submitted": "待审核", "returned": "已退回", "published": "已发布", "withdrawn": "已撤下"}
TYPICAL_ACT = {"submitted": "提交审核", "returned": "退回修改", "published": "审核发布", "withdrawn": "撤下"}
TYPICAL_PART = {
    "title": "标题",
    "problem": "反映的问题",
    "done": "怎么办成的",
    "lesson": "经验",
    "matter": "事项",
}
SESSION = {"page": "网页", "sso": "网页(统一身份认证)", "api": "接口令牌"}
ACCESS = {
    "sign_in": "登录",
    "sign_in_refused": "登录被拒",
    "sign_out": "退出",
    "sign_out_everywhere": "退出全部登录",
    "refused_401": "登录已失效后仍使用",
    "refused_403": "无权操作被拒",
    "refused_409": "办理被拒",
    "refused_429": "尝试过多被拒",
    "unmask": "查看完整信息",
    "query_code": "重发查询码",
    "download": "下载",
    "dossier": "下载卷宗",
    "engine_decode": "查看流程引擎内容",
    "person_export": "导出个人信息",
    "erased": "清除个人信息",
    "erasure_held": "暂缓清除",
    "erasure_hold_lifted": "解除暂缓",
    "cases_imported": "批量导入",
    "integration_added": "新增对接系统",
    "integration_revoked": "停用对接系统",
    "password_changed": "修改密码",
    "password_set": "重设密码",
    "second_factor_set": "启用双重验证",
    "second_factor_removed": "关闭双重验证",
    "second_factor_refused": "双重验证未通过",
    "second_factor_reset": "重置双重验证",
    "user_added": "新增用户",
    "user_changed": "修改用户",
    "user_disabled": "停用用户",
    "user_enabled": "恢复用户",
    "grant_requested": "申请授权",
    "grant_approved": "批准授权",
    "grant_rejected": "否决授权",
    "grant_withdrawn": "撤回授权申请",
    "hall_added": "新增大厅",
    "hall_changed": "修改大厅",
    "unit_added": "新增单位",
    "unit_changed": "修改单位",
    "delivery_chosen": "修改通知方式",
    "delivery_default": "修改默认通知方式",
    "delivery_resent": "重新发送通知",
    "delivery_dropped": "放弃未送达的通知",
}
"""What the access log calls an action."""
OUTSIDE = {
    "email": "电子邮件",
    "sms": "短信",
    "wecom": "企业微信群机器人",
    "dingtalk": "钉钉群机器人",
    "feishu": "飞书群机器人",
    "webhook": "Webhook",
}
DIGEST = {"none": "逐条发送", "hourly": "每小时汇总", "daily": "每个工作日开门时汇总"}
DELIVERY = {
    "waiting": "待发送",
    "failing": "失败，将重试",
    "sent": "已发送",
    "dead": "未送达",
    "dropped": "已取消",
}
HOLDER = {
    "window": "窗口",
    "contact": "联系人",
    "deputy_leader": "分管领导",
    "supervision": "监督管理部门",
    "superior": "上级部门",
    "citizen": "反映人",
}

COMMAND = {
    "triage": "分派",
    "transfer": "移交其他大厅",
    "sign": "签收",
    "return_order": "退单",
    "decide_return": "裁定退单",
    "progress": "记录进展",
    "inform": "告知反映人",
    "mark_unable": "反映没办法办理",
    "coordinate": "协调",
    "convene": "召开会商",
    "opine": "提出会商意见",
    "report_complex": "报请拟定时限",
    "set_limit": "拟定时限",
    "refer_up": "上报",
    "referral_reply": "上级答复",
    "request_extension": "申请延期",
    "decide_extension": "审批延期",
    "suspend": "暂停计时",
    "resume": "恢复计时",
    "reclassify": "变更类别",
    "reassign": "改派",
    "declare_unsolvable": "认定无法解决",
    "confirm_unsolvable": "审核认定(备案)",
    "reply": "答复",
    "check_reply": "审核答复",
    "revisit": "回访",
    "judge_revisit": "研判回访",
    "archive": "归档",
    "withdraw": "撤回",
    "merge": "并案",
    "remind": "催办",
    "order": "下达督办单",
    "answer_order": "答复督办单",
    "excuse": "超期情况说明",
    "attach": "添加附件",
}
"""What a button says."""

EVENT = {
    "registered": "登记",
    "rate": "反映人评价",
    "object": "反映人异议",
    "calendar_changed": "工作日历更新",
    "auto_archive": "到期自动归档",
    "auto_resume": "暂停期满自动恢复",
} | COMMAND
"""What the history calls an event; an alarm is called by the sentence of the inbox."""

ALARM = {name: words for name, words in SENTENCES.items() if name not in EVENT} | {
    "auto_archive": "到期自动归档",
    "auto_resume": "暂停期满自动恢复",
}

FIELD = {
    "accept": "决定",
    "address": "地址",
    "answer": "解答",
    "at": "时间",
    "basis": "依据",
    "cause": "成因",
    "co_units": "协办单位",
    "contact": "联系电话",
    "due_on": "办结日期",
    "guidance": "去向指引",
    "hall": "大厅",
    "into": "并入的办件编号",
    "kind": "类别",
    "lesson": "经验",
    "materials": "所需材料",
    "matter": "政务服务事项",
    "means": "告知方式",
    "note": "备注",
    "one_time_notice": "一次性告知",
    "order": "督办单",
    "person": "经办人",
    "phone": "电话",
    "place": "地点",
    "problem": "反映的问题",
    "rating": "评价",
    "reached": "是否联系上",
    "reason": "理由",
    "reopen": "研判结果",
    "resolved": "是否解决",
    "text": "内容",
    "to": "报送",
    "unit": "单位",
    "window": "窗口",
    "working_days": "工作日",
    "name": "姓名",
    "id_number": "身份证号",
    "uscc": "统一社会信用代码",
    "channel": "来源",
    "said": "答复情况",
    "on": "日期",
    "where": "地点",
    "attempts": "此前办理经过",
}

_WORDS: Mapping[str, Mapping[object, str]] = {
    "status": STATUS,
    "kind": KIND,
    "level": LEVEL,
    "light": LIGHT,
    "outcome": OUTCOME,
    "cause": CAUSE,
    "channel": CHANNEL,
    "means": MEANS,
    "petitioner": PETITIONER,
    "pending": PENDING,
    "rating": RATING,
    "bulletin": BULLETIN,
    "accountability": ACCOUNTABILITY,
    "serious": SERIOUS,
    "bulletin_act": BULLETIN_ACT,
    "typical": TYPICAL,
    "typical_act": TYPICAL_ACT,
    "ground": GROUND,
    "holder": HOLDER,
    "session": SESSION,
    "access": ACCESS,
    "command": COMMAND,
    "event": ALARM | EVENT,
    "field": FIELD,
    "role": ROLES,
    "outside": OUTSIDE,
    "digest": DIGEST,
    "delivery": DELIVERY,
}  # type: ignore[assignment]


def word(of: str, value: object, otherwise: str = "—") -> str:
    """Return the term for a value; one that has none is shown as it is, None as `otherwise`."""
    return otherwise if value is None else _WORDS[of].get(value, str(value))


def typical_label(part: str) -> str:
    """Return what a part of a typical case is called."""
    return TYPICAL_PART.get(part, part)
