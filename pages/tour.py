"""The card 第一次使用 on a role's start page: what to do first, until somebody says it was read."""

from collections.abc import Mapping

from fastapi import Request
from starlette.responses import Response

from casework.viewer import Viewer
from pages.navigation import start_of
from pages.sessions import is_secure
from rules.case.vocabulary import Role

COOKIE = "bancheng_tour"
KEPT = 365 * 24 * 3600  # seconds

STEPS: Mapping[Role, tuple[str, ...]] = {
    Role.CLERK: (
        "群众来了，先进“窗口登记”，边听边填，提交后把回执交给群众。",
        "回到“今日队列”，把新登记的办件分派给承办单位，同时填好一次性告知。",
        "答复通过后，在“今日队列”里按期回访，问清是否联系上、是否满意。",
    ),
    Role.WINDOW_LEAD: (
        "“大厅总览”先列出等您决定的事项：退单、延期、备案、答复审核、回访研判。",
        "审核答复：通过即告知群众；不通过请写明理由，办件退回承办单位。",
        "黄灯、红灯的办件点开看看卡在谁手里，需要时催办或改派。",
    ),
    Role.CENTRE: (
        "“大厅总览”按状态列出全厅办件，红灯、黄灯在前。",
        "同一办件第二次退单由您裁定；情况复杂的，报请监督管理部门拟定时限。",
        "需要几家一起办的，召开会商，写明时间和地点。",
    ),
    Role.CONTACT: (
        "“承办办件”按紧急程度排列：红灯已超期，黄灯将到期。先签收新来的。",
        "不属本单位职责的，签收前退单并写明理由；已被驳回一次的不能再退。",
        "办结后填写答复；没办法办理的，点“反映没办法办理”，由分管领导协调。",
    ),
    Role.DEPUTY_LEADER: (
        "先看升级到您这里的办件：联系人办不了的、超期的，都等您协调。",
        "督办单须按期书面答复；逾期未答复会生成通报批评草稿。",
        "确需延长的，在到期前申请延期；确实无法解决的，写明依据作出认定。",
    ),
    Role.SUPERVISOR: (
        "“督查督办”列出超期、升级和待定时限的办件，先给复杂件定时限。",
        "点开办件可看全过程：谁在何时做了什么，在谁手里停了多久。",
        "需要时下达督办单；通报批评由系统起草，是否发出由您决定。",
    ),
    Role.SUPERIOR: (
        "“督查督办”列出报到您这里的办件和约定的答复日期。",
        "点开办件查看全过程，然后填写“上级答复”，办件随即回到承办单位。",
    ),
    Role.AUDITOR: (
        "您可以查看全部办件及其全过程，不能改动任何内容。",
        "点开办件，核对“台账校验通过”标记、时限的每次变动和各环节停留时间。",
        "“授权审批”里有等待第二人批准的授权。",
    ),
    Role.ADMIN: (
        "先建大厅和承办单位，再导入业务联系表，最后开账号。",
        "每年放假安排公布后，载入新年度日历；确认前可先看哪些时限会变。",
        "授予监督、上级、审计、管理员角色，需要第二位管理员或审计人员批准。",
    ),
}
"""What a role does first, in the order of its day."""


def tour(request: Request, viewer: Viewer | None) -> tuple[str, ...]:
    """Return the steps to show on this page: none off the start page, and none once dismissed."""
    if viewer is None or request.url.path != start_of(viewer) or viewer.role in _dismissed(request):
        return ()
    return STEPS[viewer.role]


def dismiss(request: Request, response: Response, role: Role) -> None:
    """Have this browser remember that the role's card was read; A and B share the counter's screen."""
    read = ".".join(sorted(_dismissed(request) | {role}))
    secure = is_secure(request)
    response.set_cookie(COOKIE, read, max_age=KEPT, httponly=True, secure=secure, samesite="lax", path="/")


def _dismissed(request: Request) -> set[str]:
    return set(request.cookies.get(COOKIE, "").split(".")) & {*Role}
