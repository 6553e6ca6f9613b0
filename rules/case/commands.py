"""The commands of a case, by their names in domain.md, section 4; field names by contract.md.

A field of type `Text`, `LongText`, `Name` or `Phone` holds what a person typed: the ledger seals
it. All other fields are facts. ``name`` is the command's name everywhere.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal

from rules.case.state import PolicyRef
from rules.case.typed import AnyPhone, Name, Text
from rules.case.vocabulary import Cause, Channel, Kind, Means

COMMANDS: dict[str, type["Command"]] = {}


@dataclass(frozen=True, kw_only=True)
class Command:
    """What every command may carry beside its own fields."""

    name: ClassVar[str] = ""
    note: Text | None = None

    def __init_subclass__(cls, name: str = "") -> None:
        """Register the command under `name`, or under the class's name in snake case."""
        cls.name = name or re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        COMMANDS[cls.name] = cls


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
class Sign(Command):
    """签收."""


@dataclass(frozen=True, kw_only=True)
class ReturnOrder(Command):
    """退单."""

    reason: Text


@dataclass(frozen=True, kw_only=True)
class DecideReturn(Command):
    """Accept a return (then to another unit) or refuse it."""

    accept: bool
    unit: str | None = None
    reason: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Progress(Command):
    """A line of the progress ledger (附件3)."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class Inform(Command):
    """The citizen was told something."""

    means: Means
    text: Text


@dataclass(frozen=True, kw_only=True)
class MarkUnable(Command):
    """联系人没办法办理."""

    reason: Text


@dataclass(frozen=True, kw_only=True)
class Coordinate(Command):
    """The deputy leader's decision; may hand the case up."""

    text: Text
    to: Literal["supervision"] | None = None


@dataclass(frozen=True, kw_only=True)
class Convene(Command):
    """会商: ask co-units for their opinions."""

    co_units: tuple[str, ...]
    at: datetime
    place: Text


@dataclass(frozen=True, kw_only=True)
class Opine(Command):
    """A co-unit's opinion."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class ReportComplex(Command):
    """Ask the supervision department for a limit."""

    reason: Text


@dataclass(frozen=True, kw_only=True)
class SetLimit(Command):
    """The limit of a complex case: closing time of ``due_on``."""

    due_on: date
    reason: Text


@dataclass(frozen=True, kw_only=True)
class ReferUp(Command):
    """上报 to the level that has the power to decide; due at closing time of ``due_on``."""

    to: Text
    reason: Text
    due_on: date


@dataclass(frozen=True, kw_only=True)
class ReferralReply(Command):
    """The upper level's answer."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class RequestExtension(Command):
    """Ask for more working days, counted from the due date as it stands."""

    working_days: int
    reason: Text


@dataclass(frozen=True, kw_only=True)
class DecideExtension(Command):
    """Grant or refuse the pending extension."""

    accept: bool
    reason: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Suspend(Command):
    """Stop the clock while waiting for the citizen."""

    reason: Text


@dataclass(frozen=True, kw_only=True)
class Resume(Command):
    """Let the clock run on."""


@dataclass(frozen=True, kw_only=True)
class Reclassify(Command):
    """即办件 ↔ 承诺件."""

    kind: Kind
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Reassign(Command):
    """To another unit of the hall."""

    unit: str
    reason: Text


@dataclass(frozen=True, kw_only=True)
class DeclareUnsolvable(Command):
    """完全没有办法协调解决: the determination, on a named basis."""

    basis: Text


@dataclass(frozen=True, kw_only=True)
class ConfirmUnsolvable(Command):
    """The filing (备案) with the window lead, or its refusal."""

    accept: bool
    reason: Text | None = None


@dataclass(frozen=True, kw_only=True)
class ReplyCommand(Command, name="reply"):
    """答复."""

    text: Text
    resolved: bool


@dataclass(frozen=True, kw_only=True)
class CheckReply(Command):
    """Accept the reply, which tells the citizen, or send it back with a reason."""

    accept: bool
    reason: Text | None = None


@dataclass(frozen=True, kw_only=True)
class Revisit(Command):
    """回访."""

    reached: bool
    rating: int | None = None
    resolved: bool | None = None
    text: Text | None = None


@dataclass(frozen=True, kw_only=True)
class JudgeRevisit(Command):
    """Reopen after dissatisfaction or an objection, or close with a reason."""

    reopen: bool
    reason: Text


@dataclass(frozen=True, kw_only=True)
class Rate(Command):
    """好差评: five levels, by the citizen."""

    rating: int


@dataclass(frozen=True, kw_only=True)
class Object(Command):
    """The citizen does not agree with the closing."""

    reason: Text


@dataclass(frozen=True, kw_only=True)
class Archive(Command):
    """归档, with a lesson learnt (经验) where there is one."""

    lesson: Text | None = None


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


@dataclass(frozen=True, kw_only=True)
class Remind(Command):
    """催办."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class OrderCommand(Command, name="order"):
    """督办单."""

    text: Text


@dataclass(frozen=True, kw_only=True)
class AnswerOrder(Command):
    """The deputy leader's answer to a supervision order."""

    order: str
    text: Text


@dataclass(frozen=True, kw_only=True)
class Excuse(Command):
    """After an outage or force majeure: lateness shown apart, never as on time."""

    reason: Text


@dataclass(frozen=True, kw_only=True)
class Attach(Command):
    """A file, by its SHA-256."""

    attachment: str
    file_name: Name
    size: int
    sha256: str
    media_type: str


@dataclass(frozen=True, kw_only=True)
class CalendarChanged(Command):
    """A calendar was published; decided under the new one, whose version it names."""

    calendar: str


# Given by the system or the citizen, never by a signed-in user.
SYSTEM_COMMANDS = frozenset({"register", "calendar_changed"})
CITIZEN_COMMANDS = frozenset({"rate", "object"})
