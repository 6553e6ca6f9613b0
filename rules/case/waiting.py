"""What an open case waits for: the command that comes next in the loop, and who may give it.

Only what the procedure waits for: an order or an opinion that is due runs beside it. Source:
domain.md, section 4, the columns "who" and "from → to".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from rules.case.guards import extension_decider, return_decider
from rules.case.state import CaseState
from rules.case.vocabulary import Request, Role, Status


@dataclass(frozen=True)
class Waiting:
    """``step`` is the name of a command, ``by`` the role that the case waits for."""

    step: str
    by: Role


_BY_STATUS: Mapping[Status, Waiting] = {
    Status.REGISTERED: Waiting("triage", Role.CLERK),
    Status.DISPATCHED: Waiting("sign", Role.CONTACT),
    Status.HANDLING: Waiting("reply", Role.CONTACT),
    Status.LIMIT_PENDING: Waiting("set_limit", Role.SUPERVISOR),
    Status.SUSPENDED: Waiting("resume", Role.WINDOW_LEAD),
    Status.REFERRED: Waiting("referral_reply", Role.SUPERIOR),
    Status.EXPLAINING: Waiting("reply", Role.CONTACT),
    Status.REPLIED: Waiting("check_reply", Role.WINDOW_LEAD),
    Status.REVISITING: Waiting("revisit", Role.CLERK),
}

# Where an extension can be decided: domain.md, section 4, decide_extension.
_DECIDABLE = frozenset({Status.HANDLING, Status.SUSPENDED})


def next_step(case: CaseState) -> Waiting | None:
    """Return what a case waits for; None once it is closed."""
    if case.status is Status.RETURN_REVIEW:
        return Waiting("decide_return", return_decider(case))
    if case.status in _DECIDABLE and case.pending and case.pending.request is Request.EXTENSION:
        return Waiting("decide_extension", extension_decider(case))
    if case.status is Status.HANDLING and case.pending:
        return Waiting("confirm_unsolvable", Role.WINDOW_LEAD)
    if case.status is Status.HANDLING and case.leader_since:
        return Waiting("coordinate", Role.DEPUTY_LEADER)
    if case.status is Status.REVISITING and case.judgement_since:
        return Waiting("judge_revisit", Role.WINDOW_LEAD)
    return _BY_STATUS.get(case.status)


def next_order_due(case: CaseState) -> datetime | None:
    """Return when the first unanswered order (督办单) of an open case is due, None without one."""
    if not case.is_open:
        return None
    return min((order.due_at for order in case.orders if order.answered_at is None), default=None)
