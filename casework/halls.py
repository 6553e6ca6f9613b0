"""Halls and their units, as an admin keeps them. Codes are fixed once made: numbers of cases begin with them.

A change holds for what is filed from then on: a case keeps the terms it was accepted under.
"""

from dataclasses import dataclass
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.calendars import hall_of
from casework.contact_table import LEVELS, read_periods
from casework.errors import BadInput, NotFound
from casework.rights import check_acts_as
from casework.scope import halls_under
from casework.services import Services
from casework.texts import is_code, text_fault
from casework.turns import take_turn
from casework.viewer import Viewer
from models.access_log import append
from models.base import NAME
from models.directory import Hall, Unit, User
from rules.case.vocabulary import Role

TURN = "halls"
LEVEL_NAMES = {code: name for name, code in LEVELS.items()}


@dataclass(frozen=True)
class HallDraft:
    """A hall as typed, trimmed; `hours` is empty (the default) or `09:00-12:00 13:30-17:30`."""

    code: str
    name: str
    level: str
    parent: str
    supervision_department: str
    policy_id: str
    hours: str


async def is_hall(services: Services, code: str) -> bool:
    """Whether there is a hall of this code. Raises DatabaseUnavailable."""
    async with services.database.read() as session:
        return is_code(code) and await session.get(Hall, code) is not None


async def add_hall(services: Services, by: Viewer, draft: HallDraft, address: str | None) -> None:
    """Add a hall. The same one once more is no fault. Raises `BadInput` with every fault."""
    await _put(services, by, draft, address, new=True)


async def change_hall(services: Services, by: Viewer, draft: HallDraft, address: str | None) -> None:
    """Change what stands in a hall. Raises `NotFound`, `BadInput` with every fault."""
    await _put(services, by, draft, address, new=False)


async def put_unit(
    services: Services, by: Viewer, hall: str, code: str, name: str, address: str | None, *, new: bool
) -> None:
    """Add a unit to a hall, or give it another name. Raises `NotFound`, `BadInput`."""
    now = await services.wall.now()
    faults: dict[str, str] = {}
    if fault := text_fault(name, NAME):
        faults["name"] = fault
    if not is_code(code):
        faults["code"] = "string_pattern_mismatch"
    async with services.database.begin() as session:
        await take_turn(session, TURN)
        await check_acts_as(session, by, Role.ADMIN)
        await hall_of(session, hall)
        known = await session.get(Unit, (hall, code)) if is_code(code) else None
        if known is None and not new:
            raise NotFound("unit")
        if new and known is not None and known.name != name:
            faults["code"] = "given_twice"
        if faults:
            raise BadInput(faults)
        if known is not None and known.name == name:
            return
        unit = known or Unit(hall=hall, code=code, name=name)
        unit.name = name
        session.add(unit)
        await session.flush()
        action = "unit_added" if known is None else "unit_changed"
        said = f"{hall}/{code}: {name}"
        await append(session, at=now, action=action, username=by.username, reason=said, address=address)


def hours_text(hall: Hall) -> str:
    """Return opening hours as they are typed; empty where they are the default ones."""
    return " ".join(f"{start}-{end}" for start, end in hall.hours or [])


async def _put(services: Services, by: Viewer, draft: HallDraft, address: str | None, *, new: bool) -> None:
    now = await services.wall.now()
    hours = read_periods(draft.hours) if draft.hours else None
    faults = _faults(services, draft)
    async with services.database.begin() as session:
        await take_turn(session, TURN)
        await check_acts_as(session, by, Role.ADMIN)
        known = await session.get(Hall, draft.code) if is_code(draft.code) else None
        if known is None and not new:
            raise NotFound("hall")
        faults |= await _parent_faults(session, draft)
        values: dict[str, Any] = {
            "name": draft.name,
            "level": draft.level,
            "parent": draft.parent or None,
            "supervision_department": draft.supervision_department,
            "policy_id": draft.policy_id,
            "hours": hours,
        }
        moved = known is not None and not new and known.parent != values["parent"]
        if moved and "parent" not in faults:
            faults |= await _widening(session, draft.code, values["parent"])
        same = known is not None and all(getattr(known, part) == value for part, value in values.items())
        if new and known is not None and not same:
            faults["code"] = "given_twice"
        if faults:
            raise BadInput(faults)
        if same:
            return
        hall = known or Hall(code=draft.code, **values)
        for part, value in values.items():
            setattr(hall, part, value)
        session.add(hall)
        await session.flush()
        action = "hall_added" if known is None else "hall_changed"
        said = f"{draft.code}: {draft.level}, parent {draft.parent or '-'}, policy {draft.policy_id}"
        await append(session, at=now, action=action, username=by.username, reason=said, address=address)


async def _widening(session: AsyncSession, code: str, parent: str | None) -> dict[str, str]:
    """Refuse a move of a hall that gives somebody above it more to see: a grant takes two people."""
    before = dict((await session.exec(select(Hall.code, Hall.parent))).all())
    after = before | {code: parent}
    tops = await session.exec(
        select(User.hall).where(
            col(User.active).is_(True),
            col(User.role).in_([Role.SUPERVISOR, Role.SUPERIOR]),
            col(User.hall).is_not(None),
        )
    )
    wider = any(halls_under(top, after) - halls_under(top, before) for top in set(tops) if top)
    return {"parent": "widens_rights"} if wider else {}


def _faults(services: Services, draft: HallDraft) -> dict[str, str]:
    faults: dict[str, str] = {}
    if not is_code(draft.code):
        faults["code"] = "string_pattern_mismatch"
    for part in ("name", "supervision_department"):
        if fault := text_fault(getattr(draft, part), NAME):
            faults[part] = fault
    if draft.level not in LEVEL_NAMES:
        faults["level"] = "enum"
    if draft.policy_id not in services.policies:
        faults["policy_id"] = "enum"
    if draft.hours and read_periods(draft.hours) is None:
        faults["hours"] = "bad_hours"
    return faults


async def _parent_faults(session: AsyncSession, draft: HallDraft) -> dict[str, str]:
    if not draft.parent:
        return {}
    parents = dict((await session.exec(select(Hall.code, Hall.parent))).all())
    if draft.parent not in parents:
        return {"parent": "unknown_hall"}
    # A ring would give a supervisor of any hall in it all of them.
    return {"parent": "ring"} if draft.parent in halls_under(draft.code, parents) else {}
