"""Commands as they were sent: what makes an Idempotency-Key answer the same way twice."""

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from models.base import CODE, DIGEST, KEY, UUID, Base, Json, UTCDateTime


class SentCommand(Base, table=True):
    """A command by its id (the update's id in the engine); kept 7 days at least.

    `key` is the Idempotency-Key within `scope` (the case), None where the client sent none.
    `status` and `answer` are what HTTP answered, None until then. A filing is never left to settle: it is
    `answered` from the start, and its `answer` is the query code alone. `sent_at` is the real clock.
    """

    __tablename__ = "commands"
    __table_args__ = (UniqueConstraint("username", "scope", "key"),)

    command_id: str = Field(primary_key=True, max_length=KEY)
    username: str = Field(max_length=CODE)
    scope: str = Field(max_length=CODE)
    key: str | None = Field(default=None, max_length=255)
    case_id: str | None = Field(default=None, max_length=UUID)
    body_hash: str = Field(max_length=DIGEST)
    status: int | None = None
    answer: dict[str, Any] | None = Field(default=None, sa_type=Json)
    answered: bool = False
    sent_at: datetime = Field(sa_type=UTCDateTime, index=True)
