"""What a means of reaching one person has to do, and what it is handed."""

from dataclasses import dataclass
from typing import Protocol

from rules.delivering import Means

SHOWN = 300  # characters of an answer that are kept


class NotDelivered(Exception):
    """It did not go out; worth another attempt. The message says why, without an address or a key."""


class Refused(NotDelivered):
    """It will never go out as it is: the address does not exist, say."""


@dataclass(frozen=True)
class Message:
    """One message to one person, in words; `id` is the same at every attempt and belongs to no other.

    `to` is personal data: it is shown nowhere.
    """

    id: str
    to: str
    subject: str
    lines: tuple[str, ...]

    def __repr__(self) -> str:
        return f"Message({self.id})"


class PersonalChannel(Protocol):
    """One means. A message may come twice, with the same id: after a kill between sending and noting."""

    means: Means

    async def send(self, message: Message) -> None:
        """Hand a message over. Raises `NotDelivered`."""


def told(error: object, *secrets: str) -> str:
    """Return what went wrong, in one line, bounded, without addresses and keys."""
    text = " ".join(str(error).split())
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text[:SHOWN]
