"""The own inbox: what a user was told, newest first."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import func, text
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.services import Services
from casework.viewer import Viewer
from models.inbox import Notification

MANY = 100

# Word for word the condition of the partial index: "IS false" is something else to a planner.
_UNREAD = text("NOT notifications.read")


class Inbox(NamedTuple):
    """One page of an inbox, and how much of the whole is unread."""

    items: Sequence[Notification]
    unread: int


async def read_inbox(services: Services, viewer: Viewer, page: int, per_page: int) -> Inbox:
    """Return a page, counted from 1."""
    wanted = (
        select(Notification)
        .where(Notification.username == viewer.username)
        .order_by(col(Notification.id).desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    async with services.database.read() as session:
        items = (await session.exec(wanted)).all()
        # Cases that are told of at one instant are written some milliseconds out of their order.
        newest_first = sorted(items, key=lambda line: line.at, reverse=True)
        return Inbox(newest_first, await _unread(session, viewer))


async def unread_of(services: Services, viewer: Viewer) -> int:
    """Return how many notifications of a user are unread, `MANY` for any more than that.

    Every page shows it: who reads none must not wait the longer for it.
    """
    own = select(Notification.id).where(Notification.username == viewer.username, _UNREAD)
    async with services.database.read() as session:
        return (await session.exec(select(func.count()).select_from(own.limit(MANY).subquery()))).one()


async def mark_read(services: Services, viewer: Viewer, ids: Sequence[int]) -> int:
    """Mark own notifications as read, passing over others; return how many are unread still."""
    own = col(Notification.username) == viewer.username, col(Notification.id).in_(ids)
    async with services.database.begin() as session:
        await session.exec(update(Notification).where(*own).values(read=True))
        return await _unread(session, viewer)


async def mark_all_read(services: Services, viewer: Viewer, up_to: int) -> None:
    """Mark own notifications as read, up to this id: what came in since then nobody has seen."""
    own = col(Notification.username) == viewer.username, col(Notification.id) <= up_to
    async with services.database.begin() as session:
        await session.exec(update(Notification).where(*own, _UNREAD).values(read=True))


async def _unread(session: AsyncSession, viewer: Viewer) -> int:
    wanted = select(func.count()).where(Notification.username == viewer.username, _UNREAD)
    return (await session.exec(wanted)).one()
