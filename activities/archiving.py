"""Heads over the ledger: taken once for each time that one is due, sent out, the ledger checked."""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import httpx
from sqlalchemy import String, cast, func, literal, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, exists, select
from temporalio import activity

from activities.webhooks import Webhook
from models.access import AccessLog
from models.act import Act, item_key
from models.case import Case
from models.database import Database
from models.evidence import HeadLeaf, HeadPublication, HistoryExport, LedgerHead
from models.heads import Head, HeadFile, head_of, next_head
from models.merkle import Leaf
from models.signing import SigningKey
from rules.calendar import local

# The lock comes before the snapshot, which a SELECT (of an advisory lock, say) would take: who waited
# for it sees the head of whom he waited for.
_ONE_AT_A_TIME = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
    "LOCK TABLE ledger_heads IN SHARE ROW EXCLUSIVE MODE",
)


class Outlet(Protocol):
    """A way by which heads leave the system. ``name`` stands in the record of each publication."""

    name: str

    async def publish(self, file: HeadFile) -> None:
        """Hand one head over; twice does no harm. Raises on failure."""


class FileOutlet:
    """Writes each head into a folder, to be copied away, printed, or kept on write-once media."""

    name = "file"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def publish(self, file: HeadFile) -> None:
        """Write the head with its leaves, whole or not at all. Raises OSError."""
        await asyncio.to_thread(self._write, file)

    def path(self, head: Head) -> Path:
        """Return where a head is written."""
        return self._folder / f"{head.day.isoformat()}-{head.number:05d}.json"

    def _write(self, file: HeadFile) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=self._folder, prefix=".draft-")
        try:
            with open(descriptor, "wb") as written:
                written.write(file.write())
                written.flush()
                os.fsync(written.fileno())
            os.replace(draft, self.path(file.head))
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise


class WebhookOutlet:
    """Posts each head, without its leaves, signed, to one address."""

    name = "webhook"

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    async def publish(self, file: HeadFile) -> None:
        """Post the head. Raises `httpx.HTTPError`."""
        body = {"kind": "ledger_head", "head": file.head.values()}
        await self._webhook.post(body, f"ledger_head/{file.head.number}")


class ArchivingActivities:
    """What the evidence workflow asks for; `check` verifies the ledger and records the outcome."""

    def __init__(
        self,
        database: Database,
        signer: SigningKey,
        outlets: Sequence[Outlet],
        now: Callable[[], Awaitable[datetime]],
        check: Callable[[Callable[[], None]], Awaitable[bool]],
    ) -> None:
        self._database, self._signer, self._outlets = database, signer, outlets
        self._now, self._check = now, check

    @activity.defn(name="take_head")
    async def take(self, due_at: datetime) -> int:
        """Take the head that is due at an instant; return its number. Idempotent by that instant."""
        taken_at = await self._now()
        head = await self._database.write(lambda session: take_head(session, self._signer, due_at, taken_at))
        return head.number

    @activity.defn(name="publish_heads")
    async def publish(self) -> int:
        """Send out what has not left yet, oldest first; return how many. Raises what an outlet raises."""
        failures: list[Exception] = []
        sent = 0
        for outlet in self._outlets:
            try:
                sent += await self._publish(outlet)
            except (httpx.HTTPError, OSError) as error:  # a dead one must not hold up the other
                failures.append(error)
        if failures:
            raise failures[0]
        return sent

    async def _publish(self, outlet: Outlet) -> int:
        name = outlet.name
        waiting = await self._database.look(lambda session: unpublished(session, name))
        for number in waiting:
            file = await self._database.look(lambda session, number=number: read_head(session, number))  # type: ignore[misc]
            await outlet.publish(file)
            row = HeadPublication(head=number, outlet=name, at=await self._now())
            async with self._database.begin() as session:
                await session.merge(row)
        return len(waiting)

    @activity.defn(name="check_ledger")
    async def check(self) -> bool:
        """Verify the whole ledger; return whether it holds. What was found is kept for people to read."""
        return await self._check(activity.heartbeat)


def take_head(session: Session, signer: SigningKey, due_at: datetime, taken_at: datetime) -> Head:
    """Take a head, or return the one that was taken for this instant; first in a write transaction.

    One after the other, and over one snapshot: what commits meanwhile belongs to the next head.
    """
    if session.get_bind().dialect.name == "postgresql":
        for statement in _ONE_AT_A_TIME:
            session.execute(text(statement))
    there = session.exec(select(LedgerHead).where(LedgerHead.due_at == due_at)).first()
    if there is not None:
        return head_of(there)
    leaves = [*_cases(session), *_acts(session), *_histories(session), *_access(session)]
    counted = session.exec(select(func.count(), func.coalesce(func.sum(Case.seq), 0)).select_from(Case)).one()
    head = next_head(
        newest_head(session),
        leaves,
        due_at=due_at,
        day=local(due_at).date(),
        taken_at=taken_at,
        cases=int(counted[0]),
        events=int(counted[1]),
    ).signed(signer)
    session.add(LedgerHead(**head.__dict__))
    session.flush()
    if leaves:
        rows = [leaf.values() | {"head": head.number} for leaf in leaves]
        session.execute(HeadLeaf.__table__.insert(), rows)  # type: ignore[attr-defined]
    return head


def newest_head(session: Session) -> Head | None:
    """Return the newest head, None where none was taken yet."""
    row = session.exec(select(LedgerHead).order_by(col(LedgerHead.number).desc()).limit(1)).first()
    return head_of(row) if row else None


def read_head(session: Session, number: int) -> HeadFile:
    """Return a head with its leaves. Raises `sqlalchemy.exc.NoResultFound`."""
    head = head_of(session.get_one(LedgerHead, number))
    rows = session.exec(select(HeadLeaf).where(HeadLeaf.head == number)).all()
    return HeadFile(head, tuple(sorted(Leaf(row.kind, row.key, row.seq, row.hash) for row in rows)))


def unpublished(session: Session, outlet: str) -> list[int]:
    """Return the numbers of the heads that have not left by this outlet, oldest first."""
    left = exists().where(
        col(HeadPublication.head) == col(LedgerHead.number), col(HeadPublication.outlet) == outlet
    )
    return list(session.exec(select(LedgerHead.number).where(~left).order_by(col(LedgerHead.number))))


def _cases(session: Session) -> list[Leaf]:
    """Return the cases that moved since a head held on to them."""
    same = (col(HeadLeaf.key) == col(Case.id), col(HeadLeaf.seq) == col(Case.seq))
    held = exists().where(col(HeadLeaf.kind) == "case", *same)
    rows = session.exec(select(Case.id, Case.seq, Case.last_hash).where(~held)).all()
    return [Leaf("case", *row) for row in rows]


def _acts(session: Session) -> list[Leaf]:
    """Return the bulletins and typical cases to which something was done since a head held on to them."""
    later = aliased(Act)
    newer = exists().where(
        col(later.kind) == col(Act.kind), col(later.item) == col(Act.item), col(later.seq) > col(Act.seq)
    )
    key = col(Act.kind) + literal("/") + cast(col(Act.item), String)
    same = (col(HeadLeaf.key) == key, col(HeadLeaf.seq) == col(Act.seq))
    held = exists().where(col(HeadLeaf.kind) == "act", *same)
    rows = session.exec(select(Act.kind, Act.item, Act.seq, Act.hash).where(~newer, ~held)).all()
    return [Leaf("act", item_key(kind, item), seq, digest) for kind, item, seq, digest in rows]


def _histories(session: Session) -> list[Leaf]:
    held = exists().where(col(HeadLeaf.kind) == "history", col(HeadLeaf.key) == col(HistoryExport.run_id))
    wanted = select(HistoryExport.run_id, HistoryExport.events, HistoryExport.sha256)
    rows = session.exec(wanted.where(col(HistoryExport.sha256).is_not(None), ~held)).all()
    return [Leaf("history", run_id, events, sha256 or "") for run_id, events, sha256 in rows]


def _access(session: Session) -> list[Leaf]:
    row = session.exec(select(AccessLog).order_by(col(AccessLog.id).desc()).limit(1)).first()
    return [Leaf("access", "", row.id or 0, row.hash)] if row else []
