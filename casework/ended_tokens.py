"""Tokens and sessions that were ended and come back: somebody may have kept a copy of one.

What nobody ever had is refused in silence, since anyone can make up any number of them. What was ended
names a user: that goes on the access log, once a token and an hour, since a browser that was signed
out elsewhere goes on asking for a while.
"""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.services import Services
from casework.turns import take_turn
from models.access import AccessToken, Attempt
from models.access_log import append
from models.codes import hash_token

QUIET = timedelta(hours=1)
ACTION, REASON = "refused_401", "token-ended"


async def note_ended(services: Services, token: str, address: str | None) -> None:
    """Log that a token was used after its end, if it is one that was ended. Raises DatabaseUnavailable."""
    now = await services.wall.now()
    hashed = hash_token(token)
    key = f"ended:{hashed}"
    async with services.database.read() as session:
        row = await session.get(AccessToken, hashed)
        if row is None or row.revoked_at is None or await _noted(session, key, now):
            return
        username = row.username
    async with services.database.begin() as session:
        await take_turn(session, key)
        if await _noted(session, key, now):
            return
        session.add(Attempt(key=key, at=now))
        await session.flush()
        await append(session, at=now, action=ACTION, username=username, reason=REASON, address=address)


async def _noted(session: AsyncSession, key: str, now: datetime) -> bool:
    lately = select(Attempt.id).where(Attempt.key == key, col(Attempt.at) > now - QUIET).limit(1)
    return (await session.exec(lately)).first() is not None
