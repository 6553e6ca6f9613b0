"""Putting a holiday notice into force, and having the cases reckon again."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, cast, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.calendars import current_calendar, hall_of
from casework.drafts import Draft, check
from casework.engine import EngineUnavailable
from casework.rearming import start_rearming
from casework.services import Services
from casework.turns import take_turn
from models.case import Case
from models.rearming import Publication
from models.terms import CalendarYear


@dataclass(frozen=True)
class Published:
    """The version that cases reckon by from now on, and how many of them are open."""

    version: str
    open_cases: int


async def publish(services: Services, draft: Draft, username: str) -> Published:
    """Put a notice into force, replacing what stood, and have open cases reckon again.

    Both or neither: the workflow that tells the cases is started before the commit, and waits for
    it. Without any case to tell no engine is needed. The same notice once more makes no new
    version. Raises `BadInput`, `NotFound`, EngineUnavailable, DatabaseUnavailable.
    """
    await check(services, draft)
    now, loaded_at = await services.clock.now(), await services.wall.now()
    reachable = await services.engine.reachable()
    async with services.database.begin() as session:
        await take_turn(session, f"calendar:{draft.hall}:{draft.year}")
        number = await _store(session, draft, username, loaded_at)
        hall = await hall_of(session, draft.hall) if draft.hall is not None else None
        version = (await current_calendar(session, hall, now, draft.year)).version
        count, any_case = await count_cases(session, draft.hall)
        if any_case and not reachable:
            raise EngineUnavailable("open cases could not be told of the calendar")
        if reachable:
            publication = Publication(draft.hall, draft.year, number)
            await start_rearming(services.engine, version, publication)
    return Published(version, count)


async def _store(session: AsyncSession, draft: Draft, username: str, at: datetime) -> int:
    """Add the notice as the newest version, unless the newest one says the same; return its number."""
    wanted = select(CalendarYear).where(CalendarYear.hall == draft.hall, CalendarYear.year == draft.year)
    newest = (await session.exec(wanted.order_by(col(CalendarYear.version).desc()))).first()
    row = CalendarYear(
        hall=draft.hall,
        year=draft.year,
        version=newest.version + 1 if newest else 1,
        off=[day.isoformat() for day in sorted(draft.off)],
        work=[day.isoformat() for day in sorted(draft.work)],
        source=draft.source,
        loaded_by=username,
        loaded_at=at,
    )
    if newest and (newest.off, newest.work, newest.source) == (row.off, row.work, row.source):
        return newest.version
    session.add(row)
    await session.flush()
    return row.version


async def count_cases(session: AsyncSession, hall: str | None) -> tuple[int, bool]:
    """Return how many cases are open, and whether there is anyone to tell (closed ones hear too)."""
    wanted = select(func.count(), func.sum(cast(col(Case.open), Integer)))
    if hall is not None:
        wanted = wanted.where(Case.hall == hall)
    every, open_cases = (await session.exec(wanted)).one()
    return open_cases or 0, every > 0
