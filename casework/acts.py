"""The record of a bulletin or a typical case: appending to it with what people typed, reading it in clear."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.act_check import Item, check_record, kind_of
from casework.viewer import Viewer
from models.act import Act, NewAct, append_act, key_of_case, next_seq, sealing
from models.crypto import CaseKey, Keyring, UnsealError
from models.messages import encode_values
from rules.case.vocabulary import Role

SYSTEM = {"role": Role.SYSTEM.value}


@dataclass(frozen=True)
class ShownAct:
    """One act as readers get it; `text` is what was typed, empty where nothing was or it was erased."""

    id: int
    seq: int
    at: datetime
    type: str
    actor: Mapping[str, Any]
    data: Mapping[str, Any]
    texts: Mapping[str, str]
    hash: str

    @property
    def text(self) -> str:
        """Return the reason or statement."""
        return self.texts.get("text", "")


@dataclass(frozen=True)
class Record:
    """All acts of one item in order, and whether their chain holds and ends as the item's row says."""

    acts: Sequence[ShownAct]
    verified: bool


@dataclass(frozen=True)
class Appended:
    """Where the record of an item stands after an act."""

    id: int
    hash: str


def actor_of(viewer: Viewer) -> dict[str, Any]:
    """Return who acts as the record names them."""
    named = {"username": viewer.username, "name": viewer.name, "role": viewer.role.value, "unit": viewer.unit}
    return {name: value for name, value in named.items() if value is not None}


async def append(
    session: AsyncSession, keyring: Keyring, act: NewAct, texts: Mapping[str, str | None] = {}
) -> Appended:
    """Append an act with its texts, sealed; in the caller's transaction, who has locked the item."""
    typed = {name: text for name, text in texts.items() if text}
    connection = await session.connection()
    row_id, digest = await connection.run_sync(_append, keyring, act, typed)
    return Appended(row_id, digest)


def _append(
    connection: Connection, keyring: Keyring, act: NewAct, texts: Mapping[str, str]
) -> tuple[int, str]:
    act = replace(act, data=encode_values(act.data))
    if texts:
        purpose = sealing(act.kind, act.item, next_seq(connection, act.kind, act.item))
        # A case that was erased has no key any more, and nothing of it can be typed by mistake.
        sealer = key_of_case(connection, keyring, act.case_id) or keyring
        act = replace(act, sealed=sealer.seal_text(json.dumps(dict(texts), ensure_ascii=False), purpose))
    return append_act(connection, act)


async def read_record(session: AsyncSession, keyring: Keyring, item: Item) -> Record:
    """Return the record of an item."""
    wanted = select(Act).where(Act.kind == kind_of(item), Act.item == item.id).order_by(col(Act.seq))
    rows = (await session.exec(wanted)).all()
    connection = await session.connection()
    key = await connection.run_sync(key_of_case, keyring, rows[0].case_id) if rows else None
    return Record([_shown(row, key, keyring) for row in rows], check_record(item, rows) is None)


def _shown(row: Act, key: CaseKey | None, keyring: Keyring) -> ShownAct:
    texts = opened_texts(row, key, keyring)
    return ShownAct(row.id or 0, row.seq, row.at, row.type, row.actor, row.data, texts, row.hash)


def opened_texts(row: Act, key: CaseKey | None, keyring: Keyring) -> dict[str, str]:
    """Return what was typed with an act; nothing where the key of its case was destroyed."""
    for sealer in (key, keyring):
        if row.sealed is None or sealer is None:
            continue
        try:
            opened: dict[str, str] = json.loads(
                sealer.open_text(row.sealed, sealing(row.kind, row.item, row.seq))
            )
            return opened
        except UnsealError:
            continue
    return {}
