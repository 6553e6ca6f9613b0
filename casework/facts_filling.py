"""Makes the facts of cases that have none: those from before there were facts, or after they were deleted."""

from collections.abc import Sequence

from sqlmodel import Session, col, select

from activities.facts import FactsWriter
from casework.services import Services
from models.case import Case
from models.facts import CASE_FACTS

BATCH = 500


async def fill_facts(services: Services, batch: int = BATCH) -> int:
    """Make the facts of some cases, oldest first, from their ledgers; return of how many.

    Oldest first, since whether a case was a repeated one is looked up among those before it.
    Raises DatabaseUnavailable.
    """
    missing = await _missing(services, batch)
    writer = FactsWriter()

    def make(session: Session, case_id: str) -> None:
        writer.rewrite(session.connection(), case_id)

    for case_id in missing:
        await services.database.write(lambda session, own=case_id: make(session, own))  # type: ignore[misc]
    return len(missing)


async def _missing(services: Services, most: int) -> Sequence[str]:
    there = select(CASE_FACTS.c.case_id).where(CASE_FACTS.c.case_id == col(Case.id)).exists()
    wanted = select(Case.id).where(~there).order_by(col(Case.received_at), col(Case.id)).limit(most)
    async with services.database.read() as session:
        return (await session.exec(wanted)).all()
