"""Importing a contact table in two steps: look first, then import exactly what was looked at."""

import hashlib
from dataclasses import dataclass

from casework.contact_table import Imported, import_table
from casework.services import Services
from casework.viewer import Viewer

LARGEST = 200_000  # bytes: it goes to the page and back between the two steps


@dataclass(frozen=True)
class Looked:
    """What an import would do, and a digest that names both the file and that."""

    done: Imported
    digest: str


async def look_at(services: Services, by: Viewer, content: bytes) -> Looked:
    """Try an import and keep nothing of it. Raises `BadTable` with every fault."""
    done = await import_table(services, content, by.username, only_if=lambda done: False)
    return Looked(done, _digest(content, done))


async def import_as_seen(services: Services, by: Viewer, content: bytes, digest: str) -> Looked | None:
    """Import a file if it does what was seen; None otherwise (somebody changed the table meanwhile).

    Raises `BadTable`.
    """

    def is_as_seen(done: Imported) -> bool:
        return _digest(content, done) == digest

    done = await import_table(services, content, by.username, only_if=is_as_seen)
    return Looked(done, digest) if is_as_seen(done) else None


def _digest(content: bytes, done: Imported) -> str:
    seen = repr((done.halls, done.units, done.changes, done.unchanged))
    return hashlib.sha256(hashlib.sha256(content).digest() + seen.encode()).hexdigest()
