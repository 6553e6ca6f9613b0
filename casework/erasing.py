"""Erasure of personal data by itself, once the policy's period after archiving has ended.

The database first, in one transaction with its line on the access log; then the list outside of the
database and the files. A kill in between leaves files that nothing opens, and the next pass deletes them.
A case goes by the policy that it was accepted under; a hold keeps it. Where the policy's file was not read,
or the clock may be ahead, nothing goes.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlmodel import Session, col, select, update

from activities.erasing import erase_rows
from casework.blobs import Blobs
from casework.erased_list import NotAList, note_erased, read_list
from casework.erasure_due import ARCHIVED, HELD, STANDS, Place, Withheld, walk_of, withheld_now
from casework.keeping_on import keep_on
from casework.services import Services
from models.access_log import append
from models.case import Case
from models.directory import Hall
from models.retention import Erasure

EVERY = timedelta(minutes=15)
BATCH = 200
MOST_LINES = 50  # of damaged ones, by number, in the log
PERIOD, AGAIN = "retention period over", "erased before, restored from a backup"
"""Why, on the access log."""
_log = structlog.get_logger(__name__)


async def keep_erasing(services: Services, every: timedelta = EVERY) -> None:
    """Erase until cancelled; an outage is waited out. Any number of processes may do so at once."""
    listed, told = False, Withheld()

    async def once() -> None:
        nonlocal listed, told
        if not listed:  # what a restore brought back was erased before, and is so again
            await _erase_again(services)
            listed = True
        if erased := await erase_due(services):
            _log.info("personal data erased", cases=erased)
        if (withheld := await withheld_now(services)) != told:
            _log.warning("erasure withheld", unread=withheld.unread, clock=withheld.clock)
            told = withheld

    await keep_on("erasure", once, every)


async def _erase_again(services: Services) -> None:
    try:
        listed = read_list(services.erased_list)
    except NotAList as error:  # what is due by its period must not wait for it to be mended
        _log.error("list of erased cases is not readable", error=str(error))
        return
    if listed.bad:
        _log.error(
            "lines of the list of erased cases skipped", count=len(listed.bad), lines=listed.bad[:MOST_LINES]
        )
    if erased := await erase_listed(services, listed.cases):
        _log.warning("personal data erased again", cases=erased)


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
        wanted = select(Case.id).where(col(Case.id).in_(some), ARCHIVED, STANDS)
        async with services.database.read() as session:
            back = (await session.exec(wanted)).all()
        for case_id in back:
            erased += await _erase(services, case_id, await services.clock.now(), AGAIN)
    return erased


async def _erase(services: Services, case_id: str, now: datetime, why: str) -> int:
    """Erase one case if that is still right; return how many were."""
    at = await services.wall.now()
    async with services.database.begin() as session:
        conditions: list[Any] = [Case.id == case_id, ARCHIVED, STANDS]
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
    await asyncio.to_thread(note_erased, services.erased_list, case_id, erased_at)
    await Blobs(services.attachments).drop_all(case_id)
    if services.given_evidence is not None:
        await Blobs(services.given_evidence.histories).drop_all(case_id)
    gone_at = await services.clock.now()

    def note(session: Session) -> None:
        mine = col(Erasure.case_id) == case_id
        session.exec(update(Erasure).where(mine).values(files_gone_at=gone_at))

    await services.database.write(note)
