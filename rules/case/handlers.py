"""The register of handlers: which function carries out which command.

A handler takes the case, the command and the context, and returns the case as it is after. It may
rely on role, status and guards having been checked (permits.py). A check looks at the command's
values alone and returns the faults by field; it comes before the status (contract.md, order of
refusals).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from rules.calendar import SHANGHAI
from rules.case.commands import Command
from rules.case.context import Context
from rules.case.state import CaseState

C = TypeVar("C", bound=Command)
Handler = Callable[[CaseState, C, Context], CaseState]
Check = Callable[[CaseState, C, Context], dict[str, str]]


@dataclass(frozen=True)
class Handling:
    """What carries out one command."""

    handler: Handler[Any]
    check: Check[Any] | None


HANDLERS: dict[type[Command], Handling] = {}


def handles(command: type[C], check: Check[C] | None = None) -> Callable[[Handler[C]], Handler[C]]:
    """Register the decorated function as the handler of `command`."""

    def register(handler: Handler[C]) -> Handler[C]:
        HANDLERS[command] = Handling(handler, check)
        return handler

    return register


def check_due_on(case: CaseState, due_on: date, ctx: Context) -> dict[str, str]:
    """Faults of a date set by a person: it must be a working day after today (Shanghai date)."""
    if due_on <= ctx.at.astimezone(SHANGHAI).date():
        return {"due_on": "not_after_today"}
    return {} if ctx.calendar.is_working_day(due_on) else {"due_on": "not_a_working_day"}


def reason_for_refusal(accept: bool, reason: str | None) -> dict[str, str]:
    """Faults of a decision that must say why it refuses."""
    return {} if accept or reason else {"reason": "required"}
