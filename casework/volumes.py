"""The monthly volume of the hotline 12345: importing a hall's month, and looking through what was imported.

Importing a month again replaces it: a new version, and the old ones stay. Source: S3; domain.md, section 8.
"""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy.orm import load_only
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.calendars import hall_of
from casework.directory import halls_seen
from casework.errors import BadInput, NotFound
from casework.reports import READERS
from casework.services import Services
from casework.turns import take_turn
from casework.viewer import Viewer
from casework.volume_file import read_volumes
from models.directory import Hall, Unit
from models.volume import MonthlyVolume
from rules.case.vocabulary import Role
from rules.volume import end_of, is_month

MAY_IMPORT = frozenset({Role.CENTRE, Role.ADMIN})
MAY_LOOK = READERS | MAY_IMPORT
LARGEST = 200_000  # bytes: some hundred units are a few kilobytes
_WITHOUT_COUNTS: tuple[Any, ...] = (
    MonthlyVolume.total,
    MonthlyVolume.sha256,
    MonthlyVolume.imported_by,
    MonthlyVolume.imported_at,
)
_NEWEST: tuple[Any, ...] = (col(MonthlyVolume.month).desc(), col(MonthlyVolume.version).desc())


@dataclass(frozen=True)
class Imported:
    """A version, and the one that it replaced; `unchanged`: the very file had been imported last."""

    volume: MonthlyVolume
    before: MonthlyVolume | None
    unchanged: bool


@dataclass(frozen=True)
class Months:
    """What a hall has: each month's versions without their counts, the newest first; the halls to choose."""

    halls: Mapping[str, str]
    hall: str
    months: Sequence[tuple[str, Sequence[MonthlyVolume]]]


@dataclass(frozen=True)
class Month:
    """One version of a month by unit: code, name, count and the count of the version before."""

    volume: MonthlyVolume
    before: MonthlyVolume | None
    lines: Sequence[tuple[str, str, int | None, int | None]]


async def import_as(services: Services, viewer: Viewer, hall: str, month: str, content: bytes) -> Imported:
    """Import a month of a hall that the viewer sees. Raises as `import_volumes`, and `NotFound` beyond it."""
    async with services.database.read() as session:
        await seen_hall(session, viewer, hall)
    return await import_volumes(services, viewer.username, hall, month, content)


async def import_volumes(services: Services, by: str, hall: str, month: str, content: bytes) -> Imported:
    """Store what a file says of a month that is over, as its newest version, in one transaction.

    The very file that was imported last makes no other version. Raises `NotFound` for no hall,
    `BadInput` for no month or one that is not over, `BadTable` with every fault.
    """
    now = await services.clock.now()
    if not is_month(month):
        raise BadInput({"month": "bad_format"})
    if end_of(month) > now:
        raise BadInput({"month": "month_not_over"})
    async with services.database.read() as session:
        units = await units_of(session, (await hall_of(session, hall)).code)
    # In a thread: a large file would keep other requests waiting.
    counts = await asyncio.to_thread(read_volumes, content, units)
    sha256 = hashlib.sha256(content).hexdigest()
    async with services.database.begin() as session:
        await take_turn(session, f"volume:{hall}/{month}")
        before = (await session.exec(_of_month(hall, month).limit(1))).first()
        if before is not None and (before.sha256, before.counts) == (sha256, counts):
            return Imported(before, None, unchanged=True)
        volume = MonthlyVolume(
            hall=hall,
            month=month,
            version=before.version + 1 if before else 1,
            counts=counts,
            total=sum(counts.values()),
            sha256=sha256,
            imported_by=by,
            imported_at=now,
        )
        session.add(volume)
    return Imported(volume, before, unchanged=False)


async def months_of(services: Services, viewer: Viewer, hall: str = "") -> Months:
    """Return what was imported of a hall, the first that the viewer sees where none is named.

    Raises `NotFound` for one beyond it.
    """
    async with services.database.read() as session:
        halls, hall = await _choice(session, viewer, hall)
        volumes = select(MonthlyVolume).options(load_only(*_WITHOUT_COUNTS))
        found = (await session.exec(volumes.where(MonthlyVolume.hall == hall).order_by(*_NEWEST))).all()
    months = [(month, list(versions)) for month, versions in groupby(found, lambda each: each.month)]
    return Months(halls, hall, months)


async def read_month(
    services: Services, viewer: Viewer, hall: str, month: str, version: int | None = None
) -> Month:
    """Return a month by unit, the newest version or the one asked for. Raises `NotFound`."""
    async with services.database.read() as session:
        await seen_hall(session, viewer, hall)
        found = (await session.exec(_of_month(hall, month))).all() if is_month(month) else []
        names = await units_of(session, hall)
    at = next((i for i, each in enumerate(found) if version in (None, each.version)), None)
    if at is None:
        raise NotFound("month")
    volume, before = found[at], found[at + 1] if at + 1 < len(found) else None
    old = before.counts if before else {}
    lines = [
        (unit, names.get(unit, unit), volume.counts.get(unit), old.get(unit))
        for unit in sorted({*names, *volume.counts, *old})
    ]
    return Month(volume, before, lines)


async def units_to_fill_in(services: Services, viewer: Viewer, hall: str = "") -> dict[str, str]:
    """Return the names of a hall's units by code. Raises `NotFound` as `months_of`."""
    async with services.database.read() as session:
        _, hall = await _choice(session, viewer, hall)
        return await units_of(session, hall)


async def _choice(session: AsyncSession, viewer: Viewer, hall: str) -> tuple[dict[str, str], str]:
    """Return the halls that a viewer sees, names by code, and the one that is meant."""
    seen = await halls_seen(session, viewer)
    names = (await session.exec(select(Hall.code, Hall.name).order_by(Hall.code))).all()
    halls = {code: name for code, name in names if seen is None or code in seen}
    hall = hall or viewer.hall or next(iter(halls), "")
    if hall not in halls:
        raise NotFound("hall")
    return halls, hall


async def seen_hall(session: AsyncSession, viewer: Viewer, hall: str) -> Hall:
    """Return a hall whose volumes a viewer sees. Raises `NotFound`."""
    seen = await halls_seen(session, viewer)
    found = await hall_of(session, hall)
    if seen is not None and found.code not in seen:
        raise NotFound("hall")
    return found


async def units_of(session: AsyncSession, hall: str) -> dict[str, str]:
    """Return the names of a hall's units by code."""
    wanted = select(Unit.code, Unit.name).where(Unit.hall == hall).order_by(Unit.code)
    return dict((await session.exec(wanted)).all())


def _of_month(hall: str, month: str) -> Any:
    of = MonthlyVolume.hall == hall, MonthlyVolume.month == month
    return select(MonthlyVolume).where(*of).order_by(col(MonthlyVolume.version).desc())
