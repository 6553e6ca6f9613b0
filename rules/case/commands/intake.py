"""The commands that bring a case in, send it on, or end it before it is handled."""

from dataclasses import dataclass
from datetime import datetime

from rules.case.commands.base import Command
from rules.case.state import PolicyRef
from rules.case.typed import AnyPhone, Name, Text
from rules.case.vocabulary import Cause, Channel, Kind


@dataclass(frozen=True, kw_only=True)
class Guidance:
    """Where a citizen with a matter out of scope is sent. Source: S0 尽可能告知."""

    unit: Name
    address: Text
    phone: AnyPhone


@dataclass(frozen=True, kw_only=True)
class OneTimeNotice:
    """一次性告知: everything the citizen needs to know in one go. Source: S0."""

    materials: Text
    window: Name
    person: Name
    contact: AnyPhone


@dataclass(frozen=True, kw_only=True)
class Register(Command):
    """By the system, from the filing; ``received_at`` is T0."""

    case_id: str
    number: str
    hall: str
    channel: Channel
    received_at: datetime
    policy: PolicyRef
    calendar: str
    cause: Cause | None = None


@dataclass(frozen=True, kw_only=True)
class Triage(Command):
    """Classify and dispatch, or answer at once."""

    kind: Kind
    matter: Text | None = None
    cause: Cause | None = None
    unit: str | None = None
    answer: Text | None = None
    guidance: Guidance | None = None
    one_time_notice: OneTimeNotice | None = None


@dataclass(frozen=True, kw_only=True)
class Transfer(Command):
    """To the hall in charge; decided under that hall's policy and calendar."""

    hall: str
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Withdraw(Command):
    """On the citizen's request."""

    reason: Text


@dataclass(frozen=True, kw_only=True)
class Merge(Command):
    """Into an older open case. ``into`` is its id; the facts about it are looked up by casework."""

    into: str
    reason: Text
    into_hall: str
    into_received_at: datetime
    into_open: bool
