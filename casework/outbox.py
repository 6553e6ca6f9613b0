"""Deliveries as work: what is due is taken for a while, and what came of it is noted.

Several processes may take: one at a time for each means, and what is taken is nobody else's until it is
noted, or until so much time went by that whoever took it must have died.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import or_, text
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, not_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.services import Services
from casework.turns import take_turn
from models.inbox import Notification
from models.outside import DEAD, DROPPED, SENT, WAITING, PersonalDelivery
from rules.delivering import DIGEST_LINES, STALE, Means, retry_after

ATTEMPT = timedelta(seconds=25)  # for one attempt in all: shorter than the grace at a stop
AT_ONCE = 4  # messages under way by one means
ROUNDS = 4
SURE = timedelta(minutes=10)  # longer than it takes to restart all parts with other settings
CLAIMED = timedelta(minutes=2)  # longer than all that is taken at once can last
BATCH = 200  # deliveries looked at, of which `AT_ONCE` × `ROUNDS` messages are taken

# Word for word the condition of the partial indexes.
_WAITING = text("personal_deliveries.status = 'waiting'")


@dataclass(frozen=True)
class Bundle:
    """Lines for one user that go out as one message, in hand until `CLAIMED` after it was taken."""

    id: str
    username: str
    means: Means
    attempt: int
    lines: tuple[Notification, ...]


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt: sent, dropped, or a failure, which may be for good."""

    status: str
    error: str | None = None

    @classmethod
    def failed(cls, error: str, *, for_good: bool = False) -> "Outcome":
        """Return a failure; one that is for good is tried no more."""
        return cls(DEAD if for_good else WAITING, error)


async def take(services: Services, means: Means) -> list[Bundle]:
    """Take what is due by a means, each user's lines together; what is stale is dropped.

    Raises DatabaseUnavailable.
    """
    now = await services.clock.now()
    # Looked at without a lock first: mostly there is nothing, and SQLite has one writer.
    if not await services.database.look(lambda session: _is_due(session, means, now)):
        return []
    async with services.database.begin() as session:
        await take_turn(session, f"deliveries:{means}")
        await _drop_stale(session, means, now)
        rows = await _due(session, means, now)
        bundles = _bundled(rows)
        for id, bundled in bundles.items():
            for row in bundled:
                row.bundle, row.attempts, row.claimed_until = id, row.attempts + 1, now + CLAIMED
                session.add(row)
        wanted = [row.notification for bundled in bundles.values() for row in bundled]
        found = await session.exec(select(Notification).where(col(Notification.id).in_(wanted)))
        lines = {line.id: line for line in found}
        return [
            Bundle(
                id,
                bundled[0].username,
                means,
                bundled[0].attempts,
                tuple(lines[row.notification] for row in bundled if row.notification in lines),
            )
            for id, bundled in bundles.items()
        ]


async def note(services: Services, bundle: Bundle, outcome: Outcome) -> None:
    """Note what came of an attempt: done, given up, or when it is tried again.

    A failure that comes in after another process has taken the bundle anew says nothing any more.
    """
    now = await services.clock.now()
    values: dict[str, Any] = {"status": outcome.status, "claimed_until": None, "last_error": outcome.error}
    own: list[Any] = [_WAITING, col(PersonalDelivery.bundle) == bundle.id]
    if outcome.status == SENT:
        values["sent_at"] = now
    elif outcome.status == WAITING:
        own.append(col(PersonalDelivery.attempts) == bundle.attempt)
        delay = retry_after(bundle.attempt)
        values |= {"status": DEAD} if delay is None else {"due_at": now + delay}
    async with services.database.begin() as session:
        await session.exec(update(PersonalDelivery).where(*own).values(**values))


async def let_go(services: Services) -> int:
    """Drop what waits for means that are not set up; return how many. Raises DatabaseUnavailable.

    Nobody takes it: it would count as failed for ever, and all go out once the means is back. What is new
    stays, as it may be another process's that was started with the means just now.
    """
    now = await services.clock.now()
    gone = (
        _WAITING,
        col(PersonalDelivery.means).not_in(services.means),
        col(PersonalDelivery.laid_at) <= now - SURE,
        _in_no_hands(now),
    )
    # Looked at without a lock first: mostly there is nothing, and SQLite has one writer.
    if not await services.database.look(lambda session: session.exec(select(exists().where(*gone))).one()):
        return 0
    reason = col(PersonalDelivery.means) + " is not set up any more"
    async with services.database.begin() as session:
        dropped = update(PersonalDelivery).where(*gone).values(status=DROPPED, last_error=reason)
        done: CursorResult[object] = await session.exec(dropped)
        return int(done.rowcount)


async def _drop_stale(session: AsyncSession, means: Means, now: datetime) -> None:
    """Drop what has been due for too long, of a message that was tried before all or nothing."""
    other = aliased(PersonalDelivery)
    newer = exists().where(
        col(other.status) == WAITING,
        col(other.bundle) == col(PersonalDelivery.bundle),
        col(other.due_at) > now - STALE,
    )
    stale = (*_free(means, now), col(PersonalDelivery.due_at) <= now - STALE, not_(newer))
    values = {"status": DROPPED, "claimed_until": None, "last_error": "due for more than a day"}
    await session.exec(update(PersonalDelivery).where(*stale).values(**values))


def _is_due(session: Session, means: Means, now: datetime) -> bool:
    return bool(session.exec(select(exists().where(*_free(means, now)))).one())


async def _due(session: AsyncSession, means: Means, now: datetime) -> list[PersonalDelivery]:
    """Return what is due and in nobody's hands; of a bundle that was tried before, all of it."""
    order = (col(PersonalDelivery.due_at), col(PersonalDelivery.id))
    wanted = select(PersonalDelivery).where(*_free(means, now)).order_by(*order).limit(BATCH)
    rows = list((await session.exec(wanted)).all())
    if tried := {row.bundle for row in rows if row.bundle}:
        there = {row.id for row in rows}
        whole = select(PersonalDelivery).where(_WAITING, col(PersonalDelivery.bundle).in_(tried))
        rows += [row for row in (await session.exec(whole.order_by(*order))).all() if row.id not in there]
    return rows


def _free(means: Means, now: datetime) -> tuple[Any, ...]:
    due = col(PersonalDelivery.means) == means, col(PersonalDelivery.due_at) <= now
    return (_WAITING, *due, _in_no_hands(now))


def _in_no_hands(now: datetime) -> Any:
    claimed = col(PersonalDelivery.claimed_until)
    return or_(claimed.is_(None), claimed <= now)


def _bundled(rows: Sequence[PersonalDelivery]) -> dict[str, list[PersonalDelivery]]:
    """Return the rows by message: one that was tried stays as it was, so that its id names one content."""
    found: dict[str, list[PersonalDelivery]] = {}
    begun: dict[str, str] = {}
    for row in rows:
        if row.bundle is not None:
            found.setdefault(row.bundle, []).append(row)
            continue
        id = begun.get(row.username)
        if id is None or len(found[id]) == DIGEST_LINES:
            id = begun[row.username] = str(uuid4())
        found.setdefault(id, []).append(row)
    return dict(list(found.items())[: AT_ONCE * ROUNDS])


async def give_back(services: Services, ids: Sequence[int] | None = None) -> int:
    """Have dead deliveries tried anew, these or all of them; return how many.

    Each goes out as a new message: what was in the old one may be split now.
    """
    now = await services.clock.now()
    fresh = {"status": WAITING, "due_at": now, "attempts": 0, "bundle": None, "claimed_until": None}
    async with services.database.begin() as session:
        done: CursorResult[object] = await session.exec(
            update(PersonalDelivery).where(*_dead(ids)).values(**fresh)
        )
        return int(done.rowcount)


async def drop_dead(session: AsyncSession, ids: Sequence[int] | None) -> int:
    """Let go of dead deliveries, these or all of them, inside a transaction; return how many."""
    dropped = update(PersonalDelivery).where(*_dead(ids)).values(status=DROPPED)
    done: CursorResult[object] = await session.exec(dropped)
    return int(done.rowcount)


def _dead(ids: Sequence[int] | None) -> list[Any]:
    dead: list[Any] = [text("personal_deliveries.status = 'dead'")]
    return dead if ids is None else [*dead, col(PersonalDelivery.id).in_(ids)]
