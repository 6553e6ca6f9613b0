"""Words that only the pages of /admin say."""

from collections.abc import Mapping

from casework.grant_notices import ACTS

CONFLICT, FORBIDDEN = 409, 403

REFUSED: Mapping[str, str] = {
    "own_request": "这是您自己提出的申请，须由另一位管理员或审计人员决定。",
    "about_yourself": "这项申请涉及您本人，须由其他人决定。",
    "decided": "这项申请已经有了决定。",
    "requester_gone": "申请人已不再是有效的管理员，这项申请不能再批准，请予驳回。",
    "changed_meanwhile": "该用户在申请之后有了变动，不能按原申请批准；请驳回，由管理员重新申请。",
    "waiting_already": "该用户已有一项申请在等待审批，请先决定或撤回那一项。",
    "last_admin": "这是最后一位有效的系统管理员，不能停用或变更。",
}
NEVER = frozenset({"own_request", "about_yourself"})
"""Refusals that no waiting mends: 403."""

PLACE_FAULTS: Mapping[str, str] = {
    "hall_missing": "该角色须选择所属大厅",
    "unit_missing": "该角色须选择所属单位",
    "unit_extra_forbidden": "该角色不属于某个单位，请只选大厅",
    "alternate_extra_forbidden": "只有承办单位联系人可以是备用联系人",
}

ACT = ACTS
GRANT = {"waiting": "待审批", "approved": "已批准", "rejected": "已驳回", "withdrawn": "已撤回"}

FIELDS = {
    "username": "用户名",
    "name": "姓名",
    "role": "角色",
    "place": "所属大厅或单位",
    "alternate": "备用联系人",
    "reason": "事由",
    "code": "代码",
    "level": "层级",
    "parent": "上级大厅",
    "supervision_department": "监督管理部门",
    "policy_id": "适用政策",
    "hours": "开放时间",
    "year": "年度",
    "off": "放假的日子",
    "work": "调休上班的日子",
    "source": "依据",
    "file": "文件",
    "deputy_leader": "分管领导",
    "contact": "联系人",
    "post": "职务",
    "phone": "电话",
}


def field(name: str) -> str:
    """Return what a field is called: `contact.phone` is 联系人电话, `reason_<anything>` 事由."""
    if name.startswith("reason_"):
        return FIELDS["reason"]
    if name.startswith("alternate."):
        return "备用联系人" + FIELDS.get(name.partition(".")[2], "")
    return "".join(FIELDS.get(part, part) for part in name.split("."))


DAY_MARK = {"off": "休", "swap": "班", "own_off": "厅休", "own_work": "厅班", "work": "", "weekend": ""}
DAY_WORD = {
    "off": "放假",
    "swap": "调休上班",
    "own_off": "本大厅放假",
    "own_work": "本大厅上班",
    "work": "工作日",
    "weekend": "周末",
}
SOURCE = {"chinesecalendar": "系统自带的历年国务院放假通知(chinesecalendar)"}
