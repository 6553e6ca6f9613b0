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
TYPICAL = Place("/typical", "典型案例")
CASES = Place("/cases", "全部办件")
FIGURES = Place("/figures", "统计分析")
WHAT_IF = Place("/what-if", "政策推演")
REPORTS = Place("/reports", "周报")
ADMIN = Place("/admin", "系统管理")
ACCESS = Place("/admin/grants", "授权审批")
EVIDENCE = Place("/evidence", "证据核验")
INBOX = Place("/inbox", "消息")
HELP = Place("/help", "帮助")

PLACES: Mapping[Role, tuple[Place, ...]] = {
    Role.CLERK: (QUEUE, COUNTER, CASES),
    Role.WINDOW_LEAD: (LEAD, QUEUE, COUNTER, CASES, REPORTS, TYPICAL),
    Role.CENTRE: (LEAD, CASES, FIGURES, REPORTS, BOTTLENECKS, TYPICAL, WHAT_IF),
    Role.CONTACT: (DEPARTMENT, CASES),
    Role.DEPUTY_LEADER: (DEPARTMENT, CASES, BULLETINS),
    Role.SUPERVISOR: (
        *(SUPERVISION, CASES, FIGURES, REPORTS, BULLETINS, BOTTLENECKS),
        *(TYPICAL, WHAT_IF, EVIDENCE),
    ),
    Role.SUPERIOR: (SUPERVISION, CASES, BULLETINS),
    Role.AUDITOR: (
        *(SUPERVISION, CASES, FIGURES, REPORTS, BULLETINS, BOTTLENECKS),
        *(TYPICAL, WHAT_IF, EVIDENCE, ACCESS),
    ),
    Role.ADMIN: (ADMIN,),
}
"""The first of a role's places is where it starts."""


def navigation(viewer: Viewer | None) -> tuple[Place, ...]:
    """Return the places of whoever is signed in."""
    return (*PLACES[viewer.role], INBOX, HELP) if viewer else (HELP,)


def start_of(viewer: Viewer) -> str:
    """Return the path of a role's start page."""
    return PLACES[viewer.role][0].path
