"""Secrets that nobody gave: made once, kept in a file of their own."""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret in this file; make the file first (mode 0600) where there is none.

    Processes that start at once end with the same secret, and a crash leaves a whole one or none.
    Raises ValueError where the file is empty.
    """
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_unless_there(path, make())
    if secret := path.read_text(encoding="utf-8").strip():
        return secret
    raise ValueError(f"{path} is empty: restore it, or delete it if nothing was sealed with it")


def _write_unless_there(path: Path, text: str) -> None:
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears at once and whole, and never over a file that another process made first.
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        os.unlink(draft)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A key that a power cut takes back would take the data sealed with it along."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
