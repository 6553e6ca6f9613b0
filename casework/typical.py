"""Typical cases (典型案例): written up without names, reviewed by another person, published, withdrawn.

Source: S1; domain.md, section 8. Every act is a row of the record (`acts`), kind `typical_case`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, false, func, select, true
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.acts import Record, actor_of, append, read_record
from casework.bulletin_notices import supervisors, tell
from casework.directory import halls_seen
from casework.errors import BadInput, Conflict, NotFound
from casework.finding import Found, find_case
from casework.petitioners import read_petitioners
from casework.services import Services
from casework.staff import staff_of_case
from casework.turns import take_turn
from casework.viewer import Viewer
from models.act import TYPICAL_CASE, NewAct
from models.directory import Hall, Unit
from models.typical import TypicalCase
from rules.anonymity import identity_fault
from rules.case.errors import Forbidden
from rules.case.vocabulary import ENDED, Role, Status

SUBMITTED, RETURNED, PUBLISHED, WITHDRAWN = "submitted", "returned", "published", "withdrawn"
STATUSES = (SUBMITTED, RETURNED, PUBLISHED, WITHDRAWN)
PARTS = ("title", "problem", "done", "lesson")
"""What a write-up says, each checked for whom it names."""
WRITERS = frozenset({Role.WINDOW_LEAD, Role.CENTRE})
READERS = WRITERS | {Role.SUPERVISOR, Role.AUDITOR}
NOT_CLOSED, THERE, NOT_NOW = "case-not-closed", "typical-case-there", "typical-case-decided"
NOTICE = "typical_case"  # the kind of its lines in inboxes
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


@dataclass(frozen=True)
class Published:
    """A typical case as everybody reads it: no number, no names."""

    id: int
    title: str
    matter: str | None
    hall: str
    unit: str | None
    problem: str
    done: str
    lesson: str
    published_at: datetime


async def _seen_by(session: AsyncSession, viewer: Viewer) -> ColumnElement[bool]:
    if viewer.role is Role.AUDITOR:
        return true()
    if viewer.role is Role.SUPERVISOR:
        halls = await halls_seen(session, viewer)
        return true() if halls is None else col(TypicalCase.hall).in_(sorted(halls))
    return col(TypicalCase.hall) == viewer.hall if viewer.role in WRITERS else false()


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


def check_reviewer(viewer: Viewer, item: TypicalCase) -> None:
    """Let a supervisor through who is not the author. Raises `Forbidden`."""
    if viewer.role is not Role.SUPERVISOR or item.written_by == viewer.username:
        raise Forbidden("typical_case_review", viewer.role)


def check_withdrawer(viewer: Viewer) -> None:
    """Let those through who may take a typical case back. Raises `Forbidden`."""
    if viewer.role not in WRITERS | {Role.SUPERVISOR}:
        raise Forbidden("typical_case_withdraw", viewer.role)


async def case_to_write_up(services: Services, viewer: Viewer, ref: str) -> tuple[Found, TypicalCase | None]:
    """Return a case and its write-up, if there is one.

    Raises `NotFound`, `Forbidden`; `Conflict` for a case that is open, or written up already.
    """
    found = await find_case(services, viewer, ref)
    if viewer.role not in WRITERS:
        raise Forbidden("typical_case_write", viewer.role)
    if Status(found.case.status) not in ENDED:
        raise Conflict(NOT_CLOSED)
    async with services.database.read() as session:
        item = await _of_case(session, found.case.id)
    _check_free(item)
    return found, item


async def write(services: Services, viewer: Viewer, found: Found, texts: Mapping[str, str]) -> TypicalCase:
    """Hand in a write-up, a returned or withdrawn one anew.

    Raises `BadInput` for what names petitioner, staff or anybody's number, `Conflict` where there is one.
    """
    now = await services.clock.now()
    case = found.case
    async with services.database.begin() as session:
        await take_turn(session, f"typical:{case.id}")
        await _check_anonymous(services, session, case.id, texts, case.matter)
        item = await _of_case(session, case.id)
        _check_free(item)
        given = {name: texts[name] for name in PARTS}
        if item is None:
            item = TypicalCase(
                case_id=case.id,
                case_number=case.number or "",
                hall=case.hall,
                status=SUBMITTED,
                written_by=viewer.username,
                written_at=now,
                last_hash="",
                title=given["title"],
                problem=given["problem"],
                done=given["done"],
                lesson=given["lesson"],
            )
        item.sqlmodel_update(
            given
            | {"status": SUBMITTED, "written_by": viewer.username, "written_at": now}
            | {"unit": case.unit, "matter": case.matter, "cause": case.cause, "published_at": None}
        )
        session.add(item)
        await session.flush()
        act = await _act(services, session, item, now, viewer, SUBMITTED, given)
        words = f"{item.case_number} 的典型案例待审核"
        await tell(session, item, act, now, (NOTICE, words), await supervisors(session, item))
    return item


async def review(
    services: Services, viewer: Viewer, found: TypicalCase, publish: bool, reason: str | None
) -> TypicalCase:
    """Publish a write-up, or return it with a reason; never one's own.

    Raises `Forbidden`, `BadInput`, `Conflict`.
    """
    check_reviewer(viewer, found)
    if not publish and not reason:
        raise BadInput({"reason": "required"})
    now = await services.clock.now()
    async with services.database.begin() as session:
        item = await _locked(session, found)
        if item.status != SUBMITTED or item.written_at != found.written_at:
            raise Conflict(NOT_NOW)
        if publish:
            texts = {name: getattr(item, name) for name in PARTS}
            await _check_anonymous(services, session, item.case_id, texts, item.matter)
        item.status, item.published_at = (PUBLISHED, now) if publish else (RETURNED, None)
        act = await _act(services, session, item, now, viewer, item.status, {"text": reason})
        words = f"{item.case_number} 的典型案例{'已发布' if publish else '被退回修改'}"
        await tell(session, item, act, now, (NOTICE, words), [item.written_by])
    return item


async def withdraw(services: Services, viewer: Viewer, found: TypicalCase, reason: str) -> TypicalCase:
    """Take a published one back from the public. Raises `Forbidden`, `Conflict`."""
    check_withdrawer(viewer)
    now = await services.clock.now()
    async with services.database.begin() as session:
        item = await _locked(session, found)
        if item.status != PUBLISHED:
            raise Conflict(NOT_NOW)
        item.status, item.published_at = WITHDRAWN, None
        await _act(services, session, item, now, viewer, WITHDRAWN, {"text": reason})
    return item


async def find_typical(services: Services, viewer: Viewer, ref: str) -> TypicalCase:
    """Return a write-up that the viewer sees. Raises `NotFound`."""
    async with services.database.read() as session:
        return await _seen(session, viewer, ref)


async def open_typical(services: Services, viewer: Viewer, ref: str) -> Shown:
    """Return a write-up with its record. Raises `NotFound`."""
    async with services.database.read() as session:
        item = await _seen(session, viewer, ref)
        hall, unit = await _names(session, item)
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


async def published(services: Services, page: int) -> tuple[Sequence[Published], int]:
    """Return a page of what everybody may read, newest first, and how many there are."""
    public = col(TypicalCase.status) == PUBLISHED
    async with services.database.read() as session:
        total = (await session.exec(select(func.count()).select_from(TypicalCase).where(public))).one()
        newest = select(TypicalCase).where(public).order_by(col(TypicalCase.published_at).desc())
        newest = newest.order_by(col(TypicalCase.id).desc())
        rows = (await session.exec(newest.limit(PER_PAGE).offset((page - 1) * PER_PAGE))).all()
        return [await _public(session, row) for row in rows], total


async def published_one(services: Services, ref: str) -> Published:
    """Return one that everybody may read. Raises `NotFound`, also for one that was withdrawn."""
    async with services.database.read() as session:
        item = await session.get(TypicalCase, number) if (number := _number(ref)) else None
        if item is None or item.status != PUBLISHED:
            raise NotFound("typical_case")
        return await _public(session, item)


async def typical_of_case(services: Services, viewer: Viewer, case_id: str) -> TypicalCase | None:
    """Return the write-up of a case, where the viewer sees it."""
    async with services.database.read() as session:
        wanted = select(TypicalCase).where(TypicalCase.case_id == case_id, await _seen_by(session, viewer))
        return (await session.exec(wanted)).first()


async def _public(session: AsyncSession, item: TypicalCase) -> Published:
    hall, unit = await _names(session, item)
    at = item.published_at
    assert at is not None
    texts = item.title, item.matter, hall, unit, item.problem, item.done, item.lesson
    return Published(item.id or 0, *texts, at)


async def _names(session: AsyncSession, item: TypicalCase) -> tuple[str, str | None]:
    hall = await session.get(Hall, item.hall)
    unit = await session.get(Unit, (item.hall, item.unit)) if item.unit else None
    return (hall.name if hall else item.hall), (unit.name if unit else item.unit)


async def _seen(session: AsyncSession, viewer: Viewer, ref: str) -> TypicalCase:
    wanted = select(TypicalCase).where(TypicalCase.id == _number(ref), await _seen_by(session, viewer))
    if (found := (await session.exec(wanted)).first()) is None:
        raise NotFound("typical_case")
    return found


def _number(ref: str) -> int:
    number = int(ref) if ref.isascii() and ref.isdigit() and len(ref) < 20 else 0
    return number if number <= LARGEST_ID else 0


async def _of_case(session: AsyncSession, case_id: str) -> TypicalCase | None:
    wanted = select(TypicalCase).where(TypicalCase.case_id == case_id)
    return (await session.exec(wanted.order_by(col(TypicalCase.id).desc()))).first()


def _check_free(item: TypicalCase | None) -> None:
    if item is not None and item.status in (SUBMITTED, PUBLISHED):
        raise Conflict(THERE)


async def _locked(session: AsyncSession, found: TypicalCase) -> TypicalCase:
    wanted = select(TypicalCase).where(TypicalCase.id == found.id).with_for_update()
    return (await session.exec(wanted.execution_options(populate_existing=True))).one()


async def _check_anonymous(
    services: Services, session: AsyncSession, case_id: str, texts: Mapping[str, str], matter: str | None
) -> None:
    """Refuse texts that give somebody away; `matter`, typed at the counter, is published with them.

    Raises `BadInput`.
    """
    people = await read_petitioners(session, services.keyring, [case_id])
    _, person = people.get(case_id, (None, None))
    names = [person.name] if person else []
    numbers = [person.phone, person.id_number, person.uscc] if person else []
    staff = await staff_of_case(session, case_id)
    checked = {**{name: texts[name] for name in PARTS}, "matter": matter or ""}
    found = {name: identity_fault(text, names, numbers, staff) for name, text in checked.items()}
    if faults := {name: fault for name, fault in found.items() if fault}:
        raise BadInput(faults)


async def _act(
    services: Services,
    session: AsyncSession,
    item: TypicalCase,
    at: datetime,
    viewer: Viewer,
    kind: str,
    texts: Mapping[str, str | None],
) -> int:
    """Record what was done; return the number of its row."""
    new = NewAct(TYPICAL_CASE, item.id or 0, item.case_id, at, kind, actor_of(viewer))
    appended = await append(session, services.keyring, new, texts)
    item.last_hash = appended.hash
    session.add(item)
    await session.flush()
    return appended.id
