"""Sign-ins and what is watched about them: tokens, the access log, failed attempts."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlmodel import Field

from models.base import CODE, DIGEST, UUID, Base, RowId, UTCDateTime


class AccessToken(Base, table=True):
    """A bearer token (`kind` api) or a session of the pages (page), by its hash.

    Its times are of the real clock, also in a rehearsal.
    """

    __tablename__ = "access_tokens"
    __table_args__ = (
        ForeignKeyConstraint(["username"], ["users.username"], deferrable=True, initially="DEFERRED"),
    )

    hash: str = Field(primary_key=True, max_length=DIGEST)
    username: str = Field(max_length=CODE, index=True)
    kind: str = Field(max_length=CODE)
    created_at: datetime = Field(sa_type=UTCDateTime)
    last_used_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime, index=True)
    revoked_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class AccessLog(Base, table=True):
    """Sign-ins, refusals, unmaskings, downloads. Append-only, one hash chain over the whole table.

    Write it through `models.access_log.append` only: a second writer would fork the chain, which
    the unique `prev_hash` refuses.
    """

    __tablename__ = "access_log"
    __table_args__ = (
        UniqueConstraint("prev_hash"),
        Index(None, "case_id", "id"),
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    at: datetime = Field(sa_type=UTCDateTime)
    username: str | None = Field(default=None, max_length=CODE)
    action: str = Field(max_length=CODE)
    case_id: str | None = Field(default=None, max_length=UUID)
    reason: str | None = Field(default=None, sa_type=Text)
    address: str | None = Field(default=None, max_length=CODE)
    prev_hash: str = Field(max_length=DIGEST)
    hash: str = Field(max_length=DIGEST)


class Attempt(Base, table=True):
    """One failed attempt (a sign-in, a query code) on the real clock; counted by key and time.

    One row each, so that a limit slides: counters by whole minutes let twice as many through.
    """

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "key", "at"),)

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    key: str = Field(max_length=255)
    at: datetime = Field(sa_type=UTCDateTime)
