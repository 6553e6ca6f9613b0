"""The list outside of the database that names every erased case: a restore brings none of them back."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from casework.texts import is_code


class NotAList(Exception):
    """A file that was to name erased cases is something else; the message says which."""


@dataclass(frozen=True)
class ErasedList:
    """The ids of erased cases, and the numbers of the lines that name none, from 1."""

    cases: Sequence[str]
    bad: Sequence[int]


def note_erased(path: Path, case_id: str, at: datetime) -> None:
    """Append a case, on disk when this returns; lines of two processes don't mix."""
    line = f"{case_id} {at.isoformat()}\n"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = f"\n{line}"  # a power cut broke the last line off: it must not spoil this one
        os.write(descriptor, line.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_list(path: Path) -> ErasedList:
    """Return a list of erased cases, an empty one where there is no file.

    A damaged line keeps no other from its case. A last line that a power cut broke off is passed over:
    its case is noted anew. Raises OSError, `NotAList` where no line at all names a case.
    """
    if not path.exists():
        return ErasedList([], [])
    cases: list[str] = []
    bad: list[int] = []
    # Not by splitlines(): damage may be any character, and numbers are to be those of an editor.
    lines = path.read_bytes().decode(errors="replace").split("\n")
    for number, words in enumerate(map(str.split, lines), start=1):
        if len(words) > 1 and _is_id(words[0]):
            cases.append(words[0])
        elif words and not (number == len(lines) and is_code(words[0])):
            bad.append(number)
    if bad and not cases:
        raise NotAList(f"{path} is no list of erased cases")
    return ErasedList(cases, bad)


def _is_id(word: str) -> bool:
    try:
        return str(UUID(word)) == word
    except ValueError:
        return False
