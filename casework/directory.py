"""The contact table (业务联系表, 附件1): one line per unit; a change makes a new version, old ones stay."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import Conflict, NotFound
from casework.scope import halls_under
from casework.services import Services
from casework.texts import is_code
from casework.turns import take_turn
from casework.viewer import Viewer
from models.directory import ContactEntry, Hall, Unit
from rules.case.vocabulary import Role

Person = Mapping[str, Any]
OVER_ALL = frozenset({Role.SUPERIOR, Role.AUDITOR, Role.ADMIN})


@dataclass(frozen=True)
class Line:
    """A unit's line; each person is `{name, post, phone}`. Version 0: nobody was entered yet."""

    hall: str
    unit: str
    name: str
    version: int
    deputy_leader: Person | None = None
    contact: Person | None = None
    alternate: Person | None = None
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True)
class Change:
    """What a line is to hold. With `version`, only if that is still the newest one."""

    deputy_leader: Person
    contact: Person
    alternate: Person | None = None
    name: str | None = None
    version: int | None = None


async def halls_seen(session: AsyncSession, viewer: Viewer) -> frozenset[str] | None:
    """Return the halls whose directory a viewer sees; None means every one."""
    if viewer.hall is None:
        return None if viewer.role in OVER_ALL else frozenset()
    if viewer.role in {Role.SUPERVISOR, *OVER_ALL}:
        parents = dict((await session.exec(select(Hall.code, Hall.parent))).all())
        return halls_under(viewer.hall, parents)
    return frozenset({viewer.hall})


async def read_line(
    services: Services, viewer: Viewer, hall: str, unit: str, version: int | None = None
) -> Line:
    """Return a unit's line, the newest version or the one asked for. Raises `NotFound`."""
    async with services.database.read() as session:
        found = await seen_unit(session, viewer, hall, unit)
        entry = await newest_entry(session, found, version)
    if entry is None and version:
        raise NotFound("version")
    return line_of(found, entry)


async def write_line(services: Services, viewer: Viewer, hall: str, unit: str, change: Change) -> Line:
    """Make a new version of a unit's line, unless nothing changed; return the newest.

    Raises `NotFound`; `Conflict` where somebody else changed it since `change.version` was read.
    """
    now = await services.clock.now()
    async with services.database.begin() as session:
        await take_turn(session, turn_of(hall, unit))
        found = await seen_unit(session, viewer, hall, unit)
        return line_of(found, await put_line(session, found, change, viewer.username, now))


def turn_of(hall: str, unit: str) -> str:
    """Return the name under which changes of a line take turns (casework.turns)."""
    return f"directory:{hall}/{unit}"


async def put_line(session: AsyncSession, unit: Unit, change: Change, by: str, now: datetime) -> ContactEntry:
    """Add a version to a unit's line, unless nothing changed; return the newest.

    In the caller's transaction, who took the turn. Raises `Conflict`.
    """
    last = await newest_entry(session, unit)
    newest = last.version if last else 0
    if change.version not in (None, newest):
        raise Conflict("changed-meanwhile", {"version": newest})
    if change.name is not None and change.name != unit.name:
        unit.name = change.name
        session.add(unit)
    if last and _people(last) == _people(change):
        return last
    if last:
        last.valid_to = now
        session.add(last)
    entry = ContactEntry(
        hall=unit.hall,
        unit=unit.code,
        version=newest + 1,
        deputy_leader=dict(change.deputy_leader),
        contact=dict(change.contact),
        alternate=dict(change.alternate) if change.alternate else None,
        valid_from=now,
        changed_by=by,
    )
    session.add(entry)
    await session.flush()
    return entry


async def seen_unit(session: AsyncSession, viewer: Viewer, hall: str, unit: str) -> Unit:
    """Return a unit whose line the viewer sees. Raises `NotFound`."""
    if not (is_code(hall) and is_code(unit)):
        raise NotFound("unit")
    seen = await halls_seen(session, viewer)
    found = await session.get(Unit, (hall, unit)) if seen is None or hall in seen else None
    if found is None:
        raise NotFound("unit")
    return found


async def newest_entry(session: AsyncSession, unit: Unit, version: int | None = None) -> ContactEntry | None:
    """Return the newest version of a unit's line, or the one asked for, None where there is none."""
    wanted = select(ContactEntry).where(ContactEntry.hall == unit.hall, ContactEntry.unit == unit.code)
    if version is not None:
        wanted = wanted.where(ContactEntry.version == version)
    return (await session.exec(wanted.order_by(col(ContactEntry.version).desc()).limit(1))).first()


def _people(entry: ContactEntry | Change) -> tuple[Person | None, ...]:
    return entry.deputy_leader, entry.contact, entry.alternate


def people_of(entry: ContactEntry, name: str) -> dict[str, Any]:
    """Return what a line says, with the name of its unit, to be held against another."""
    deputy_leader, contact, alternate = _people(entry)
    return {"name": name, "deputy_leader": deputy_leader, "contact": contact, "alternate": alternate}


def line_of(unit: Unit, entry: ContactEntry | None) -> Line:
    """Return a version of a unit's line; without one, that of nobody."""
    if entry is None:
        return Line(unit.hall, unit.code, unit.name, 0)
    return Line(
        unit.hall,
        unit.code,
        unit.name,
        entry.version,
        entry.deputy_leader,
        entry.contact,
        entry.alternate,
        entry.valid_from,
        entry.valid_to,
        entry.changed_by,
    )
