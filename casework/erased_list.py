"""The list outside of the database that names every erased case: a restore brings none of them back."""

import os
from datetime import datetime
from pathlib import Path

from casework.texts import is_code


class NotAList(Exception):
    """A file that was to name erased cases is something else; the message says which."""


def note_erased(path: Path, case_id: str, at: datetime) -> None:
    """Append a case, on disk when this returns; lines of two processes don't mix."""
    line = f"{case_id} {at.isoformat()}\n"
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
