"""Files of cases on disk: sealed under the key of their case, found by the SHA-256 of their content.

Folder of a case, then the digest: neither name nor type of a file can be read from outside.
"""

import asyncio
import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from models.crypto import CaseKey


class Blobs:
    """The files below one folder. Everything that touches the disk runs in a thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, case_id: str, key: CaseKey, content: bytes) -> str:
        """Store a file, on disk when this returns; return its SHA-256. Storing twice is storing once."""
        return await asyncio.to_thread(self._put, case_id, key, content)

    async def get(self, case_id: str, key: CaseKey, digest: str) -> bytes:
        """Return a file. Raises OSError where it is gone, UnsealError where it was changed."""
        return await asyncio.to_thread(self._get, case_id, key, digest)

    async def drop(self, case_id: str, digest: str) -> None:
        """Delete a file, if it is there."""
        await asyncio.to_thread(self._path(case_id, digest).unlink, missing_ok=True)

    async def drop_all(self, case_id: str) -> None:
        """Delete every file of a case, if there are any."""
        await asyncio.to_thread(self._drop_all, case_id)

    def _drop_all(self, case_id: str) -> None:
        folder = self._folder / case_id
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)

    def _put(self, case_id: str, key: CaseKey, content: bytes) -> str:
        digest = hashlib.sha256(content).hexdigest()
        path = self._path(case_id, digest)
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, key.seal(content, _purpose(case_id, digest)))
        return digest

    def _get(self, case_id: str, key: CaseKey, digest: str) -> bytes:
        sealed = self._path(case_id, digest).read_bytes()
        return key.open(sealed, _purpose(case_id, digest))

    def _path(self, case_id: str, digest: str) -> Path:
        return self._folder / case_id / digest


def _write(path: Path, data: bytes) -> None:
    """Write whole or not at all, whatever happens in between."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".draft-")
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _purpose(case_id: str, digest: str) -> str:
    return f"file:{case_id}:{digest}"
