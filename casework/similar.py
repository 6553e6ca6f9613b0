"""Open cases like the one being typed: of the same phone, or about the same matter."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, or_, select

from casework.scope import scope_of
from casework.services import Services
from casework.texts import is_clean
from casework.viewer import Viewer
from models.case import Case
from models.filing import Petitioner
from models.petitioner import PHONE_INDEX

MOST = 8
SHORTEST_MATTER = 2  # characters: one alone is in every second matter
SHORTEST_PHONE = 10  # digits, of a landline
LOOKED_THROUGH = 2000  # of the newest open cases, for a matter; a phone is found among all


@dataclass(frozen=True)
class Similar:
    """An open case, and whether it is of the same phone (else: of the same matter)."""

    number: str
    status: str
    matter: str | None
    received_at: datetime
    same_phone: bool


async def similar_cases(services: Services, viewer: Viewer, phone: str, matter: str) -> list[Similar]:
    """Return what the viewer sees of such cases, the same phone's first, then the newest.

    What is too short to tell anything is not looked for.
    """
    phone, matter = phone.strip(), matter.strip()
    likes: list[ColumnElement[bool]] = []
    matters: list[ColumnElement[bool]] = []
    person = select(Petitioner.case_id).where(
        col(Petitioner.phone_index).in_(services.keyring.blind_indexes(PHONE_INDEX, phone))
    )
    if sum(map(str.isdigit, phone)) >= SHORTEST_PHONE:
        likes.append(col(Case.id).in_(person))
    if len(matter) >= SHORTEST_MATTER and is_clean(matter):
        matters.append(col(Case.matter).icontains(matter, autoescape=True))
    if not (likes or matters):
        return []
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        seen = and_(scope.cases, col(Case.open))
        if matters:
            newest_open = (
                select(Case.id).where(seen).order_by(col(Case.received_at).desc(), col(Case.id).desc())
            )
            likes.append(and_(col(Case.id).in_(newest_open.limit(LOOKED_THROUGH)), *matters))
        wanted = select(Case, col(Case.id).in_(person)).where(and_(seen, or_(*likes)))
        newest = wanted.order_by(col(Case.id).in_(person).desc(), col(Case.id).desc()).limit(MOST)
        rows = (await session.exec(newest)).all()
    return [
        Similar(case.number or "", case.status, case.matter, case.received_at, bool(same))
        for case, same in rows
    ]
