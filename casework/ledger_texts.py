"""Events with what people typed in them, opened with the key of their case."""

import json
from collections.abc import Collection
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.writing import sealing
from models.case import LedgerEvent
from models.crypto import CaseKey, Keyring
from models.filing import CaseSecret

Texts = dict[str, Any]


async def read_events(
    session: AsyncSession,
    keyring: Keyring,
    case_ids: Collection[str],
    only: Collection[str] | None = None,
) -> list[tuple[LedgerEvent, Texts]]:
    """Return the events of cases in order, of all types or of these; no texts once erased."""
    keys = await case_keys(session, keyring, case_ids)
    wanted = (
        select(LedgerEvent)
        .where(col(LedgerEvent.case_id).in_(case_ids))
        .order_by(col(LedgerEvent.case_id), col(LedgerEvent.seq))
    )
    if only is not None:
        wanted = wanted.where(col(LedgerEvent.type).in_(only))
    rows = (await session.exec(wanted)).all()
    return [(row, _texts(row, keys.get(row.case_id))) for row in rows]


async def case_keys(session: AsyncSession, keyring: Keyring, case_ids: Collection[str]) -> dict[str, CaseKey]:
    """Return the keys of cases; erased ones are left out."""
    wanted = select(CaseSecret).where(col(CaseSecret.case_id).in_(case_ids))
    return {
        row.case_id: CaseKey.unwrap(keyring, row.case_id, row.wrapped_key)
        for row in (await session.exec(wanted)).all()
    }


def _texts(row: LedgerEvent, key: CaseKey | None) -> Texts:
    if row.sealed is None or key is None:
        return {}
    texts: Texts = json.loads(key.open_text(row.sealed, sealing(row.case_id, row.seq)))
    return texts
