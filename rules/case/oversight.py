"""Reminders, supervision orders and excuses. Source: S0 跟踪督办, 督查问责; domain.md, section 4."""

from dataclasses import replace

from rules.case.commands.oversight import AnswerOrder, Excuse, OrderCommand, Remind
from rules.case.context import Context
from rules.case.errors import Illegal
from rules.case.handlers import handles
from rules.case.state import CaseState, Order


@handles(Remind)
def remind(case: CaseState, command: Remind, ctx: Context) -> CaseState:
    """催办 changes nothing but the record."""
    return case


def give_order(case: CaseState, ctx: Context, ladder: int | None = None) -> CaseState:
    """Add an order due within the limit, counted from now; `ladder` is the epoch of a rung's."""
    due_at = ctx.closing_after(ctx.at, ctx.policy.order)
    order = Order(str(len(case.orders) + 1), ctx.at, due_at, ladder=ladder)
    return replace(case, orders=(*case.orders, order))


@handles(OrderCommand)
def order(case: CaseState, command: OrderCommand, ctx: Context) -> CaseState:
    """督办单 by the supervisor."""
    return give_order(case, ctx)


@handles(AnswerOrder)
def answer_order(case: CaseState, command: AnswerOrder, ctx: Context) -> CaseState:
    """The leader answers one order; it is answered once."""
    order = next((o for o in case.orders if o.id == command.order), None)
    if order is None:
        raise Illegal(command.name, case.status, "order_unknown")
    if order.answered_at:
        raise Illegal(command.name, case.status, "order_answered")
    answered = tuple(replace(o, answered_at=ctx.at) if o.id == command.order else o for o in case.orders)
    return replace(case, orders=answered)


def lapse_orders(case: CaseState, ctx: Context) -> CaseState:
    """Let the orders go whose due time came while the case was closed, now that it is open again."""
    closed_at = case.closed_at
    assert closed_at is not None
    orders = (replace(o, lapsed=o.lapsed or closed_at < o.due_at <= ctx.at) for o in case.orders)
    return replace(case, orders=tuple(orders))


def lapse_answered(case: CaseState) -> CaseState:
    """Let the ladder count from the refusal of a late reply, and not from an answer given before it."""
    ladder = [o for o in case.orders if o.ladder == case.due_epoch]
    if not ladder or ladder[-1].answered_at is None:
        return case
    orders = (replace(o, lapsed=True) if o is ladder[-1] else o for o in case.orders)
    return replace(case, orders=tuple(orders))


@handles(Excuse)
def excuse(case: CaseState, command: Excuse, ctx: Context) -> CaseState:
    """Lateness is shown apart, never as on time."""
    return replace(case, excused=True)
