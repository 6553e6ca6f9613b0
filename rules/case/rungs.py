"""What an alarm does to the case when it fires. Source: S0 督促问效; domain.md, section 4, alarms.

Alarms that are not named here only remind: they change nothing but the record (and, near the due
date, the light).
"""

from dataclasses import replace

from rules.case.alarms import Alarm
from rules.case.clock import climb, enter
from rules.case.commands import Resume
from rules.case.context import Context
from rules.case.limits import resume
from rules.case.oversight import give_order
from rules.case.state import CaseState
from rules.case.vocabulary import Level, Light, Status

WARNINGS = frozenset({"due_soon_1", "due_soon_2"})


def fire(case: CaseState, alarm: Alarm, ctx: Context) -> CaseState:
    """Return the case after `alarm`, and those merged into it, fired at ``ctx.at``."""
    names = {alarm.name, *(a.name for a in alarm.merged)}
    if names & WARNINGS and case.light is Light.GREEN:
        case = replace(case, light=Light.YELLOW)
    match alarm.name:
        case "sign_late_2":
            return climb(case, Level.DEPUTY_LEADER)
        case "leader_undecided":
            return replace(climb(case, Level.SUPERVISION), leader_since=None)
        case "overdue_1":
            return _overdue(case)
        case "overdue_2":
            return _overdue_again(case, ctx)
        case "auto_resume":
            return resume(case, Resume(), ctx)
        case "auto_archive":
            return replace(enter(case, Status.ARCHIVED, ctx), archived_at=ctx.at)
    return case


def _overdue(case: CaseState) -> CaseState:
    """Red. Waiting for a limit, the late one is supervision, so the unit's level stays."""
    red = replace(case, light=Light.RED)
    return red if case.status is Status.LIMIT_PENDING else climb(red, Level.DEPUTY_LEADER)


def _overdue_again(case: CaseState, ctx: Context) -> CaseState:
    """Supervision takes it up, with an order to the unit (none while supervision is the late one)."""
    up = climb(case, Level.SUPERVISION)
    if case.status is Status.LIMIT_PENDING:
        return up
    return give_order(up, ctx, ladder=case.due_epoch)
