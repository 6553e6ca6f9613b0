"""The lock-out: after some failed sign-ins each next one has to wait longer, per user and per address.

An attempt is counted *before* the password is looked at, so that a hundred at once are a hundred;
a success takes it back. The counters stand in the database, since several API processes share them.
All times are real ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlmodel import col, delete, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import TooMany
from casework.turns import take_turn
from models.access import Attempt

KEPT = timedelta(days=2)  # longer than any limit looks back


@dataclass(frozen=True)
class Limit:
    """`free` failures within `window` cost nothing; the next ones wait `first`, doubled each time."""

    free: int
    window: timedelta
    first: timedelta
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """Return how long after the last of so many failures nothing is tried."""
        over = failures - self.free
        if over < 0:
            return timedelta()
        # Doubling stops early: no number of failures may overflow.
        return min(self.first * (1 << min(over, 20)), self.longest)


# A person who mistypes is not kept waiting; a guesser gets some hundred tries a day.
PER_USER = Limit(5, timedelta(hours=24), timedelta(seconds=15), timedelta(minutes=15))
# A whole hall may sit behind one address: many more are free, and a success by any of its people costs
# nothing. A window as short as the longest wait would let the delay start over instead of growing.
PER_ADDRESS = Limit(100, timedelta(hours=2), timedelta(seconds=15), timedelta(minutes=15))


async def take_attempt(
    session: AsyncSession, username: str, address: str | None, now: datetime
) -> list[Attempt]:
    """Count an attempt, in the caller's write transaction. Raises `TooMany` while locked."""
    keys = [(_user(username), PER_USER)]
    if address:
        keys.append((f"sign-in:address:{address}", PER_ADDRESS))
    await take_turn(session, *(key for key, _ in keys))
    waits = [await _wait(session, key, limit, now) for key, limit in keys]
    if max(waits) > timedelta():
        raise TooMany(max(waits), "sign-in-locked")
    rows = [Attempt(key=key, at=now) for key, _ in keys]
    session.add_all(rows)
    await session.flush()
    return rows


async def take_back(session: AsyncSession, taken: Sequence[Attempt]) -> None:
    """This attempt was no failure after all; those before it stay."""
    await session.exec(delete(Attempt).where(col(Attempt.id).in_([row.id for row in taken])))


async def forgive(session: AsyncSession, username: str, taken: Sequence[Attempt], now: datetime) -> None:
    """After a success the user starts anew; of the address's failures only this one is taken back.

    Else an account of one's own would open the way to guess at others. Old rows are swept out.
    """
    await take_turn(session, _user(username))
    await session.exec(delete(Attempt).where(col(Attempt.key) == _user(username)))
    await session.exec(delete(Attempt).where(col(Attempt.at) < now - KEPT))
    await take_back(session, taken)


async def _wait(session: AsyncSession, key: str, limit: Limit, now: datetime) -> timedelta:
    found = select(func.count(), func.max(Attempt.at)).where(
        Attempt.key == key, col(Attempt.at) > now - limit.window
    )
    failures, last = (await session.exec(found)).one()
    return last + limit.wait(failures) - now if failures else timedelta()


def _user(username: str) -> str:
    return f"sign-in:user:{username}"
