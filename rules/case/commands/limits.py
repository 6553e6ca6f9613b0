"""The commands that move a due date, or ask for it."""

from dataclasses import dataclass
from datetime import date

from rules.case.commands.base import Command
from rules.case.typed import Text
from rules.case.vocabulary import Kind


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
class DeclareUnsolvable(Command):
    """完全没有办法协调解决: the determination, on a named basis."""

    basis: Text


@dataclass(frozen=True, kw_only=True)
class ConfirmUnsolvable(Command):
    """The filing (备案) with the window lead, or its refusal."""

    accept: bool
    reason: Text | None = None


@dataclass(frozen=True, kw_only=True)
class CalendarChanged(Command):
    """A calendar was published; decided under the new one, whose version it names."""

    calendar: str
