"""Typical cases (典型案例) as those see them who write, review or audit them.

Source: S1; domain.md, section 8. What is done to them: casework/typical_acts.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, false, func, select, true
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.acts import Record, read_record
from casework.directory import halls_seen
from casework.errors import NotFound
from casework.services import Services
from casework.viewer import Viewer
from models.directory import Hall, Unit
from models.typical import TypicalCase
from rules.case.vocabulary import Role

SUBMITTED, RETURNED, PUBLISHED, WITHDRAWN = "submitted", "returned", "published", "withdrawn"
STATUSES = (SUBMITTED, RETURNED, PUBLISHED, WITHDRAWN)
PARTS = ("title", "problem", "done", "lesson")
"""What a write-up says, each checked for whom it names."""
WRITERS = frozenset({Role.WINDOW_LEAD, Role.CENTRE})
READERS = WRITERS | {Role.SUPERVISOR, Role.AUDITOR}
PER_PAGE = 20
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class Shown:
    """A write-up with the names of hall and unit, its record, and what the viewer may do to it."""

    item: TypicalCase
    hall: str
    unit: str | None
    record: Record
    may: frozenset[str]


@dataclass(frozen=True)
class Listed:
    """A page of write-ups with the counts by status."""

    items: Sequence[TypicalCase]
    counts: Mapping[str, int]


def may_now(viewer: Viewer, item: TypicalCase) -> frozenset[str]:
    """Return what a viewer who sees a write-up may do: write, review, withdraw."""
    may = set()
    if viewer.role in WRITERS and item.status in (RETURNED, WITHDRAWN):
        may.add("write")
    if viewer.role is Role.SUPERVISOR and item.status == SUBMITTED and item.written_by != viewer.username:
        may.add("review")
    if viewer.role in WRITERS | {Role.SUPERVISOR} and item.status == PUBLISHED:
        may.add("withdraw")
    return frozenset(may)


async def find_typical(services: Services, viewer: Viewer, ref: str) -> TypicalCase:
    """Return a write-up that the viewer sees. Raises `NotFound`."""
    async with services.database.read() as session:
        return await _seen(session, viewer, ref)


async def open_typical(services: Services, viewer: Viewer, ref: str) -> Shown:
    """Return a write-up with its record. Raises `NotFound`."""
    async with services.database.read() as session:
        item = await _seen(session, viewer, ref)
        hall, unit = await names_of(session, item)
        record = await read_record(session, services.keyring, item)
    return Shown(item, hall, unit, record, may_now(viewer, item))


async def list_typical(services: Services, viewer: Viewer, status: str, page: int) -> Listed:
    """Return a page of the write-ups of one status that the viewer sees, newest first."""
    async with services.database.read() as session:
        seen = await _seen_by(session, viewer)
        counted = select(TypicalCase.status, func.count()).where(seen).group_by(TypicalCase.status)
        counts = {name: 0 for name in STATUSES} | dict((await session.exec(counted)).all())
        newest = select(TypicalCase).where(and_(seen, col(TypicalCase.status) == status))
        newest = newest.order_by(col(TypicalCase.id).desc()).limit(PER_PAGE).offset((page - 1) * PER_PAGE)
        return Listed((await session.exec(newest)).all(), counts)


async def typical_wanted(session: AsyncSession, viewer: Viewer, status: str) -> Any:
    """Return the query for the write-ups of one status that the viewer sees, newest first."""
    seen = await _seen_by(session, viewer)
    named = and_(col(Unit.hall) == TypicalCase.hall, col(Unit.code) == TypicalCase.unit)
    wanted = select(TypicalCase, Hall.name, Unit.name).join(Hall, col(Hall.code) == TypicalCase.hall)
    wanted = wanted.join(Unit, named, isouter=True).where(seen, col(TypicalCase.status) == status)
    return wanted.order_by(col(TypicalCase.id).desc())


async def typical_of_case(services: Services, viewer: Viewer, case_id: str) -> TypicalCase | None:
    """Return the write-up of a case, where the viewer sees it."""
    async with services.database.read() as session:
        wanted = select(TypicalCase).where(TypicalCase.case_id == case_id, await _seen_by(session, viewer))
        return (await session.exec(wanted)).first()


async def names_of(session: AsyncSession, item: TypicalCase) -> tuple[str, str | None]:
    """Return the names of hall and unit."""
    hall = await session.get(Hall, item.hall)
    unit = await session.get(Unit, (item.hall, item.unit)) if item.unit else None
    return (hall.name if hall else item.hall), (unit.name if unit else item.unit)


async def _seen_by(session: AsyncSession, viewer: Viewer) -> ColumnElement[bool]:
    if viewer.role is Role.AUDITOR:
        return true()
    if viewer.role is Role.SUPERVISOR:
        halls = await halls_seen(session, viewer)
        return true() if halls is None else col(TypicalCase.hall).in_(sorted(halls))
    return col(TypicalCase.hall) == viewer.hall if viewer.role in WRITERS else false()


async def _seen(session: AsyncSession, viewer: Viewer, ref: str) -> TypicalCase:
    wanted = select(TypicalCase).where(TypicalCase.id == number_of(ref), await _seen_by(session, viewer))
    if (found := (await session.exec(wanted)).first()) is None:
        raise NotFound("typical_case")
    return found


def number_of(ref: str) -> int:
    """Return the number that an address names, 0 (which no row has) where it names none."""
    number = int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 20 else 0
    return number if number <= LARGEST_ID else 0
