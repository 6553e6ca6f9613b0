"""What each role has to know, for the help page and the hand-cards: one text for both.

What a role may do comes from the rules' own table (rules/case/permits.py), so that no guide promises
what the case refuses; a test compares the cards in docs/hand-cards/ with what is made here.
"""

from collections.abc import Mapping

from pages.labels import COMMAND
from pages.tour import STEPS
from rules.case.permits import PERMITS
from rules.case.vocabulary import Role

STAFF = tuple(STEPS)
"""The roles that sign in, in the order of a case's way."""

DUTY: Mapping[Role, str] = {
    Role.CLERK: "登记、分派、回访。A 岗、B 岗共用一个队列，每一步都记在实际经办人名下。",
    Role.WINDOW_LEAD: "总体负责，全程跟踪督办：裁定、审批、审核答复、研判、归档。",
    Role.CENTRE: "统管本大厅：第二次退单的裁定、会商、复杂件上报、每周汇总。",
    Role.CONTACT: "签收并办理本单位的办件，按时答复；备用联系人权限相同。",
    Role.DEPUTY_LEADER: "协调联系人办不了的事，申请延期，认定无法解决，答复督办单。",
    Role.SUPERVISOR: "督查督办：定时限、下督办单、上报、会商、审定通报批评。",
    Role.SUPERIOR: "答复上报的办件，审定严重问责事项。",
    Role.AUDITOR: "只读：查看全部办件的全过程，核验证据。",
    Role.ADMIN: "管理账号、通讯录、日历；看不到办件内容和个人信息。",
}

DAY: Mapping[Role, tuple[str, ...]] = {
    Role.CLERK: (
        "开门：看“今日队列”，先分派，再办到期回访。",
        "接待：在“窗口登记”里边听边填，材料可拍照上传；提交后打印回执交给群众。",
        "告知：把需要的材料、窗口、联系人一次说清，写进一次性告知。",
        "回访：答复通过后按期联系；多次都联系不上的(次数见“各项时限”),系统自动结束回访。",
        "下班前：队列里没有等待分派的办件。",
    ),
    Role.WINDOW_LEAD: (
        "开门：看“大厅总览”里等您决定的事项和红灯、黄灯。",
        "随到随办：裁定退单、审批延期、审核备案、审核答复、研判回访。",
        "群众暂时不能配合的，暂停计时；配合后马上恢复。",
        "情况复杂的，报请监督管理部门拟定时限。",
        "下班前：没有等待您决定的办件；写得出经验的，归档时记下来，典型的写成典型案例。",
    ),
    Role.CENTRE: (
        "开门：看“大厅总览”的红灯、黄灯和第二次退单。",
        "多家单位共办的，召开会商；不属本大厅的，移交负责的大厅。",
        "周五：窗口周报(登记表与台账)由系统生成，在“周报”里核对并点“接收”。",
        "周一：周汇总由系统生成，核对后报监督管理部门；放假则顺延到下一个工作日。",
        "周一：汇总上周情况，数字看“统计分析”。",
    ),
    Role.CONTACT: (
        "开门：看“承办办件”，先签收，再看黄灯、红灯。",
        "办理中：与反映人联系要记录“告知反映人”，有进展就记一行。",
        "没办法办理的，当天反映，由分管领导协调，不要压在手里。",
        "答复：写清结果和依据，附上材料，报窗口负责人审核。",
        "下班前：没有等待签收的办件，明天到期的已有安排。",
    ),
    Role.DEPUTY_LEADER: (
        "开门：看升级到您这里的办件和待答复的督办单。",
        "联系人反映没办法办理的，按时作出协调，逾时会升级到监督管理部门。",
        "来不及的，到期前申请延期；即办件不能延期。",
        "收到通报批评草稿的，审定前在“通报”里提交单位说明。",
        "确实无法解决的，写明依据作出认定，备案后由本单位按时向反映人说明。",
    ),
    Role.SUPERVISOR: (
        "开门：看“督查督办”，先给待定时限的办件拟定时限。",
        "超期、升级的办件逐件看全过程，需要时下达督办单。",
        "周一：在“周报”里接收各中心的周汇总，系统按类别归档备查。",
        "本级解决不了的，上报上级部门；答复回来后继续办理。",
        "通报批评草稿：在“通报”里听取单位说明，决定通报(自动编号)或不予通报。",
        "每周：在“统计分析”里看按时率、各单位评分和失分的办件，谁手里花的时间最多。",
        "“重复与瓶颈”里看哪些事反复办不成；审核典型案例，看清没有任何人的信息。",
    ),
    Role.SUPERIOR: (
        "看“督查督办”里上报来的办件。",
        "在约定日期前填写上级答复。",
        "“通报”里有问责移送的，审定同意或退回。",
    ),
    Role.AUDITOR: (
        "在“全部办件”里按状态、灯号、单位筛选。",
        "点开办件：核对全过程、核验标记、各环节停留时间。",
        "在“统计分析”里看各方持有办件多久，哪些成因最费时。",
        "审批监督、上级、审计、管理员角色的授权。",
    ),
    Role.ADMIN: (
        "人员变动当天：新建或停用账号，更新业务联系表。",
        "每年放假安排公布后：载入新年度日历，确认前看清哪些时限会变。",
    ),
}

HINT: Mapping[str, str] = {
    "triage": "定类别、成因、承办单位，填一次性告知",
    "transfer": "不属本大厅的，移交负责的大厅，登记时间不变",
    "sign": "收到分派后先签收",
    "return_order": "不属本单位职责的，签收前退回并写明理由；计时不停",
    "decide_return": "同意则改派其他单位，驳回则原单位办理",
    "progress": "办理中有进展就记一行",
    "inform": "电话、上门等告知了什么，写下来",
    "mark_unable": "联系人没办法办理的，交分管领导协调",
    "coordinate": "写明协调结果，也可提请监督管理部门",
    "convene": "召集协办单位，写明时间、地点",
    "opine": "被邀请会商的单位提出意见",
    "report_complex": "情况复杂的，请监督管理部门定时限",
    "set_limit": "写明办结日期(工作日)和理由",
    "refer_up": "本级解决不了的，报上级部门",
    "referral_reply": "填写上级的答复意见",
    "request_extension": "到期前申请，写明天数和理由；即办件不能延期",
    "decide_extension": "同意的，从原时限往后算",
    "suspend": "只在等待反映人配合时，且未到期",
    "resume": "反映人配合后马上恢复",
    "reclassify": "即办件与承诺件之间变更，时限重算",
    "reassign": "改由本大厅其他单位承办，计时不停",
    "declare_unsolvable": "写明依据，报窗口负责人备案",
    "confirm_unsolvable": "同意即备案，由承办单位向反映人说明",
    "reply": "写明结果，报窗口负责人审核",
    "check_reply": "通过即告知反映人；不通过写明理由",
    "revisit": "是否联系上、满意程度、是否解决",
    "judge_revisit": "不满意或有异议的，决定重新办理或办结",
    "archive": "办结后归档，可写下经验",
    "withdraw": "反映人要求撤回的",
    "merge": "同一事项并入较早的在办件",
    "remind": "提醒承办单位抓紧，级别高的同时提醒上级",
    "order": "要求承办单位限期书面答复",
    "answer_order": "在期限内书面答复督办单",
    "excuse": "停电、不可抗力等造成的逾期，单列说明",
    "attach": "PDF、图片、Word、Excel,每件最多 10 个",
}
"""Command → when it is given, and what it asks for."""

LIGHTS: tuple[tuple[str, str], ...] = (
    ("green", "在时限内，没有预警。"),
    ("yellow", "到期前一个工作日和到期当天开门时亮起，抓紧办。"),
    ("red", "已超过办结时限，自动升级；红灯会留到办结。"),
    ("grey", "没有计时：还没有时限，或者正在暂停。"),
)
LADDER: tuple[tuple[str, str], ...] = (
    ("逾时未签收", "先提醒备用联系人；再逾时，升级至分管领导。"),
    ("到期前", "前一个工作日和到期当天提醒联系人，亮黄灯。"),
    ("超期", "时限一过亮红灯，升级至分管领导，同时提醒窗口负责人。"),
    ("超期后仍未办结", "升级至监督管理部门，自动下达督办单。"),
    ("督办单到期未答复", "生成通报批评草稿，由监督管理部门的人审定，机器从不自行通报。"),
)
COUNTING: tuple[str, ...] = (
    "登记的当天是第 0 天，从下一个工作日起数；到第 N 个工作日下班时(大厅关门的时间)截止。",
    "正好在截止时刻办完，算按时。",
    "工作日以国务院公布的放假安排为准：调休上班的周末算，放假的平日不算；大厅自己的放假(例如三月三)也不算。",
    "工作小时只在大厅开门时间内计算，午休、晚上和假日不算。",
    "退单、变更类别、改派都不会让时间重新开始；只有批准的延期和暂停才会推后时限。",
    "放假安排还没有公布的年度，时限标明“暂定”；公布后自动重算，改动前后的时限都有记录。",
)


def commands_of(role: Role) -> list[tuple[str, str]]:
    """Return what a role may do to a case, each with when it is done."""
    return [(COMMAND[name], HINT[name]) for name, permit in PERMITS.items() if role in permit.roles]
