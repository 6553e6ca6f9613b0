"""Histories of cases' workflows: exported when a run has ended, and read again to be verified.

A history dies with the engine's retention, so each ended run is exported beside the ledger. It is kept
as the engine holds it (its payloads sealed under the keyring), packed, in a file sealed under the key
of its case: erasing that key takes it along, and its hash stays. Source: design.md, Evidence.
"""

import asyncio
import gzip
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select, update
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.service import RPCError, RPCStatusCode

from casework.blobs import Blobs
from casework.engine import WITHIN, EngineUnavailable, workflow_id
from casework.keeping_on import keep_on
from casework.ledger_texts import case_keys
from casework.services import Services
from models.crypto import UnsealError
from models.evidence import CaseRun, HistoryExport

EVERY = timedelta(seconds=30)
BATCH = 50
AT_ONCE = 5
KEPT, LOST = "kept", "lost"
ERASED = "erased"  # the reason of one that ended after its case's key was destroyed
_CLOSING = frozenset(
    {
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIMED_OUT,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TERMINATED,
        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW,
    }
)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class RunHistory:
    """The history of one run; None with a `fault` where it cannot be had.

    `fault`: `history_lost` (the engine had deleted it, `reason` says more), `history_missing` (the file
    is gone), `history_changed` (the file is not what was exported), `history_erased`. `live`: not
    exported yet, read from the engine. `sha256` is that of the export.
    """

    run_id: str
    history: WorkflowHistory | None
    fault: str | None = None
    reason: str | None = None
    live: bool = False
    sha256: str | None = None


async def exporting(services: Services, every: timedelta = EVERY) -> None:
    """Export until cancelled; an outage is waited out, and its backlog caught up."""

    async def once() -> None:
        if exported := await export_ended(services):
            _log.info("histories exported", runs=exported)

    await keep_on("export of histories", once, every)


async def export_ended(services: Services) -> int:
    """Export the history of every ended run that has none; return how many were settled.

    Raises EngineUnavailable, DatabaseUnavailable.
    """
    settled, after = 0, ""
    while runs := await _ended(services, after):
        for start in range(0, len(runs), AT_ONCE):
            some = runs[start : start + AT_ONCE]
            settled += sum(await asyncio.gather(*(_export(services, run) for run in some)))
        after = runs[-1].run_id
    return settled


async def _ended(services: Services, after: str) -> Sequence[CaseRun]:
    wanted = (
        select(CaseRun)
        .where(CaseRun.state == "ended", CaseRun.run_id > after)
        .order_by(col(CaseRun.run_id))
        .limit(BATCH)
    )
    async with services.database.read() as session:
        return (await session.exec(wanted)).all()


async def _export(services: Services, run: CaseRun) -> bool:
    """Export one run; False where it still has messages to deliver, and is tried again."""
    at = await services.wall.now()
    history = await _fetched(services, run.case_id, run.run_id)
    if history is None:
        gone = HistoryExport(run_id=run.run_id, case_id=run.case_id, outcome=LOST, reason="not_found", at=at)
        _log.error("history lost", case_id=run.case_id, run_id=run.run_id)
        return await _settle(services, gone)
    if history.events[-1].event_type not in _CLOSING:
        return False
    async with services.database.read() as session:
        key = (await case_keys(session, services.keyring, [run.case_id])).get(run.case_id)
    if key is None:
        erased = HistoryExport(run_id=run.run_id, case_id=run.case_id, outcome=LOST, reason=ERASED, at=at)
        return await _settle(services, erased)
    content = await asyncio.to_thread(packed, history)
    sha256 = await Blobs(services.evidence.histories).put(run.case_id, key, content)
    made = HistoryExport(
        run_id=run.run_id,
        case_id=run.case_id,
        outcome=KEPT,
        sha256=sha256,
        events=len(history.events),
        size=len(content),
        at=at,
    )
    return await _settle(services, made, neighbours(history))


async def _settle(services: Services, made: HistoryExport, also: Sequence[str] = ()) -> bool:
    """Record what came of an export, and the runs beside it that never wrote into the ledger."""

    def record(session: Session) -> None:
        this = col(CaseRun.run_id) == made.run_id
        session.exec(update(CaseRun).where(this).values(state="settled"))
        for run_id in also:
            if session.get(CaseRun, run_id) is None:
                session.add(CaseRun(run_id=run_id, case_id=made.case_id, state="ended"))
        session.add(made)

    try:
        await services.database.write(record)
    except IntegrityError:  # another worker was first
        return False
    return True


def neighbours(history: WorkflowHistory) -> list[str]:
    """Return the runs before and after this one, where it continued another or was continued."""
    first = history.events[0].workflow_execution_started_event_attributes
    last = history.events[-1].workflow_execution_continued_as_new_event_attributes
    return [run for run in (first.continued_execution_run_id, last.new_execution_run_id) if run]


def packed(history: WorkflowHistory) -> bytes:
    """Return a history as it is kept: JSON, packed; the same history gives the same bytes."""
    return gzip.compress(history.to_json().encode(), mtime=0)


def unpacked(case_id: str, content: bytes) -> WorkflowHistory:
    """Return the history that `packed` packed. Raises ValueError, OSError where it is something else."""
    return WorkflowHistory.from_json(workflow_id(case_id), gzip.decompress(content).decode())


async def _fetched(services: Services, case_id: str, run_id: str | None) -> WorkflowHistory | None:
    """Return a history from the engine, None where the engine has none. Raises EngineUnavailable."""
    client = await services.engine.client()
    handle = client.get_workflow_handle(workflow_id(case_id), run_id=run_id)
    try:
        return await handle.fetch_history(rpc_timeout=WITHIN)
    except RPCError as error:
        # A cluster without our namespace is another cluster: nothing is known of ours.
        if error.status is RPCStatusCode.NOT_FOUND and "namespace" not in error.message.lower():
            return None
        raise EngineUnavailable(str(error)) from error
    except TimeoutError as error:
        raise EngineUnavailable(str(error)) from error


async def histories_of(services: Services, case_id: str) -> list[RunHistory]:
    """Return the history of every run of a case, from its export or from the engine, oldest first.

    Raises EngineUnavailable where one that was not exported yet is needed, DatabaseUnavailable.
    """
    async with services.database.read() as session:
        exports = (await session.exec(select(HistoryExport).where(HistoryExport.case_id == case_id))).all()
        runs = (await session.exec(select(CaseRun).where(CaseRun.case_id == case_id))).all()
        key = (await case_keys(session, services.keyring, [case_id])).get(case_id)
    found = [await _kept(services, export, key) for export in exports]
    done = {export.run_id for export in exports}
    open_runs = [run.run_id for run in runs if run.run_id not in done]
    if not found and not open_runs:  # written before runs were noted
        found.append(await _live(services, case_id, None))
    found += [await _live(services, case_id, run_id) for run_id in open_runs]
    return sorted(found, key=_started)


def _started(run: RunHistory) -> int:
    return run.history.events[0].event_time.ToNanoseconds() if run.history else 0


async def _live(services: Services, case_id: str, run_id: str | None) -> RunHistory:
    history = await _fetched(services, case_id, run_id)
    fault = None if history else "history_lost"
    return RunHistory(run_id or "", history, fault, "not_found" if fault else None, live=True)


async def _kept(services: Services, export: HistoryExport, key: object) -> RunHistory:
    if export.outcome == LOST and export.reason == ERASED:
        return RunHistory(export.run_id, None, "history_erased")
    if export.outcome != KEPT or export.sha256 is None:
        return RunHistory(export.run_id, None, "history_lost", export.reason)
    if key is None:
        return RunHistory(export.run_id, None, "history_erased", sha256=export.sha256)
    blobs = Blobs(services.evidence.histories)
    try:
        content = await blobs.get(export.case_id, key, export.sha256)  # type: ignore[arg-type]
        if hashlib.sha256(content).hexdigest() != export.sha256:
            return RunHistory(export.run_id, None, "history_changed", sha256=export.sha256)
        history = await asyncio.to_thread(unpacked, export.case_id, content)
    except UnsealError:
        return RunHistory(export.run_id, None, "history_changed", sha256=export.sha256)
    except OSError:
        return RunHistory(export.run_id, None, "history_missing", sha256=export.sha256)
    return RunHistory(export.run_id, history, sha256=export.sha256)
