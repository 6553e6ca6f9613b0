"""Working imports off, row by row, beside the relay.

Each row goes the way of the counter's filings (casework/filing.py), and its key comes once: a file that is
brought twice, by whomever, or a process that is killed and started again, files nothing twice.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlmodel import Session, col, delete, or_, select, update

from activities.erasing import overwrite_what_goes
from casework.errors import BadInput
from casework.filing import Origin
from casework.filing_once import file_once
from casework.imports import DRAFT, FILED, FINISHED, QUEUED, REFUSED, REPEATED, opened
from casework.keeping_on import keep_on
from casework.services import Services
from casework.viewer import Viewer
from models.filing import Filing
from models.imported import Import, ImportRow
from models.messages import Values
from rules.case.vocabulary import Role

EVERY = timedelta(seconds=3)
LEASE = timedelta(minutes=1)  # a process that was killed is waited for so long
AT_ONCE = 4  # filings: the counter's come first
BATCH = 40
DRAFTS_KEPT = timedelta(days=1)
_log = structlog.get_logger(__name__)


async def keep_importing(services: Services, every: timedelta = EVERY) -> None:
    """Work off what is queued until cancelled; an outage is waited out."""

    async def once() -> None:
        await drop_old_drafts(services)
        while (import_id := await _next(services)) is not None:
            await work_off(services, import_id)

    await keep_on("importing", once, every)


async def _next(services: Services) -> str | None:
    """Take the oldest queued import that nobody works on, for as long as a lease."""
    now = await services.wall.now()
    free = or_(col(Import.leased_to).is_(None), col(Import.leased_to) < now)
    wanted = select(Import.id).where(Import.status == QUEUED, free).order_by(col(Import.at)).limit(1)
    # Nearly always there is none: who only looks keeps no writer waiting.
    if await services.database.look(lambda session: session.exec(wanted).first()) is None:
        return None

    def take(session: Session) -> str | None:
        found = session.exec(wanted.with_for_update(skip_locked=True)).first()
        if found is not None:
            _lease(session, found, now)
        return found

    return await services.database.write(take)


def _lease(session: Session, import_id: str, now: datetime) -> None:
    session.exec(update(Import).where(col(Import.id) == import_id).values(leased_to=now + LEASE))


async def work_off(services: Services, import_id: str) -> None:
    """File what is left of an import, some rows at once; safe to do twice, also at the same time."""
    async with services.database.read() as session:
        work = await session.get_one(Import, import_id)
    while rows := await _waiting(services, import_id):
        # Before they are filed: the relay leaves alone what is in hand here.
        now = await services.wall.now()
        await services.database.write(lambda session, now=now: _lease(session, import_id, now))  # type: ignore[misc]
        turns = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(_file(services, work, row, turns) for row in rows))
    finished_at = await services.clock.now()

    def finish(session: Session) -> None:
        mine = col(Import.id) == import_id, col(Import.status) == QUEUED
        session.exec(update(Import).where(*mine).values(status=FINISHED, finished_at=finished_at))

    await services.database.write(finish)
    _log.info("import finished", import_id=import_id, rows=work.rows)


async def _waiting(services: Services, import_id: str) -> Sequence[ImportRow]:
    mine = ImportRow.import_id == import_id, col(ImportRow.outcome).is_(None)
    async with services.database.read() as session:
        return (
            await session.exec(select(ImportRow).where(*mine).order_by(col(ImportRow.row)).limit(BATCH))
        ).all()


async def _file(services: Services, work: Import, row: ImportRow, turns: asyncio.Semaphore) -> None:
    """File one row and note what came of it; form and key are gone with that note.

    The key is the number there, or could be guessed from the form: nothing would erase it with the case.
    """
    if row.form is None:
        return
    form, origin = opened(services, work, row, row.form)
    viewer = Viewer(work.username, work.name, Role.CLERK, work.hall)
    async with turns:
        outcome, reason, case_id = await _outcome(services, viewer, form, origin)

    def note(session: Session) -> None:
        overwrite_what_goes(session.connection())
        mine = col(ImportRow.import_id) == work.id, col(ImportRow.row) == row.row
        done = {"outcome": outcome, "reason": reason, "case_id": case_id, "form": None, "origin_key": ""}
        session.exec(update(ImportRow).where(*mine, col(ImportRow.outcome).is_(None)).values(done))

    await services.database.write(note)


async def _outcome(
    services: Services, viewer: Viewer, form: Values, origin: Origin
) -> tuple[str, str | None, str | None]:
    """Return what came of a row: outcome, reason, case. One filed by this import before is filed."""
    try:
        done, repeated = await file_once(services, viewer, form, origin)
    except BadInput as refusal:
        return REFUSED, next(iter(refusal.faults.values())), None
    case_id = str(done.case["id"])
    if not repeated:
        return FILED, None, case_id
    async with services.database.read() as session:
        filing = await session.get_one(Filing, case_id)
    return (FILED if filing.imported_at == origin.imported_at else REPEATED), None, case_id


async def drop_old_drafts(services: Services) -> None:
    """Forget files that were looked at and never queued: they hold personal data."""
    before = await services.clock.now() - DRAFTS_KEPT
    old = select(Import.id).where(Import.status == DRAFT, Import.at < before)
    if await services.database.look(lambda session: session.exec(old.limit(1)).first()) is None:
        return

    def drop(session: Session) -> None:
        session.exec(delete(ImportRow).where(col(ImportRow.import_id).in_(old)))
        session.exec(delete(Import).where(col(Import.status) == DRAFT, col(Import.at) < before))

    await services.database.write(drop)
