"""The sentences of the inbox, in Chinese. No personal data: number, unit and times, nothing typed."""

from datetime import datetime

from rules.calendar import local
from rules.case.events import Event
from rules.case.state import CaseState
from rules.case.vocabulary import Status

SENTENCES = {
    "registered": "已登记，请分派",
    "triage": "已分派，请签收",
    "transfer": "已移交本大厅，请分派",
    "return_order": "承办单位退单，请裁定",
    "decide_return": "退单已裁定，请签收",
    "reassign": "已改派，请签收",
    "set_limit": "监督管理部门已定办结时间",
    "mark_unable": "联系人反映没办法办理，请分管领导协调",
    "coordinate": "分管领导已作协调",
    "convene": "召开会商，请提出意见",
    "opine": "协办单位已提出意见",
    "report_complex": "报请拟定办结时间",
    "refer_up": "已上报，请阶段性告知反映人",
    "referral_reply": "上级已答复，请继续办理",
    "request_extension": "申请延期，请审批",
    "decide_extension": "延期申请已审批，请告知反映人",
    "suspend": "已暂停计时，等待反映人",
    "resume": "已恢复计时",
    "reclassify": "已变更类别，办结时限随之变更",
    "declare_unsolvable": "承办单位认定无法解决，请备案",
    "confirm_unsolvable": "无法解决的认定已审核",
    "reply": "已答复，请审核",
    "check_reply": "答复已审核",
    "revisit": "回访不满意，请研判",
    "judge_revisit": "回访已研判",
    "rate": "反映人已评价",
    "object": "反映人对办结有异议，请研判",
    "withdraw": "反映人已撤回",
    "merge": "已并案，请告知反映人",
    "remind": "催办：请抓紧办理",
    "order": "督办单：请按期书面答复",
    "answer_order": "督办单已答复",
    "excuse": "超期已作情况说明，单列统计",
    "calendar_changed": "工作日历已更新，办结时限重新计算",
    "triage_late": "登记后逾时未分派",
    "sign_late_1": "逾时未签收，请备用联系人签收",
    "sign_late_2": "再次逾时未签收，升级至分管领导",
    "return_undecided": "退单逾时未裁定",
    "leader_undecided": "分管领导逾时未协调，升级至监督管理部门",
    "limit_missing": "尚未拟定办结时间",
    "extension_undecided": "延期申请逾时未审批",
    "unsolvable_unconfirmed": "无法解决的认定逾时未备案",
    "judgement_late": "回访结果逾时未研判",
    "check_late": "答复逾时未审核",
    "revisit_late": "逾时未回访",
    "opinion_late": "协办单位逾时未提出意见",
    "progress_late": "逾时未记录办理进展",
    "response_late": "逾时未向反映人反馈",
    "due_soon_1": "将于下一工作日到期",
    "due_soon_2": "今日到期",
    "overdue_1": "已超过办结时限",
    "overdue_2": "超期未办结，升级至监督管理部门并下达督办单",
    "order_unanswered": "督办单到期未答复，已生成通报批评草稿，待人工审定",
    "auto_resume": "暂停期满，已恢复计时",
}
WITH_DUE = frozenset({"due_soon_1", "due_soon_2", "overdue_1", "overdue_2", "set_limit"}) | {
    "triage",
    "reclassify",
    "decide_extension",
    "calendar_changed",
}


# Waiting for a limit, the late one is supervision: it is given no order.
UNLIMITED = {"overdue_2": "超期仍未定办结时限，升级至监督管理部门"}


def sentence(case: CaseState, event: Event) -> str:
    """Return what the inbox says of `event`; times in Asia/Shanghai."""
    sentences = SENTENCES | UNLIMITED if case.status is Status.LIMIT_PENDING else SENTENCES
    words = f"{case.number} {sentences.get(event.type, event.type)}"
    if event.type in WITH_DUE and case.due_at is not None:
        words += f",办结时限 {_moment(case.due_at)}"
    return words


def _moment(at: datetime) -> str:
    return f"{local(at):%Y-%m-%d %H:%M}"
