"""Reply, check, revisit, judgement, rating, objection, archive: the way to a closed case.

Source: S1 答复-回头看-归档; S0 公众意见反馈; domain.md, section 4 (fine print).
"""

from dataclasses import replace

from rules.calendar import SHANGHAI
from rules.case.clock import close, enter, is_late, reopen, with_round
from rules.case.commands.closing import (
    Archive,
    CheckReply,
    JudgeRevisit,
    Object,
    Rate,
    ReplyCommand,
    Revisit,
)
from rules.case.context import Context
from rules.case.errors import Illegal
from rules.case.guards import SATISFIED, dissatisfied
from rules.case.handlers import handles, reason_for_refusal
from rules.case.oversight import lapse_answered, lapse_orders
from rules.case.state import CaseState, Reply
from rules.case.vocabulary import Outcome, Status

LEVELS_OF_SATISFACTION = range(1, 6)


@handles(ReplyCommand)
def reply(case: CaseState, command: ReplyCommand, ctx: Context) -> CaseState:
    """The due ladder is disarmed until the check; "not resolved" is the explanation."""
    if not command.resolved and case.status is not Status.EXPLAINING:
        raise Illegal(command.name, case.status, "unresolved_only_from_explaining")
    answered = replace(case, reply=Reply(ctx.at, command.resolved, case.status))
    return enter(answered, Status.REPLIED, ctx)


@handles(CheckReply, lambda case, command, ctx: reason_for_refusal(command.accept, command.reason))
def check_reply(case: CaseState, command: CheckReply, ctx: Context) -> CaseState:
    """Accepted: the citizen is told, now. Not accepted: back where it came from."""
    reply = case.reply
    assert reply is not None
    if not command.accept:
        refused = replace(case, refused_replies=case.refused_replies + 1)
        if case.due_at is not None and is_late(ctx.at, case.due_at):
            refused = lapse_answered(replace(refused, ladder_from=ctx.at))
        return enter(refused, reply.source, ctx)
    judged = ctx.at if ctx.policy.judged_by == "told" else reply.at
    on_time = not case.round.late and (case.due_at is None or not is_late(judged, case.due_at))
    case = with_round(case, replied_at=reply.at, told_at=ctx.at, on_time=on_time, resolved=reply.resolved)
    told = replace(case, response_since=(), pending=None, leader_since=None)
    owed = ctx.at if dissatisfied(told) else None
    return enter(replace(told, judgement_since=owed), Status.REVISITING, ctx)


def _revisit_faults(case: CaseState, command: Revisit, ctx: Context) -> dict[str, str]:
    if not command.reached:
        return {} if command.rating is None else {"rating": "not_reached"}
    if command.rating is None:
        return {"rating": "required"}
    return _rating_faults(command.rating)


def _rating_faults(rating: int) -> dict[str, str]:
    return {} if rating in LEVELS_OF_SATISFACTION else {"rating": "one_to_five"}


@handles(Revisit, _revisit_faults)
def revisit(case: CaseState, command: Revisit, ctx: Context) -> CaseState:
    """回访: satisfied closes, dissatisfied waits for a judgement, unreached is tried again."""
    if not command.reached:
        return _unreached(case, ctx)
    resolved = case.round.resolved if command.resolved is None else command.resolved
    case = with_round(case, clerk_rating=command.rating, resolved=resolved, reached=True, revisited=True)
    if dissatisfied(case) or case.judgement_since:
        return replace(case, judgement_since=case.judgement_since or ctx.at)
    return close(case, _outcome(case), ctx)


def _unreached(case: CaseState, ctx: Context) -> CaseState:
    """The third failed attempt closes by itself, if the attempts span two days."""
    attempts = (*case.round.attempts, ctx.at)
    case = with_round(case, attempts=attempts)
    days = {at.astimezone(SHANGHAI).date() for at in attempts}
    policy = ctx.policy
    if len(attempts) < policy.revisit_attempts or len(days) < policy.revisit_attempt_days:
        return case
    case = with_round(case, revisited=True)
    return case if case.judgement_since else close(case, _outcome(case), ctx)


def _outcome(case: CaseState) -> Outcome:
    return Outcome.SOLVED if case.round.resolved else Outcome.EXPLAINED


@handles(JudgeRevisit)
def judge_revisit(case: CaseState, command: JudgeRevisit, ctx: Context) -> CaseState:
    """Reopen, or close with a reason; a handled case is not closed without its revisit."""
    if command.reopen:
        return reopen(case, ctx)
    if case.round.told_at and not case.round.revisited:
        raise Illegal(command.name, case.status, "revisit_needed")
    handled = case.round.told_at is not None
    return close(case, _outcome(case) if handled else case.outcome or _outcome(case), ctx)


@handles(Rate, lambda case, command, ctx: _rating_faults(command.rating))
def rate(case: CaseState, command: Rate, ctx: Context) -> CaseState:
    """好差评: kept apart from the clerk's, and the one that counts; a bad one asks for a judgement."""
    rated = with_round(case, citizen_rating=command.rating)
    if case.status is Status.REPLIED:
        return rated
    if command.rating < SATISFIED:
        return _ask_judgement(rated, ctx)
    # An objection, after a closing, is not taken back by a rating.
    if case.judgement_since and case.closed_at is None and not dissatisfied(rated):
        settled = replace(rated, judgement_since=None)
        return close(settled, _outcome(settled), ctx) if settled.round.revisited else settled
    return rated


@handles(Object)
def object_(case: CaseState, command: Object, ctx: Context) -> CaseState:
    """The citizen objects to the closing."""
    return _ask_judgement(case, ctx)


def _ask_judgement(case: CaseState, ctx: Context) -> CaseState:
    owed = replace(case, judgement_since=case.judgement_since or ctx.at)
    return enter(lapse_orders(owed, ctx), Status.REVISITING, ctx) if case.status is Status.CLOSED else owed


@handles(Archive)
def archive(case: CaseState, command: Archive, ctx: Context) -> CaseState:
    """归档."""
    return replace(enter(case, Status.ARCHIVED, ctx), archived_at=ctx.at)
