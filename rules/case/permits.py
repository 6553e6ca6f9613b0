"""Who may give which command when: the table of domain.md, section 4, in its three columns.

Roles first (`may`), then what the case allows (`possible`). ``citizen`` and ``system`` acts stand
here too, since they are decided the same way.
"""

from collections.abc import Callable
from dataclasses import dataclass

from rules.case import guards
from rules.case.context import Context
from rules.case.errors import Forbidden, Illegal
from rules.case.events import Actor
from rules.case.state import CaseState
from rules.case.vocabulary import OPEN, WORKING, Role, Status

Guard = Callable[[CaseState, Context], str | None]

CLERK = frozenset({Role.CLERK, Role.WINDOW_LEAD})
LEAD = frozenset({Role.WINDOW_LEAD})
UNIT = frozenset({Role.CONTACT, Role.DEPUTY_LEADER})
LEADER = frozenset({Role.DEPUTY_LEADER})
SUPERVISOR = frozenset({Role.SUPERVISOR})
HALL_HEADS = frozenset({Role.WINDOW_LEAD, Role.CENTRE})
OVERSEERS = frozenset({Role.WINDOW_LEAD, Role.CENTRE, Role.SUPERVISOR})
CITIZEN_ONLY = frozenset({Role.CITIZEN})
SYSTEM_ONLY = frozenset({Role.SYSTEM})
ACTING = frozenset(Role) - {Role.AUDITOR, Role.ADMIN, Role.CITIZEN, Role.SYSTEM}

HANDLING = frozenset({Status.HANDLING})
WITH_UNIT = frozenset({Status.DISPATCHED, Status.HANDLING})


@dataclass(frozen=True)
class Permit:
    """Who may, in which statuses, and what else must hold (a guard names the broken rule).

    ``formerly`` are roles that may no more. Histories hold what they were allowed once, and a replay
    must decide it as it was: refused there, a case would stand still.
    """

    roles: frozenset[Role]
    statuses: frozenset[Status]
    guards: tuple[Guard, ...] = ()
    formerly: frozenset[Role] = frozenset()


def _only(status: Status) -> frozenset[Status]:
    return frozenset({status})


PERMITS: dict[str, Permit] = {
    "register": Permit(SYSTEM_ONLY, frozenset()),
    "triage": Permit(CLERK, _only(Status.REGISTERED)),
    "transfer": Permit(HALL_HEADS, _only(Status.REGISTERED)),
    "sign": Permit(UNIT, _only(Status.DISPATCHED)),
    "return_order": Permit(UNIT, _only(Status.DISPATCHED), (guards.may_return_once,)),
    "decide_return": Permit(OVERSEERS, _only(Status.RETURN_REVIEW)),
    "progress": Permit(UNIT, WORKING),
    "inform": Permit(CLERK | UNIT, OPEN, (guards.has_unit,)),
    "mark_unable": Permit(frozenset({Role.CONTACT}), HANDLING, (guards.at_level_contact,)),
    "coordinate": Permit(LEADER, HANDLING),
    "convene": Permit(OVERSEERS, HANDLING),
    "opine": Permit(UNIT, HANDLING, (guards.opinion_asked,)),
    "report_complex": Permit(HALL_HEADS, WITH_UNIT),
    "set_limit": Permit(SUPERVISOR, _only(Status.LIMIT_PENDING)),
    "refer_up": Permit(SUPERVISOR, HANDLING),
    "referral_reply": Permit(frozenset({Role.SUPERIOR, Role.SUPERVISOR}), _only(Status.REFERRED)),
    "request_extension": Permit(LEADER, HANDLING, (guards.extendable,)),
    "decide_extension": Permit(
        frozenset({Role.WINDOW_LEAD, Role.SUPERVISOR}),
        HANDLING | {Status.SUSPENDED},
        (guards.extension_pending,),
    ),
    "suspend": Permit(LEAD, HANDLING, (guards.before_due, guards.suspension_left)),
    "resume": Permit(LEAD, _only(Status.SUSPENDED)),
    "reclassify": Permit(LEAD, WITH_UNIT, (guards.reclassifiable,)),
    "reassign": Permit(LEAD, WITH_UNIT),
    "declare_unsolvable": Permit(LEADER, HANDLING, (guards.nothing_pending,)),
    "confirm_unsolvable": Permit(LEAD, HANDLING, (guards.unsolvable_pending,)),
    "reply": Permit(UNIT, WORKING),
    "check_reply": Permit(LEAD, _only(Status.REPLIED)),
    "revisit": Permit(CLERK, _only(Status.REVISITING), (guards.revisit_open,)),
    "judge_revisit": Permit(LEAD, _only(Status.REVISITING), (guards.judgement_owed,)),
    "rate": Permit(
        CITIZEN_ONLY,
        frozenset({Status.REPLIED, Status.REVISITING, Status.CLOSED}),
        (guards.not_rated,),
    ),
    "object": Permit(CITIZEN_ONLY, _only(Status.CLOSED), (guards.objection_open,)),
    "archive": Permit(LEAD, _only(Status.CLOSED), (guards.archivable,)),
    "withdraw": Permit(CLERK, OPEN),
    "merge": Permit(LEAD, OPEN, formerly=frozenset({Role.CLERK})),
    "remind": Permit(OVERSEERS, OPEN, (guards.has_unit,)),
    "order": Permit(SUPERVISOR, OPEN, (guards.has_unit,)),
    "answer_order": Permit(LEADER, OPEN, (guards.has_unit, guards.order_open)),
    "excuse": Permit(
        SUPERVISOR, frozenset(Status) - {Status.SUSPENDED, Status.ARCHIVED}, (guards.excusable,)
    ),
    "attach": Permit(ACTING, OPEN, (guards.room_for_attachment,)),
    "calendar_changed": Permit(SYSTEM_ONLY, OPEN | {Status.CLOSED}),
}


def may(case: CaseState, name: str, actor: Actor) -> None:
    """Raise `Forbidden` unless the actor's role, and unit, may give `name` on this case."""
    if actor.role not in PERMITS[name].roles or not _in_charge(case, name, actor):
        raise Forbidden(name, actor.role)


def may_have(case: CaseState, name: str, actor: Actor) -> None:
    """Do as `may`, and let through who might under an earlier release. For deciding, not for asking."""
    if actor.role not in PERMITS[name].formerly:
        may(case, name, actor)


def possible(case: CaseState, name: str, ctx: Context) -> None:
    """Raise `Illegal` unless the case, as it stands, allows `name`."""
    permit = PERMITS[name]
    if case.status not in permit.statuses:
        raise Illegal(name, case.status)
    for guard in permit.guards:
        if rule := guard(case, ctx):
            raise Illegal(name, case.status, rule)


def allowed(case: CaseState, ctx: Context) -> list[str]:
    """Return the names of the commands that the actor may give now, in alphabetical order."""
    return [name for name in sorted(PERMITS) if _permitted(case, name, ctx)]


def _permitted(case: CaseState, name: str, ctx: Context) -> bool:
    try:
        may(case, name, ctx.actor)
        possible(case, name, ctx)
    except (Forbidden, Illegal):
        return False
    return True


def _in_charge(case: CaseState, name: str, actor: Actor) -> bool:
    """Whether the actor is the right one among those whose role may."""
    if name == "decide_return":
        return actor.role is guards.return_decider(case)
    if name == "decide_extension":
        return actor.role is guards.extension_decider(case)
    if actor.role not in UNIT:
        return True
    co_unit = any(c.unit == actor.unit for c in case.co_units)
    if name == "opine":
        return co_unit
    return actor.unit == case.unit or (name == "attach" and co_unit)
