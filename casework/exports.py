"""Lists as streams of all their rows, for export: same scope, same order, same columns as on screen.

A download is on the access log before it begins.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.access import record
from casework.bottlenecks import cluster_condition
from casework.facts_filling import fill_facts
from casework.figure_rows import Period
from casework.ledger_export import LedgerRow, stream_ledger
from casework.places import Places, places_of
from casework.rows import STREAMED, Row, by_urgency, stream_rows
from casework.scope import Scope, scope_of
from casework.searching import Results, Wanted, condition_of
from casework.services import Services
from casework.sheets import MOST_ROWS, TooManyRows
from casework.viewer import Viewer
from casework.worklists import ORDERS, Queues, Within
from models.case import Case


@dataclass(frozen=True)
class Export:
    """A list that is being read: how many rows it has, and the rows themselves."""

    total: int
    now: datetime
    places: Places
    rows: AsyncIterator[Sequence[Any]]


Read = Callable[[AsyncSession, ColumnElement[bool], Sequence[Any], datetime], AsyncIterator[Sequence[Any]]]


@asynccontextmanager
async def filtered(services: Services, viewer: Viewer, wanted: Wanted) -> AsyncIterator[Export]:
    """Open the list of /cases as filtered. Raises `TooManyRows`."""
    async with services.database.read() as session:
        scope, cases, order = await condition_of(session, viewer, wanted)
        yield await _opened(services, session, scope, cases, order, _listed(services))


@asynccontextmanager
async def ledger(services: Services, viewer: Viewer, wanted: Wanted) -> AsyncIterator[Export]:
    """Open the same list as rows of the progress ledger (附件3). Raises `TooManyRows`."""

    def read(
        session: AsyncSession, cases: ColumnElement[bool], order: Sequence[Any], now: datetime
    ) -> AsyncIterator[Sequence[LedgerRow]]:
        return stream_ledger(services.keyring, session, cases, order)

    async with services.database.read() as session:
        scope, cases, order = await condition_of(session, viewer, wanted)
        yield await _opened(services, session, scope, cases, order, read)


@asynccontextmanager
async def worklist(
    services: Services, viewer: Viewer, queues: Queues, queue: str, within: Within
) -> AsyncIterator[Export]:
    """Open a queue of a work list. Raises `TooManyRows`."""
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        cases = and_(scope.cases, col(Case.open), within.condition, queues[queue])
        order = (col(Case.order_due_at), col(Case.id)) if queue == ORDERS else by_urgency()
        yield await _opened(services, session, scope, cases, order, _listed(services))


@asynccontextmanager
async def cluster(
    services: Services, viewer: Viewer, number: str, period: Period
) -> AsyncIterator[tuple[Case, Export]]:
    """Open the cases of one cluster, with the case that names it. Raises `NotFound`, `TooManyRows`."""
    await fill_facts(services)
    async with services.database.read() as session:
        scope, case, cases = await cluster_condition(session, viewer, number, period)
        order = (col(Case.received_at).desc(), col(Case.id).desc())
        yield case, await _opened(services, session, scope, cases, order, _listed(services))


Query = Callable[[AsyncSession], Awaitable[Any]]


@asynccontextmanager
async def streamed(services: Services, viewer: Viewer, query: Query) -> AsyncIterator[Export]:
    """Open what a query finds, row by row as it stands there. Raises `TooManyRows`."""
    async with services.database.read() as session:
        wanted = await query(session)
        total = await _counted(session, wanted)
        places = await places_of(session, await scope_of(session, viewer))
        yield Export(total, await services.clock.now(), places, _rows(session, wanted))


async def _counted(session: AsyncSession, wanted: Any) -> int:
    ids = wanted.order_by(None).subquery()
    total = (await session.exec(select(func.count()).select_from(ids))).one()
    if total > MOST_ROWS:
        raise TooManyRows(total)
    return int(total)


async def _rows(session: AsyncSession, wanted: Any) -> AsyncIterator[Sequence[Any]]:
    found = await session.stream(wanted.execution_options(yield_per=STREAMED))
    async for several in found.partitions():
        yield several


def found(results: Results, now: datetime) -> Export:
    """Return what a search found, which is in memory already."""

    async def rows() -> AsyncIterator[Sequence[Row]]:
        yield results.rows

    return Export(len(results.rows), now, results.places, rows())


async def note_download(
    services: Services, viewer: Viewer, name: str, rows: int, address: str | None
) -> None:
    """Put a download on the access log: which list, how many rows; never what was searched for."""
    await record(
        services,
        action="download",
        username=viewer.username,
        reason=f"export {name}: {rows} rows",
        address=address,
    )


def _listed(services: Services) -> Read:
    def read(
        session: AsyncSession, cases: ColumnElement[bool], order: Sequence[Any], now: datetime
    ) -> AsyncIterator[Sequence[Row]]:
        return stream_rows(services, session, cases, order, now)

    return read


async def _opened(
    services: Services,
    session: AsyncSession,
    scope: Scope,
    cases: ColumnElement[bool],
    order: Sequence[Any],
    read: Read,
) -> Export:
    now = await services.clock.now()
    total = (await session.exec(select(func.count()).select_from(Case).where(cases))).one()
    if total > MOST_ROWS:
        raise TooManyRows(total)
    return Export(total, now, await places_of(session, scope), read(session, cases, order, now))
