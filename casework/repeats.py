"""Repeat reports (重复反映): what a case repeats, and what repeats it.

The mark is `case_facts.repeated`, which the figures count too; it follows the matter that triage types
anew. The person is known by the phone, through its keyed hash. The case that is repeated may be another
hall's: only those who see it are told its number. Source: domain.md, section 9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, and_, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.facts_filling import fill_facts
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.facts import CASE_FACTS as FACTS
from rules.repeats import WITHIN


@dataclass(frozen=True)
class Repeats:
    """How a case stands among others of the same person and matter; numbers are of cases the viewer sees."""

    is_repeat: bool
    earlier: str | None = None
    later: Sequence[str] = ()


NONE = Repeats(False)


async def repeats_of(services: Services, viewer: Viewer, case_id: str) -> Repeats:
    """Return what repeats a case, and what it repeats. The case itself is the caller's to check.

    A filing that is not registered yet is compared with nothing.
    """
    await fill_facts(services)
    shown: Any = select(*(FACTS.c[name] for name in ("repeated", "person_key", "matter_key", "received_at")))
    async with services.database.read() as session:
        own = (await session.exec(shown.where(FACTS.c.case_id == case_id))).first()
        if own is None:
            return NONE
        if own.person_key is None or own.matter_key is None:  # erased, or no matter
            return Repeats(own.repeated == 1)
        scope = await scope_of(session, viewer)
        earlier, later = await _before_and_after(session, scope, case_id, own)
    is_repeat = own.repeated == 1
    return Repeats(is_repeat, earlier[-1] if is_repeat and earlier else None, later)


async def _before_and_after(
    session: AsyncSession, scope: Scope, case_id: str, own: Row[Any]
) -> tuple[list[str], list[str]]:
    """Return the numbers of the like cases of the days before and of the days after, oldest first."""
    place = tuple_(FACTS.c.received_at, FACTS.c.case_id)
    like = and_(
        FACTS.c.person_key == own.person_key,
        FACTS.c.matter_key == own.matter_key,
        FACTS.c.received_at.between(own.received_at - WITHIN, own.received_at + WITHIN),
        FACTS.c.case_id != case_id,
    )
    comes_after = (place > (own.received_at, case_id)).label("after")
    wanted: Any = select(Case.number, comes_after).join(FACTS, FACTS.c.case_id == col(Case.id))
    found = (await session.exec(wanted.where(scope.cases, like).order_by(*place))).all()
    return [n for n, after in found if n and not after], [n for n, after in found if n and after]
