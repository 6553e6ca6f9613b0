"""Heads over the ledger, seen from outside the worker: starting their workflow, reading them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError
from sqlalchemy import text
from sqlmodel import Session, col, func, select
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError

from activities.archiving import FileOutlet, read_head, take_head
from casework.engine import WITHIN, Engine, EngineUnavailable
from casework.errors import NotFound
from casework.findings import Finding, NotEvidence
from casework.services import Services
from models.evidence import CaseRun, HeadPublication, HistoryExport, LedgerCheck, LedgerHead
from models.heads import Head, HeadFile, head_of
from workflows.evidence import HEADS_ID, LedgerHeadsWorkflow
from workflows.queues import CASES

SHOWN = 60  # heads on the page: two months

# Word for word the conditions of partial indexes: a bound value would hide them from a planner.
_ENDED = text("case_runs.state = 'ended'")
_LOST = text("history_exports.outcome = 'lost'")


@dataclass(frozen=True)
class Check:
    """What came of the latest verification of the whole ledger."""

    at: datetime
    ok: bool
    cases: int
    events: int
    heads: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Overview:
    """What the page of evidence shows. `sent` names the ways by which each head has left."""

    heads: Sequence[Head]
    sent: dict[int, list[str]]
    check: Check | None
    waiting: int
    lost: int
    key: dict[str, str] = field(default_factory=dict)


async def start_heads(engine: Engine) -> None:
    """Start the workflow that takes heads, unless it runs. Raises EngineUnavailable."""
    client = await engine.client()
    try:
        await client.start_workflow(
            LedgerHeadsWorkflow.run,
            id=HEADS_ID,
            task_queue=CASES,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            rpc_timeout=WITHIN,
        )
    except (RPCError, TimeoutError) as error:
        raise EngineUnavailable(str(error)) from error


async def take_now(services: Services) -> Path:
    """Take a head at once, beside the daily ones, and write its file; return where that is."""
    return await take_late(services, await services.clock.now())


async def take_late(services: Services, due_at: datetime) -> Path:
    """Take now the head that was due at an instant, unless it is there, and write its file."""
    now = await services.clock.now()
    signer = services.evidence.signer
    head = await services.database.write(lambda session: take_head(session, signer, due_at, now))
    outlet = FileOutlet(services.evidence.heads)
    await outlet.publish(await head_file(services, head.number))
    async with services.database.begin() as session:
        await session.merge(HeadPublication(head=head.number, outlet=outlet.name, at=now))
    return outlet.path(head)


async def public_key(services: Services) -> str:
    """Return the key that heads and dossiers of today are verified with."""
    return services.evidence.signer.public.text


async def head_file(services: Services, number: int) -> HeadFile:
    """Return a head with its leaves. Raises `NotFound`."""

    def read(session: Session) -> HeadFile | None:
        return read_head(session, number) if session.get(LedgerHead, number) else None

    file = await services.database.look(read)
    if file is None:
        raise NotFound("head")
    return file


async def overview(services: Services) -> Overview:
    """Return the newest heads, how they left, what the latest check found, and the backlog of exports."""

    def read(session: Session) -> Overview:
        wanted = select(LedgerHead).order_by(col(LedgerHead.number).desc()).limit(SHOWN)
        heads = [head_of(row) for row in session.exec(wanted)]
        sent: dict[int, list[str]] = {head.number: [] for head in heads}
        for row in session.exec(select(HeadPublication).where(col(HeadPublication.head).in_(sent))):
            sent[row.head].append(row.outlet)
        check = session.exec(select(LedgerCheck).order_by(col(LedgerCheck.id).desc()).limit(1)).first()
        waiting = session.exec(select(func.count()).select_from(CaseRun).where(_ENDED)).one()
        lost = session.exec(select(func.count()).select_from(HistoryExport).where(_LOST)).one()
        return Overview(heads, sent, _check(check) if check else None, waiting, lost)

    found = await services.database.look(read)
    public = services.evidence.signer.public
    return Overview(**found.__dict__ | {"key": {"id": public.key_id, "text": public.text}})


def _check(row: LedgerCheck) -> Check:
    findings = tuple(map(Finding.of, row.findings))
    return Check(row.at, row.ok, row.cases, row.events, row.heads, findings)


def read_published(paths: Sequence[Path]) -> list[HeadFile]:
    """Return heads that were published before, from files or from folders of them.

    A file may be one as we write it, or the JSON that the webhook got. Raises NotEvidence, OSError.
    """
    files: list[HeadFile] = []
    for path in paths:
        for each in sorted(path.glob("*.json")) if path.is_dir() else [path]:
            try:
                files.append(HeadFile.read(each.read_bytes()))
            except ValidationError as error:
                raise NotEvidence(f"{each} 不是台账封签") from error
    return files
