"""What moves a due date: limits, referral, extension, suspension, kind, the unsolvable, calendars.

Source: domain.md, sections 3 and 4; S0 办理时限.
"""

from dataclasses import replace

from rules.case.clock import (
    add_days,
    dispatch,
    enter,
    is_late,
    keep_late,
    limit_of,
    overdue,
    owe_response,
    reckon,
    round_limit,
    set_due,
    start_handling,
    with_round,
)
from rules.case.commands.limits import (
    CalendarChanged,
    ConfirmUnsolvable,
    DecideExtension,
    DeclareUnsolvable,
    Reclassify,
    ReferUp,
    ReportComplex,
    RequestExtension,
    Resume,
    SetLimit,
    Suspend,
)
from rules.case.context import Context
from rules.case.errors import Illegal
from rules.case.handlers import check_due_on, handles
from rules.case.state import CaseState, Due, Order, Pending
from rules.case.vocabulary import Kind, Light, Request, Status


@handles(ReportComplex)
def report_complex(case: CaseState, command: ReportComplex, ctx: Context) -> CaseState:
    """Ask supervision for a limit; until one is set the due date stands."""
    case = replace(keep_late(case, ctx), kind=Kind.COMPLEX, limit_asked=True, pending=None)
    return enter(case, Status.LIMIT_PENDING, ctx)


@handles(SetLimit, lambda case, command, ctx: check_due_on(case, command.due_on, ctx))
def set_limit(case: CaseState, command: SetLimit, ctx: Context) -> CaseState:
    """Supervision's date counts from now on; what fired stays."""
    days = ctx.calendar.working_days_between(ctx.at, ctx.calendar.closing(command.due_on))
    case = set_due(replace(case, limit_days=days), Due(0, on=command.due_on), ctx)
    if case.unit_signed:
        return start_handling(case, ctx)
    assert case.unit is not None
    return dispatch(case, case.unit, ctx)


@handles(ReferUp, lambda case, command, ctx: check_due_on(case, command.due_on, ctx))
def refer_up(case: CaseState, command: ReferUp, ctx: Context) -> CaseState:
    """上报: the citizen is owed a word within the response limit."""
    case = set_due(keep_late(case, ctx), Due(0, on=command.due_on), ctx)
    referred = enter(replace(case, referred=True, pending=None), Status.REFERRED, ctx)
    return owe_response(referred, ctx)


def _extension_faults(case: CaseState, command: RequestExtension, ctx: Context) -> dict[str, str]:
    return {} if command.working_days > 0 else {"working_days": "at_least_one"}


@handles(RequestExtension, _extension_faults)
def request_extension(case: CaseState, command: RequestExtension, ctx: Context) -> CaseState:
    """The clock runs while it is undecided; no longer than the original limit."""
    if command.working_days > (case.limit_days or ctx.policy.commitment):
        raise Illegal(command.name, case.status, "beyond_original_limit")
    serial = case.requests + 1
    pending = Pending(Request.EXTENSION, ctx.at, serial, command.working_days)
    return replace(case, requests=serial, pending=pending)


@handles(DecideExtension)
def decide_extension(case: CaseState, command: DecideExtension, ctx: Context) -> CaseState:
    """Granted: counts from the old due date. Either way the citizen is told within the limit."""
    pending = case.pending
    assert pending is not None
    case = owe_response(replace(case, pending=None), ctx)
    if not command.accept:
        return case
    return add_days(replace(case, extensions=case.extensions + 1), pending.days, ctx)


@handles(Suspend)
def suspend(case: CaseState, command: Suspend, ctx: Context) -> CaseState:
    """Wait for the citizen; the light turns grey."""
    return replace(enter(case, Status.SUSPENDED, ctx), light=Light.GREY)


@handles(Resume)
def resume(case: CaseState, command: Resume, ctx: Context) -> CaseState:
    """Add the working days in (pause, resume] and go on; a new calendar counts from here.

    Never more than are left: an outage may hold the resumption up, not the citizen's answer.
    """
    left = ctx.policy.suspension_total - case.suspended_days
    days = min(ctx.calendar.working_days_between(case.stage_since, ctx.at), left)
    paused = replace(case, suspended_days=case.suspended_days + days)
    paused = with_round(paused, suspended_days=case.round.suspended_days + days)
    shifted = add_days(paused, days, ctx)
    return start_handling(replace(shifted, light=_relit(shifted)), ctx)


def _relit(case: CaseState) -> Light:
    """Return the light after a pause: as it was, or green where the due date moved."""
    warnings = tuple(f"due_soon_{number}/{case.due_epoch}/" for number in (1, 2))
    warned = any(mark.key.startswith(warnings) for mark in case.fired)
    return Light.YELLOW if warned else Light.GREEN


def _kind_faults(case: CaseState, command: Reclassify, ctx: Context) -> dict[str, str]:
    fits = command.kind in {Kind.SIMPLE, Kind.COMMITMENT}
    return {} if fits else {"kind": "simple_or_commitment"}


@handles(Reclassify, _kind_faults)
def reclassify(case: CaseState, command: Reclassify, ctx: Context) -> CaseState:
    """Reckon again from the round's start plus granted suspension; refused if that is past."""
    if command.kind is case.kind:
        raise Illegal(command.name, case.status, "same_kind")
    case = replace(keep_late(case, ctx), kind=command.kind, limit_days=limit_of(command.kind, ctx))
    if case.kind is Kind.SIMPLE and case.pending and case.pending.request is Request.EXTENSION:
        case = replace(case, pending=None)  # a simple case has no extension, so none to decide either
    days = round_limit(case, ctx) + case.round.suspended_days
    due = Due(days, start=case.round.started_at)
    if is_late(ctx.at, reckon(due, ctx)):
        raise Illegal(command.name, case.status, "new_due_is_past")
    return set_due(case, due, ctx)


@handles(DeclareUnsolvable)
def declare_unsolvable(case: CaseState, command: DeclareUnsolvable, ctx: Context) -> CaseState:
    """The determination; while it is unconfirmed the due alarms run."""
    serial = case.requests + 1
    return replace(case, requests=serial, pending=Pending(Request.UNSOLVABLE, ctx.at, serial))


@handles(ConfirmUnsolvable)
def confirm_unsolvable(case: CaseState, command: ConfirmUnsolvable, ctx: Context) -> CaseState:
    """备案: explain within three working days of the determination.

    A determination after due cures nothing: the due date stays.
    """
    pending = case.pending
    assert pending is not None
    case = replace(case, pending=None)
    if not command.accept:
        return case
    due = Due(ctx.policy.unsolvable, start=pending.at)
    in_time = not overdue(case, pending.at)
    if in_time and case.due_at is not None and reckon(due, ctx) > case.due_at:
        case = set_due(case, due, ctx)
    return enter(case, Status.EXPLAINING, ctx)


@handles(CalendarChanged)
def calendar_changed(case: CaseState, command: CalendarChanged, ctx: Context) -> CaseState:
    """Reckon the open due dates again; what fired stays, an accepted reply is not touched."""
    case = replace(case, calendar=ctx.calendar.version)
    orders = tuple(_reckon_order(order, ctx) for order in case.orders)
    case = replace(case, orders=orders)
    settled = case.round.told_at is not None or not case.is_open
    if case.due is None or settled or case.status is Status.SUSPENDED:
        return case
    return set_due(case, case.due, ctx)


def _reckon_order(order: Order, ctx: Context) -> Order:
    if order.answered_at or order.due_at <= ctx.at:
        return order
    return replace(order, due_at=ctx.closing_after(order.given_at, ctx.policy.order))
