"""Rows of lists, from the columns of the projection alone.

A state decoded for each row would cost more than the rest of a page.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, case, func
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.services import Services
from models.case import Case
from models.facts import CASE_FACTS as FACTS
from rules.calendar import Calendar
from rules.case.vocabulary import LADDER, Light

# Red first, then yellow, green, and last where no clock runs.
URGENCY = (Light.RED, Light.YELLOW, Light.GREEN, Light.GREY)

STREAMED = 500  # rows at a time

_SHOWN: tuple[Any, ...] = (
    Case.id,
    Case.number,
    Case.hall,
    Case.unit,
    Case.matter,
    Case.kind,
    Case.status,
    Case.level,
    Case.light,
    Case.step,
    Case.step_by,
    Case.received_at,
    Case.due_at,
    Case.due_provisional,
    Case.order_due_at,
    Case.calendar_version,
    (func.coalesce(FACTS.c.repeated, 0) == 1).label("repeat"),
)


@dataclass(frozen=True)
class Left:
    """Working time to an instant: what is left of it, or what has passed since it (`over`)."""

    time: timedelta
    over: bool


@dataclass(frozen=True)
class Row:
    """A case in a list. ``left`` is to the due date, None where no limit runs against anybody.

    ``repeat``: it repeats another one (重复反映).
    """

    id: str
    number: str | None
    hall: str
    unit: str | None
    matter: str | None
    kind: str | None
    status: str
    level: str
    light: str
    step: str | None
    step_by: str | None
    received_at: datetime
    due_at: datetime | None
    due_provisional: bool
    order_due_at: datetime | None
    repeat: bool
    left: Left | None
    order_left: Left | None


def left_until(at: datetime, now: datetime, calendar: Calendar) -> Left:
    """Return the working time between now and `at`. Exactly at it, nothing is over yet."""
    if now > at:
        return Left(calendar.working_hours_between(at, now), over=True)
    return Left(calendar.working_hours_between(now, at), over=False)


def by_urgency() -> tuple[Any, ...]:
    """Return the order of work lists: by light, then due soonest; ties by id, which grow with time."""
    rank = case({light.value: n for n, light in enumerate(URGENCY)}, value=col(Case.light))
    return rank, col(Case.due_at).asc().nulls_last(), col(Case.id)


async def read_rows(
    services: Services, session: AsyncSession, ids: Select[Any], order: Sequence[Any], now: datetime
) -> list[Row]:
    """Return the cases that `ids` finds, in this order.

    The ids come from an index alone; only what is shown is fetched from the wide rows.
    """
    found = ids.subquery()
    shown_cases: Any = select(*_SHOWN).join(found, found.c.id == col(Case.id))
    counted = shown_cases.join(FACTS, FACTS.c.case_id == col(Case.id), isouter=True)
    wanted = counted.order_by(*order)
    rows = []
    for values in (await session.exec(wanted)).mappings():
        shown = dict(values)
        calendar = await services.pinned.calendar(session, shown.pop("calendar_version"))
        rows.append(_row(shown, calendar, now))
    return rows


async def stream_rows(
    services: Services, session: AsyncSession, cases: ColumnElement[bool], order: Sequence[Any], now: datetime
) -> AsyncIterator[list[Row]]:
    """Yield all the cases that pass in this order, some hundreds at a time."""
    counted = select(*_SHOWN).join(FACTS, FACTS.c.case_id == col(Case.id), isouter=True)
    wanted: Any = counted.where(cases).order_by(*order)
    found = await session.stream(wanted.execution_options(yield_per=STREAMED))
    async for several in found.mappings().partitions():
        rows = []
        for values in several:
            shown = dict(values)
            calendar = await services.pinned.calendar(session, shown.pop("calendar_version"))
            rows.append(_row(shown, calendar, now))
        yield rows


def _row(shown: dict[str, Any], calendar: Calendar, now: datetime) -> Row:
    due_at, order_due_at = shown["due_at"], shown["order_due_at"]
    runs = due_at is not None and shown["status"] in LADDER
    return Row(
        **shown,
        left=left_until(due_at, now, calendar) if runs else None,
        order_left=left_until(order_due_at, now, calendar) if order_due_at else None,
    )


async def count_up_to(session: AsyncSession, ids: Select[Any], most: int) -> int:
    """Count what a query finds, but stop at `most`: beyond it, how many more makes no difference."""
    return (await session.exec(select(func.count()).select_from(ids.limit(most).subquery()))).one()
