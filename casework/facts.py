"""What a command says about the world outside its case: units, halls, other cases, far dates.

The rules decide on facts that they are given; here they are looked up, and what does not exist (or
is not the viewer's to know) is a fault of its field.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.finding import case_row
from casework.scope import scope_of
from casework.viewer import Viewer
from models.case import Case
from models.directory import Hall, Unit
from models.messages import Values
from rules.calendar import local

# [P] Nobody is promised a date so far away; and no calendar knows its holidays.
FARTHEST = timedelta(days=5 * 366)


@dataclass
class Facts:
    """Faults by field, and what is added to the command's body."""

    faults: dict[str, str] = field(default_factory=dict)
    added: Values = field(default_factory=dict)


async def look_up(
    session: AsyncSession, viewer: Viewer, case: Case, name: str, body: Values, now: datetime
) -> Facts:
    """Look up what the fields of a command name; fields left out or malformed are not looked at."""
    facts = Facts()
    units = (await session.exec(select(Unit.code).where(Unit.hall == case.hall))).all()
    if body.get("unit") is not None and body["unit"] not in units:
        facts.faults["unit"] = "unknown_unit"
    if set(body.get("co_units", ())) - set(units):
        facts.faults["co_units"] = "unknown_unit"
    if name == "transfer" and "hall" in body and not await session.get(Hall, body["hall"]):
        facts.faults["hall"] = "unknown_hall"
    if "due_on" in body and date.fromisoformat(body["due_on"]) - local(now).date() > FARTHEST:
        facts.faults["due_on"] = "out_of_range"
    if name == "merge" and "into" in body:
        await _merge_target(session, viewer, body["into"], facts)
    return facts


async def _merge_target(session: AsyncSession, viewer: Viewer, ref: str, facts: Facts) -> None:
    """The older case, by id or number, where the viewer sees it."""
    target = await case_row(session, ref)
    if target is None or not (await scope_of(session, viewer)).covers(target):
        facts.faults["into"] = "unknown_case"
        return
    facts.added = {
        "into": target.id,
        "into_hall": target.hall,
        "into_received_at": target.received_at.isoformat(),
        "into_open": target.open,
    }
