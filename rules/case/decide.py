"""decide: a case, a command and an instant make events, or a refusal. The heart of the product.

Pure: the same arguments give the same answer, on the day and in a replay years later.
"""

from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from rules.calendar import Calendar
from rules.case import closing, handling, intake, limits, oversight  # noqa: F401 - they register
from rules.case.alarms import Alarm, alarms
from rules.case.commands import Command, Register
from rules.case.context import Context
from rules.case.errors import Illegal, Invalid
from rules.case.events import Actor, Event, difference
from rules.case.handlers import HANDLERS
from rules.case.intake import register
from rules.case.permits import may, may_have, possible
from rules.case.rungs import fire
from rules.case.state import CaseState
from rules.case.typed import Typed
from rules.case.vocabulary import Role
from rules.policy import Policy


def decide(
    case: CaseState | None,
    command: Command | Alarm,
    at: datetime,
    actor: Actor,
    policy: Policy,
    calendar: Calendar,
) -> list[Event]:
    """Return the events that `command` makes at `at` (aware, UTC).

    A person, the system and a timer go the same way; only `Register` makes a case out of None.
    Raises `Forbidden` (role or unit), then `Invalid` (values), then `Illegal` (status or a rule):
    the order of refusals that clients rely on.
    """
    ctx = Context(at, actor, policy, calendar)
    if isinstance(command, Alarm):
        return [_fire(_existing(case), command, ctx)]
    data, texts = split(command)
    if isinstance(command, Register):
        if case is not None:  # a case is registered once
            may(case, command.name, actor)
            possible(case, command.name, ctx)
        case = register(command, ctx)
        return [Event("registered", at, actor, data, texts, difference(None, case))]
    before = _existing(case)
    after = _carry_out(before, command, ctx)
    facts = data | moved(before, after)
    return [Event(command.name, at, actor, facts, texts, difference(before, after))]


def _existing(case: CaseState | None) -> CaseState:
    if case is None:
        raise ValueError("the case is not registered")
    return case


def _carry_out(case: CaseState, command: Command, ctx: Context) -> CaseState:
    may_have(case, command.name, ctx.actor)
    carried = HANDLERS[type(command)]
    if carried.check and (faults := carried.check(case, command, ctx)):
        raise Invalid(faults)
    possible(case, command.name, ctx)
    after = carried.handler(case, command, ctx)
    # Any act of the leader ends the limit that mark_unable set him; a co-unit's leader is not he.
    his_own = ctx.actor.role is Role.DEPUTY_LEADER and ctx.actor.unit == case.unit
    return replace(after, leader_since=None) if his_own else after


def _fire(case: CaseState, alarm: Alarm, ctx: Context) -> Event:
    """Return the event of an alarm; it carries when it was due beside when it fired."""
    if alarm.key not in {a.key for a in alarms(case, ctx.policy, ctx.calendar)}:
        raise Illegal(alarm.name, case.status, "not_armed")
    if ctx.at < alarm.at:
        raise Illegal(alarm.name, case.status, "not_due")
    after = fire(case, alarm, ctx)
    data: dict[str, Any] = {"was_due_at": alarm.at, "key": alarm.key}
    if alarm.merged:
        data["merged"] = [{"name": a.name, "key": a.key, "was_due_at": a.at} for a in alarm.merged]
    keys = (alarm.key, *(a.key for a in alarm.merged))
    facts = data | moved(case, after)
    return Event(alarm.name, ctx.at, ctx.actor, facts, {}, difference(case, after), keys)


def moved(before: CaseState, after: CaseState) -> dict[str, Any]:
    """Return what an event says of a due date that it moved, and of an order that it gave."""
    facts: dict[str, Any] = {}
    if after.due_at != before.due_at:
        facts |= {"due_at": after.due_at, "previous_due_at": before.due_at}
    if len(after.orders) > len(before.orders):
        facts |= {"order": after.orders[-1].id, "order_due_at": after.orders[-1].due_at}
    return facts


def split(command: Command) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split a command's given fields into facts and typed texts, by their annotations."""
    data: dict[str, Any] = {}
    texts: dict[str, Any] = {}
    kinds = _fields(type(command))  # type: ignore[arg-type]  # a class has a hash; mypy asks its instances
    for name, typed in kinds.items():
        value = getattr(command, name)
        if value is not None:
            (texts if typed else data)[name] = value
    return data, texts


@cache
def _fields(kind: type[Any]) -> dict[str, bool]:
    """Return the fields of a kind of command, and which of them hold typed text."""
    hints = get_type_hints(kind, include_extras=True)
    return {field.name: holds_text(hints[field.name]) for field in fields(kind)}


def holds_text(hint: Any) -> bool:
    """Whether a type hint is a typed text, or a record of typed texts."""
    if get_origin(hint) is Annotated:
        return any(isinstance(mark, Typed) for mark in get_args(hint)[1:])
    if is_dataclass(hint):
        return True
    return any(holds_text(part) for part in get_args(hint))
