"""Who is told of an event, and what of it is material for a 通报.

Addresses are roles of the case's hall and unit; the ledger activity turns them into users.
Source: domain.md, section 4 (alarms; material for a 通报); S0 跟踪督办.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rules.case.events import Event
from rules.case.guards import extension_decider, return_decider
from rules.case.state import CaseState
from rules.case.vocabulary import Ground, Level, Role, Status


@dataclass(frozen=True)
class Address:
    """A role, of a unit where the role is a unit's; ``alternate`` picks the alternate contact."""

    role: Role
    unit: str | None = None
    alternate: bool = False


@dataclass(frozen=True)
class Material:
    """Grounds for a 通报批评; a person decides on it, never a machine. Source: S0 督促问效."""

    ground: Ground
    unit: str
    order: str | None = None


WINDOW = (Address(Role.WINDOW_LEAD),)
CLERKS = (Address(Role.CLERK),)
SUPERVISION = (Address(Role.SUPERVISOR),)
_SECOND = 2


def _contact(case: CaseState) -> tuple[Address, ...]:
    """The unit's contact; without a unit at work, the window lead."""
    if case.unit is None or case.status is Status.RETURN_REVIEW:
        return WINDOW
    return (Address(Role.CONTACT, case.unit),)


def _leader(case: CaseState) -> tuple[Address, ...]:
    return (Address(Role.DEPUTY_LEADER, case.unit),) if case.unit else ()


def _late_one(case: CaseState) -> tuple[Address, ...]:
    """Waiting for a limit, the late one is supervision, not the unit."""
    if case.status is Status.LIMIT_PENDING:
        return SUPERVISION
    return _contact(case)


def _as_level_says(case: CaseState) -> tuple[Address, ...]:
    """The contact, and those above as far as the case has climbed."""
    addresses = _contact(case)
    if case.level is not Level.CONTACT:
        addresses += _leader(case)
    return addresses + (SUPERVISION if case.level is Level.SUPERVISION else ())


def _return_deciders(case: CaseState) -> tuple[Address, ...]:
    """Who decides this return, and who would decide the next one."""
    ladder = (Role.WINDOW_LEAD, Role.CENTRE, Role.SUPERVISOR)
    step = ladder.index(return_decider(case))
    return tuple(Address(role) for role in ladder[step : step + 2])


def _extension_decider(case: CaseState) -> tuple[Address, ...]:
    return (Address(extension_decider(case)),)


def _co_units(case: CaseState) -> tuple[Address, ...]:
    return tuple(Address(Role.CONTACT, unit) for unit in case.opinions_missing())


def _overdue(case: CaseState) -> tuple[Address, ...]:
    if case.status is Status.LIMIT_PENDING:
        return SUPERVISION + WINDOW
    return _leader(case) + WINDOW


def _overdue_again(case: CaseState) -> tuple[Address, ...]:
    if case.status is Status.LIMIT_PENDING:
        return (*SUPERVISION, Address(Role.SUPERIOR))
    return SUPERVISION + _leader(case) + WINDOW


Recipients = Callable[[CaseState], tuple[Address, ...]]

RECIPIENTS: dict[str, Recipients] = {
    "registered": lambda case: CLERKS + WINDOW,
    "transfer": lambda case: CLERKS + WINDOW,
    "triage": lambda case: SUPERVISION if case.status is Status.LIMIT_PENDING else _contact(case),
    "return_order": lambda case: (Address(return_decider(case)),),
    "decide_return": _contact,
    "reassign": _contact,
    "set_limit": _contact,
    "mark_unable": _leader,
    "coordinate": lambda case: _contact(case) + (SUPERVISION if case.level is Level.SUPERVISION else ()),
    "convene": lambda case: _co_units(case) + _contact(case),
    "opine": _contact,
    "report_complex": lambda case: SUPERVISION,
    "refer_up": lambda case: (Address(Role.SUPERIOR), *CLERKS, *WINDOW),
    "referral_reply": _contact,
    "request_extension": _extension_decider,
    "decide_extension": lambda case: _contact(case) + _leader(case) + CLERKS,
    "suspend": _contact,
    "resume": _contact,
    "reclassify": _contact,
    "declare_unsolvable": lambda case: WINDOW,
    "confirm_unsolvable": lambda case: _contact(case) + _leader(case),
    "reply": lambda case: WINDOW,
    "check_reply": lambda case: CLERKS if case.status is Status.REVISITING else _contact(case),
    "revisit": lambda case: WINDOW if case.judgement_since else (),
    "judge_revisit": lambda case: _contact(case) + _leader(case) if case.is_open else CLERKS,
    "rate": lambda case: WINDOW,
    "object": lambda case: WINDOW,
    "withdraw": _contact,
    "merge": lambda case: _contact(case) + CLERKS,
    "remind": _as_level_says,
    "order": lambda case: _leader(case) + _contact(case),
    "answer_order": lambda case: SUPERVISION,
    "excuse": lambda case: WINDOW,
    "calendar_changed": _contact,
    "triage_late": lambda case: WINDOW,
    "sign_late_1": lambda case: (Address(Role.CONTACT, case.unit, alternate=True),),
    "sign_late_2": lambda case: _leader(case) + WINDOW,
    "return_undecided": _return_deciders,
    "leader_undecided": lambda case: SUPERVISION + WINDOW,
    "limit_missing": lambda case: SUPERVISION + WINDOW,
    "extension_undecided": lambda case: _extension_decider(case) + WINDOW,
    "unsolvable_unconfirmed": lambda case: WINDOW,
    "judgement_late": lambda case: WINDOW,
    "check_late": lambda case: WINDOW,
    "revisit_late": lambda case: CLERKS + WINDOW,
    "opinion_late": lambda case: _co_units(case) + WINDOW,
    "progress_late": lambda case: _contact(case) + WINDOW,
    "response_late": lambda case: _contact(case) + WINDOW,
    "due_soon_1": _late_one,
    "due_soon_2": _late_one,
    "overdue_1": _overdue,
    "overdue_2": _overdue_again,
    "order_unanswered": lambda case: SUPERVISION + _leader(case),
    "auto_resume": lambda case: _contact(case) + WINDOW,
}


def recipients(after: CaseState, event: Event) -> tuple[Address, ...]:
    """Return who is told of `event`, each once; `after` is the case as the event left it."""
    tell = RECIPIENTS.get(event.type)
    merged = (RECIPIENTS.get(item["name"]) for item in event.data.get("merged", ()))
    told = [f(after) for f in (tell, *merged) if f is not None]
    return tuple(dict.fromkeys(address for group in told for address in group))


def material(before: CaseState | None, after: CaseState, event: Event) -> Iterator[Material]:
    """Yield the grounds for a 通报 that `event` gives: 拒不配合, 推诿扯皮, 敷衍应付."""
    if before is None or before.unit is None:
        return
    if event.type == "order_unanswered":
        order = event.data["key"].split("/")[1]
        yield Material(Ground.ORDER_UNANSWERED, before.unit, order)
    if after.refused_returns > before.refused_returns and after.refused_returns == _SECOND:
        yield Material(Ground.TWO_REFUSED_RETURNS, before.unit)
    if after.refused_replies > before.refused_replies and after.refused_replies == _SECOND:
        yield Material(Ground.TWO_REFUSED_REPLIES, before.unit)
