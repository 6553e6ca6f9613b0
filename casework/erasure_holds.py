"""The list of cases whose personal data is to be erased soon, and holds that keep one from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.directory import halls_seen
from casework.erasure_due import STANDS, Place, walk_of
from casework.errors import Conflict
from casework.finding import find_case
from casework.services import Services
from casework.viewer import Viewer
from models.access_log import append
from models.case import Case
from models.directory import Hall
from models.retention import Erasure, ErasureHold
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role

MAY_SEE = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.ADMIN})
MAY_HOLD = frozenset({Role.SUPERVISOR})
MOST = 200  # on the page; the rest follows as these go
ERASED, HELD_ALREADY, NOT_HELD = "case-erased", "case-held", "case-not-held"


@dataclass(frozen=True)
class Coming:
    """A case on the list: `erased_at` is when its period ends; a hold that stands keeps it."""

    place: Place
    erased_at: datetime
    hold: ErasureHold | None = None


@dataclass(frozen=True)
class Overview:
    """What comes, what is held besides, and how many were erased so far; `more`: the list is longer."""

    coming: Sequence[Coming]
    held: Sequence[tuple[ErasureHold, str]]
    erased: int
    more: bool


async def overview(services: Services, viewer: Viewer, most: int = MOST) -> Overview:
    """Return the list of the halls that a viewer oversees, the first to go in front."""
    now = await services.clock.now()
    async with services.database.read() as session:
        halls = await _halls(session, viewer)
        walk = await walk_of(session, services, now)
        places = await walk.coming(halls, most + 1)
        holds = await _holds(session, halls)
        standing = {hold.case_id: hold for hold, _ in holds}
        counted = select(func.count()).select_from(Erasure).where(col(Erasure.hall).in_(halls))
        erased = (await session.exec(counted)).one()
    coming = [
        Coming(
            place,
            services.retention[place.policy_id].ends(place.archived_at),
            standing.get(place.case_id),
        )
        for place in places[:most]
    ]
    listed = {each.place.case_id for each in coming}
    return Overview(
        sorted(coming, key=lambda each: (each.erased_at, each.place.number)),
        [(hold, number) for hold, number in holds if hold.case_id not in listed],
        erased,
        len(places) > most,
    )


async def due_now(services: Services, most: int = MOST) -> list[Coming]:
    """Return what the next pass would erase, of all halls: a dry run."""
    now = await services.clock.now()
    async with services.database.read() as session:
        halls = (await session.exec(select(Hall.code))).all()
        places = await (await walk_of(session, services, now)).some(halls, most, held=False)
    return [Coming(each, services.retention[each.policy_id].ends(each.archived_at)) for each in places]


async def place_hold(services: Services, viewer: Viewer, ref: str, reason: str, address: str | None) -> None:
    """Keep a case from its erasure; who, when and why is on the access log.

    Raises `NotFound`, `Forbidden`, `Conflict` where it is erased or held already.
    """
    case_id = await _may(services, viewer, ref, "hold_erasure")
    now, at = await services.clock.now(), await services.wall.now()
    async with services.database.begin() as session:
        case, hold = await _locked(session, case_id)
        if case is None:
            raise Conflict(ERASED)
        if hold is not None:
            raise Conflict(HELD_ALREADY)
        session.add(
            ErasureHold(
                case_id=case_id,
                hall=case.hall,
                reason=reason,
                placed_by=viewer.username,
                placed_at=now,
            )
        )
        await session.flush()
        who = {"username": viewer.username, "address": address}
        await append(session, at=at, action="erasure_held", case_id=case_id, reason=reason, **who)


async def lift_hold(services: Services, viewer: Viewer, ref: str, reason: str, address: str | None) -> None:
    """Let the erasure of a case take its course again; that is on the access log as well.

    Raises `NotFound`, `Forbidden`, `Conflict` where nothing holds it.
    """
    case_id = await _may(services, viewer, ref, "lift_hold")
    now, at = await services.clock.now(), await services.wall.now()
    async with services.database.begin() as session:
        _, hold = await _locked(session, case_id)
        if hold is None:
            raise Conflict(NOT_HELD)
        hold.lifted_by, hold.lifted_at = viewer.username, now
        session.add(hold)
        await session.flush()
        who = {"username": viewer.username, "address": address}
        await append(session, at=at, action="erasure_hold_lifted", case_id=case_id, reason=reason, **who)


async def _may(services: Services, viewer: Viewer, ref: str, what: str) -> str:
    """Return the id of the case. Raises `NotFound` before `Forbidden`, as everywhere."""
    found = await find_case(services, viewer, ref)
    if viewer.role not in MAY_HOLD:
        raise Forbidden(what, viewer.role)
    return found.case.id


async def _locked(session: AsyncSession, case_id: str) -> tuple[Case | None, ErasureHold | None]:
    """Return the case unless it is erased, and its hold; an erasure under way comes before or after us."""
    await session.exec(select(Case.id).where(Case.id == case_id).with_for_update())
    case = (await session.exec(select(Case).where(Case.id == case_id, STANDS))).first()
    standing = ErasureHold.case_id == case_id, col(ErasureHold.lifted_at).is_(None)
    return case, (await session.exec(select(ErasureHold).where(*standing))).first()


async def _holds(session: AsyncSession, halls: Sequence[str]) -> list[tuple[ErasureHold, str]]:
    wanted = (
        select(ErasureHold, Case.number)
        .join(Case, col(Case.id) == ErasureHold.case_id)
        .where(col(ErasureHold.hall).in_(halls), col(ErasureHold.lifted_at).is_(None))
        .order_by(col(ErasureHold.placed_at), col(ErasureHold.id))
    )
    return [(hold, number or "") for hold, number in (await session.exec(wanted)).all()]


async def _halls(session: AsyncSession, viewer: Viewer) -> Sequence[str]:
    seen = await halls_seen(session, viewer)
    return sorted(seen) if seen is not None else (await session.exec(select(Hall.code))).all()
