"""One after the other, also across processes: locks by name for the length of a transaction."""

import hashlib

from sqlalchemy import func
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession


async def take_turn(session: AsyncSession, *names: str) -> None:
    """Wait until no other transaction holds these names; they are free again after the commit.

    SQLite has one writer at a time anyway. Names are taken in one order, so nobody waits in a ring.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    for number in sorted(map(_number, names)):
        await session.exec(select(func.pg_advisory_xact_lock(number)))


def _number(name: str) -> int:
    digest = hashlib.sha256(b"bancheng turn\0" + name.encode()).digest()
    return int.from_bytes(digest[:8], signed=True)
