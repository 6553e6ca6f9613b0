"""Reports as people see them: by scope, their files, and taking one in. Source: S0; domain.md, section 8."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import load_only
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.reporting import ADDRESSEE
from casework.directory import halls_seen
from casework.errors import NotFound
from casework.moments import shown
from casework.services import Services
from casework.viewer import Viewer
from models.access_log import append
from models.directory import Hall
from models.report import Report, ReportFile, ReportingPlan, ReportReceipt, sealing
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role
from rules.report_words import CATEGORY, REPORT_KIND
from rules.reporting import ReportKind

_OF_THE_CENTRE = frozenset({Role.CENTRE, Role.SUPERVISOR, Role.AUDITOR})
_OF_THE_HALL = _OF_THE_CENTRE | {Role.WINDOW_LEAD}
MAY_SEE: dict[ReportKind, frozenset[Role]] = {
    ReportKind.HALL_WEEKLY: _OF_THE_HALL,
    ReportKind.CENTRE_WEEKLY: _OF_THE_CENTRE,
    ReportKind.MONTHLY_LISTS: _OF_THE_HALL,
    ReportKind.MONTHLY: _OF_THE_CENTRE,
}
_WITHOUT_CONTENT: tuple[Any, ...] = (
    ReportFile.report_id,
    ReportFile.format,
    ReportFile.name,
    ReportFile.size,
    ReportFile.sha256,
    ReportFile.erased_at,
)
_LATEST: tuple[Any, ...] = (col(Report.due_at).desc(), col(Report.id))
READERS = frozenset[Role]().union(*MAY_SEE.values())


@dataclass(frozen=True)
class Filter:
    """What a list is narrowed to; None for all."""

    kind: str | None = None
    category: str | None = None
    hall: str | None = None


@dataclass(frozen=True)
class Listed:
    """A page of reports with their halls' names, and the next report of each hall."""

    items: Sequence[dict[str, Any]]
    total: int
    halls: dict[str, str]
    plans: Sequence[ReportingPlan]


@dataclass(frozen=True, repr=False)
class Download:
    """A file to hand out."""

    name: str
    media_type: str
    content: bytes


async def list_reports(
    services: Services, viewer: Viewer, narrowed: Filter, page: int, per_page: int
) -> Listed:
    """Return a page of the reports that a viewer sees, the latest due first; `page` counts from 1."""
    async with services.database.read() as session:
        seen = await halls_seen(session, viewer)
        conditions = [*_scope(viewer, seen), *_narrow(narrowed)]
        total = (await session.exec(select(func.count()).select_from(Report).where(*conditions))).one()
        wanted = select(Report).where(*conditions).order_by(*_LATEST)
        rows = (await session.exec(wanted.limit(per_page).offset((page - 1) * per_page))).all()
        names = select(Hall.code, Hall.name).order_by(Hall.code)
        plans = select(ReportingPlan).order_by(col(ReportingPlan.due_at), ReportingPlan.hall)
        if seen is not None:
            names = names.where(col(Hall.code).in_(sorted(seen)))
            plans = plans.where(col(ReportingPlan.hall).in_(sorted(seen)))
        halls = dict((await session.exec(names)).all())
        return Listed(
            await _views(session, viewer, rows, halls),
            total,
            halls,
            [
                each
                for each in (await session.exec(plans)).all()
                if viewer.role in MAY_SEE[ReportKind(each.kind)]
            ],
        )


async def reports_wanted(session: AsyncSession, viewer: Viewer, narrowed: Filter) -> Any:
    """Return the query for reports that a viewer sees with who took each in, the latest due first."""
    conditions = [*_scope(viewer, await halls_seen(session, viewer)), *_narrow(narrowed)]
    first = select(ReportReceipt.username).where(ReportReceipt.report_id == Report.id).limit(1)
    first_by = (
        first.order_by(col(ReportReceipt.at), ReportReceipt.username).correlate(Report).scalar_subquery()
    )
    taken = and_(col(ReportReceipt.report_id) == Report.id, col(ReportReceipt.username) == first_by)
    wanted = select(Report, Hall.name, ReportReceipt).join(Hall, col(Hall.code) == Report.hall)
    return wanted.join(ReportReceipt, taken, isouter=True).where(*conditions).order_by(*_LATEST)


async def read_report(services: Services, viewer: Viewer, report_id: str) -> dict[str, Any]:
    """Return one report. Raises `NotFound`, also for one that the viewer may not see."""
    async with services.database.read() as session:
        report = await _find(session, viewer, report_id)
        hall = await session.get_one(Hall, report.hall)
        return (await _views(session, viewer, [report], {hall.code: hall.name}))[0]


async def download(
    services: Services, viewer: Viewer, report_id: str, format: str | None, address: str | None
) -> Download:
    """Return one file, the first in the order of `files` where no format is named.

    Who took it is on the access log first. Raises `NotFound`.
    """
    async with services.database.read() as session:
        report = await _find(session, viewer, report_id)
        files = await _files(session, [report_id])
    file = next((each for each in files if format in (None, each.format)), None)
    if file is None or file.erased_at is not None:
        raise NotFound("file")
    content = services.keyring.open(file.content, sealing(report_id, file.format))
    at = await services.wall.now()
    async with services.database.begin() as session:
        await append(
            session,
            at=at,
            action="download",
            username=viewer.username,
            reason=f"report {report.id} {file.format}",
            address=address,
        )
    return Download(file.name, file.media_type, content)


async def take_in(services: Services, viewer: Viewer, report_id: str) -> None:
    """Record that a viewer took a report in; the second time changes nothing.

    Raises `NotFound`, `Forbidden` for whom it does not go to.
    """
    at = await services.clock.now()
    async with services.database.begin() as session:
        report = await _find(session, viewer, report_id)
        if viewer.role is not ADDRESSEE[ReportKind(report.kind)]:
            raise Forbidden("take_in", viewer.role)
        if await session.get(ReportReceipt, (report_id, viewer.username)) is None:
            session.add(
                ReportReceipt(
                    report_id=report_id, username=viewer.username, name=viewer.name, role=viewer.role, at=at
                )
            )


def _scope(viewer: Viewer, halls: frozenset[str] | None) -> list[ColumnElement[bool]]:
    kinds = [kind for kind, roles in MAY_SEE.items() if viewer.role in roles]
    conditions: list[ColumnElement[bool]] = [col(Report.kind).in_(kinds)]
    if halls is not None:
        conditions.append(col(Report.hall).in_(sorted(halls)))
    return conditions


def _narrow(narrowed: Filter) -> list[ColumnElement[bool]]:
    given = (
        (Report.kind, narrowed.kind),
        (Report.category, narrowed.category),
        (Report.hall, narrowed.hall),
    )
    return [col(column) == value for column, value in given if value]


async def _find(session: AsyncSession, viewer: Viewer, report_id: str) -> Report:
    conditions = _scope(viewer, await halls_seen(session, viewer))
    report = (await session.exec(select(Report).where(Report.id == report_id, *conditions))).first()
    if report is None:
        raise NotFound("report")
    return report


async def _files(session: AsyncSession, report_ids: Sequence[str]) -> Sequence[ReportFile]:
    """Return the files of reports; of one report the PDF comes before the Word form."""
    wanted = select(ReportFile).where(col(ReportFile.report_id).in_(report_ids))
    return (
        await session.exec(wanted.order_by(col(ReportFile.report_id), col(ReportFile.format).desc()))
    ).all()


async def _views(
    session: AsyncSession, viewer: Viewer, reports: Sequence[Report], halls: dict[str, str]
) -> list[dict[str, Any]]:
    ids = [report.id for report in reports]
    of_files = select(ReportFile).options(load_only(*_WITHOUT_CONTENT))
    files = (
        await session.exec(
            of_files.where(col(ReportFile.report_id).in_(ids)).order_by(col(ReportFile.format).desc())
        )
    ).all()
    receipts = (
        await session.exec(
            select(ReportReceipt)
            .where(col(ReportReceipt.report_id).in_(ids))
            .order_by(col(ReportReceipt.at), ReportReceipt.username)
        )
    ).all()
    return [
        _view(
            report,
            viewer,
            halls.get(report.hall, report.hall),
            [file for file in files if file.report_id == report.id],
            [each for each in receipts if each.report_id == report.id],
        )
        for report in reports
    ]


def _view(
    report: Report,
    viewer: Viewer,
    hall_name: str,
    files: Sequence[ReportFile],
    receipts: Sequence[ReportReceipt],
) -> dict[str, Any]:
    figures = report.facts["figures"]
    mine = viewer.role is ADDRESSEE[ReportKind(report.kind)]
    return {
        "id": report.id,
        "kind": report.kind,
        "title": REPORT_KIND[report.kind],
        "hall": report.hall,
        "hall_name": hall_name,
        "category": report.category,
        "category_name": CATEGORY[report.category],
        "from": shown(report.covers_from),
        "to": shown(report.covers_to),
        "due_at": shown(report.due_at),
        "made_at": shown(report.made_at),
        "made_late": _minutes(report.made_at) > _minutes(report.due_at),
        "provisional": report.provisional,
        "cases": report.facts["cases"],
        "registered": figures["period"].get("registered", 0),
        "closed": figures["period"].get("closed", 0),
        "open": figures["standing"].get("open", 0),
        "overdue": figures["standing"].get("overdue", 0),
        "late": figures["period"].get("late", 0),
        "volumes": figures.get("volumes", []),
        "digest": report.digest,
        "files": [
            {
                **{"format": each.format, "name": each.name, "size": each.size, "sha256": each.sha256},
                "erased_at": shown(each.erased_at),
            }
            for each in files
        ],
        "receipts": [
            {"username": each.username, "name": each.name, "role": each.role, "at": shown(each.at)}
            for each in receipts
        ],
        "may_take_in": mine and viewer.username not in {each.username for each in receipts},
    }


def _minutes(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)
