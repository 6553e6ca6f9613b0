"""Erasure of personal data by itself, once the policy's period after archiving has ended.

The database first, in one transaction with its line on the access log; then the list outside of the
database and the files. A kill in between leaves files that nothing opens, and the next pass deletes them.
A case goes by the policy that it was accepted under; a hold keeps it.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import Session, and_, col, exists, false, or_, select, text, update
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.erasing import erase_rows
from casework.blobs import Blobs
from casework.services import Services
from casework.texts import is_code
from models.access_log import append
from models.case import Case
from models.database import DatabaseUnavailable
from models.directory import Hall
from models.retention import Erasure, ErasureHold
from models.terms import PolicyVersion
from rules.retention import Retention

EVERY = timedelta(minutes=15)
BATCH = 200
PERIOD, AGAIN = "retention period over", "erased before, restored from a backup"
"""Why, on the access log."""
_log = structlog.get_logger(__name__)

# Written out, as the index of them has it: a parameter would not meet its condition.
STANDS = text("NOT cases.erased")
"""Its key is there, so its texts can be read."""
_ARCHIVED = text("cases.status = 'archived'")
HELD = exists().where(col(ErasureHold.case_id) == col(Case.id), col(ErasureHold.lifted_at).is_(None))


class NotAList(Exception):
    """A file that was to name erased cases is something else; the message says which."""


async def keep_erasing(services: Services, every: timedelta = EVERY) -> None:
    """Erase until cancelled; an outage is waited out. Any number of processes may do so at once."""
    listed = False
    while True:
        try:
            if not listed:  # what a restore brought back was erased before, and is so again
                await _erase_again(services)
                listed = True
            if erased := await erase_due(services):
                _log.info("personal data erased", cases=erased)
        except DatabaseUnavailable as error:
            _log.warning("erasure waits", error=str(error)[:200])
        except Exception:
            # What is due must not wait for a restart of the worker.
            _log.exception("erasure failed and goes on")
        await asyncio.sleep(every.total_seconds())


async def _erase_again(services: Services) -> None:
    try:
        listed = read_list(services.erased_list)
    except NotAList as error:  # what is due by its period must not wait for it to be mended
        _log.error("list of erased cases is not readable", error=str(error))
        return
    if erased := await erase_listed(services, listed):
        _log.warning("personal data erased again", cases=erased)


@dataclass(frozen=True)
class Place:
    """A case as a walk over those to be erased finds it; `archived_at` is UTC."""

    case_id: str
    number: str
    hall: str
    policy_id: str
    archived_at: datetime
    received_at: datetime


async def erase_due(services: Services) -> int:
    """Erase every case whose period has ended and that nothing holds; return how many.

    Raises DatabaseUnavailable, OSError.
    """
    await _finish_all(services)
    erased, now = 0, await services.clock.now()
    async with services.database.read() as session:
        halls = (await session.exec(select(Hall.code).order_by(Hall.code))).all()
    for hall in halls:
        after: Place | None = None
        while True:
            async with services.database.read() as session:
                walk = await walk_of(session, services, now)
                found = await walk.some([hall], BATCH, after, held=False)
            for place in found:
                erased += await _erase(services, place.case_id, now, PERIOD)
            if len(found) < BATCH:
                break
            after = found[-1]
    return erased


async def erase_listed(services: Services, case_ids: Iterable[str]) -> int:
    """Erase cases again that a restore from an older backup brought back; return how many those were.

    A hold does not keep what was erased already. What is not archived is passed over: no list speaks for
    it. Raises DatabaseUnavailable, OSError.
    """
    ids, erased = sorted(set(case_ids)), 0
    for start in range(0, len(ids), BATCH):
        some = ids[start : start + BATCH]
        wanted = select(Case.id).where(col(Case.id).in_(some), _ARCHIVED, STANDS)
        async with services.database.read() as session:
            back = (await session.exec(wanted)).all()
        for case_id in back:
            erased += await _erase(services, case_id, await services.clock.now(), AGAIN)
    return erased


async def _erase(services: Services, case_id: str, now: datetime, why: str) -> int:
    """Erase one case if that is still right; return how many were."""
    at = await services.wall.now()
    async with services.database.begin() as session:
        conditions: list[Any] = [Case.id == case_id, _ARCHIVED, STANDS]
        if why == PERIOD:
            conditions += [(await walk_of(session, services, now)).over, ~HELD]
        # Locked first, judged by a statement of its own: who came before has committed by then.
        await session.exec(select(Case.id).where(Case.id == case_id).with_for_update())
        case = (await session.exec(select(Case).where(*conditions))).first()
        if case is None:  # held meanwhile, or another worker was first
            return 0
        connection = await session.connection()
        if not await connection.run_sync(erase_rows, services.keyring, case_id, now):
            return 0  # by a worker of a release that did not mark it: noted then, and marked now
        session.add(
            Erasure(
                case_id=case_id,
                number=case.number or "",
                hall=case.hall,
                policy_id=case.policy_id,
                archived_at=case.updated_at,
                erased_at=now,
                files_gone_at=None,
            )
        )
        await session.flush()
        await append(session, at=at, action="erased", case_id=case_id, reason=why)
    await _finish(services, case_id, now)
    return 1


async def _finish_all(services: Services) -> None:
    """Delete what a process that was killed has left on disk."""
    wanted = select(Erasure.case_id, Erasure.erased_at).where(col(Erasure.files_gone_at).is_(None))
    async with services.database.read() as session:
        left = (await session.exec(wanted)).all()
    for case_id, erased_at in left:
        await _finish(services, case_id, erased_at)


async def _finish(services: Services, case_id: str, erased_at: datetime) -> None:
    """Put an erased case on the list, and delete its files. Doing it twice is doing it once."""
    await asyncio.to_thread(_note, services.erased_list, f"{case_id} {erased_at.isoformat()}\n")
    await Blobs(services.attachments).drop_all(case_id)
    if services.given_evidence is not None:
        await Blobs(services.given_evidence.histories).drop_all(case_id)
    gone_at = await services.clock.now()

    def note(session: Session) -> None:
        mine = col(Erasure.case_id) == case_id
        session.exec(update(Erasure).where(mine).values(files_gone_at=gone_at))

    await services.database.write(note)


def _note(path: Path, line: str) -> None:
    """Append a line, on disk when this returns; lines of two processes don't mix."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_list(path: Path) -> list[str]:
    """Return the ids of a list of erased cases, none where there is no file. Raises OSError, `NotAList`.

    A last line that a power cut broke off is passed over: its case is on no list yet.
    """
    if not path.exists():
        return []
    text = path.read_bytes().decode(errors="replace")
    words = [line.split() for line in text.splitlines() if line.strip()]
    if any(not is_code(word[0]) for word in words):
        raise NotAList(f"{path} is no list of erased cases")
    return [word[0] for word in words if len(word) > 1]


@dataclass(frozen=True)
class Walk:
    """The archived cases that still have their key, by policy: the `over` ones and the `announced` ones.

    None was archived after `newest`, nor received.
    """

    session: AsyncSession
    over: ColumnElement[bool]
    announced: ColumnElement[bool]
    newest: datetime

    async def some(
        self, halls: Sequence[str], most: int, after: Place | None = None, held: bool | None = None
    ) -> list[Place]:
        """Return the first ones of these halls whose period is over, by when they were received."""
        conditions = [self.over] if held is None else [self.over, HELD if held else ~HELD]
        return await self._read(halls, conditions, most, after)

    async def coming(self, halls: Sequence[str], most: int) -> list[Place]:
        """Return those of these halls that are over, or will be soon; held ones too."""
        return await self._read(halls, [self.announced], most, None)

    async def _read(
        self, halls: Sequence[str], conditions: list[ColumnElement[bool]], most: int, after: Place | None
    ) -> list[Place]:
        old = col(Case.hall).in_(halls), Case.received_at <= self.newest
        wanted = select(*_PLACE).where(_ARCHIVED, STANDS, *old, *conditions)
        if after is not None:
            later = and_(Case.received_at == after.received_at, Case.id > after.case_id)
            wanted = wanted.where(or_(Case.received_at > after.received_at, later))
        wanted = wanted.order_by(col(Case.received_at), col(Case.id)).limit(most)
        return [Place(*row) for row in (await self.session.exec(wanted)).all()]


_PLACE: tuple[Any, ...] = (
    *(Case.id, Case.number, Case.hall, Case.policy_id),
    *(Case.updated_at, Case.received_at),
)


async def walk_of(session: AsyncSession, services: Services, now: datetime) -> Walk:
    """Return what is to be erased at an instant, policy by policy."""
    policies = (await session.exec(select(PolicyVersion.id).distinct())).all()
    periods: dict[str, Retention] = {policy: services.retention_of(policy) for policy in policies}
    newest = max((each.announced_to(now) for each in periods.values()), default=now)
    return Walk(
        session,
        _by_policy({policy: each.over(now) for policy, each in periods.items()}),
        _by_policy({policy: each.announced_to(now) for policy, each in periods.items()}),
        newest,
    )


def _by_policy(archived_to: dict[str, datetime]) -> ColumnElement[bool]:
    """Archiving is the last event that a case can have, so that `updated_at` is when it happened."""
    return or_(
        false(),
        *(
            and_(Case.policy_id == policy, Case.updated_at <= instant)
            for policy, instant in archived_to.items()
        ),
    )
