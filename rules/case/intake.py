"""Registration, triage, transfer; withdrawal and merging. Source: S0 登记, 分类, 分派; domain.md §4."""

from dataclasses import replace

from rules.case.clock import (
    close,
    dispatch,
    enter,
    limit_of,
    overdue,
    round_limit,
    set_due,
    with_round,
)
from rules.case.commands.intake import Merge, Register, Transfer, Triage, Withdraw
from rules.case.context import Context
from rules.case.errors import Illegal
from rules.case.handlers import handles
from rules.case.state import CaseState, Due, PolicyRef, Round
from rules.case.vocabulary import Kind, Outcome, Status


def register(command: Register, ctx: Context) -> CaseState:
    """Make the case; T0 is the instant the filing was received, however late it is registered."""
    return CaseState(
        case_id=command.case_id,
        number=command.number,
        hall=command.hall,
        channel=command.channel,
        received_at=command.received_at,
        registered_at=ctx.at,
        policy=command.policy,
        calendar=command.calendar,
        cause=command.cause,
        stage_since=command.received_at,
        rounds=(Round(1, command.received_at),),
    )


def _triage_faults(case: CaseState, command: Triage, ctx: Context) -> dict[str, str]:
    if command.kind is Kind.CONSULTATION:
        return {} if command.answer else {"answer": "required"}
    if command.kind is Kind.OUT_OF_SCOPE:
        return {} if command.guidance else {"guidance": "required"}
    needed = {
        "cause": command.cause or case.cause,
        "unit": command.unit,
        "one_time_notice": command.one_time_notice,
    }
    return {field: "required" for field, value in needed.items() if not value}


@handles(Triage, _triage_faults)
def triage(case: CaseState, command: Triage, ctx: Context) -> CaseState:
    """Answer at once, or set the clock and dispatch (complex: ask for a limit first)."""
    case = replace(case, kind=command.kind, cause=command.cause or case.cause)
    if command.kind is Kind.CONSULTATION:
        return close(case, Outcome.CONSULTED, ctx)
    if command.kind is Kind.OUT_OF_SCOPE:
        return close(case, Outcome.INFORMED, ctx)
    assert command.unit is not None
    case = replace(case, limit_days=limit_of(command.kind, ctx))
    case = set_due(case, Due(round_limit(case, ctx), start=case.round.started_at), ctx)
    if command.kind is Kind.COMPLEX:
        return enter(replace(case, unit=command.unit, limit_asked=True), Status.LIMIT_PENDING, ctx)
    return dispatch(case, command.unit, ctx)


def _transfer_faults(case: CaseState, command: Transfer, ctx: Context) -> dict[str, str]:
    return {"hall": "same_hall"} if command.hall == case.hall else {}


@handles(Transfer, _transfer_faults)
def transfer(case: CaseState, command: Transfer, ctx: Context) -> CaseState:
    """To the hall in charge: T0 stays, its policy and calendar count from now on."""
    policy = PolicyRef(ctx.policy.id, ctx.policy.version)
    moved = replace(case, hall=command.hall, policy=policy, calendar=ctx.calendar.version)
    return enter(moved, Status.REGISTERED, ctx)


@handles(Withdraw)
def withdraw(case: CaseState, command: Withdraw, ctx: Context) -> CaseState:
    """Close on the citizen's request; after due it still counts as late."""
    # A reply that waits for its check has stopped the clock, where replies are what is judged.
    replied = case.reply if case.status is Status.REPLIED and ctx.policy.judged_by == "reply" else None
    late = case.round.late or overdue(case, replied.at if replied else ctx.at)
    if late and case.round.told_at is None:
        case = with_round(case, late=True, on_time=False)
    return close(case, Outcome.WITHDRAWN, ctx)


@handles(Merge)
def merge(case: CaseState, command: Merge, ctx: Context) -> CaseState:
    """Close into an older open case of the same hall."""
    older = (command.into_received_at, command.into) < (case.received_at, case.case_id)
    rules = {
        "merge_into_itself": command.into != case.case_id,
        "merge_other_hall": command.into_hall == case.hall,
        "merge_into_closed": command.into_open,
        "merge_into_younger": older,
    }
    for rule, holds in rules.items():
        if not holds:
            raise Illegal(command.name, case.status, rule)
    return close(replace(case, merged_into=command.into), Outcome.MERGED, ctx)
