"""Appending to the access log, one link after the other."""

from datetime import datetime

from sqlalchemy import func
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.access import AccessLog
from models.chain import ACCESS_CHAIN, GENESIS

# Any number that no other advisory lock of this database uses.
CHAIN_LOCK = 0x6163636573736C67


async def append(
    session: AsyncSession,
    *,
    at: datetime,
    action: str,
    username: str | None = None,
    case_id: str | None = None,
    reason: str | None = None,
    address: str | None = None,
) -> AccessLog:
    """Append one row inside a write transaction; later writers wait for its commit.

    Call it last in the transaction. Raises `sqlalchemy.exc.DBAPIError`.
    """
    if session.get_bind().dialect.name == "postgresql":
        await session.exec(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
    newest = select(AccessLog.hash).order_by(AccessLog.id.desc()).limit(1)  # type: ignore[union-attr]
    prev_hash = (await session.exec(newest)).first() or GENESIS
    fields = {
        "at": at,
        "username": username,
        "action": action,
        "case_id": case_id,
        "reason": reason,
        "address": address,
    }
    row = AccessLog(**ACCESS_CHAIN.link([fields], prev_hash)[0])
    session.add(row)
    await session.flush()
    return row
