"""Importing cases: a file is looked at and kept, then queued by whoever brought it, to be worked off.

A row is kept sealed until it is filed, and not a moment longer.
"""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, exists, func, select

from casework.errors import Conflict, NotFound
from casework.filing import SCOPE, Origin
from casework.filing_once import filed_as
from casework.sent import body_hash
from casework.services import Services
from casework.spreadsheet import Fault
from casework.viewer import Viewer
from models.access_log import append
from models.case import Case
from models.filing import Filing
from models.imported import Import, ImportRow
from models.messages import Values
from rules.case.vocabulary import Role

DRAFT, QUEUED, FINISHED = "draft", "queued", "finished"
FILED, REPEATED, REFUSED = "filed", "repeated", "refused"
MAY_IMPORT = frozenset({Role.CLERK, Role.WINDOW_LEAD})
GONE = "import-not-draft"
LISTED = 20


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
    """What a file holds: good rows, and every fault of the others."""

    form: str
    hall: str
    sha256: str
    at: datetime
    rows: Sequence[Row] = ()
    faults: Sequence[Fault] = ()


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
    known = await filed_as(services, [row.origin.key for row in read.rows])
    new = sum(row.origin.key not in known for row in read.rows)
    # A number that came before with other words: the case stands as it is, and somebody has to look.
    other = await asyncio.to_thread(_otherwise, read.rows, known)
    rows = [row for row in read.rows if row.number not in other]
    faults = [*read.faults, *(Fault("", number, "编号", "已登记过，内容与这次不同") for number in other)]
    return Looked(rows, new, len(rows) - new, sorted(faults, key=lambda fault: fault.row))


def _otherwise(rows: Sequence[Row], known: Mapping[str, tuple[str, str]]) -> set[int]:
    """Return the numbers of rows that were filed before with other words. Only those filed are digested."""
    return {
        row.number
        for row in rows
        if (before := known.get(row.origin.key)) is not None and before[1] != row.digest
    }


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


def opened(services: Services, work: Import, row: ImportRow, sealed: str) -> tuple[Values, Origin]:
    """Return the filing of a row that waits, and where it comes from."""
    values = json.loads(services.keyring.open_text(sealed, _purpose(work.id, row.row)))
    received_at = datetime.fromisoformat(values["received_at"])
    return values["form"], Origin(row.origin_key, values["source"], values["reference"], received_at, work.at)


def _purpose(import_id: str, row: int) -> str:
    return f"import:{import_id}:{row}"


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


def came_at() -> ColumnElement[datetime]:
    """Return when a filing came here (T0 may lie a year back), as the index of those that wait has it."""
    return func.coalesce(Filing.imported_at, Filing.received_at)


def in_hand(wall: datetime) -> ColumnElement[bool]:
    """Return the condition that a filing is of a row whose import somebody works on: it is no one else's yet.

    When a file was brought says little of when its last row is filed. `wall` is the real clock.
    """
    return exists().where(
        col(ImportRow.origin_key) == col(Filing.origin_key),
        col(ImportRow.outcome).is_(None),
        col(Import.id) == col(ImportRow.import_id),
        col(Import.leased_to) >= wall,
    )


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
