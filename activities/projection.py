"""The case as people read it: columns for lists, made from the state and the texts of events."""

from typing import Any

from models.case import Case
from rules.case.events import Event
from rules.case.state import CaseState


def project(case: Case | None, state: CaseState, event: Event, seq: int) -> Case:
    """Return the projection after `event`; every time in it comes from the event."""
    columns: dict[str, Any] = {
        "number": state.number,
        "hall": state.hall,
        "unit": state.unit,
        "co_units": [c.unit for c in state.co_units],
        "kind": state.kind,
        "status": state.status,
        "level": state.level,
        "light": state.light,
        "round": state.round.round,
        "outcome": state.outcome,
        "open": state.is_open,
        "referred": state.referred,
        "merged_into": state.merged_into,
        "cause": state.cause,
        "due_at": state.due_at,
        "due_provisional": state.due_provisional,
        "replied_at": state.round.replied_at,
        "told_at": state.round.told_at,
        "closed_at": state.closed_at,
        "on_time": state.rounds[0].on_time,
        "policy_id": state.policy.id,
        "policy_version": state.policy.version,
        "calendar_version": state.calendar,
        "seq": seq,
        "updated_at": event.at,
    }
    if case is None:
        case = Case(
            id=state.case_id,
            channel=state.channel,
            received_at=state.received_at,
            registered_at=state.registered_at,
            problem=event.texts.get("problem"),
            state={},
            **columns,
        )
    else:
        for name, value in columns.items():
            if getattr(case, name) != value:
                setattr(case, name, value)
    if matter := event.texts.get("matter"):
        case.matter = matter
    if event.type == "reply":
        case.reply_text = event.texts["text"]
    elif event.type == "triage" and (answer := event.texts.get("answer")):
        case.reply_text = answer
    return case
