"""What crosses Temporal: plain dataclasses, free of tables, and free of personal data.

Calendars and state changes travel as JSON values, typed again by the functions below.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, cast, get_type_hints

from pydantic import AfterValidator, TypeAdapter

from models.calendar_values import calendar_from_values, calendar_values
from rules.calendar import Calendar
from rules.case.commands import COMMANDS, Command
from rules.case.errors import Invalid
from rules.case.events import Actor, Event
from rules.case.state import CaseState, PolicyRef
from rules.policy import Policy

Values = dict[str, Any]


@lru_cache(maxsize=256)
def _one_policy(policy: Policy) -> Policy:
    return policy


def _one_calendar(values: Values) -> Values:
    return _values_of(calendar_from_values(values))


_values_of = lru_cache(maxsize=256)(calendar_values)


@dataclass(frozen=True)
class Terms:
    """What a case is pinned to: the policy, and the calendar as JSON values (which nothing changes).

    Equal ones that came over the wire are one object: a worker holds thousands of cases, under few terms.
    """

    policy: Annotated[Policy, AfterValidator(_one_policy)]
    calendar: Annotated[Values, AfterValidator(_one_calendar)]

    @classmethod
    def of(cls, policy: Policy, calendar: Calendar) -> "Terms":
        """Return the terms for this policy and calendar."""
        return cls(policy, _values_of(calendar))

    def read_calendar(self) -> Calendar:
        """Return the calendar, typed."""
        return calendar_from_values(self.calendar)


@dataclass(frozen=True)
class CaseInput:
    """Starts a case's workflow, or carries it on: then with its state and last number.

    ``outside`` are the events of which somebody outside was not told yet.
    """

    case_id: str
    terms: Terms
    state: Values | None = None
    seq: int = 0
    outside: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class CommandMessage:
    """A command on its way; `terms` only where it is decided under new ones (transfer)."""

    command_id: str
    actor: Actor
    body: Values
    terms: Terms | None = None


@dataclass(frozen=True)
class NextAlarm:
    """What the projection shows of the alarm that the workflow will arm."""

    name: str
    at: datetime


@dataclass(frozen=True)
class RegisterRequest:
    """Asks for the first event of a case, decided at `at` (UTC) under `terms`."""

    case_id: str
    at: datetime
    terms: Terms


@dataclass(frozen=True)
class RecordRequest:
    """Asks for events to be written after number `after_seq`, under this command's id."""

    case_id: str
    after_seq: int
    command_id: str
    events: list[Values]
    next_alarm: NextAlarm | None


@dataclass(frozen=True)
class ReadRequest:
    """Asks for what stands in the ledger after number `after_seq`."""

    case_id: str
    after_seq: int


@dataclass(frozen=True)
class StoredEvent:
    """A row as it stands in the ledger, with what a workflow needs to evolve from it."""

    seq: int
    command_id: str
    type: str
    at: datetime
    changes: Values
    fired: list[str] = field(default_factory=list)

    def event(self, actor: Actor) -> Event:
        """Return the event to fold; its texts and facts stay in the ledger."""
        return Event(self.type, self.at, actor, changes=decode_changes(self.changes), fired=tuple(self.fired))


@dataclass(frozen=True)
class Recorded:
    """The rows after the number that was asked from, and for which of them somebody outside waits."""

    rows: list[StoredEvent]
    outside: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class TermsRequest:
    """Asks for a policy version and a calendar snapshot."""

    policy: PolicyRef
    calendar: str


@dataclass(frozen=True)
class DeliveryRequest:
    """Asks for the messages of one event to be handed to the channels outside."""

    case_id: str
    seq: int


_FIELDS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter(hint) for name, hint in get_type_hints(CaseState).items()
}
_BODIES: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(cls) for name, cls in COMMANDS.items()}
_STATE = TypeAdapter(CaseState)
_POLICY = TypeAdapter(Policy)
_ANY: TypeAdapter[Any] = TypeAdapter(Any)


def encode_changes(changes: Mapping[str, Any]) -> Values:
    """Return changes of a case's state as JSON values; times in UTC."""
    return {name: _FIELDS[name].dump_python(value, mode="json") for name, value in changes.items()}


def decode_changes(values: Values) -> Values:
    """Return the typed changes that `encode_changes` wrote."""
    return {name: _FIELDS[name].validate_python(value) for name, value in values.items()}


def encode_state(state: CaseState) -> Values:
    """Return a state as JSON values."""
    return cast(Values, _STATE.dump_python(state, mode="json"))


def decode_state(values: Values) -> CaseState:
    """Return the state that `encode_state` wrote."""
    return _STATE.validate_python(values)


def encode_policy(policy: Policy) -> Values:
    """Return a policy as JSON values."""
    return cast(Values, _POLICY.dump_python(policy, mode="json"))


def decode_policy(values: Values) -> Policy:
    """Return the policy that `encode_policy` wrote."""
    return _POLICY.validate_python(values)


def encode_values(values: Mapping[str, Any]) -> Values:
    """Return facts or texts of an event as JSON values."""
    return cast(Values, _ANY.dump_python(dict(values), mode="json"))


def encode_event(event: Event) -> Values:
    """Return an event as JSON values, texts included: for the way to the ledger activity."""
    return {
        "type": event.type,
        "at": event.at.isoformat(),
        "actor": encode_values(_actor(event.actor)),
        "data": encode_values(event.data),
        "texts": encode_values(event.texts),
        "changes": encode_changes(event.changes),
        "fired": list(event.fired),
    }


def _actor(actor: Actor) -> Values:
    """Return an actor as readers see it; who has no account is a role and nothing else."""
    values = {f.name: getattr(actor, f.name) for f in fields(actor) if f.name != "hall"}
    return {name: value for name, value in values.items() if value is not None or actor.username}


def encode_command(command: Command) -> Values:
    """Return a command's fields as JSON values, without those left out."""
    return cast(Values, _BODIES[command.name].dump_python(command, mode="json", exclude_none=True))


def decode_command(name: str, body: Values) -> Command:
    """Return the command. Raises `Invalid` where the values do not fit its fields."""
    if name not in _BODIES:
        raise Invalid({"command": "unknown"})
    try:
        return cast(Command, _BODIES[name].validate_python(body))
    except ValueError as error:
        raise Invalid({"body": str(error)[:500]}) from error
