"""What the handling unit does, and how a case moves between units and upward. Source: S0, S1."""

from dataclasses import replace

from rules.calendar import local
from rules.case.clock import climb, dispatch, enter, start_handling
from rules.case.commands.base import Command
from rules.case.commands.handling import (
    Attach,
    Convene,
    Coordinate,
    DecideReturn,
    Inform,
    MarkUnable,
    Opine,
    Progress,
    Reassign,
    ReferralReply,
    ReturnOrder,
    Sign,
)
from rules.case.context import Context
from rules.case.errors import Illegal
from rules.case.handlers import handles
from rules.case.state import CaseState, CoUnit
from rules.case.vocabulary import Level, Status


@handles(Sign)
def sign(case: CaseState, command: Sign, ctx: Context) -> CaseState:
    """The unit takes the case."""
    return start_handling(replace(case, unit_signed=True), ctx)


@handles(ReturnOrder)
def return_order(case: CaseState, command: ReturnOrder, ctx: Context) -> CaseState:
    """The unit says it is not in charge; the case clock runs on."""
    return enter(replace(case, returns=case.returns + 1), Status.RETURN_REVIEW, ctx)


def _return_faults(case: CaseState, command: DecideReturn, ctx: Context) -> dict[str, str]:
    if not command.accept:
        return {}
    return {} if command.unit else {"unit": "required"}


@handles(DecideReturn, _return_faults)
def decide_return(case: CaseState, command: DecideReturn, ctx: Context) -> CaseState:
    """Accepted: to another unit. Refused: back to the same one, which may not return it again."""
    if command.accept:
        assert command.unit is not None
        return dispatch_elsewhere(case, command, command.unit, ctx)
    assert case.unit is not None
    refused = replace(
        case,
        refused_returns=case.refused_returns + 1,
        no_return_units=(*case.no_return_units, case.unit),
    )
    return enter(refused, Status.DISPATCHED, ctx)


@handles(Progress)
def progress(case: CaseState, command: Progress, ctx: Context) -> CaseState:
    """A line of the ledger; the progress limit of complex cases starts anew."""
    return replace(case, progress_at=ctx.at)


@handles(Inform)
def inform(case: CaseState, command: Inform, ctx: Context) -> CaseState:
    """The citizen was told; nothing is owed until the next dispatch or decision."""
    return replace(case, response_since=())


@handles(Attach)
def attach(case: CaseState, command: Attach, ctx: Context) -> CaseState:
    """A file belongs to the case."""
    return replace(case, attachments=case.attachments + 1)


@handles(MarkUnable)
def mark_unable(case: CaseState, command: MarkUnable, ctx: Context) -> CaseState:
    """联系人没办法办理: the deputy leader's limit starts."""
    return replace(climb(case, Level.DEPUTY_LEADER), leader_since=ctx.at)


@handles(Coordinate)
def coordinate(case: CaseState, command: Coordinate, ctx: Context) -> CaseState:
    """The leader's decision; may hand the case up to supervision."""
    return climb(case, Level.SUPERVISION) if command.to else case


def _convene_faults(case: CaseState, command: Convene, ctx: Context) -> dict[str, str]:
    faults: dict[str, str] = {}
    if local(command.at).date() < local(ctx.at).date():
        faults["at"] = "in_the_past"
    if not command.co_units:
        faults["co_units"] = "required"
    elif case.unit in command.co_units:
        faults["co_units"] = "lead_unit"
    elif len(set(command.co_units)) < len(command.co_units):
        faults["co_units"] = "twice"
    return faults


@handles(Convene, _convene_faults)
def convene(case: CaseState, command: Convene, ctx: Context) -> CaseState:
    """One lead unit, co-units with opinions due; from now on they see the case."""
    others = tuple(c for c in case.co_units if c.unit not in command.co_units)
    asked = tuple(CoUnit(unit, ctx.at) for unit in command.co_units)
    return replace(case, co_units=others + asked, convenings=case.convenings + 1)


@handles(Opine)
def opine(case: CaseState, command: Opine, ctx: Context) -> CaseState:
    """A co-unit's opinion."""
    answered = tuple(replace(c, opined_at=ctx.at) if c.unit == ctx.actor.unit else c for c in case.co_units)
    return replace(case, co_units=answered)


@handles(Reassign)
def reassign(case: CaseState, command: Reassign, ctx: Context) -> CaseState:
    """To another unit of the hall; the case clock runs on."""
    return dispatch_elsewhere(case, command, command.unit, ctx)


def dispatch_elsewhere(case: CaseState, command: Command, unit: str, ctx: Context) -> CaseState:
    """Send the case to a unit that must not be the one that has it."""
    if unit == case.unit:
        raise Illegal(command.name, case.status, "same_unit")
    return dispatch(case, unit, ctx)


@handles(ReferralReply)
def referral_reply(case: CaseState, command: ReferralReply, ctx: Context) -> CaseState:
    """The upper level has answered; the unit goes on."""
    return start_handling(case, ctx)
