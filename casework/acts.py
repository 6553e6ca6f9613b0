"""The record of a bulletin or a typical case: appending to it with what people typed, reading it in clear."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.viewer import Viewer
from models.act import Act, NewAct, append_act, key_of_case, next_seq, sealing
from models.chain import ACT_CHAIN, verify_chain
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
    """All acts of one item in order, and whether their hash chain holds."""

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


async def read_record(
    session: AsyncSession, keyring: Keyring, kind: str, item: int, count: int | None = None
) -> Record:
    """Return the record of an item; with `count`, acts missing at its end are found too."""
    wanted = select(Act).where(Act.kind == kind, Act.item == item).order_by(col(Act.seq))
    rows = (await session.exec(wanted)).all()
    connection = await session.connection()
    key = await connection.run_sync(key_of_case, keyring, rows[0].case_id) if rows else None
    verified = verify_chain(rows, count, ACT_CHAIN) is None
    return Record([_shown(row, key, keyring) for row in rows], verified)


def _shown(row: Act, key: CaseKey | None, keyring: Keyring) -> ShownAct:
    texts = _opened(row, key, keyring)
    return ShownAct(row.id or 0, row.seq, row.at, row.type, row.actor, row.data, texts, row.hash)


def _opened(row: Act, key: CaseKey | None, keyring: Keyring) -> dict[str, str]:
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
