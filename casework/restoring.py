"""Restoring a backup into an empty system, on either database; afterwards everything is verified.

First the whole file is read and compared with its manifest; only then anything is touched. The rows go in
in one transaction, after the files: ended at any moment, the system is empty still, and the same restore
can be run again. The open cases' workflows are then started from the ledger by the next worker
(`casework/resuming.py`): a restored database knows no engine.
"""

import asyncio
import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import select

from casework.archive import ArchiveReader as Archive
from casework.archive import BadArchive, DumpedFile, Manifest
from casework.backup import CHECKED
from casework.blobs import Blobs
from casework.histories import KEPT
from casework.house_keys import read_house_keys
from casework.ledger_texts import case_keys
from casework.services import Services
from casework.verifying import LedgerReport, verify_ledger
from models.attachment import Attachment
from models.crypto import UnsealError
from models.dumping import count_on, load_rows
from models.evidence import HistoryExport
from models.house_key import KnownEngine
from models.migrate import alembic_config, downgrade, migration_engine, upgrade

PAGE = 500
# What people wrote or did: with any row in one of these a database is not empty.
_TELLING = ("halls", "users", "filings", "cases", "events", "access_log", "ledger_heads")
_CASE_FOLDERS = ("attachments", "histories")


class NotEmpty(Exception):
    """There is something already; ``what`` names it."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class NewerBackup(Exception):
    """The backup is of a schema that this version does not know; ``revision`` names it."""

    def __init__(self, revision: str) -> None:
        super().__init__(revision)
        self.revision = revision


class WrongKeys(Exception):
    """The keys of the settings don't open what is in the backup."""


@dataclass(frozen=True)
class Restored:
    """What was restored, and what verifying it found. `bad_files` can't be opened or are not as recorded."""

    manifest: Manifest
    ledger: LedgerReport
    bad_files: Sequence[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return self.ledger.ok and not self.bad_files


async def restore(services: Services, url: str, path: Path) -> Restored:
    """Restore a backup into the database at `url` and the folders of the services; verify it.

    Raises BadArchive, `NewerBackup`, `WrongKeys`, `NotEmpty` with nothing done; OSError,
    DatabaseUnavailable with nothing left behind but empty tables.
    """
    folder = services.attachments.parent
    with await asyncio.to_thread(Archive, path) as archive:
        manifest = archive.manifest
        _refuse_newer(url, manifest.revision)
        _refuse_wrong_keys(services, manifest)
        await asyncio.to_thread(archive.verify)
        await _refuse_rows(url)
        _refuse_files(folder, manifest.files)
        written = await asyncio.to_thread(_write_files, archive, folder)
        try:
            await _load(archive, url)
        except BaseException:
            for each in written:
                each.unlink(missing_ok=True)
            raise
    await upgrade(url)
    # A backup from before engines were known: its migration has put in that of today.
    await services.database.write(lambda session: session.execute(delete(KnownEngine)))
    await read_house_keys(services)
    ledger = await verify_ledger(services)
    return Restored(manifest, ledger, await bad_files(services))


def _refuse_newer(url: str, revision: str) -> None:
    known = {each.revision for each in ScriptDirectory.from_config(alembic_config(url)).walk_revisions()}
    if revision not in known:
        raise NewerBackup(revision)


def _refuse_wrong_keys(services: Services, manifest: Manifest) -> None:
    try:
        services.keyring.open_text(manifest.check, CHECKED)
    except UnsealError as error:
        raise WrongKeys(str(error)) from error


async def _refuse_rows(url: str) -> None:
    engine = migration_engine(url)
    try:
        async with engine.connect() as connection:
            if table := await connection.run_sync(_telling_table):
                raise NotEmpty(f"table {table}")
    finally:
        await engine.dispose()


def _telling_table(connection: Connection) -> str | None:
    there = set(inspect(connection).get_table_names())
    for table in _TELLING:
        if table in there and connection.execute(text(f"SELECT 1 FROM {table} LIMIT 1")).first():
            return table
    return None


def _refuse_files(folder: Path, files: Sequence[DumpedFile]) -> None:
    """A file of another installation must not get in; what an unfinished restore left is its own."""
    named = {file.path for file in files}
    for below in _CASE_FOLDERS:
        for path in (folder / below).rglob("*"):
            if path.is_file() and path.relative_to(folder).as_posix() not in named:
                raise NotEmpty(str(path))
    for file in files:
        path = folder / file.path
        if path.exists() and _digest(path) != file.sha256:
            raise NotEmpty(str(path))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_files(archive: Archive, folder: Path) -> list[Path]:
    """Write the files, each whole or not at all; return those that were not there before."""
    written: list[Path] = []
    try:
        for file in archive.manifest.files:
            path = folder / file.path
            if path.exists():
                continue
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_file(archive, file, path)
            written.append(path)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise
    return written


def _write_file(archive: Archive, file: DumpedFile, path: Path) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with open(descriptor, "wb") as into:
            for chunk in archive.chunks(file):
                into.write(chunk)
            into.flush()
            os.fsync(into.fileno())
        os.replace(draft, path)
    finally:
        Path(draft).unlink(missing_ok=True)


async def _load(archive: Archive, url: str) -> None:
    """Make the tables of the backup's own time, empty whatever was there, and fill them in one go."""
    await downgrade(url)
    await upgrade(url, archive.manifest.revision)
    engine = migration_engine(url)
    try:
        async with engine.begin() as connection:
            await _clear(connection)
            for table in archive.manifest.tables:
                try:
                    count = await load_rows(connection, table.name, table.columns, archive.lines(table))
                except (ValueError, TypeError, KeyError) as error:
                    raise BadArchive("unreadable", table.member) from error
                if count != table.rows:
                    raise BadArchive("differs", table.member)
            await count_on(connection)
    finally:
        await engine.dispose()


async def _clear(connection: AsyncConnection) -> None:
    """Take out what migrations put into their new tables, the engine of today among it."""
    there = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
    for table in set(there) - {"alembic_version"}:
        # Never where there is nothing: ledgers refuse a deletion as such.
        if (await connection.execute(text(f'SELECT 1 FROM "{table}" LIMIT 1'))).first():
            await connection.execute(text(f'DELETE FROM "{table}"'))


async def bad_files(services: Services) -> list[str]:
    """Open every file of a case that was not erased; return those that are not what was recorded."""
    found: list[str] = []
    kept_histories = select(HistoryExport.case_id, HistoryExport.sha256).where(HistoryExport.outcome == KEPT)
    for folder, rows in (
        (services.attachments, select(Attachment.case_id, Attachment.sha256)),
        (services.evidence.histories, kept_histories),
    ):
        async with services.database.read() as session:
            named = sorted({(case_id, str(sha256)) for case_id, sha256 in await session.exec(rows)})
        for start in range(0, len(named), PAGE):
            some = named[start : start + PAGE]
            async with services.database.read() as session:
                keys = await case_keys(session, services.keyring, {case_id for case_id, _ in some})
            for case_id, sha256 in some:
                if case_id not in keys:
                    continue
                try:
                    content = await Blobs(folder).get(case_id, keys[case_id], sha256)
                    good = hashlib.sha256(content).hexdigest() == sha256
                except (OSError, UnsealError):
                    good = False
                if not good:
                    found.append(f"{folder.name}/{case_id}/{sha256}")
    return found
