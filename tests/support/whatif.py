"""A recorded case decided again, by way of the JSON that the ledger holds."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from models.messages import encode_event
from models.recorded import recorded_actor, recorded_command
from rules.calendar import Calendar
from rules.case.events import Event
from rules.case.state import CaseState
from rules.policy import Policy
from rules.whatif import Replayed, Step, outages_of, replay


def again(
    events: Sequence[Event],
    state: CaseState,
    policy: Policy,
    calendars: Mapping[str, Calendar],
    until: datetime,
) -> Replayed:
    """The case under this policy and the calendars it was recorded under."""
    steps: list[Step] = []
    calendar = next(iter(calendars.values()))
    for event in events:
        if "calendar" in event.changes:
            calendar = calendars[event.changes["calendar"]]
        stored = encode_event(event)
        command = recorded_command(stored["type"], stored["data"])
        if command is not None:
            actor, order = recorded_actor(stored["actor"]), stored["data"].get("order")
            steps.append(Step(event.at, actor, command, policy, calendar, order))
    instants = [(event.at, event.data.get("was_due_at")) for event in events]
    return replay(steps, outages_of(instants), state.orders, until)
