"""One-time notices that a hall gave before for the same matter: what the next triage starts from.

They are the ledger's own: nothing is kept beside it, and what was erased is forgotten here, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from casework.finding import Found
from casework.ledger_texts import read_events
from casework.services import Services
from models.case import Case

NEWEST = 2_000  # cases of the hall that are looked through
MOST = 20  # of them about the same matter


@dataclass(frozen=True)
class Remembered:
    """The last notice for a matter and unit, and the case that it was given in. ``at`` is UTC."""

    unit: str
    notice: Mapping[str, str]
    number: str
    at: datetime


async def remembered_notices(services: Services, found: Found) -> Sequence[Remembered]:
    """Return the last notice of each unit that had the same matter in this hall, the newest first."""
    case = found.case
    if not case.matter:
        return ()
    newest = (
        select(col(Case.id), col(Case.number), col(Case.matter), col(Case.unit))
        .where(Case.hall == case.hall)
        .order_by(col(Case.received_at).desc())
        .limit(NEWEST)
        .subquery()
    )
    same = select(newest.c.id, newest.c.number).where(
        newest.c.matter == case.matter, newest.c.unit.is_not(None), newest.c.id != case.id
    )
    async with services.database.read() as session:
        numbers = dict((await session.exec(same.limit(MOST))).all())
        rows = await read_events(session, services.keyring, list(numbers), only=("triage",))
    last: dict[str, Remembered] = {}
    for row, texts in sorted(rows, key=lambda each: each[0].at):
        unit, notice = row.data.get("unit"), texts.get("one_time_notice")
        if unit and notice:
            last[unit] = Remembered(unit, notice, numbers[row.case_id], row.at)
    return sorted(last.values(), key=lambda each: each.at, reverse=True)
