"""A dry run of a holiday notice: which open cases would get another due date."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.calendars import hall_of
from casework.drafts import Draft, calendar_with, check
from casework.publishing import Published, count_cases
from casework.services import Services
from models.case import Case
from models.directory import Hall
from models.hall_calendar import span
from models.messages import decode_state
from rules.calendar import Calendar, local
from rules.case.commands import CalendarChanged
from rules.case.decide import decide
from rules.case.errors import Refusal
from rules.case.events import SYSTEM, evolve

PAGE = 200


@dataclass(frozen=True)
class Move:
    """A case whose due date a draft would move."""

    case_id: str
    number: str | None
    hall: str
    due_at: datetime
    new_due_at: datetime


@dataclass(frozen=True)
class Preview(Published):
    """What publishing would do."""

    moves: Sequence[Move]


async def preview(services: Services, draft: Draft) -> Preview:
    """Return what `publish` would do, and do nothing. Raises `BadInput`, `NotFound`."""
    await check(services, draft)
    now = await services.clock.now()
    async with services.database.read() as session:
        hall = await hall_of(session, draft.hall) if draft.hall is not None else None
        years = {*span(local(now).year), draft.year}
        version = (await calendar_with(session, hall, years, draft)).version
        count, _ = await count_cases(session, draft.hall)
        trial = _Trial(services, session, draft, now)
        moves = [move async for move in trial.moves()]
    return Preview(version, count, moves)


class _Trial:
    """The rules themselves, tried on every open case with the draft in force."""

    def __init__(self, services: Services, session: AsyncSession, draft: Draft, now: datetime) -> None:
        self._services, self._session = services, session
        self._draft, self._now = draft, now
        self._calendars: dict[tuple[str, int], Calendar] = {}

    async def moves(self) -> AsyncIterator[Move]:
        """Go through the cases by id."""
        after = ""
        while page := await self._page(after):
            for case in page:
                if move := await self._move(case):
                    yield move
            after = page[-1].id
            self._session.expunge_all()
            await asyncio.sleep(0)  # a long list must not keep other requests waiting

    async def _page(self, after: str) -> Sequence[Case]:
        wanted = select(Case).where(Case.id > after, col(Case.open), col(Case.due_at).is_not(None))
        if self._draft.hall is not None:
            wanted = wanted.where(Case.hall == self._draft.hall)
        return (await self._session.exec(wanted.order_by(col(Case.id)).limit(PAGE))).all()

    async def _move(self, case: Case) -> Move | None:
        pinned = await self._services.pinned.of(self._session, case)
        calendar = await self._calendar(case)
        state = decode_state(case.state)
        command = CalendarChanged(calendar=calendar.version)
        try:
            events = decide(state, command, self._now, SYSTEM, pinned.policy, calendar)
        except Refusal:
            return None
        due_at = evolve(state, events[0]).due_at
        if due_at is None or case.due_at is None or due_at == case.due_at:
            return None
        return Move(case.id, case.number, case.hall, case.due_at, due_at)

    async def _calendar(self, case: Case) -> Calendar:
        key = case.hall, local(case.received_at).year
        if key not in self._calendars:
            hall = await self._session.get_one(Hall, case.hall)
            years = span(key[1], local(self._now).year)
            self._calendars[key] = await calendar_with(self._session, hall, years, self._draft)
        return self._calendars[key]
