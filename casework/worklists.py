"""The work lists of a role: queues of open cases with their counts, most urgent first.

Counts and order come from one index over the open cases (`ix_cases_open`), so that they cost the
same however many cases are archived.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import and_, func, or_, true
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.places import Places, places_of
from casework.rows import Row, by_urgency, read_rows
from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case, CaseCoUnit
from rules.case.vocabulary import WORKING, Level, Light, Role, Status

PER_PAGE = 30
ORDERS = "orders"
"""The queue of unanswered orders (督办单): the one due first stands first."""

Condition = ColumnElement[bool]
Queues = Mapping[str, Condition]
"""Conditions on open cases by name, in the order in which they are shown."""


@dataclass(frozen=True)
class Within:
    """Narrows a work list to a hall or a unit; None lets everything through."""

    hall: str | None = None
    unit: str | None = None

    @property
    def condition(self) -> Condition:
        """Return it as a condition on `Case`."""
        return and_(
            true(),
            *([col(Case.hall) == self.hall] if self.hall else []),
            *([col(Case.unit) == self.unit] if self.unit else []),
        )


@dataclass(frozen=True)
class WorkList:
    """One page of a queue, the counts of all of them, and of the open cases by status."""

    queue: str
    rows: list[Row]
    page: int
    counts: Mapping[str, int]
    places: Places
    by_status: Mapping[str, int] = field(default_factory=dict)

    @property
    def last(self) -> int:
        """Return the number of the last page."""
        return max(1, -(-self.counts[self.queue] // PER_PAGE))


async def work_list(
    services: Services,
    viewer: Viewer,
    queues: Queues,
    queue: str,
    page: int = 1,
    within: Within = Within(),
) -> WorkList:
    """Return a page of a queue, counted from 1; one beyond the end is empty."""
    now = await services.clock.now()
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        open_cases = and_(scope.cases, col(Case.open), within.condition)
        counts = await _counts(session, open_cases, queues)
        order = (col(Case.order_due_at), col(Case.id)) if queue == ORDERS else by_urgency()
        ids: Any = select(Case.id).where(open_cases, queues[queue]).order_by(*order)
        ids = ids.limit(PER_PAGE).offset((page - 1) * PER_PAGE)
        return WorkList(
            queue=queue,
            rows=await read_rows(services, session, ids, order, now),
            page=page,
            counts=counts,
            places=await places_of(session, scope),
            by_status=await _by_status(session, open_cases),
        )


async def _counts(session: AsyncSession, cases: Condition, queues: Queues) -> dict[str, int]:
    wanted: Any = select(*(func.count().filter(each) for each in queues.values())).select_from(Case)
    counted = (await session.exec(wanted.where(cases))).one()
    return dict(zip(queues, (counted if len(queues) > 1 else [counted]), strict=True))


async def _by_status(session: AsyncSession, cases: Condition) -> dict[str, int]:
    wanted = select(Case.status, func.count()).where(cases).group_by(Case.status)
    return dict((await session.exec(wanted)).all())


def department_queues(viewer: Viewer) -> Queues:
    """Return the queues of a unit; what climbed to its leader stands first for him."""
    mine = col(Case.unit) == viewer.unit
    status = col(Case.status)
    queues: dict[str, Condition] = {
        "all": true(),
        "sign": and_(mine, status == Status.DISPATCHED),
        "work": and_(mine, status.in_(sorted(WORKING))),
        "opine": and_(status == Status.HANDLING, col(Case.id).in_(_opinions_owed(viewer))),
        ORDERS: and_(mine, col(Case.order_due_at).is_not(None)),
        "climbed": and_(mine, col(Case.level) != Level.CONTACT),
        "elsewhere": and_(mine, status.not_in(sorted(WORKING | {Status.DISPATCHED}))),
    }
    if viewer.role is Role.DEPUTY_LEADER:
        return {"climbed": queues["climbed"], ORDERS: queues[ORDERS], **queues}
    return queues


def hall_queues(viewer: Viewer) -> Queues:
    """Return the queues of a window lead or a centre: decisions of their own, then what is late."""
    step, mine = col(Case.step), col(Case.step_by) == viewer.role
    decisions = (
        "decide_return",
        "decide_extension",
        "confirm_unsolvable",
        "check_reply",
        "judge_revisit",
    )
    own = {name: and_(mine, step == name) for name in decisions}
    if viewer.role is Role.CENTRE:
        own = {"decide_return": own["decide_return"]}
    return {
        "decide": or_(*own.values()),
        **own,
        "triage": step == "triage",
        "revisit": step == "revisit",
        "overdue": col(Case.light) == Light.RED,
        "warned": col(Case.light) == Light.YELLOW,
    }


def supervision_queues(viewer: Viewer) -> Queues:
    """Return the queues of those who supervise; the superior sees referred cases only."""
    step = col(Case.step)
    if viewer.role is Role.SUPERIOR:
        referred = col(Case.status) == Status.REFERRED
        return {"referred": referred, "overdue": col(Case.light) == Light.RED, "all": true()}
    return {
        "overdue": col(Case.light) == Light.RED,
        "climbed": col(Case.level) != Level.CONTACT,
        "supervision": col(Case.level) == Level.SUPERVISION,
        "limit": step == "set_limit",
        ORDERS: col(Case.order_due_at).is_not(None),
        "decide": and_(col(Case.step_by) == Role.SUPERVISOR, step.in_(("decide_return", "decide_extension"))),
        "referred": col(Case.status) == Status.REFERRED,
    }


def _opinions_owed(viewer: Viewer) -> Any:
    return select(CaseCoUnit.case_id).where(
        CaseCoUnit.unit == viewer.unit, CaseCoUnit.hall == viewer.hall, col(CaseCoUnit.opined).is_(False)
    )


def is_co_unit(viewer: Viewer, row: Row) -> bool:
    """Whether a unit sees a case because it was asked for its opinion (协办)."""
    return viewer.unit is not None and row.unit != viewer.unit
