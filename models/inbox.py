"""What people are told: the inbox of each user, and deliveries to channels outside."""

from datetime import datetime

from sqlalchemy import Index, Text, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, UUID, Base, RowId, UTCDateTime, index_where


class Notification(Base, table=True):
    """A line in a user's inbox; `text` has no personal data.

    `case_id` is that of a request for rights where the line is about one (casework/grant_notices.py),
    or of a report (activities/reporting.py).

    Written in the ledger's transaction; one per event, kind and user, however often it is retried.
    A negative `seq` is the number of an act (`acts.id`) and not of an event. `path` is the page that
    it leads to, None for the case's.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", "kind", "username"),
        Index(None, "username", "id"),
        index_where("ix_notifications_unread", "NOT read", "username"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    username: str = Field(max_length=CODE)
    case_id: str = Field(max_length=UUID)
    number: str | None = Field(default=None, max_length=CODE)
    seq: int
    kind: str = Field(max_length=CODE)
    text: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UTCDateTime)
    read: bool = False
    path: str | None = Field(default=None, max_length=CODE)


class Delivery(Base, table=True):
    """A message for a channel outside.

    `status` is pending, failed (tried again), sent, dead (given up) or dropped (let go by an admin).
    `target` is a short word for the receiver, not its address, which may hold a token (rows of before the
    first release may hold it); `text` is what is posted: a number and a sentence, nothing personal. A
    negative `seq` is the number of an act (`acts.id`) and not of an event. `resent_at` is when somebody
    had it sent again last.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        UniqueConstraint("case_id", "seq", "channel", "target"),
        index_where("ix_deliveries_pending", "status = 'pending'", "id"),
        # What is watched: counted by channel and status.
        index_where("ix_deliveries_unsent", "status <> 'sent'", "channel", "status"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    case_id: str = Field(max_length=UUID)
    seq: int
    channel: str = Field(max_length=CODE)
    target: str = Field(max_length=255)
    text: str = Field(sa_type=Text)
    status: str = Field(default="pending", max_length=CODE)
    attempts: int = 0
    last_error: str | None = Field(default=None, sa_type=Text)
    at: datetime = Field(sa_type=UTCDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    resent_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
