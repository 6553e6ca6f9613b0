"""The commands of those who handle a case: the unit, its leader, co-units."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from rules.case.commands.base import Command
from rules.case.typed import Name, Text
from rules.case.vocabulary import Means


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
class Attach(Command):
    """A file, by its SHA-256."""

    attachment: str
    file_name: Name
    size: int
    sha256: str
    media_type: str


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
class Reassign(Command):
    """To another unit of the hall."""

    unit: str
    reason: Text


@dataclass(frozen=True, kw_only=True)
class ReferralReply(Command):
    """The upper level's answer."""

    text: Text
