"""The case as people read it: columns for lists, made from the state and the texts of events."""

from datetime import datetime
from typing import Any

from rules.case.events import Event
from rules.case.state import CaseState
from rules.case.vocabulary import LADDER
from rules.case.waiting import next_order_due, next_step


def columns_of(state: CaseState) -> dict[str, Any]:
    """Return the columns that lists filter, sort and show; every time in them is an event's."""
    waits = next_step(state)
    return {
        "number": state.number,
        "hall": state.hall,
        "channel": state.channel,
        "unit": state.unit,
        "co_units": [c.unit for c in state.co_units],
        "kind": state.kind,
        "status": state.status,
        "level": state.level,
        "light": state.light,
        "round": state.round.round,
        "outcome": None if state.is_open else state.outcome,
        "open": state.is_open,
        "referred": state.referred,
        "merged_into": state.merged_into,
        "cause": state.cause,
        "received_at": state.received_at,
        "registered_at": state.registered_at,
        "due_at": state.due_at,
        "due_provisional": state.due_provisional,
        "replied_at": state.round.replied_at,
        "told_at": state.round.told_at,
        "closed_at": None if state.is_open else state.closed_at,
        "on_time": state.rounds[0].on_time,
        "step": waits.step if waits else None,
        "step_by": waits.by if waits else None,
        "order_due_at": next_order_due(state),
        "response_since": _response_since(state),
        "policy_id": state.policy.id,
        "policy_version": state.policy.version,
        "calendar_version": state.calendar,
    }


def _response_since(state: CaseState) -> datetime | None:
    """Return since when the citizen is owed a word, while the unit works on the case."""
    return min(state.response_since, default=None) if state.status in LADDER else None


def texts_of(event: Event) -> dict[str, str]:
    """Return the texts of an event that the projection shows; none once they were erased."""
    texts = {name: event.texts[name] for name in ("matter", "problem") if name in event.texts}
    if event.type == "reply" and "text" in event.texts:
        texts["reply_text"] = event.texts["text"]
    elif event.type == "archive" and "lesson" in event.texts:
        texts["lesson"] = event.texts["lesson"]
    elif event.type == "triage" and "answer" in event.texts:
        texts["reply_text"] = event.texts["answer"]
    return texts
