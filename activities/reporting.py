"""Reports: which is the next one of a hall, and making it, once.

Idempotent: a report is one by (hall, kind, due instant); one that is there is not made again.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import func
from sqlalchemy.exc import IntegrityError
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from models.database import Database
from models.directory import Hall, User
from models.hall_calendar import read_calendar, span
from models.inbox import Notification
from models.overseers import supervisors_over
from models.report import Report, ReportCase, ReportFile, ReportingPlan
from models.reporting import DueRequest
from rules.calendar import Calendar, local
from rules.case.vocabulary import Role
from rules.report_words import REPORT_KIND
from rules.reporting import Due, ReportingTimes, ReportKind, due_after

ADDRESSEE = {
    ReportKind.HALL_WEEKLY: Role.CENTRE,
    ReportKind.CENTRE_WEEKLY: Role.SUPERVISOR,
    ReportKind.MONTHLY_LISTS: Role.CENTRE,
    ReportKind.MONTHLY: Role.SUPERVISOR,
}
"""To whom it goes: what a hall makes to its centre, the centre's summaries to supervision. Source: S0, S3."""


@dataclass(frozen=True, repr=False)
class Made:
    """A report that is not stored yet."""

    report: Report
    files: Sequence[ReportFile]
    cases: Sequence[ReportCase]


class Maker(Protocol):
    """Makes a report from the tables."""

    async def make(self, hall: str, due: Due, made_at: datetime) -> Made:
        """Return a report of this period; stores nothing."""


class ReportingActivities:
    """What the reporting workflow asks for. `times` by the id of the policy."""

    def __init__(self, database: Database, times: Mapping[str, ReportingTimes], maker: Maker) -> None:
        self._database, self._times, self._maker = database, times, maker

    @activity.defn
    async def make_due(self, request: DueRequest) -> Due:
        """Make the first report that is due by now, should there be one; return what comes next.

        What is next is reckoned by the hall's calendar as it is now, and remembered.
        """
        due = await self._next(request)
        if due.at <= request.now:
            await make_once(self._database, self._maker, request.hall, due, request.now)
            due = await self._next(request)
        await self._remember(request.hall, due)
        return due

    async def _next(self, request: DueRequest) -> Due:
        async with self._database.read() as session:
            hall = await session.get_one(Hall, request.hall)
            return await next_due(session, hall, times_of(self._times, hall), request.since)

    async def _remember(self, hall: str, due: Due) -> None:
        plan = ReportingPlan(
            hall=hall,
            kind=due.kind,
            due_at=due.at,
            covers_from=due.start,
            covers_to=due.end,
            provisional=due.provisional,
        )
        async with self._database.begin() as session:
            await session.merge(plan)


async def make_once(database: Database, maker: Maker, hall: str, due: Due, made_at: datetime) -> str:
    """Make and store a report unless it is there, and tell whom it goes to; return its id.

    Of two at once one stores it; the other's is thrown away whole, and both have the same one.
    """
    report_id = report_id_of(hall, due)
    async with database.read() as session:
        if await session.get(Report, report_id) is not None:
            return report_id
    made = await maker.make(hall, due, made_at)
    try:
        async with database.begin() as session:
            if await session.get(Report, report_id) is None:
                session.add_all([made.report, *made.files, *made.cases])
                session.add_all(await _inbox(session, made.report))
    except IntegrityError:
        async with database.read() as session:
            if await session.get(Report, report_id) is None:
                raise
    return report_id


def report_id_of(hall: str, due: Due) -> str:
    """Return the id of a report: the same hall, kind and due instant have the same one."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"report/{hall}/{due.kind}/{due.at.isoformat()}"))


def times_of(times: Mapping[str, ReportingTimes], hall: Hall) -> ReportingTimes:
    """Return the times of a hall's policy; those proposed where its file is gone."""
    return times.get(hall.policy_id) or ReportingTimes()


async def next_due(session: AsyncSession, hall: Hall, times: ReportingTimes, since: datetime) -> Due:
    """Return the first report of a hall that is due after those stored, and after `since`."""
    dues = [await _next_of(session, hall, times, kind, since) for kind in ReportKind]
    return min(dues, key=lambda due: due.at)


async def _next_of(
    session: AsyncSession, hall: Hall, times: ReportingTimes, kind: ReportKind, since: datetime
) -> Due:
    wanted = select(func.max(Report.due_at), func.max(Report.covers_to)).where(
        Report.hall == hall.code, Report.kind == kind
    )
    last, covered_to = (await session.exec(wanted)).one()
    after = last or since
    while True:
        calendar = await calendar_of(session, hall, after)
        due = due_after(calendar, times, kind, after)
        if (chained := due.chained(covered_to)) is not None:
            return chained
        after = due.at


async def calendar_of(session: AsyncSession, hall: Hall, at: datetime) -> Calendar:
    """Return a hall's calendar around an instant, as it is now."""
    return await read_calendar(session, hall, span(local(at).year))


async def _inbox(session: AsyncSession, report: Report) -> list[Notification]:
    """Return a line for everybody whom the report goes to, its id in place of a case's; it names nobody."""
    hall = await session.get_one(Hall, report.hall)
    text = (
        f"{hall.name}{REPORT_KIND[report.kind]}已生成，截止 {local(report.covers_to):%Y-%m-%d %H:%M}，请接收"
    )
    role = ADDRESSEE[ReportKind(report.kind)]
    own = and_(col(User.active).is_(True), col(User.role) == role, col(User.hall) == hall.code)
    wanted = select(User.username).where(supervisors_over(hall.code) if role is Role.SUPERVISOR else own)
    return [
        Notification(username=name, case_id=report.id, seq=0, kind=report.kind, text=text, at=report.made_at)
        for name in (await session.exec(wanted.order_by(User.username))).all()
    ]
