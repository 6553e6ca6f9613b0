"""Running a report by hand: one that was missed is made; one that is there is made again and compared."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.reporting import calendar_of, make_once, report_id_of, times_of
from casework.calendars import hall_of
from casework.errors import BadInput
from casework.report_files import File
from casework.report_making import ReportMaker
from casework.services import Services
from models.directory import Hall
from models.report import Report, ReportFile, sealing
from rules.calendar import SHANGHAI
from rules.reporting import Due, ReportKind, due_of


@dataclass(frozen=True, repr=False)
class Run:
    """What came of a run.

    `again`: it had been made before; `differs` names what is not as it was then. `erased`: a case of it was
    erased since, so that it differs as it should, and its stored files are empty.
    """

    report: Report
    again: bool
    differs: tuple[str, ...]
    files: tuple[File, ...]
    erased: bool = False


async def run_reports(services: Services, kind: str, on: date, hall: str | None = None) -> list[Run]:
    """Run the reports of the week, or month, that `on` lies in, of one hall or of all.

    One that is stored is made again from the ledger and compared with what was stored; nothing is
    written then. One that is missing is made and stored, with the present as the time it was made.
    Raises `BadInput` for another kind, and where the report is not due yet; `NotFound` for no hall.
    """
    if kind not in tuple(ReportKind):
        raise BadInput({"kind": "enum"})
    now = await services.clock.now()
    async with services.database.read() as session:
        every = select(Hall).order_by(Hall.code)
        halls = [await hall_of(session, hall)] if hall else (await session.exec(every)).all()
        dues = [await _due(session, services, each, ReportKind(kind), on) for each in halls]
    if any(due.at > now for due in dues):
        raise BadInput({"on": "not_due_yet"})
    return [await _run(services, place.code, due, now) for place, due in zip(halls, dues, strict=True)]


async def _due(session: AsyncSession, services: Services, hall: Hall, kind: ReportKind, on: date) -> Due:
    """Return the report that is meant: one stored as due on that very day, else that of the week or month."""
    midnight = datetime.combine(on, time(), SHANGHAI)
    of_kind = Report.hall == hall.code, Report.kind == kind
    that_day = col(Report.due_at) >= midnight, col(Report.due_at) < midnight + timedelta(days=1)
    stored = (await session.exec(select(Report).where(*of_kind, *that_day))).first()
    if stored is not None:
        return _as_due(stored)
    calendar = await calendar_of(session, hall, midnight)
    due = due_of(calendar, times_of(services.reporting, hall), kind, on)
    before = select(func.max(Report.covers_to)).where(*of_kind, col(Report.due_at) < due.at)
    return due.chained((await session.exec(before)).one()) or due


def _as_due(report: Report) -> Due:
    return Due(
        ReportKind(report.kind), report.due_at, report.covers_from, report.covers_to, report.provisional
    )


async def _run(services: Services, hall: str, due: Due, now: datetime) -> Run:
    maker = ReportMaker(services.database, services.keyring, services.templates)
    report_id = report_id_of(hall, due)
    async with services.database.read() as session:
        again = await session.get(Report, report_id) is not None
    if not again:
        await make_once(services.database, maker, hall, due, now)
    async with services.database.read() as session:
        report = await session.get_one(Report, report_id)
        wanted = select(ReportFile).where(ReportFile.report_id == report_id)
        stored = {row.format: row for row in (await session.exec(wanted)).all()}
    content, files = await maker.again(report)
    if any(row.erased_at for row in stored.values()):
        return Run(report, again, (), tuple(files), erased=True)
    differs = [] if content.digest == report.digest else ["content"]
    for file in files:
        row = stored.get(file.format)
        kept = row and services.keyring.open(row.content, sealing(report_id, row.format))
        differs += [file.format] * (kept != file.content)
    return Run(report, again, tuple(differs), tuple(files))
