"""Keys that the database keeps, wrapped by the keyring, and which process seals with which key."""

from datetime import datetime

from sqlalchemy import Text
from sqlmodel import Field

from models.base import CODE, UUID, Base, UTCDateTime

INDEX = "index"
PAYLOAD = "payload:"


class HouseKey(Base, table=True):
    """`index`: the key of the blind indexes. `payload:<id>`: a key of the settings, today's or retired.

    `wrapped` is the key sealed under the first key of the settings; None while the settings hold it.
    `sealed_at` is the last instant (real clock) at which a running process sealed with it.
    """

    __tablename__ = "house_keys"

    name: str = Field(primary_key=True, max_length=CODE)
    wrapped: str | None = Field(default=None, sa_type=Text)
    sealed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class KeyHolder(Base, table=True):
    """A running process: the key it seals with, and every key that it opens with, commas between.

    `seen_at` is its last word (real clock); it takes its row away at its end.
    """

    __tablename__ = "key_holders"

    id: str = Field(primary_key=True, max_length=UUID)
    process: str = Field(max_length=CODE * 2)
    sealing: str = Field(max_length=CODE)
    opening: str = Field(sa_type=Text)
    seen_at: datetime = Field(sa_type=UTCDateTime)


class KnownEngine(Base, table=True):
    """The engine that holds the workflows of the open cases; one row, `id` 1.

    No row: the database was restored, and whatever an engine runs is of another history. `identity` is
    empty where none is known, and `resumed_at` None while workflows are still to be started.
    """

    __tablename__ = "known_engines"

    id: int = Field(default=1, primary_key=True)
    identity: str = Field(default="", max_length=CODE * 2)
    resumed_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
