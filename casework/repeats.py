"""Repeat reports (重复反映): marked at the filing, shown with the case and in lists.

The person is known by the phone, through its keyed hash; the case that is repeated may be another
hall's, and is named only to those who see it. Source: domain.md, section 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.crypto import Keyring
from models.filing import Filing, Petitioner
from models.petitioner import PHONE_INDEX
from rules.repeats import WITHIN, is_repeat


@dataclass(frozen=True)
class Repeats:
    """How a case stands among others of the same person and matter; numbers are of cases the viewer sees."""

    is_repeat: bool
    earlier: str | None = None
    later: Sequence[str] = ()


NONE = Repeats(False)


def repeated_by(session: Session, keyring: Keyring, phone: str, matter: str, at: datetime) -> str | None:
    """Return the id of the newest case that a filing received at `at` repeats."""
    same_person = col(Petitioner.phone_index).in_(keyring.blind_indexes(PHONE_INDEX, phone))
    wanted = (
        select(Case.id, Case.matter, Case.received_at)
        .join(Petitioner, col(Petitioner.case_id) == Case.id)
        .where(same_person, col(Case.received_at).between(at - WITHIN, at))
        .order_by(col(Case.received_at).desc(), col(Case.id).desc())
    )
    for case_id, before, received_before in session.exec(wanted):
        if is_repeat(matter, at, before, received_before):
            return case_id
    return None


async def repeats_of(services: Services, viewer: Viewer, case_id: str) -> Repeats:
    """Return what repeats a case, and what it repeats. The case itself is the caller's to check."""
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        filing = await session.get(Filing, case_id)
        if filing is None:
            return NONE
        seen = select(Case.number).where(scope.cases)
        earlier = (await session.exec(seen.where(Case.id == filing.repeat_of))).first()
        after = select(Filing.case_id).where(Filing.repeat_of == case_id)
        later = seen.where(col(Case.id).in_(after)).order_by(col(Case.id))
        numbers = [number for number in (await session.exec(later)).all() if number]
        return Repeats(filing.repeat_of is not None, earlier, numbers)
