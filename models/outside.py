"""Messages for people outside: what each user chose, each delivery, how far they are laid out."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Text, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, UUID, Base, Json, RowId, UTCDateTime, index_where

WAITING, SENT, DEAD, DROPPED = "waiting", "sent", "dead", "dropped"
DEFAULT = ""
"""The username of the row that an admin sets for everybody who chose nothing."""


class DeliveryChoice(Base, table=True):
    """By which means a user hears of what is in the inbox; the row of `DEFAULT` is the admin's.

    `own` is false for who follows the default; addresses are always the user's own: sealed by the
    keyring, purpose `addresses:<username>`, as JSON {means: address}.
    """

    __tablename__ = "delivery_choices"

    username: str = Field(primary_key=True, max_length=CODE)
    own: bool = False
    means: list[str] = Field(sa_type=Json)
    digest: str = Field(max_length=CODE)
    quiet: bool = True
    addresses: str | None = Field(default=None, sa_type=Text)
    updated_at: datetime = Field(sa_type=UTCDateTime)


class PersonalDelivery(Base, table=True):
    """One line of an inbox (`notifications.id`) on its way by one means; one row whatever happens.

    `status` is waiting, sent, dead (given up, or refused for good) or dropped (nobody to send it to,
    or no means, any more; or due for too long). What is sent together has one `bundle`, which is the
    message's idempotency key: set when it is first taken, and kept. `claimed_until`: a process has it in
    hand until then. Neither text nor address is here: the one is in the inbox, the other is looked up when
    it is sent.
    """

    __tablename__ = "personal_deliveries"
    __table_args__ = (
        UniqueConstraint("notification", "means"),
        index_where("ix_personal_deliveries_waiting", "status = 'waiting'", "means", "due_at", "id"),
        index_where("ix_personal_deliveries_bundle", "status = 'waiting'", "bundle"),
        index_where("ix_personal_deliveries_dead", "status = 'dead'", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    notification: int = Field(sa_type=BigInteger)
    username: str = Field(max_length=CODE)
    means: str = Field(max_length=CODE)
    status: str = Field(default=WAITING, max_length=CODE)
    due_at: datetime = Field(sa_type=UTCDateTime)
    bundle: str | None = Field(default=None, max_length=UUID)
    attempts: int = 0
    claimed_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_error: str | None = Field(default=None, sa_type=Text)
    laid_at: datetime = Field(sa_type=UTCDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UTCDateTime)

    def values(self) -> dict[str, Any]:
        """Return the row as an insert wants it: the database gives the id."""
        return self.model_dump(exclude={"id"})


class DeliveryProgress(Base, table=True):
    """Up to which line of all inboxes deliveries were laid out for certain; one row."""

    __tablename__ = "delivery_progress"

    id: int = Field(default=1, primary_key=True)
    up_to: int = Field(sa_type=BigInteger)
