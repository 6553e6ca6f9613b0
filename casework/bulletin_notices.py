"""Who is told of what happens to a bulletin or a typical case: lines in inboxes, each leading to its page."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.case import Bulletin
from models.directory import User
from models.inbox import Notification
from models.overseers import superiors_over, supervisors_over
from models.typical import TypicalCase
from rules.case.vocabulary import Role

STATED, ISSUED, REJECTED = "bulletin_stated", "bulletin_issued", "bulletin_rejected"
REFERRED, ANSWERED = "bulletin_referred", "bulletin_referral"


async def tell(
    session: AsyncSession,
    item: Bulletin | TypicalCase,
    act: int,
    at: datetime,
    notice: tuple[str, str],
    users: Iterable[str],
) -> None:
    """Write `notice`, its kind and words, into inboxes, once each; `act` is the row of what happened.

    Each line leads to the page of the bulletin, or of the typical case.
    """
    kind, text = notice
    folder = "bulletins" if isinstance(item, Bulletin) else "typical"
    session.add_all(
        Notification(
            username=username,
            case_id=item.case_id,
            number=item.case_number,
            seq=-act,
            kind=kind,
            text=text,
            at=at,
            path=f"/{folder}/{item.id}",
        )
        for username in sorted(set(users))
    )
    await session.flush()


async def supervisors(session: AsyncSession, bulletin: Bulletin | TypicalCase) -> list[str]:
    """Return who decides on bulletins of this hall, and reviews its typical cases: there or above it."""
    return await _users(session, supervisors_over(bulletin.hall))


async def unit_leaders(session: AsyncSession, bulletin: Bulletin) -> list[str]:
    """Return the deputy leaders of the unit."""
    own = _of_hall(bulletin, Role.DEPUTY_LEADER)
    return await _users(session, and_(own, col(User.unit) == bulletin.unit))


async def addressees(session: AsyncSession, bulletin: Bulletin) -> list[str]:
    """Return whom an issued one goes to: the unit's leader and contacts, window lead and centre."""
    unit = and_(_of_hall(bulletin, Role.DEPUTY_LEADER, Role.CONTACT), col(User.unit) == bulletin.unit)
    return await _users(session, or_(unit, _of_hall(bulletin, Role.WINDOW_LEAD, Role.CENTRE)))


async def above(session: AsyncSession, bulletin: Bulletin) -> list[str]:
    """Return the superiors over this hall, and the auditors."""
    return await _users(session, or_(superiors_over(bulletin.hall), col(User.role) == Role.AUDITOR.value))


def _of_hall(bulletin: Bulletin | TypicalCase, *roles: Role) -> ColumnElement[bool]:
    return and_(col(User.hall) == bulletin.hall, col(User.role).in_([role.value for role in roles]))


async def _users(session: AsyncSession, condition: ColumnElement[bool]) -> list[str]:
    wanted = select(User.username).where(col(User.active), condition).order_by(col(User.username))
    return list((await session.exec(wanted)).all())
