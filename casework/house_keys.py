"""The keys that the database keeps: read at a start, and which process seals with which key.

A rotation needs to know what runs: every process that lives long says now and then with which key it
seals and which it can open. Generated keys are read again when their file changes, so that a rotation
needs no restart there (ADR 30).
"""

import asyncio
import os
import socket
import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from casework.keeping_on import keep_on
from casework.services import Services
from models.crypto import CaseKey, Keyring
from models.filing import CaseSecret, Petitioner
from models.house_key import INDEX, PAYLOAD, HouseKey, KeyHolder
from models.petitioner import PHONE_INDEX, open_petitioner

LOOK = timedelta(seconds=1)  # how often the file of generated keys is looked at
SAY = timedelta(seconds=30)
ALIVE = timedelta(seconds=90)  # who has not said anything for so long is gone
INSERTS: dict[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_log = structlog.get_logger(__name__)


async def read_house_keys(services: Services) -> None:
    """Learn the keys that the database keeps; the first process ever stores that of the indexes.

    A database without its tables keeps none. Raises DatabaseUnavailable, `UnsealError` where the key that
    wrapped them is not in the settings.
    """
    keyring = services.keyring
    rows = await services.database.look(_kept)
    if rows is None:
        keyring.waits = False
        return
    if INDEX not in rows:
        rows = await services.database.write(lambda session: _with_index(session, keyring))
    retired = {
        name.removeprefix(PAYLOAD): keyring.unwrap_key(name.removeprefix(PAYLOAD), wrapped)
        for name, wrapped in rows.items()
        if name.startswith(PAYLOAD)
    }
    keyring.learn(keyring.unwrap_key(None, rows[INDEX]), retired)


def _kept(session: Session) -> dict[str, str] | None:
    if not inspect(session.connection()).has_table(HouseKey.__tablename__):  # before the first migration
        return None
    return _wrapped(session)


def _wrapped(session: Session) -> dict[str, str]:
    rows = session.exec(select(HouseKey).where(col(HouseKey.wrapped).is_not(None)))
    return {row.name: str(row.wrapped) for row in rows}


def _with_index(session: Session, keyring: Keyring) -> dict[str, str]:
    """Store the key of the indexes unless another process was first; return what is stored."""
    _begin_row(session, INDEX, keyring.wrap_index(_index_in_use(session, keyring)))
    return _wrapped(session)


def house_key(session: Session, name: str) -> HouseKey:
    """Return the row of this name, made where there is none, and locked: others may want it just now."""
    _begin_row(session, name)
    return session.get_one(HouseKey, name, with_for_update=True)


def _begin_row(session: Session, name: str, wrapped: str | None = None) -> None:
    dialect = session.get_bind().dialect.name
    new = INSERTS[dialect](HouseKey).values(name=name, wrapped=wrapped)
    session.execute(new.on_conflict_do_nothing())


def _index_in_use(session: Session, keyring: Keyring) -> int:
    """Return which key of the settings the indexes were made with so far: the first may be a new one."""
    wanted = (
        select(Petitioner, CaseSecret.wrapped_key)
        .join(CaseSecret, col(CaseSecret.case_id) == col(Petitioner.case_id))
        .where(col(Petitioner.phone_index).is_not(None))
        .limit(1)
    )
    if found := session.exec(wanted).first():
        row, wrapped = found
        details = open_petitioner(row, CaseKey.unwrap(keyring, row.case_id, wrapped))
        digests = keyring.former_indexes(PHONE_INDEX, details.phone) if details else []
        if row.phone_index in digests:
            return digests.index(row.phone_index)
    return 0


async def holding_keys(services: Services, process: str) -> None:
    """Say which keys this process has until cancelled, and take up a changed file of generated keys.

    A database that is away is waited for: nothing can be opened or sealed without it anyway.
    """
    holder = _Holder(services, f"{process} {socket.gethostname()}:{os.getpid()}")
    try:
        await keep_on("reading of keys", holder.look, LOOK)
    finally:
        await asyncio.shield(holder.leave())


class _Holder:
    """One process as the table of holders has it."""

    def __init__(self, services: Services, process: str) -> None:
        self._services, self._process = services, process
        self._id = str(uuid.uuid4())
        self._said = float("-inf")
        self._file: tuple[int, int] | None = None

    async def look(self) -> None:
        """Take up changes, and say what this process has where that is due."""
        keyring = self._services.keyring
        stamp, changed = await asyncio.to_thread(self._changed)
        now = asyncio.get_running_loop().time()
        if changed:
            # What is dropped from the file opens until the database's copy of it is known here.
            keyring.replace(changed.joined(keyring))
        if changed or keyring.waits:
            await read_house_keys(self._services)
        if changed:
            keyring.replace(changed)
        if changed or now - self._said >= SAY.total_seconds():
            await self._say()
            self._said = now
        self._file = stamp

    def _changed(self) -> tuple[tuple[int, int] | None, Keyring | None]:
        """Return what marks the file of generated keys as it is, and its keys where it has changed."""
        path = self._services.keys_file
        if path is None:
            return None, None
        found = path.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        return stamp, None if stamp == self._file else read_keys(path)

    async def _say(self) -> None:
        now, keyring = await self._services.wall.now(), self._services.keyring
        row = KeyHolder(
            id=self._id,
            process=self._process[:128],
            sealing=keyring.key_ids[0],
            opening=",".join((*keyring.key_ids, *keyring.retired)),
            seen_at=now,
        )

        def say(session: Session) -> None:
            session.exec(delete(KeyHolder).where(col(KeyHolder.seen_at) < now - 10 * ALIVE))
            session.merge(row)
            house_key(session, PAYLOAD + row.sealing).sealed_at = now

        await self._services.database.write(say)

    async def leave(self) -> None:
        """Take the row away: who is gone holds no key."""
        mine = delete(KeyHolder).where(col(KeyHolder.id) == self._id)
        try:
            await self._services.database.write(lambda session: session.exec(mine))
        except Exception as error:  # it ends for want of a word soon
            _log.warning("keys not given back", error=str(error)[:200])


def read_keys(path: Path) -> Keyring:
    """Return the keys in a file. Raises OSError, ValueError."""
    return Keyring.parse(path.read_text(encoding="utf-8").strip())


async def holders(services: Services) -> Sequence[KeyHolder]:
    """Return the processes that run now, as far as they have said so of late: none without a database."""
    if services.database.is_missing:
        return []
    since = await services.wall.now() - ALIVE

    def read(session: Session) -> Sequence[KeyHolder]:
        if not inspect(session.connection()).has_table(KeyHolder.__tablename__):
            return []  # an empty database, or one from before the table
        wanted = select(KeyHolder).where(KeyHolder.seen_at >= since)
        return session.exec(wanted.order_by(col(KeyHolder.process))).all()

    return await services.database.look(read)
