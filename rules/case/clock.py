"""Moves of the case clock and of the case's status: the steps that several commands share.

Source: domain.md, sections 3 and 4 (fine print).
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from rules.case.context import Context
from rules.case.state import CaseState, Due, Round
from rules.case.vocabulary import LEVELS, Kind, Level, Light, Outcome, Status

# Exactly at due is on time, and a due time is a second long: a command takes its milliseconds.
OVERDUE_AFTER = timedelta(seconds=1)


def enter(case: CaseState, status: Status, ctx: Context) -> CaseState:
    """Put the case into `status`; stage alarms start anew, and so does the leader's limit."""
    waits = ctx.at if case.leader_since else None
    return replace(case, status=status, stage=case.stage + 1, stage_since=ctx.at, leader_since=waits)


def with_round(case: CaseState, **values: Any) -> CaseState:
    """Change fields of the round under way."""
    return replace(case, rounds=(*case.rounds[:-1], replace(case.round, **values)))


def climb(case: CaseState, level: Level) -> CaseState:
    """Raise the level to at least `level`; it never falls here."""
    return replace(case, level=max(case.level, level, key=LEVELS.index))


def limit_of(kind: Kind, ctx: Context) -> int:
    """Return the limit of a kind in working days; complex: the guard until one is set."""
    return ctx.policy.simple if kind is Kind.SIMPLE else ctx.policy.commitment


def round_limit(case: CaseState, ctx: Context) -> int:
    """Return the limit of the round under way in working days, were it not to be moved."""
    if case.kind is Kind.SIMPLE and case.round.round > 1:
        return ctx.policy.second_round_simple
    return case.limit_days or ctx.policy.commitment


def reckon(due: Due, ctx: Context) -> datetime:
    """Return the instant that `due` means in the calendar at hand."""
    if due.on is None:
        assert due.start is not None
        return ctx.calendar.add_working_days(due.start, due.days, ctx.policy.after_hours)
    closing = ctx.calendar.closing(due.on)
    return ctx.calendar.add_working_days(closing, due.days) if due.days else closing


def set_due(case: CaseState, due: Due, ctx: Context) -> CaseState:
    """Reckon the due date from `due`; where it moves, a new epoch of the ladder begins.

    The light turns green again only if the new date is still to come and the clock runs.
    """
    due_at = reckon(due, ctx)
    provisional = ctx.calendar.is_provisional(case.round.started_at, due_at)
    case = replace(case, due=due, due_provisional=provisional)
    if due_at == case.due_at:
        return case
    if case.due_at is None and case.round.round == 1:
        case = replace(case, original_due_at=due_at)
    green = due_at > ctx.at and case.status is not Status.SUSPENDED
    return with_round(
        replace(
            case,
            due_at=due_at,
            due_set_at=ctx.at,
            due_epoch=case.due_epoch + 1,
            ladder_from=None,
            light=Light.GREEN if green else case.light,
        ),
        due_at=due_at,
    )


def add_days(case: CaseState, days: int, ctx: Context) -> CaseState:
    """Move the due date by `days` working days from where it stands."""
    assert case.due is not None
    return set_due(case, replace(case.due, days=case.due.days + days), ctx)


def is_late(at: datetime, due_at: datetime) -> bool:
    """Whether `at` is after the due second: not before the alarm that says so has come due."""
    return at >= due_at + OVERDUE_AFTER


def overdue(case: CaseState, at: datetime) -> bool:
    """Whether the due time has passed; a stopped clock never is late."""
    return case.due_at is not None and is_late(at, case.due_at) and case.status is not Status.SUSPENDED


def keep_late(case: CaseState, ctx: Context) -> CaseState:
    """Note lateness before a decision moves the due date, so that the move does not cure it."""
    return with_round(case, late=True) if overdue(case, ctx.at) else case


def owe_response(case: CaseState, ctx: Context) -> CaseState:
    """From now the citizen is owed a word within the response limit."""
    since = (*case.response_since, ctx.at)
    return replace(case, responses_owed=case.responses_owed + 1, response_since=since)


def dispatch(case: CaseState, unit: str, ctx: Context) -> CaseState:
    """Send the case to `unit`; the level falls only when the unit is another one.

    What an earlier dispatch owed the citizen is owed by this one now.
    """
    if case.unit and unit != case.unit:
        case = replace(case, level=Level.CONTACT, refused_replies=0)
    case = replace(
        case,
        unit=unit,
        unit_signed=False,
        dispatches=case.dispatches + 1,
        pending=None,
        leader_since=None,
        response_since=(),
        co_units=tuple(c for c in case.co_units if c.unit != unit),
    )
    return owe_response(enter(case, Status.DISPATCHED, ctx), ctx)


def start_handling(case: CaseState, ctx: Context) -> CaseState:
    """Put the case into the unit's hands; its next entry in the ledger is owed from now."""
    return enter(replace(case, progress_at=ctx.at), Status.HANDLING, ctx)


def close(case: CaseState, outcome: Outcome, ctx: Context) -> CaseState:
    """Close with `outcome`; the light keeps its last colour."""
    return replace(
        enter(case, Status.CLOSED, ctx),
        outcome=outcome,
        closed_at=ctx.at,
        judgement_since=None,
        pending=None,
        leader_since=None,
        response_since=(),
    )


def reopen(case: CaseState, ctx: Context) -> CaseState:
    """Begin the next round: same unit, limit from now; an untriaged case goes back to triage."""
    number = case.round.round + 1
    case = replace(
        case,
        rounds=(*case.rounds, Round(number, ctx.at)),
        outcome=None,
        closed_at=None,
        judgement_since=None,
        merged_into=None,
        reply=None,
        # The new round's due date is a new one, even where it falls on the old one.
        due_at=None,
    )
    if number >= 3:
        case = climb(case, Level.SUPERVISION)
    if case.unit is None:
        cleared = replace(case, kind=None, due=None, light=Light.GREY)
        return enter(cleared, Status.REGISTERED, ctx)
    return set_due(start_handling(case, ctx), Due(round_limit(case, ctx), start=ctx.at), ctx)
