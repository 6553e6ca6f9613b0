"""Which pages a role has, in the order of its day, and where it starts."""

from collections.abc import Mapping
from dataclasses import dataclass

from casework.viewer import Viewer
from rules.case.vocabulary import Role


@dataclass(frozen=True)
class Place:
    """A page in the navigation."""

    path: str
    title: str


COUNTER = Place("/counter", "窗口登记")
QUEUE = Place("/counter/queue", "今日队列")
DEPARTMENT = Place("/department", "承办办件")
LEAD = Place("/lead", "大厅总览")
SUPERVISION = Place("/supervision", "督查督办")
BULLETINS = Place("/bulletins", "通报")
BOTTLENECKS = Place("/bottlenecks", "重复与瓶颈")
LESSONS = Place("/lessons", "经验")
TYPICAL = Place("/typical", "典型案例")
CASES = Place("/cases", "全部办件")
FIGURES = Place("/figures", "统计分析")
WHAT_IF = Place("/what-if", "政策推演")
REPORTS = Place("/reports", "周报月报")
ADMIN = Place("/admin", "系统管理")
ACCESS = Place("/admin/grants", "授权审批")
EVIDENCE = Place("/evidence", "证据核验")
ACCESS_LOG = Place("/access-log", "访问日志")
PERSONAL_DATA = Place("/personal-data", "个人信息")
INBOX = Place("/inbox", "消息")
HELP = Place("/help", "帮助")

PLACES: Mapping[Role, tuple[Place, ...]] = {
    Role.CLERK: (QUEUE, COUNTER, CASES),
    Role.WINDOW_LEAD: (LEAD, QUEUE, COUNTER, CASES, REPORTS),
    Role.CENTRE: (LEAD, CASES, FIGURES, REPORTS),
    Role.CONTACT: (DEPARTMENT, CASES),
    Role.DEPUTY_LEADER: (DEPARTMENT, CASES, BULLETINS),
    Role.SUPERVISOR: (SUPERVISION, CASES, FIGURES, REPORTS, BULLETINS),
    Role.SUPERIOR: (SUPERVISION, CASES, BULLETINS),
    Role.AUDITOR: (SUPERVISION, CASES, FIGURES, EVIDENCE, ACCESS),
    Role.ADMIN: (ADMIN,),
}
"""The first of a role's places is where it starts."""

MORE: Mapping[Role, tuple[Place, ...]] = {
    Role.CLERK: (LESSONS,),
    Role.WINDOW_LEAD: (BULLETINS, LESSONS, TYPICAL),
    Role.CENTRE: (BULLETINS, BOTTLENECKS, LESSONS, TYPICAL, WHAT_IF),
    Role.CONTACT: (BULLETINS, LESSONS),
    Role.DEPUTY_LEADER: (LESSONS,),
    Role.SUPERVISOR: (BOTTLENECKS, LESSONS, TYPICAL, WHAT_IF, EVIDENCE, ACCESS_LOG, PERSONAL_DATA),
    Role.SUPERIOR: (LESSONS,),
    Role.AUDITOR: (REPORTS, BULLETINS, BOTTLENECKS, LESSONS, TYPICAL, WHAT_IF, ACCESS_LOG, PERSONAL_DATA),
    Role.ADMIN: (PERSONAL_DATA,),
}
"""What a role opens now and then: folded away, so that the day's places stay in one line."""


def navigation(viewer: Viewer | None) -> tuple[Place, ...]:
    """Return the places of whoever is signed in."""
    return (*PLACES[viewer.role], INBOX, HELP) if viewer else (HELP,)


def folded(viewer: Viewer | None) -> tuple[Place, ...]:
    """Return the places that stand under 更多."""
    return MORE.get(viewer.role, ()) if viewer else ()


def start_of(viewer: Viewer) -> str:
    """Return the path of a role's start page."""
    return PLACES[viewer.role][0].path
