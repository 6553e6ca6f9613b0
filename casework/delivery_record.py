"""Deliveries as an admin sees them: who, means, when, how often tried, what came of it; sent again or let go.

No text, no address and no number of a case is in it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, or_, text
from sqlmodel import Session, col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.engine import EngineUnavailable
from casework.outbox import drop_dead, give_back
from casework.services import Services
from casework.viewer import Viewer
from models.access_log import append
from models.inbox import Delivery
from models.messages import DeliveryRequest
from models.outside import DROPPED, PersonalDelivery

WEBHOOK = "webhook"
ENGINE_TRIES = timedelta(hours=25)
"""So long after its event, or after it was sent again, the engine has given a message to the webhook up."""
MOST = 200  # messages to the webhook that are shown, and sent again or let go at once
FILTERS = ("dead", "waiting", "all")

# Word for word the conditions of the partial indexes.
_ONLY = {
    "dead": text("personal_deliveries.status = 'dead'"),
    "waiting": text("personal_deliveries.status = 'waiting'"),
}
_PENDING = text("deliveries.status = 'pending'")
_UNSENT = text("deliveries.status <> 'sent'")
_KEPT = col(Delivery.status) != DROPPED


@dataclass(frozen=True)
class Entry:
    """One delivery; `key` names it in a form. Of the webhook `username` is None."""

    key: str
    username: str | None
    means: str
    status: str
    laid_at: datetime
    due_at: datetime | None
    attempts: int
    error: str | None
    sent_at: datetime | None


@dataclass(frozen=True)
class Record:
    """A page of deliveries to people, what the webhook did not get, and how much there is of both."""

    items: Sequence[Entry]
    webhook: Sequence[Entry]
    waiting: int
    failing: int
    dead: int


async def read_record(services: Services, only: str, page: int, per_page: int) -> Record:
    """Return a page, counted from 1, newest first; `only` is one of `FILTERS`."""
    wanted = select(PersonalDelivery).order_by(col(PersonalDelivery.id).desc())
    if only in _ONLY:
        wanted = wanted.where(_ONLY[only])
    async with services.database.read() as session:
        rows = await session.exec(wanted.limit(per_page).offset((page - 1) * per_page))
        lost = await _lost(session, await services.clock.now())
        waiting, failing = await _waiting(session)
        return Record(
            [_personal(row) for row in rows],
            [_of_webhook(row) for row in lost],
            waiting,
            failing,
            await dead_letters(session) + len(lost),
        )


async def dead_letters(session: AsyncSession) -> int:
    """Return how many deliveries to people were given up."""
    return (await session.exec(select(func.count()).select_from(PersonalDelivery).where(_ONLY["dead"]))).one()


async def send_again(
    services: Services, viewer: Viewer | None, keys: Sequence[str] | None, address: str | None = None
) -> int:
    """Send again what was given up: these, or all of it; return how many. `viewer` None: the operator.

    Raises `EngineUnavailable` where the webhook's cannot be started; those of people are under way then.
    """
    personal, webhook = _ids(keys)
    done = await give_back(services, personal)
    now = await services.clock.now()
    async with services.database.begin() as session:
        lost = [row for row in await _lost(session, now) if webhook is None or row.id in webhook]
        events = sorted({(row.case_id, row.seq) for row in lost})
        for row in lost:
            row.status, row.attempts, row.resent_at = "pending", 0, now
            session.add(row)
        await _note(session, services, "delivery_resent", viewer, done + len(lost), address)
    try:
        for case_id, seq in events:
            await services.engine.send_again(DeliveryRequest(case_id, seq))
    except EngineUnavailable:
        await _stay_dead(services, [row.id for row in lost])
        raise
    return done + len(lost)


async def drop(
    services: Services, viewer: Viewer | None, keys: Sequence[str] | None, address: str | None = None
) -> int:
    """Let go of what was given up: these, or all of it; return how many. `viewer` None: the operator.

    It stays on the record, counts as failed no more, and cannot be sent again.
    """
    personal, webhook = _ids(keys)
    now = await services.clock.now()
    async with services.database.begin() as session:
        done = await drop_dead(session, personal)
        for row in await _lost(session, now):
            if webhook is None or row.id in webhook:
                row.status = DROPPED
                session.add(row)
                done += 1
        await _note(session, services, "delivery_dropped", viewer, done, address)
    return done


async def _note(
    session: AsyncSession,
    services: Services,
    action: str,
    viewer: Viewer | None,
    done: int,
    address: str | None,
) -> None:
    """Put what was done to so many on the access log; nothing where there were none."""
    if done:
        await append(
            session,
            at=await services.wall.now(),
            action=action,
            username=viewer.username if viewer else None,
            reason=str(done),
            address=address,
        )


async def _stay_dead(services: Services, ids: Sequence[int | None]) -> None:
    """Leave what could not be started where it can be seen, and sent again."""
    ours = col(Delivery.id).in_(ids), _PENDING
    async with services.database.begin() as session:
        await session.exec(update(Delivery).where(*ours).values(status="dead"))


def _ids(keys: Sequence[str] | None) -> tuple[list[int] | None, set[int] | None]:
    """Return the ids of deliveries to people and to the webhook that keys name; what is no key is none."""
    if keys is None:
        return None, None
    named = [(kind, number) for kind, _, number in (key.partition("-") for key in keys) if number.isdecimal()]
    # Ids are 64 bits; a longer number names nothing and is no parameter for a database.
    known = [(kind, int(number)) for kind, number in named if len(number) < len("9223372036854775807")]
    return [id for kind, id in known if kind == "p"], {id for kind, id in known if kind == "w"}


async def _lost(session: AsyncSession, now: datetime) -> Sequence[Delivery]:
    """Return what the webhook did not get and nobody tries any more, newest first."""
    begun = func.coalesce(col(Delivery.resent_at), col(Delivery.at))
    tried = case((col(Delivery.status) == "dead", True), else_=begun < now - ENGINE_TRIES)
    wanted = select(Delivery).where(_UNSENT, _KEPT, tried).order_by(col(Delivery.id).desc()).limit(MOST)
    return (await session.exec(wanted)).all()


def unsent_to_people(session: Session, now: datetime) -> list[tuple[str, str, int]]:
    """Return how many deliveries to people are late, by means and what became of them.

    That is pending, failed (and tried again) or dead, as for the webhook; what is held for a window or
    over a night is not late.
    """
    failed = col(PersonalDelivery.attempts) > 0
    status = case((failed, "failed"), else_="pending")
    late = or_(failed, col(PersonalDelivery.due_at) <= now)
    waiting = select(PersonalDelivery.means, status, func.count()).where(_ONLY["waiting"], late)
    dead = select(PersonalDelivery.means, func.count()).where(_ONLY["dead"])
    found = list(session.exec(waiting.group_by(PersonalDelivery.means, status)).all())
    lost = session.exec(dead.group_by(PersonalDelivery.means)).all()
    return found + [(means, "dead", count) for means, count in lost]


async def _waiting(session: AsyncSession) -> tuple[int, int]:
    failed = func.sum(case((col(PersonalDelivery.attempts) > 0, 1), else_=0))
    wanted = select(func.count(), failed).select_from(PersonalDelivery).where(_ONLY["waiting"])
    waiting, failing = (await session.exec(wanted)).one()
    return waiting, failing or 0


def _personal(row: PersonalDelivery) -> Entry:
    return Entry(
        f"p-{row.id}",
        row.username,
        row.means,
        "failing" if row.status == "waiting" and row.attempts else row.status,
        row.laid_at,
        row.due_at,
        row.attempts,
        row.last_error,
        row.sent_at,
    )


def _of_webhook(row: Delivery) -> Entry:
    return Entry(
        f"w-{row.id}", None, WEBHOOK, "dead", row.at, None, row.attempts, row.last_error, row.sent_at
    )
