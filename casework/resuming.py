"""Starting the workflows of open cases from the ledger, where an engine does not have them.

Needed after a restore, and when an engine lost its database or was changed for another. An engine says who
it is (cluster and namespace, both made anew with its database), so one question a minute tells whether all
of it is gone; nothing is asked case by case until then. Source: design.md, the ledger suffices.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog
from sqlmodel import Session, col, select
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetClusterInfoRequest
from temporalio.client import Client, WorkflowExecution
from temporalio.service import RPCError, RPCStatusCode

from casework.engine import WITHIN, EngineUnavailable
from casework.heads import start_heads
from casework.keeping_on import keep_on
from casework.rearming import start_rearming
from casework.reporting import start_missing
from casework.services import Services
from casework.turns import take_turn
from models.case import Case, LedgerEvent
from models.database import DatabaseUnavailable
from models.house_key import KnownEngine
from models.rearming import Publication
from models.terms import CalendarYear
from rules.case.vocabulary import Status
from workflows.queues import CASES, NOTIFICATIONS

EVERY = timedelta(minutes=1)
AGAIN = timedelta(seconds=2)  # after an outage
AT_ONCE = 10
BATCH = 200
TOLD_WITHIN = timedelta(hours=1)  # all cases have heard of a calendar by then
# An engine that was emptied for a restored database: equal to no engine's identity.
EMPTIED = "emptied"
_log = structlog.get_logger(__name__)


async def resuming(services: Services, every: timedelta = EVERY) -> None:
    """Look after the open cases' workflows until cancelled; an outage is waited out."""

    async def once() -> None:
        await resume_if_new(services)

    await keep_on("resuming", once, every, after_outage=min(every, AGAIN))


async def resume_if_new(services: Services) -> int:
    """Resume all open cases where the engine is another than before; return how many were started.

    Raises EngineUnavailable, DatabaseUnavailable.
    """
    identity = await engine_identity(services)
    known = await services.database.look(lambda session: session.get(KnownEngine, 1))
    if known is None:
        await empty_if_restored(services)
    elif known.identity == identity:
        return 0
    started = 0
    if known is None or known.identity:  # empty: never asked before, so nothing is known to be lost
        _log.warning("the engine is another one: open cases are started from the ledger")
        started = await resume_all(services)
        _log.warning("open cases resumed", cases=started)
    await _remember(services, identity)
    return started


async def empty_if_restored(services: Services) -> int:
    """End every workflow of ours where the database was restored; return how many there were.

    To be done before a worker takes up work: what they hold is of a history that the ledger does not
    have, or not any more. Raises EngineUnavailable, DatabaseUnavailable.
    """
    if await services.database.look(lambda session: session.get(KnownEngine, 1)) is not None:
        return 0
    client = await services.engine.client()
    async with services.database.begin() as session:
        # One at a time: a second worker would end what was resumed after the first had emptied it.
        await take_turn(session, "empty the engine")
        if await session.get(KnownEngine, 1) is not None:
            return 0
        ended = await _empty(client)
        session.add(KnownEngine(id=1, identity=EMPTIED))
    return ended


async def _empty(client: Client) -> int:
    queues = " OR ".join(f"TaskQueue = '{queue}'" for queue in (CASES, NOTIFICATIONS))
    turns = asyncio.Semaphore(AT_ONCE)

    async def end(found: WorkflowExecution) -> int:
        async with turns:
            return await _end(client, found.id, found.run_id)

    try:
        listed = client.list_workflows(f"ExecutionStatus = 'Running' AND ({queues})", rpc_timeout=WITHIN)
        return sum(await asyncio.gather(*[end(found) async for found in listed]))
    except (RPCError, TimeoutError) as error:
        raise EngineUnavailable(str(error)) from error


async def _end(client: Client, workflow_id: str, run_id: str) -> int:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    try:
        await handle.terminate(reason="the database was restored", rpc_timeout=WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended by itself meanwhile
            raise
        return 0
    return 1


async def engine_identity(services: Services) -> str:
    """Return what tells this engine, with its data, from any other. Raises EngineUnavailable."""
    client = await services.engine.client()
    service = client.workflow_service
    try:
        cluster = await service.get_cluster_info(GetClusterInfoRequest(), timeout=WITHIN)
        wanted = DescribeNamespaceRequest(namespace=client.namespace)
        namespace = await service.describe_namespace(wanted, timeout=WITHIN)
    except (RPCError, TimeoutError) as error:
        raise EngineUnavailable(str(error)) from error
    return f"{cluster.cluster_id}/{namespace.namespace_info.id}"


async def resume_all(services: Services) -> int:
    """Start the workflow of every case that is not archived and has none; return how many were started.

    What is due soonest comes first; an alarm that is past due fires at once, and once, whatever fired
    before. May be done twice, also at once. Raises EngineUnavailable, DatabaseUnavailable.
    """
    wanted = (
        select(Case.id)
        .where(Case.status != Status.ARCHIVED)
        .order_by(col(Case.next_alarm_at).is_(None), col(Case.next_alarm_at), col(Case.id))
    )
    ids = await services.database.look(lambda session: session.exec(wanted).all())
    turns = asyncio.Semaphore(AT_ONCE)
    started = 0
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        outcomes = await asyncio.gather(*(_resume(services, case_id, turns) for case_id in some))
        started += sum(outcomes)
    await start_missing(services, set())
    await start_heads(services.engine)
    for publication in await services.database.look(_under_way):
        await start_rearming(services.engine, "resumed", publication)
    return started


async def _resume(services: Services, case_id: str, turns: asyncio.Semaphore) -> bool:
    async with turns:
        try:
            async with services.database.read() as session:
                case = await session.get_one(Case, case_id)
                pinned = await services.pinned.of(session, case)
            return await services.engine.resume(case_id, pinned.terms)
        except (DatabaseUnavailable, EngineUnavailable):
            raise
        except Exception as error:  # one that can't be started holds up no other
            _log.error("case not resumed", case_id=case_id, error=f"{type(error).__name__}: {error}"[:200])
            return False


def _under_way(session: Session) -> Sequence[Publication]:
    """Return the notices whose telling may have been under way when the ledger was last written to.

    Older ones were told, and telling them again could move due dates by what nobody published since.
    """
    newest = session.exec(select(LedgerEvent.at).order_by(col(LedgerEvent.id).desc()).limit(1)).first()
    if newest is None:
        return []
    wanted = select(CalendarYear).where(col(CalendarYear.loaded_at) >= newest - TOLD_WITHIN)
    rows = session.exec(wanted.order_by(col(CalendarYear.id))).all()
    latest = {row.hall: row for row in rows}
    latest = {None: latest[None]} if None in latest else latest  # every hall is told of the country's
    return [Publication(row.hall, row.year, row.version) for row in latest.values()]


async def _remember(services: Services, identity: str) -> None:
    row = KnownEngine(id=1, identity=identity, resumed_at=await services.wall.now())
    await services.database.write(lambda session: session.merge(row))
