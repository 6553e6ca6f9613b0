"""Re-arming: every case that is not archived is told of the calendar of its hall as it is now.

Idempotent: a case that reckons by that calendar already is passed over, and a case tells twice from
once. Resumable: the last case that was told is in the heartbeat.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.orm import load_only
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity
from temporalio.exceptions import ApplicationError

from models.case import Case
from models.database import Database
from models.directory import Hall
from models.hall_calendar import keep_terms, read_calendar, span, terms_are_kept
from models.messages import Terms, decode_policy
from models.rearming import Publication, SweepRequest
from models.terms import CalendarYear, PolicyVersion
from rules.calendar import local
from rules.case.vocabulary import Status
from rules.policy import Policy

PAGE = 200  # cases between two heartbeats
AT_ONCE = 10  # signals under way; more gain nothing

# Not the state: it is most of a row.
_NEEDED: tuple[Any, ...] = (
    Case.id,
    Case.hall,
    Case.received_at,
    Case.policy_id,
    Case.policy_version,
    Case.calendar_version,
)


class Cases(Protocol):
    """The way to the workflows of the cases."""

    async def calendar_changed(self, case_id: str, terms: Terms) -> None:
        """Tell one case of its calendar."""

    async def reporting_changed(self, hall: str) -> None:
        """Tell the reporting of a hall of its calendar."""


class CalendarActivities:
    """What the re-arming workflow asks for."""

    def __init__(self, database: Database, cases: Cases, page: int = PAGE) -> None:
        self._database, self._cases, self._size = database, cases, page

    @activity.defn
    async def committed(self, publication: Publication) -> None:
        """Return once the published row can be read: its transaction may still be under way.

        Raises an error to be retried until then.
        """
        wanted = select(CalendarYear.id).where(
            CalendarYear.hall == publication.hall,
            CalendarYear.year == publication.year,
            CalendarYear.version == publication.number,
        )
        async with self._database.read() as session:
            if (await session.exec(wanted)).first() is None:
                raise ApplicationError("not committed yet", type="NotCommitted")

    @activity.defn
    async def sweep(self, request: SweepRequest) -> int:
        """Tell every case that reckons by another calendar; return how many there were."""
        after, told = "", 0
        if details := activity.info().heartbeat_details:
            after, told = details
        desk = _Desk(request.now)
        while page := await self._page(request.hall, after):
            stale = [(case.id, terms) for case, terms in await self._terms(desk, page) if terms]
            await self._tell(stale)
            after, told = page[-1].id, told + len(stale)
            activity.heartbeat(after, told)
        for hall in await self._halls(request.hall):
            await self._cases.reporting_changed(hall)
        return told

    async def _halls(self, hall: str | None) -> Sequence[str]:
        if hall is not None:
            return [hall]
        async with self._database.read() as session:
            return (await session.exec(select(Hall.code).order_by(Hall.code))).all()

    async def _page(self, hall: str | None, after: str) -> Sequence[Case]:
        wanted = select(Case).options(load_only(*_NEEDED)).where(Case.id > after)
        wanted = wanted.where(Case.status != Status.ARCHIVED)
        if hall is not None:
            wanted = wanted.where(Case.hall == hall)
        async with self._database.read() as session:
            return (await session.exec(wanted.order_by(col(Case.id)).limit(self._size))).all()

    async def _terms(self, desk: "_Desk", page: Sequence[Case]) -> list[tuple[Case, Terms | None]]:
        """Return each case with the terms it lacks. They are stored before anybody is told."""
        async with self._database.read() as session:
            found = [(case, await desk.lacking(session, case)) for case in page]
            new = [each for each in desk.unseen() if not await session.run_sync(terms_are_kept, each)]
        if new:
            async with self._database.begin() as session:
                for terms in new:
                    await keep_terms(session, terms)
        return found

    async def _tell(self, stale: Sequence[tuple[str, Terms]]) -> None:
        for start in range(0, len(stale), AT_ONCE):
            some = stale[start : start + AT_ONCE]
            await asyncio.gather(*(self._cases.calendar_changed(*each) for each in some))


class _Desk:
    """Terms looked up once a sweep, by hall, policy and the year of T0."""

    def __init__(self, now: datetime) -> None:
        self._year = local(now).year
        self._terms: dict[tuple[str, str, str, int], Terms] = {}
        self._policies: dict[tuple[str, str], Policy] = {}
        self._unseen: list[Terms] = []

    async def lacking(self, session: AsyncSession, case: Case) -> Terms | None:
        """Return the terms that the case should follow, None where it does already."""
        year = local(case.received_at).year
        key = (case.hall, case.policy_id, case.policy_version, year)
        if key not in self._terms:
            hall = await session.get_one(Hall, case.hall)
            calendar = await read_calendar(session, hall, span(year, self._year))
            terms = Terms.of(await self._policy(session, case), calendar)
            self._terms[key] = terms
            self._unseen.append(terms)
        terms = self._terms[key]
        return None if terms.calendar["version"] == case.calendar_version else terms

    def unseen(self) -> list[Terms]:
        """Return the terms that came up since the last call."""
        new, self._unseen = self._unseen, []
        return new

    async def _policy(self, session: AsyncSession, case: Case) -> Policy:
        name = (case.policy_id, case.policy_version)
        if name not in self._policies:
            row = await session.get_one(PolicyVersion, name)
            self._policies[name] = decode_policy(row.values)
        return self._policies[name]
