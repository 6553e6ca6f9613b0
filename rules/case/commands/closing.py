"""The commands from the reply to the archive."""

from dataclasses import dataclass

from rules.case.commands.base import Command
from rules.case.typed import Text


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
