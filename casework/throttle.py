"""Limits of guessing at query codes: wrong pairs are counted per address and per code.

On the real clock and in the database, since several API processes share the counters; each wrong
pair is a row, so that the limit slides. Right pairs cost nothing. Source: contract.md, public track.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import TooMany
from casework.turns import take_turn
from models.access import Attempt

WRONG_PAIRS = 20  # within the window; contract.md: ten pass, the thirtieth does not
WINDOW = timedelta(minutes=1)


async def refuse_if_full(session: AsyncSession, keys: Sequence[str], now: datetime) -> None:
    """Raise `TooMany` while one of the keys has used up its wrong pairs."""
    waits = [await wait_for(session, key, now, WRONG_PAIRS, WINDOW) for key in keys]
    if max(waits) > timedelta():
        raise TooMany(max(waits))


async def count_wrong(session: AsyncSession, keys: Sequence[str], now: datetime) -> bool:
    """Count a wrong pair in the caller's write transaction, one after the other. Raises `TooMany`.

    Return whether it was the last one to pass. What is refused is not counted: who waits a minute
    may try again.
    """
    await take_turn(session, *keys)
    await refuse_if_full(session, keys, now)
    session.add_all([Attempt(key=key, at=now) for key in keys])
    await session.flush()
    return any([await wait_for(session, key, now, WRONG_PAIRS, WINDOW) for key in keys])


async def wait_for(session: AsyncSession, key: str, now: datetime, most: int, window: timedelta) -> timedelta:
    """Return how long until the key may be used again: when fewer than `most` are within the window."""
    newest = (
        select(Attempt.at)
        .where(Attempt.key == key, col(Attempt.at) > now - window)
        .order_by(col(Attempt.at).desc())
        .limit(most)
    )
    times = (await session.exec(newest)).all()
    return times[-1] + window - now if len(times) == most else timedelta()
