"""Rotating keys that we generated: the file in DATA_DIR goes through the steps of a rotation.

A running `serve` reads the file again by itself. Killed at any step, the next rotation goes on from there:
the file says how far it came.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path

from casework.house_keys import read_house_keys, read_keys
from casework.key_rotation import OPENS, KeyStatus, NotReady, key_status, rotate, until_all
from casework.sealed_columns import SealedColumn
from casework.services import Services
from models.crypto import Keyring, generate_key

_NUMBERED = re.compile(r"k(\d+)")


async def rotate_generated(services: Services, done: Callable[[SealedColumn, int], None]) -> KeyStatus:
    """Rotate once, or go on with the rotation that was broken off; return how things stand.

    Raises `NotReady` where a running process does not follow, DatabaseUnavailable, OSError.
    """
    path = services.keys_file
    assert path is not None
    ring = read_keys(path)
    if len(ring.key_ids) == 1:
        taken = (*ring.key_ids, *services.keyring.retired, *_known(await key_status(services)))
        ring = ring.joined(Keyring.parse(generate_key(_next_id(taken))))
    new = max(ring.key_ids, key=_number)
    if ring.key_ids[0] != new:
        await _step(services, path, ring)
        await until_all(services, lambda holder: new in holder.opening.split(","))
        ring = Keyring.parse(ring.written(new, *(each for each in ring.key_ids if each != new)))
    await _step(services, path, ring)
    await until_all(services, lambda holder: holder.sealing == new)
    status = await rotate(services, done)
    if status.behind or any(use.role == OPENS and use.in_columns for use in status.keys):
        raise NotReady([holder.process for holder in status.behind] or [path.name])
    await _step(services, path, Keyring.parse(ring.written(new)))
    return await key_status(services)


async def _step(services: Services, path: Path, ring: Keyring) -> None:
    """Write the file, whole or not at all, and take it up here."""
    if read_keys(path).written() != ring.written():
        draft = path.with_name(f".{path.name}-next")
        with open(
            os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(ring.written() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    services.keyring.replace(ring)
    await read_house_keys(services)


def _known(status: KeyStatus) -> list[str]:
    return [use.key_id for use in status.keys]


def _number(key_id: str) -> int:
    found = _NUMBERED.fullmatch(key_id)
    return int(found[1]) if found else 0


def _next_id(taken: tuple[str, ...]) -> str:
    return f"k{max(map(_number, taken), default=0) + 1}"
