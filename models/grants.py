"""Requests for rights that no admin gives alone (三员分立): asked by one person, decided by another."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Text
from sqlmodel import Field

from models.base import CODE, UUID, Base, Json, UTCDateTime, index_where

WAITING = "waiting"


class Grant(Base, table=True):
    """A request and what became of it; nothing holds before it is approved.

    `act` is what is asked for `username`: `add`, `change`, `enable`, `password`, or `second_factor` (to take
    it away). `wanted` is `{name, role, hall, unit, alternate}` as it is to be, `before` `{role, hall, unit,
    active}` as it was when asked (None for a user to be added). Source: domain.md, section 1, admin.
    """

    __tablename__ = "grants"
    __table_args__ = (
        # Two requests for one person at once would let the second undo what the first was judged by.
        index_where("uq_grants_waiting", "status = 'waiting'", "username", unique=True),
        Index(None, "status", "requested_at"),
    )

    id: str = Field(primary_key=True, max_length=UUID)
    act: str = Field(max_length=CODE)
    username: str = Field(max_length=CODE)
    wanted: dict[str, Any] = Field(sa_type=Json)
    before: dict[str, Any] | None = Field(default=None, sa_type=Json)
    reason: str = Field(sa_type=Text)
    requested_by: str = Field(max_length=CODE)
    requested_at: datetime = Field(sa_type=UTCDateTime)
    status: str = Field(default=WAITING, max_length=CODE)
    decided_by: str | None = Field(default=None, max_length=CODE)
    decided_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    decision_reason: str | None = Field(default=None, sa_type=Text)
