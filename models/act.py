"""The record of what people do beside the cases: to a 通报, to a typical case. Append-only, hash-chained."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, Index, Table, Text, UniqueConstraint, insert, select
from sqlmodel import Field

from models.base import CODE, DIGEST, UUID, Base, Json, RowId, UTCDateTime
from models.chain import ACT_CHAIN, GENESIS
from models.crypto import CaseKey, Keyring
from models.filing import CaseSecret

BULLETIN, TYPICAL_CASE = "bulletin", "typical_case"


class Act(Base, table=True):
    """One act; `kind` and `item` name what it was done to, `case_id` the case behind it.

    `sealed` holds the free texts under the key of that case, as in `events`; the chain of an item
    runs over that ciphertext.
    """

    __tablename__ = "acts"
    __table_args__ = (UniqueConstraint("kind", "item", "seq"), Index(None, "case_id", "id"))

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    kind: str = Field(max_length=CODE)
    item: int = Field(sa_type=RowId)
    case_id: str = Field(max_length=UUID)
    seq: int
    at: datetime = Field(sa_type=UTCDateTime)
    type: str = Field(max_length=CODE)
    actor: dict[str, Any] = Field(sa_type=Json)
    data: dict[str, Any] = Field(default_factory=dict, sa_type=Json)
    sealed: str | None = Field(default=None, sa_type=Text)
    prev_hash: str = Field(max_length=DIGEST)
    hash: str = Field(max_length=DIGEST)


ACTS = cast(Table, Act.__table__)  # type: ignore[attr-defined]
_SECRETS = cast(Table, CaseSecret.__table__)  # type: ignore[attr-defined]


@dataclass(frozen=True, repr=False)
class NewAct:
    """What is to be recorded. It has no repr: logs must not show its texts."""

    kind: str
    item: int
    case_id: str
    at: datetime
    type: str
    actor: dict[str, Any]
    data: dict[str, Any] = field(default_factory=dict)
    sealed: str | None = None


def append_act(connection: Connection, act: NewAct) -> tuple[int, str]:
    """Append an act to the record of its item; return its row's id and its hash.

    Writers of one item take turns by its own row, which the caller has locked (or just made): two at
    once would fork the chain, which the unique number refuses.
    """
    seq, prev_hash = _last(connection, act.kind, act.item)
    row = {
        "kind": act.kind,
        "item": act.item,
        "case_id": act.case_id,
        "seq": seq + 1,
        "at": act.at,
        "type": act.type,
        "actor": act.actor,
        "data": act.data,
        "sealed": act.sealed,
    }
    linked = ACT_CHAIN.link([row], prev_hash)[0]
    done = connection.execute(insert(ACTS).returning(ACTS.c.id), linked)
    return int(done.scalar_one()), str(linked["hash"])


def _last(connection: Connection, kind: str, item: int) -> tuple[int, str]:
    mine = ACTS.c.kind == kind, ACTS.c.item == item
    newest = select(ACTS.c.seq, ACTS.c.hash).where(*mine).order_by(ACTS.c.seq.desc()).limit(1)
    row = connection.execute(newest).one_or_none()
    return (row.seq, row.hash) if row else (0, GENESIS)


def next_seq(connection: Connection, kind: str, item: int) -> int:
    """Return the number that the next act of an item gets: its texts are sealed for that."""
    return _last(connection, kind, item)[0] + 1


def sealing(kind: str, item: int, seq: int) -> str:
    """Return the purpose that an act's texts are sealed for: they open in their own row only."""
    return f"act:{kind}:{item}:{seq}"


def item_key(kind: str, item: int) -> str:
    """Return what heads and findings call the item by: ``bulletin/3``."""
    return f"{kind}/{item}"


def key_of_case(connection: Connection, keyring: Keyring, case_id: str) -> CaseKey | None:
    """Return the key of a case, None once it was destroyed (or never was)."""
    wanted = select(_SECRETS.c.wrapped_key).where(_SECRETS.c.case_id == case_id)
    wrapped = connection.execute(wanted).scalar_one_or_none()
    return CaseKey.unwrap(keyring, case_id, wrapped) if wrapped else None
