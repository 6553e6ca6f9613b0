"""The case as clients read it: the fields of contract.md, The case, and where it came from."""

from collections.abc import Mapping, Sequence
from typing import Any

from casework.moments import shown
from models.case import Case
from models.filing import Filing
from rules.case.state import CaseState, Round
from rules.case.vocabulary import Level, Light, Status

# What a rung of the ladder orders; nobody typed it (domain.md, section 4, overdue_2).
LADDER_ORDER = "办件超过办结时限仍未办结，请说明原因并尽快办结。"


def case_view(
    case: Case,
    state: CaseState,
    petitioner: Mapping[str, Any] | None,
    orders: Mapping[str, str],
    allowed: Sequence[str],
) -> dict[str, Any]:
    """Return a registered case; `orders` holds the texts of its orders by their ids."""
    return {
        "id": case.id,
        "number": case.number,
        "hall": case.hall,
        "channel": case.channel,
        "kind": case.kind,
        "status": case.status,
        "level": case.level,
        "light": case.light,
        "round": case.round,
        "outcome": case.outcome,
        "unit": case.unit,
        "unit_signed": state.unit_signed,
        "matter": case.matter,
        "problem": case.problem,
        "cause": case.cause,
        "petitioner": petitioner,
        "received_at": shown(case.received_at),
        "registered_at": shown(case.registered_at),
        "due_at": shown(case.due_at),
        "due_provisional": case.due_provisional,
        "original_due_at": shown(state.original_due_at),
        "replied_at": shown(case.replied_at),
        "told_at": shown(case.told_at),
        "closed_at": shown(case.closed_at),
        "on_time": case.on_time,
        "excused": state.excused,
        "rounds": [_round(each) for each in state.rounds],
        "rating": state.round.rating,
        "resolved": state.round.resolved,
        "extensions": state.extensions,
        "returns": state.returns,
        "co_units": case.co_units,
        "orders": [
            {
                "id": order.id,
                "text": orders.get(order.id, LADDER_ORDER),
                "due_at": shown(order.due_at),
                "answered_at": shown(order.answered_at),
            }
            for order in state.orders
        ],
        "pending": state.pending.request if state.pending else None,
        "next_alarm": _next_alarm(case),
        "allowed": list(allowed),
        "policy": {"id": case.policy_id, "version": case.policy_version},
        **_reference(case.source, case.reference),
    }


def _reference(source: str | None, number: str | None) -> dict[str, Any]:
    """Return the number of a case in the system that it came from; no field at all where it has none."""
    return {"reference": {"source": source, "number": number}} if number else {}


def _round(each: Round) -> dict[str, Any]:
    return {
        "round": each.round,
        "due_at": shown(each.due_at),
        "replied_at": shown(each.replied_at),
        "told_at": shown(each.told_at),
        "on_time": each.on_time,
        "rating": each.rating,
    }


def _next_alarm(case: Case) -> dict[str, Any] | None:
    if case.next_alarm_name is None or case.next_alarm_at is None:
        return None
    return {"name": case.next_alarm_name, "at": shown(case.next_alarm_at)}


def filing_view(
    filing: Filing, form: Mapping[str, Any], petitioner: Mapping[str, Any] | None, policy_id: str
) -> dict[str, Any]:
    """Return a filing as it came in, with the same fields as a case.

    For one that waits for its number, and for whoever filed it but does not see its case.
    """
    nothing_yet = (
        "kind outcome unit registered_at due_at original_due_at replied_at told_at closed_at "
        "on_time rating resolved pending next_alarm"
    )
    return {
        "id": filing.case_id,
        "number": filing.number,
        "hall": filing.hall,
        "channel": filing.channel,
        "status": Status.REGISTERED,
        "level": Level.CONTACT,
        "light": Light.GREY,
        "round": 1,
        "unit_signed": False,
        "matter": form.get("matter"),
        "problem": form.get("problem"),
        "cause": filing.cause,
        "petitioner": petitioner,
        "received_at": shown(filing.received_at),
        "due_provisional": False,
        "excused": False,
        "rounds": [_round(Round(1, filing.received_at))],
        "extensions": 0,
        "returns": 0,
        "co_units": [],
        "orders": [],
        "allowed": [],
        "policy": {"id": policy_id, "version": None},
        **_reference(filing.source, filing.reference),
        **dict.fromkeys(nothing_yet.split()),
    }
