"""The file of a backup: a zip of tables and files, its manifest last.

The manifest names every member with its SHA-256, so that a file that is cut short, changed or put together
from two is told before anything is taken out of it. Keys are never in it.
"""

import hashlib
import json
import os
import re
import zipfile
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

FORMAT = 1
MANIFEST = "manifest.json"
CHUNK = 1 << 20
# Folders below DATA_DIR that a backup holds. A name in them has no way out of them.
FOLDERS = ("attachments", "histories", "heads", "templates")
_NAME = re.compile(rf"({'|'.join(FOLDERS)})(/[^./\\\x00-\x1f][^/\\\x00-\x1f]*){{1,3}}")
# Sealed content is not made smaller by packing.
_PACKED = ("heads", "templates")


class BadArchive(Exception):
    """It is no whole backup: ``reason`` says why, and ``member`` where."""

    def __init__(self, reason: str, member: str = "") -> None:
        super().__init__(f"{member}: {reason}" if member else reason)
        self.reason, self.member = reason, member


@dataclass(frozen=True)
class DumpedTable:
    """A table: its columns as (name, kind) in order, its rows, and the hash of its lines."""

    name: str
    columns: Sequence[Sequence[str]]
    rows: int
    sha256: str

    @property
    def member(self) -> str:
        """Return its name in the zip."""
        return f"tables/{self.name}.jsonl"


@dataclass(frozen=True)
class DumpedFile:
    """A file below DATA_DIR by its path there."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What a backup is of. `taken_at` is ISO 8601; `missing` are files that were not there any more.

    `check` opens with the keys that the data is sealed under, so that wrong ones are told at once.
    """

    taken_at: str
    revision: str
    dialect: str
    check: str
    signing_key: str
    tables: Sequence[DumpedTable] = field(default_factory=list)
    files: Sequence[DumpedFile] = field(default_factory=list)
    missing: Sequence[str] = field(default_factory=list)
    format: int = FORMAT


class ArchiveWriter:
    """Writes a backup beside its final name, for its owner alone; `close` puts it there, whole."""

    def __init__(self, path: Path) -> None:
        """Begin. Raises FileExistsError where the file is there, OSError."""
        if path.exists():
            raise FileExistsError(f"{path} is there already")
        self._path, self._draft = path, path.with_name(f".{path.name}.partial")
        self._file = os.fdopen(os.open(self._draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b")
        self._zip = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=6)
        self.tables: list[DumpedTable] = []
        self.files: list[DumpedFile] = []

    async def add_table(
        self, name: str, columns: Sequence[Sequence[str]], lines: AsyncIterator[bytes]
    ) -> None:
        """Add a table."""
        rows, digest = 0, hashlib.sha256()
        with self._member(f"tables/{name}.jsonl", packed=True) as member:
            async for line in lines:
                member.write(line)
                digest.update(line)
                rows += 1
        self.tables.append(DumpedTable(name, columns, rows, digest.hexdigest()))

    def add_file(self, folder: Path, path: str) -> None:
        """Add a file by its path below a folder. Raises OSError where it is not there."""
        size, digest = 0, hashlib.sha256()
        packed = path.startswith(_PACKED)
        # The source first: of a file that is not there nothing gets into the zip.
        with (folder / path).open("rb") as source, self._member(path, packed=packed) as member:
            while chunk := source.read(CHUNK):
                member.write(chunk)
                digest.update(chunk)
                size += len(chunk)
        self.files.append(DumpedFile(path, size, digest.hexdigest()))

    def close(self, manifest: Manifest) -> None:
        """Write the manifest and give the file its name."""
        with self._member(MANIFEST, packed=True) as member:
            member.write(json.dumps(asdict(manifest), ensure_ascii=False, indent=1).encode())
        self._zip.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.link(self._draft, self._path)  # never over a file that came there meanwhile
        self._draft.unlink()

    def _member(self, name: str, *, packed: bool) -> IO[bytes]:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr = 0o600 << 16
        return self._zip.open(info, "w", force_zip64=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            with suppress(OSError, ValueError):
                self._zip.close()
            self._file.close()
            self._draft.unlink(missing_ok=True)


class ArchiveReader:
    """Reads a backup."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises BadArchive, OSError."""
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = _manifest(self._zip.read(MANIFEST))
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise BadArchive("cut_short") from error
        except KeyError as error:
            raise BadArchive("no_manifest") from error
        self._check_names()

    def _check_names(self) -> None:
        there = self._zip.namelist()
        named = [MANIFEST, *(table.member for table in self.manifest.tables)]
        for file in self.manifest.files:
            if not _NAME.fullmatch(file.path):
                raise BadArchive("bad_name", file.path)
            named.append(file.path)
        if odd := sorted(set(there) ^ set(named)):
            raise BadArchive("missing" if odd[0] in named else "not_named", odd[0])
        if len(there) != len(set(there)):
            raise BadArchive("twice")

    def verify(self) -> None:
        """Read every member and compare it with the manifest. Raises BadArchive naming the first bad one."""
        for table in self.manifest.tables:
            rows, digest = 0, hashlib.sha256()
            for line in self.lines(table):
                digest.update(line)
                rows += 1
            _compare(table.member, (rows, digest.hexdigest()), (table.rows, table.sha256))
        for file in self.manifest.files:
            size, digest = 0, hashlib.sha256()
            for chunk in self.chunks(file):
                digest.update(chunk)
                size += len(chunk)
                if size > file.size:
                    break
            _compare(file.path, (size, digest.hexdigest()), (file.size, file.sha256))

    def lines(self, table: DumpedTable) -> Iterator[bytes]:
        """Yield the rows of a table. Raises BadArchive."""
        with _reading(table.member), self._zip.open(table.member) as member:
            yield from member

    def chunks(self, file: DumpedFile) -> Iterator[bytes]:
        """Yield the content of a file. Raises BadArchive."""
        with _reading(file.path), self._zip.open(file.path) as member:
            while chunk := member.read(CHUNK):
                yield chunk

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _reading(member: str) -> Iterator[None]:
    """Name the member in which a fault of the zip was met."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise BadArchive("damaged", member) from error


def _compare(member: str, found: tuple[int, str], named: tuple[int, str]) -> None:
    if found != named:
        raise BadArchive("differs", member)


def _manifest(text: bytes) -> Manifest:
    try:
        read: dict[str, Any] = json.loads(text)
        if read.get("format") != FORMAT:
            raise BadArchive("other_format", MANIFEST)
        read["tables"] = [DumpedTable(**each) for each in read["tables"]]
        read["files"] = [DumpedFile(**each) for each in read["files"]]
        return Manifest(**read)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BadArchive("unreadable", MANIFEST) from error
