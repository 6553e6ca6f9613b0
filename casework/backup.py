"""A backup while the house works: one snapshot of the database, and the files that it names.

Files come after the rows: a row is written after its file, so whatever the snapshot names is there, unless
it was erased meanwhile. Keys are kept apart, or whoever has the backup could read it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import col, select

from casework.archive import FOLDERS, ArchiveWriter, Manifest
from casework.histories import KEPT
from casework.services import Services
from models.attachment import Attachment
from models.dumping import columns_of, dumped_rows, tables_to_dump
from models.evidence import HistoryExport
from models.filing import CaseSecret

CHECKED = "bancheng backup"
LAST = "last_backup"  # in DATA_DIR; the time of this empty file is when a backup last ended well


async def back_up(services: Services, path: Path) -> Manifest:
    """Write a backup of everything but the keys; return what it holds.

    Nothing is left behind where it fails. Raises FileExistsError, OSError, DatabaseUnavailable.
    """
    folders = _folders(services)
    with ArchiveWriter(path) as archive:
        taken_at = await services.wall.now()
        async with services.database.read() as session:
            connection = await session.connection()
            for dumped in tables_to_dump():
                await archive.add_table(dumped.name, columns_of(dumped), dumped_rows(connection, dumped))
            revision = str(await session.scalar(text("SELECT version_num FROM alembic_version")))
            named = await _named_files(connection)
        missing = []
        for member in named:
            try:
                archive.add_file(folders[member.partition("/")[0]], member)
            except FileNotFoundError:
                missing.append(member)
        for member in _own_files(services):
            archive.add_file(folders[member.partition("/")[0]], member)
        manifest = Manifest(
            taken_at=taken_at.isoformat(),
            revision=revision,
            dialect=services.database.dialect,
            check=services.keyring.seal_text(CHECKED, CHECKED),
            signing_key=services.evidence.signer.public.text,
            tables=archive.tables,
            files=archive.files,
            missing=missing,
        )
        archive.close(manifest)
        return manifest


def note_backup(data_dir: Path) -> None:
    """Note that a backup has ended well, for whoever watches its age. Raises OSError."""
    (data_dir / LAST).touch()


def last_backup(data_dir: Path) -> datetime | None:
    """Return when a backup last ended well; None: never."""
    try:
        return datetime.fromtimestamp((data_dir / LAST).stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _folders(services: Services) -> dict[str, Path]:
    """Return the folder above each of the folders: paths in a backup begin with its name."""
    evidence = services.evidence
    templates = services.templates or services.attachments.with_name("templates")
    found = (services.attachments, evidence.histories, evidence.heads, templates)
    for name, folder in zip(FOLDERS, found, strict=True):
        assert folder.name == name
    return {folder.name: folder.parent for folder in found}


async def _named_files(connection: AsyncConnection) -> list[str]:
    """Return the files of cases that were not erased."""
    kept = select(CaseSecret.case_id)
    attached = select(Attachment.case_id, Attachment.sha256).where(col(Attachment.case_id).in_(kept))
    exported = select(HistoryExport.case_id, HistoryExport.sha256).where(
        HistoryExport.outcome == KEPT, col(HistoryExport.case_id).in_(kept)
    )
    found: list[str] = []
    for folder, rows in (("attachments", attached), ("histories", exported)):
        named = (await connection.execute(rows.distinct())).all()
        found += sorted(f"{folder}/{case_id}/{sha256}" for case_id, sha256 in named)
    return found


def _own_files(services: Services) -> Iterator[str]:
    """Yield heads as they were published, and templates of the house's own."""
    for folder in filter(None, (services.evidence.heads, services.templates)):
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            if path.is_file() and not path.name.startswith("."):
                yield f"{folder.name}/{path.name}"
