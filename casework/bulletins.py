"""Bulletins (通报): who sees which, one with its record, lists. Source: S0, 督查问责."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, false, func, or_, select, true
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.acts import Record, read_record
from casework.directory import halls_seen
from casework.errors import NotFound
from casework.services import Services
from casework.viewer import Viewer
from models.case import Bulletin
from models.directory import Hall, Unit
from models.oversight import read_seriousness
from rules.bulletin import Serious, bulletin_number, serious_because
from rules.case.errors import Forbidden
from rules.case.vocabulary import Ground, Role

DRAFT, ISSUED, REJECTED = "draft", "issued", "rejected"
REFERRED, APPROVED, RETURNED = "referred", "approved", "returned"
STATUSES = (DRAFT, ISSUED, REJECTED)
ACTS: Mapping[str, Role] = {
    "statement": Role.DEPUTY_LEADER,
    "approve": Role.SUPERVISOR,
    "reject": Role.SUPERVISOR,
    "referral": Role.SUPERIOR,
}
"""What can be done to a bulletin → by whom, among those who see it."""
LARGEST_ID = 2**63 - 1


@dataclass(frozen=True)
class BulletinFile:
    """A bulletin with its record. ``serious``: why it is, or would be if it were issued now."""

    bulletin: Bulletin
    hall: str
    department: str
    unit: str
    record: Record
    serious: Serious | None
    may: frozenset[str]

    @property
    def number(self) -> str | None:
        """Return 通报〔2026〕1号 once issued."""
        return number_of(self.bulletin)


@dataclass(frozen=True)
class BulletinList:
    """A page of bulletins with their counts by status; names of halls and units by their codes."""

    items: Sequence[Bulletin]
    counts: Mapping[str, int]
    units: Mapping[tuple[str, str], str]


def number_of(bulletin: Bulletin) -> str | None:
    """Return the number that documents carry, None before it was issued."""
    if bulletin.year is None or bulletin.serial is None:
        return None
    return bulletin_number(bulletin.year, bulletin.serial)


def may_now(viewer: Viewer, bulletin: Bulletin) -> frozenset[str]:
    """Return what a viewer who sees the bulletin may do to it as it stands."""
    open_for = {
        "statement": bulletin.status == DRAFT,
        "approve": bulletin.status == DRAFT,
        "reject": bulletin.status == DRAFT,
        "referral": bulletin.accountability == REFERRED,
    }
    return frozenset(name for name, role in ACTS.items() if role is viewer.role and open_for[name])


def check_role(viewer: Viewer, act: str) -> None:
    """Let the role through whose act it is. Raises `Forbidden`."""
    if ACTS[act] is not viewer.role:
        raise Forbidden(f"bulletin_{act}", viewer.role)


async def seen_by(session: AsyncSession, viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition on `Bulletin` of what the viewer sees.

    Drafts are for who decides, who inspects, and the leader who is heard; the superior sees what is
    referred; whom an issued one was sent to may read it.
    """
    if viewer.role is Role.AUDITOR:
        return true()
    if viewer.role in (Role.SUPERVISOR, Role.SUPERIOR):
        halls = await halls_seen(session, viewer)
        of_halls = true() if halls is None else col(Bulletin.hall).in_(sorted(halls))
        if viewer.role is Role.SUPERVISOR:
            return of_halls
        return and_(of_halls, col(Bulletin.accountability).is_not(None))
    own_hall = col(Bulletin.hall) == viewer.hall
    own_unit = and_(own_hall, col(Bulletin.unit) == viewer.unit)
    issued = col(Bulletin.status) == ISSUED
    if viewer.role is Role.DEPUTY_LEADER:
        return own_unit
    if viewer.role is Role.CONTACT:
        return and_(own_unit, issued)
    return and_(own_hall, issued) if viewer.role in (Role.WINDOW_LEAD, Role.CENTRE) else false()


async def list_bulletins(
    services: Services, viewer: Viewer, page: int, per_page: int, status: str | None = None
) -> Sequence[Bulletin]:
    """Return those that the viewer sees, newest first; `page` counts from 1.

    ``status`` narrows it to drafts, or to those issued or rejected.
    """
    async with services.database.read() as session:
        wanted = _narrowed(await seen_by(session, viewer), status)
        newest = select(Bulletin).where(wanted).order_by(col(Bulletin.id).desc())
        return (await session.exec(newest.limit(per_page).offset((page - 1) * per_page))).all()


def _narrowed(seen: ColumnElement[bool], status: str | None) -> ColumnElement[bool]:
    if status == REFERRED:
        return and_(seen, col(Bulletin.accountability).is_not(None))
    return and_(seen, col(Bulletin.status) == status) if status else seen


async def bulletins_wanted(session: AsyncSession, viewer: Viewer, status: str) -> Any:
    """Return the query for the bulletins of one status that the viewer sees, newest first."""
    seen = _narrowed(await seen_by(session, viewer), status)
    named = and_(col(Unit.hall) == Bulletin.hall, col(Unit.code) == Bulletin.unit)
    wanted = select(Bulletin, Hall.name, Unit.name).join(Hall, col(Hall.code) == Bulletin.hall)
    return wanted.join(Unit, named, isouter=True).where(seen).order_by(col(Bulletin.id).desc())


async def bulletin_list(
    services: Services, viewer: Viewer, status: str, page: int, per_page: int
) -> BulletinList:
    """Return a page of one status with the counts of all (`referred`: those that are serious)."""
    async with services.database.read() as session:
        seen = await seen_by(session, viewer)
        counted = select(Bulletin.status, func.count()).where(seen).group_by(Bulletin.status)
        counts = {name: 0 for name in STATUSES} | dict((await session.exec(counted)).all())
        referred = select(func.count()).where(seen, col(Bulletin.accountability).is_not(None))
        counts[REFERRED] = (await session.exec(referred)).one()
        newest = select(Bulletin).where(_narrowed(seen, status)).order_by(col(Bulletin.id).desc())
        rows = (await session.exec(newest.limit(per_page).offset((page - 1) * per_page))).all()
        units = await unit_names(session, {(row.hall, row.unit) for row in rows})
    return BulletinList(rows, counts, units)


async def unit_names(session: AsyncSession, keys: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Return the names of these units by hall and code."""
    if not keys:
        return {}
    wanted = or_(*(and_(col(Unit.hall) == hall, col(Unit.code) == code) for hall, code in sorted(keys)))
    rows = (await session.exec(select(Unit.hall, Unit.code, Unit.name).where(wanted))).all()
    return {(hall, code): name for hall, code, name in rows}


async def find_bulletin(services: Services, viewer: Viewer, ref: str) -> Bulletin:
    """Return a bulletin that the viewer sees. Raises `NotFound`."""
    async with services.database.read() as session:
        return await seen_bulletin(session, viewer, ref)


async def seen_bulletin(session: AsyncSession, viewer: Viewer, ref: str) -> Bulletin:
    """Return it in the caller's transaction. Raises `NotFound`."""
    number = int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 20 else 0
    if not 0 < number <= LARGEST_ID:
        raise NotFound("bulletin")
    wanted = select(Bulletin).where(Bulletin.id == number, await seen_by(session, viewer))
    found = (await session.exec(wanted)).first()
    if found is None:
        raise NotFound("bulletin")
    return found


async def open_bulletin(services: Services, viewer: Viewer, ref: str) -> BulletinFile:
    """Return a bulletin with its record. Raises `NotFound`."""
    now = await services.clock.now()
    async with services.database.read() as session:
        found = await seen_bulletin(session, viewer, ref)
        hall = await session.get_one(Hall, found.hall)
        names = await unit_names(session, {(found.hall, found.unit)})
        record = await read_record(session, services.keyring, found)
        serious = await seriousness(services, session, found, now) if found.status == DRAFT else None
    for act in record.acts:
        if act.type == REFERRED:
            serious = Serious(act.data["because"])
    return BulletinFile(
        found,
        hall.name,
        found.department or hall.supervision_department,
        names.get((found.hall, found.unit), found.unit),
        record,
        serious,
        may_now(viewer, found),
    )


async def seriousness(
    services: Services, session: AsyncSession, bulletin: Bulletin, now: Any
) -> Serious | None:
    """Return why it would be serious if it were issued at `now`."""
    issued = select(Bulletin.decided_at).where(
        Bulletin.hall == bulletin.hall, Bulletin.unit == bulletin.unit, Bulletin.status == ISSUED
    )
    before = [at for at in (await session.exec(issued)).all() if at is not None]
    return serious_because(Ground(bulletin.ground), now, before, read_seriousness(services.policies_folder))


async def bulletins_of_case(
    services: Services, viewer: Viewer, case_id: str
) -> list[tuple[Bulletin, Record]]:
    """Return those of one case that the viewer sees, with their records."""
    async with services.database.read() as session:
        wanted = select(Bulletin).where(Bulletin.case_id == case_id, await seen_by(session, viewer))
        rows = (await session.exec(wanted.order_by(col(Bulletin.id)))).all()
        return [(row, await read_record(session, services.keyring, row)) for row in rows]
