"""Importing cases: a file is looked at and kept, queued by whoever brought it, and worked off row by row.

Each row goes the way of the counter's filings (casework/filing.py), and its key comes once: a file that is
brought twice, by whomever, or a process that is killed and started again, files nothing twice. A row is
kept sealed until it is filed, and not a moment longer.
"""

import asyncio
import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, delete, func, or_, select, update

from casework.errors import BadInput, Conflict, NotFound
from casework.filing import SCOPE, Filed, Origin, file_case
from casework.moments import shown
from casework.public_view import track_view
from casework.sent import body_hash
from casework.services import Services
from casework.spreadsheet import Fault
from casework.viewer import Viewer
from models.access_log import append
from models.case import Case
from models.database import DatabaseUnavailable
from models.filing import Filing
from models.imported import Import, ImportRow
from models.messages import Values
from rules.case.vocabulary import Role, Status

DRAFT, QUEUED, FINISHED = "draft", "queued", "finished"
FILED, REPEATED, REFUSED = "filed", "repeated", "refused"
OTHER_CONTENT = "reference_reused"
MAY_IMPORT = frozenset({Role.CLERK, Role.WINDOW_LEAD})
GONE = "import-not-draft"

EVERY = timedelta(seconds=3)
LEASE = timedelta(minutes=1)  # a process that was killed is waited for so long
AT_ONCE = 4  # filings: the counter's come first
BATCH = 40
DRAFTS_KEPT = timedelta(days=1)
LISTED = 20
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, repr=False)
class Row:
    """A row that can be filed: its number in the file, the filing, and where it comes from."""

    number: int
    form: Values
    origin: Origin

    @property
    def digest(self) -> str:
        """Return the digest that the filing is known by."""
        return body_hash(SCOPE, self.form)


@dataclass(frozen=True, repr=False)
class Read:
    """What a file holds: good rows, every fault of the others, and headings that nobody knows."""

    form: str
    hall: str
    sha256: str
    at: datetime
    rows: Sequence[Row] = ()
    faults: Sequence[Fault] = ()
    ignored: Sequence[str] = ()


@dataclass(frozen=True)
class Looked:
    """A file as it would be imported: the rows that can be, how many of them are new, and the faults."""

    rows: Sequence[Row]
    new: int
    repeated: int
    faults: Sequence[Fault]


@dataclass(frozen=True)
class Shown:
    """An import as it stands: rows by outcome, and for each row that is done its number and case."""

    row: Import
    counts: Mapping[str | None, int]
    done: Sequence[tuple[ImportRow, str | None]]

    @property
    def waiting(self) -> int:
        """How many rows are still to be filed."""
        return self.counts.get(None, 0)


async def look_at(services: Services, read: Read) -> Looked:
    """Hold a file against what was filed before: a dry run. Raises DatabaseUnavailable."""
    known = await _known(services, [row.origin.key for row in read.rows])
    new = sum(row.origin.key not in known for row in read.rows)
    # A number that came before with other words: the case stands as it is, and somebody has to look.
    other = [row for row in read.rows if known.get(row.origin.key, ("", row.digest))[1] != row.digest]
    rows = [row for row in read.rows if row not in other]
    faults = [*read.faults, *(Fault("", row.number, "编号", "已登记过，内容与这次不同") for row in other)]
    return Looked(rows, new, len(rows) - new, sorted(faults, key=lambda fault: fault.row))


async def bring(services: Services, viewer: Viewer, read: Read, looked: Looked) -> str:
    """Keep a file that was looked at as a draft; return the id. Role is the caller's to check."""
    made = Import(
        id=str(uuid.uuid4()),
        hall=read.hall,
        form=read.form,
        username=viewer.username,
        name=viewer.name,
        sha256=read.sha256,
        at=read.at,
        rows=len(looked.rows),
        faults=[[fault.row, fault.column, fault.what] for fault in looked.faults],
    )

    def store(session: Session) -> None:
        session.add(made)
        session.flush()
        for row in looked.rows:
            session.add(_kept(services, made.id, row))

    import_id = made.id
    await services.database.write(store)
    return import_id


def _kept(services: Services, import_id: str, row: Row) -> ImportRow:
    origin = row.origin
    values = {
        "form": row.form,
        "source": origin.source,
        "reference": origin.reference,
        "received_at": origin.received_at.isoformat(),
    }
    text = json.dumps(values, ensure_ascii=False)
    sealed = services.keyring.seal_text(text, _purpose(import_id, row.number))
    return ImportRow(import_id=import_id, row=row.number, origin_key=origin.key, form=sealed)


async def queue(services: Services, viewer: Viewer, import_id: str, address: str | None) -> None:
    """Let a draft be filed; that is on the access log. A second time changes nothing.

    Raises `NotFound`, `Conflict` where the draft is gone.
    """
    at = await services.wall.now()
    async with services.database.begin() as session:
        found = (await session.exec(select(Import).where(Import.id == import_id).with_for_update())).first()
        if found is None or found.hall != viewer.hall:
            raise NotFound("import")
        if found.status != DRAFT:
            return
        if not found.rows:
            raise Conflict(GONE)
        found.status = QUEUED
        session.add(found)
        await session.flush()
        reason = f"{found.form}: {found.rows} rows, sha256 {found.sha256}"
        who = {"username": viewer.username, "address": address}
        await append(session, at=at, action="cases_imported", reason=reason, **who)


async def read_import(services: Services, viewer: Viewer, import_id: str) -> Shown:
    """Return an import of the viewer's hall. Raises `NotFound`."""
    async with services.database.read() as session:
        row = await session.get(Import, import_id)
        if row is None or row.hall != viewer.hall:
            raise NotFound("import")
        mine = ImportRow.import_id == import_id
        counted = select(ImportRow.outcome, func.count()).where(mine).group_by(col(ImportRow.outcome))
        counts = dict((await session.exec(counted)).all())
        wanted = (
            select(ImportRow, Case.number)
            .join(Case, col(Case.id) == ImportRow.case_id, isouter=True)
            .where(mine, col(ImportRow.outcome).is_not(None))
            .order_by(col(ImportRow.row))
        )
        done = (await session.exec(wanted)).all()
    return Shown(row, counts, done)


async def imports_of(services: Services, viewer: Viewer) -> Sequence[Import]:
    """Return the newest imports of the viewer's hall."""
    mine = Import.hall == viewer.hall, Import.status != DRAFT
    async with services.database.read() as session:
        return (
            await session.exec(select(Import).where(*mine).order_by(col(Import.at).desc()).limit(LISTED))
        ).all()


async def keep_importing(services: Services, every: timedelta = EVERY) -> None:
    """Work off what is queued until cancelled; an outage is waited out."""
    while True:
        try:
            await drop_old_drafts(services)
            while (import_id := await _next(services)) is not None:
                await work_off(services, import_id)
        except DatabaseUnavailable as error:
            _log.warning("imports wait", error=str(error)[:200])
        except Exception:
            # What is queued must not wait for a restart of the worker.
            _log.exception("importing failed and goes on")
        await asyncio.sleep(every.total_seconds())


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
        turns = asyncio.Semaphore(AT_ONCE)
        await asyncio.gather(*(_file(services, work, row, turns) for row in rows))
        now = await services.wall.now()
        await services.database.write(lambda session, now=now: _lease(session, import_id, now))  # type: ignore[misc]
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
    """File one row and note what came of it; its form is gone with that note."""
    if row.form is None:
        return
    values = json.loads(services.keyring.open_text(row.form, _purpose(work.id, row.row)))
    received_at = datetime.fromisoformat(values["received_at"])
    origin = Origin(row.origin_key, values["source"], values["reference"], received_at, work.at)
    viewer = Viewer(work.username, work.name, Role.CLERK, work.hall)
    async with turns:
        outcome, reason, case_id = await _outcome(services, viewer, values["form"], origin)

    def note(session: Session) -> None:
        mine = col(ImportRow.import_id) == work.id, col(ImportRow.row) == row.row
        done = {"outcome": outcome, "reason": reason, "case_id": case_id, "form": None}
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


async def file_once(services: Services, viewer: Viewer, form: Values, origin: Origin) -> tuple[Filed, bool]:
    """File a case of another system, unless it was filed before; say which of the two.

    Of one that was, the answer is its id alone. Raises `BadInput` where it came before with other words,
    DatabaseUnavailable.
    """
    digest = body_hash(SCOPE, form)
    for _ in range(2):
        if (before := (await _known(services, [origin.key])).get(origin.key)) is not None:
            case_id, known = before
            if known != digest:
                raise BadInput({"reference": OTHER_CONTENT})
            return Filed(200, {"id": case_id}), True
        try:
            return await file_case(services, viewer, form, None, origin), False
        except IntegrityError:  # the same at the same instant: the other one was first
            continue
    raise DatabaseUnavailable("an import met itself again and again")


async def filed_before(services: Services, case_id: str) -> Values:
    """Return what the system that a case came from may know of it as it stands now."""
    async with services.database.read() as session:
        filing = await session.get_one(Filing, case_id)
        case = await session.get(Case, case_id)
    return {
        "id": case_id,
        "number": filing.number,
        "hall": case.hall if case else filing.hall,
        "status": case.status if case else Status.REGISTERED,
        "received_at": shown(filing.received_at),
        "due_at": shown(case.due_at) if case else None,
        "reference": {"source": filing.source, "number": filing.reference},
    }


async def told_of(services: Services, key: str) -> Values:
    """Return how a case of another system stands, and what its citizen was told last. Raises `NotFound`."""
    async with services.database.read() as session:
        filing = (await session.exec(select(Filing).where(Filing.origin_key == key))).first()
    if filing is None:
        raise NotFound("case")
    seen = await track_view(services, filing)
    told = {name: seen[name] for name in ("closed_at", "reply")}
    return await filed_before(services, filing.case_id) | told


async def _known(services: Services, keys: Collection[str]) -> dict[str, tuple[str, str]]:
    """Return id and digest of what was filed before, by its key."""
    found: dict[str, tuple[str, str]] = {}
    wanted: Any = select(Filing.origin_key, Filing.case_id, Filing.body_hash)
    listed = sorted(keys)
    async with services.database.read() as session:
        for start in range(0, len(listed), 500):
            some = wanted.where(col(Filing.origin_key).in_(listed[start : start + 500]))
            found |= {row[0]: (row[1], row[2]) for row in (await session.exec(some)).all()}
    return found


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


def _purpose(import_id: str, row: int) -> str:
    return f"import:{import_id}:{row}"
