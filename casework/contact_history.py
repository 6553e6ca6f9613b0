"""The contact table as it is looked through: every line of a hall, every version of a line."""

from collections.abc import Sequence

from sqlmodel import and_, col, func, select

from casework.directory import Line, halls_seen, line_of, seen_unit
from casework.errors import NotFound
from casework.services import Services
from casework.viewer import Viewer
from models.directory import ContactEntry, Hall, Unit


async def halls_to_choose(services: Services, viewer: Viewer) -> Sequence[Hall]:
    """Return the halls whose table a viewer sees, by code."""
    async with services.database.read() as session:
        seen = await halls_seen(session, viewer)
        wanted = select(Hall).order_by(col(Hall.code))
        if seen is not None:
            wanted = wanted.where(col(Hall.code).in_(sorted(seen)))
        return (await session.exec(wanted)).all()


async def lines_of(services: Services, viewer: Viewer, hall: str) -> Sequence[Line]:
    """Return the newest line of each unit of a hall. Raises `NotFound`."""
    async with services.database.read() as session:
        seen = await halls_seen(session, viewer)
        if (seen is not None and hall not in seen) or await session.get(Hall, hall) is None:
            raise NotFound("hall")
        units = (await session.exec(select(Unit).where(Unit.hall == hall).order_by(col(Unit.code)))).all()
        # Only these are read whole: a table that is kept for years has a hundred versions of a line.
        versions = select(ContactEntry.unit, func.max(ContactEntry.version).label("version"))
        last = versions.where(ContactEntry.hall == hall).group_by(col(ContactEntry.unit)).subquery()
        is_last = and_(ContactEntry.unit == last.c.unit, ContactEntry.version == last.c.version)
        entries = select(ContactEntry).join(last, is_last).where(ContactEntry.hall == hall)
        newest = {entry.unit: entry for entry in (await session.exec(entries)).all()}
    return [line_of(unit, newest.get(unit.code)) for unit in units]


async def versions_of(services: Services, viewer: Viewer, hall: str, unit: str) -> Sequence[Line]:
    """Return every version of a unit's line, newest first. Raises `NotFound`."""
    async with services.database.read() as session:
        found = await seen_unit(session, viewer, hall, unit)
        wanted = select(ContactEntry).where(ContactEntry.hall == hall, ContactEntry.unit == unit)
        entries = (await session.exec(wanted.order_by(col(ContactEntry.version).desc()))).all()
    return [line_of(found, entry) for entry in entries]
