"""The commands of supervision, and what answers them."""

from dataclasses import dataclass

from rules.case.commands.base import Command
from rules.case.typed import Text


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
