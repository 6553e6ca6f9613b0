"""The access log: who signed in, who was refused, who saw what. Kept apart from the ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.directory import halls_seen
from casework.services import Services
from casework.viewer import Viewer
from models.access import AccessLog
from models.access_log import append
from models.case import Case
from models.directory import User


async def record(
    services: Services,
    *,
    action: str,
    username: str | None = None,
    case_id: str | None = None,
    reason: str | None = None,
    address: str | None = None,
) -> None:
    """Append one row in a transaction of its own, at the real time.

    Where the act itself writes, call `models.access_log.append` last in that transaction instead.
    Raises DatabaseUnavailable.
    """
    at = await services.wall.now()
    async with services.database.begin() as session:
        await append(
            session,
            at=at,
            action=action,
            username=username,
            case_id=case_id,
            reason=reason,
            address=address,
        )


@dataclass(frozen=True)
class Narrowed:
    """What the log is narrowed to: one user, one action, the time [start, end); None for all."""

    username: str | None = None
    action: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class AccessPage:
    """A page of the log, each entry with the number of its case; `more`: there are older entries."""

    rows: Sequence[tuple[AccessLog, str | None]]
    more: bool


async def access_page(
    services: Services, viewer: Viewer, narrowed: Narrowed, page: int, per_page: int
) -> AccessPage:
    """Return a page of the log as narrowed, newest first; `page` counts from 1."""
    async with services.database.read() as session:
        wanted = await access_wanted(session, viewer, narrowed)
        rows = (await session.exec(wanted.limit(per_page + 1).offset((page - 1) * per_page))).all()
    return AccessPage(rows[:per_page], len(rows) > per_page)


async def list_access(services: Services, viewer: Viewer, page: int, per_page: int) -> Sequence[AccessLog]:
    """Return the log newest first; `page` counts from 1."""
    found = await access_page(services, viewer, Narrowed(), page, per_page)
    return [row for row, _ in found.rows]


async def access_wanted(session: AsyncSession, viewer: Viewer, narrowed: Narrowed) -> Any:
    """Return the query for the log with the numbers of its cases, newest first.

    A supervisor sees what people of the halls below did, and what was done to those halls' cases;
    attempts under names that nobody has are the auditor's.
    """
    halls = await halls_seen(session, viewer)
    wanted = select(AccessLog, Case.number).join(Case, col(Case.id) == AccessLog.case_id, isouter=True)
    if halls is not None:
        people = select(User.username).where(col(User.hall).in_(sorted(halls)))
        of_cases = col(Case.hall).in_(sorted(halls))
        wanted = wanted.where(or_(col(AccessLog.username).in_(people), of_cases))
    if narrowed.username is not None:
        wanted = wanted.where(AccessLog.username == narrowed.username)
    if narrowed.action is not None:
        wanted = wanted.where(AccessLog.action == narrowed.action)
    if narrowed.start is not None:
        wanted = wanted.where(col(AccessLog.at) >= narrowed.start)
    if narrowed.end is not None:
        wanted = wanted.where(col(AccessLog.at) < narrowed.end)
    return wanted.order_by(col(AccessLog.id).desc())
