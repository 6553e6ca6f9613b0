"""What must hold beside role and status before a command is allowed; each names its rule.

A guard returns None where the command may go on, else the rule's name (a stable slug that the
refusal carries). Source: domain.md, section 4, notes and fine print.
"""

from datetime import datetime

from rules.case.clock import overdue
from rules.case.context import Context
from rules.case.state import CaseState
from rules.case.vocabulary import Kind, Level, Light, Request, Role, Status

SATISFIED = 3
ATTACHMENTS = 10


def return_decider(case: CaseState) -> Role:
    """1st return: window lead; 2nd: centre; 3rd and later: supervisor; the earlier ones no more."""
    deciders = (Role.WINDOW_LEAD, Role.CENTRE, Role.SUPERVISOR)
    decided = case.returns - 1 if case.status is Status.RETURN_REVIEW else case.returns
    return deciders[min(decided, len(deciders) - 1)]


def extension_decider(case: CaseState) -> Role:
    """The window lead decides the first extension, the supervisor once one was granted."""
    return Role.SUPERVISOR if case.extensions else Role.WINDOW_LEAD


def has_unit(case: CaseState, ctx: Context) -> str | None:
    """The case has been dispatched."""
    return None if case.unit else "no_unit"


def may_return_once(case: CaseState, ctx: Context) -> str | None:
    """A unit whose return was refused may not return this case again."""
    return "return_refused_before" if case.unit in case.no_return_units else None


def at_level_contact(case: CaseState, ctx: Context) -> str | None:
    """Only while the contact holds it."""
    return None if case.level is Level.CONTACT else "level"


def opinion_asked(case: CaseState, ctx: Context) -> str | None:
    """The co-unit was asked and has not answered."""
    return None if ctx.actor.unit in case.opinions_missing() else "opinion_given"


def nothing_pending(case: CaseState, ctx: Context) -> str | None:
    """One request at a time."""
    return "request_pending" if case.pending else None


def extendable(case: CaseState, ctx: Context) -> str | None:
    """Not for simple cases; at or before due; at most two granted; one pending."""
    if case.kind is Kind.SIMPLE:
        return "simple_not_extendable"
    if overdue(case, ctx.at):
        return "overdue"
    if case.extensions >= ctx.policy.extensions:
        return "extensions_used_up"
    return nothing_pending(case, ctx)


def extension_pending(case: CaseState, ctx: Context) -> str | None:
    """There is an extension to decide."""
    pending = case.pending
    return None if pending and pending.request is Request.EXTENSION else "no_extension_pending"


def unsolvable_pending(case: CaseState, ctx: Context) -> str | None:
    """There is a determination to confirm."""
    pending = case.pending
    return None if pending and pending.request is Request.UNSOLVABLE else "no_unsolvable_pending"


def before_due(case: CaseState, ctx: Context) -> str | None:
    """Suspension only before due."""
    return "overdue" if case.due_at is None or ctx.at >= case.due_at else None


def suspension_left(case: CaseState, ctx: Context) -> str | None:
    """Five working days in total."""
    left = ctx.policy.suspension_total - case.suspended_days
    return None if left > 0 else "suspension_used_up"


def reclassifiable(case: CaseState, ctx: Context) -> str | None:
    """Simple ↔ commitment only."""
    return None if case.kind in {Kind.SIMPLE, Kind.COMMITMENT} else "kind"


def judgement_owed(case: CaseState, ctx: Context) -> str | None:
    """Only after dissatisfaction or an objection."""
    return None if case.judgement_since else "no_judgement_owed"


def revisit_open(case: CaseState, ctx: Context) -> str | None:
    """One revisit that reached the citizen is enough."""
    return "revisited" if case.round.revisited else None


def not_rated(case: CaseState, ctx: Context) -> str | None:
    """Once a round."""
    return "rated" if case.round.citizen_rating else None


def objection_ends(case: CaseState, ctx: Context) -> datetime:
    """Return the last instant of the objection period."""
    assert case.closed_at is not None
    return ctx.closing_after(case.closed_at, ctx.policy.objection)


def objection_open(case: CaseState, ctx: Context) -> str | None:
    """Within the objection period after closing."""
    return "objection_period_over" if ctx.at > objection_ends(case, ctx) else None


def dissatisfied(case: CaseState) -> bool:
    """Rating 1-2, or "not resolved" where the reply said resolved."""
    rating = case.round.rating
    contradicted = case.reply is not None and case.reply.resolved and case.round.resolved is False
    return contradicted or (rating is not None and rating < SATISFIED)


def satisfied(case: CaseState) -> bool:
    """The citizen was reached (or rated by himself) and is satisfied."""
    heard = case.round.reached or case.round.citizen_rating is not None
    return heard and not dissatisfied(case)


def archivable(case: CaseState, ctx: Context) -> str | None:
    """At once if the citizen was reached and satisfied, else when the objection period is over."""
    over = case.closed_at is not None and ctx.at >= objection_ends(case, ctx)
    return None if satisfied(case) or over else "objection_period"


def order_open(case: CaseState, ctx: Context) -> str | None:
    """There is an order to answer."""
    return None if any(o.answered_at is None for o in case.orders) else "no_order_open"


def excusable(case: CaseState, ctx: Context) -> str | None:
    """There is lateness to excuse, and it was not excused before."""
    late = case.light is Light.RED or any(r.late or r.on_time is False for r in case.rounds)
    if not late:
        return "not_late"
    return "excused" if case.excused else None


def room_for_attachment(case: CaseState, ctx: Context) -> str | None:
    """Ten files a case."""
    return "attachments_full" if case.attachments >= ATTACHMENTS else None
