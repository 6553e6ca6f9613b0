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
    waits = [await _wait(session, key, now) for key in keys]
    if max(waits) > timedelta():
        raise TooMany(max(waits))


async def count_wrong(session: AsyncSession, keys: Sequence[str], now: datetime) -> None:
    """Count a wrong pair in the caller's write transaction, one after the other. Raises `TooMany`.

    What is refused is not counted: who waits a minute may try again.
    """
    await take_turn(session, *keys)
    await refuse_if_full(session, keys, now)
    session.add_all([Attempt(key=key, at=now) for key in keys])


async def _wait(session: AsyncSession, key: str, now: datetime) -> timedelta:
    """Return how long until a wrong pair may be tried again: when enough of them are old."""
    newest = (
        select(Attempt.at)
        .where(Attempt.key == key, col(Attempt.at) > now - WINDOW)
        .order_by(col(Attempt.at).desc())
        .limit(WRONG_PAIRS)
    )
    times = (await session.exec(newest)).all()
    return times[-1] + WINDOW - now if len(times) == WRONG_PAIRS else timedelta()
