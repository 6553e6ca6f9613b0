"""The access log: who signed in, who was refused, who saw what. Kept apart from the ledger."""

from collections.abc import Sequence

from sqlalchemy import or_
from sqlmodel import col, select

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


async def list_access(services: Services, viewer: Viewer, page: int, per_page: int) -> Sequence[AccessLog]:
    """Return the log newest first; `page` counts from 1.

    A supervisor sees what people of the halls below did, and what was done to those halls' cases;
    attempts under names that nobody has are the auditor's.
    """
    async with services.database.read() as session:
        halls = await halls_seen(session, viewer)
        wanted = select(AccessLog)
        if halls is not None:
            people = select(User.username).where(col(User.hall).in_(sorted(halls)))
            cases = select(Case.id).where(col(Case.hall).in_(sorted(halls)))
            of_people = col(AccessLog.username).in_(people)
            wanted = wanted.where(or_(of_people, col(AccessLog.case_id).in_(cases)))
        wanted = wanted.order_by(col(AccessLog.id).desc())
        return (await session.exec(wanted.limit(per_page).offset((page - 1) * per_page))).all()
