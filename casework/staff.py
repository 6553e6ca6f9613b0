"""Who had to do with a case on the side of the halls: names that no published text may hold."""

from sqlmodel import and_, col, false, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from models.case import CaseCoUnit, LedgerEvent
from models.directory import ContactEntry, User
from models.filing import Filing


async def staff_of_case(session: AsyncSession, case_id: str) -> frozenset[str]:
    """Return the names of who filed a case, of who acted on it, and of its units' people.

    The units are all that ever had it or helped with it, their people all that ever stood in their
    lines of the contact table: whoever reads that a unit handled it, may know who sat there.
    """
    filed = select(User.name).join(Filing, col(Filing.clerk) == User.username)
    names: set[str | None] = set((await session.exec(filed.where(Filing.case_id == case_id))).all())
    wanted = select(LedgerEvent.actor, LedgerEvent.changes).where(LedgerEvent.case_id == case_id)
    helped = select(CaseCoUnit.hall, CaseCoUnit.unit).where(CaseCoUnit.case_id == case_id)
    hall, units = "", set((await session.exec(helped)).all())
    for actor, changes in (await session.exec(wanted.order_by(col(LedgerEvent.seq)))).all():
        names.add(actor.get("name"))
        hall = changes.get("hall", hall)
        if unit := changes.get("unit"):
            units.add((hall, unit))
    lines = (and_(col(ContactEntry.hall) == place, col(ContactEntry.unit) == unit) for place, unit in units)
    for entry in (await session.exec(select(ContactEntry).where(or_(false(), *lines)))).all():
        people = (entry.deputy_leader, entry.contact, entry.alternate)
        names |= {person.get("name") for person in people if person}
    return frozenset(name for name in names if name)
