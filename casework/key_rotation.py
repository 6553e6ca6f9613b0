"""Rotating the payload keys while the house works, and telling when an old one is needed no more.

The order that loses nothing: every process knows the new key; then it stands first; then what the
database holds is moved under it; then the old key is put away, wrapped, into the database. There it opens
what is not moved: signed bytes (records of acts, exported histories) and histories of running workflows.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select
from temporalio.service import RPCError

from casework.engine import WITHIN, EngineUnavailable
from casework.histories import KEPT
from casework.house_keys import ALIVE, holders, house_key, read_house_keys
from casework.sealed_columns import COLUMNS, SIGNED, SealedColumn, count_under, reseal
from casework.services import Services
from models.case import Case
from models.evidence import HistoryExport
from models.house_key import PAYLOAD, HouseKey, KeyHolder

ACTS, HISTORIES, RUNS = "acts.sealed", "history_exports", "runs"
FIRST, OPENS, RETIRED, UNKNOWN = "first", "opens", "retired", "unknown"


class NotReady(Exception):
    """Processes run that could not open what would be sealed now: ``names`` says which."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


class StillNeeded(Exception):
    """The key is in use: ``use`` says where."""

    def __init__(self, use: "KeyUse") -> None:
        super().__init__(use.key_id)
        self.use = use


class NoSuchKey(Exception):
    """There is no key of this name."""


@dataclass(frozen=True)
class KeyUse:
    """A key and what stands under it. `sealed_at`: when a running process last sealed with it.

    `counts` names columns; `history_exports` and `runs` are those that may hold payloads under it: the
    case was filed, or the run begun, before it was last sealed with. `runs` is None without an engine.
    """

    key_id: str
    role: str
    sealed_at: datetime | None = None
    counts: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def in_columns(self) -> int:
        """How many tokens a rotation has still to move."""
        return sum(self.counts.get(column.name) or 0 for column in COLUMNS)

    @property
    def is_needed(self) -> bool:
        """Whether anything would not open without it, or may not; an engine that is away may need it."""
        return self.role == FIRST or any(count is None or count for count in self.counts.values())


@dataclass(frozen=True)
class KeyStatus:
    """Every key, first the one that seals; the processes that run."""

    keys: Sequence[KeyUse]
    holders: Sequence[KeyHolder]

    @property
    def behind(self) -> Sequence[KeyHolder]:
        """The processes that still seal with another key than the first."""
        return [holder for holder in self.holders if holder.sealing != self.keys[0].key_id]


async def key_status(services: Services) -> KeyStatus:
    """Count what stands under each key. Raises DatabaseUnavailable."""
    ring = services.keyring
    roles = {key_id: OPENS for key_id in ring.key_ids} | {key_id: RETIRED for key_id in ring.retired}
    roles[ring.key_ids[0]] = FIRST
    counts: dict[str, dict[str, int | None]] = {key_id: {} for key_id in (*roles, "")}
    for column in (*COLUMNS, SIGNED):
        for key_id, count in (await count_under(services.database, column, list(roles))).items():
            counts[key_id][column.name] = count
    sealed = await services.database.look(_sealed)
    for key_id, role in roles.items():
        until = await services.wall.now() if role == FIRST else sealed.get(key_id)
        exported = await services.database.look(lambda session, until=until: _exported(session, until))  # type: ignore[misc]
        counts[key_id] |= {HISTORIES: exported, RUNS: await _running(services, until)}
    keys = [KeyUse(key_id, role, sealed.get(key_id), counts[key_id]) for key_id, role in roles.items()]
    if any(counts[""].values()):
        keys.append(KeyUse("", UNKNOWN, None, counts[""]))
    return KeyStatus(sorted(keys, key=lambda use: use.role != FIRST), await holders(services))


def _sealed(session: Session) -> dict[str, datetime]:
    rows = session.exec(select(HouseKey).where(col(HouseKey.sealed_at).is_not(None)))
    return {row.name.removeprefix(PAYLOAD): row.sealed_at for row in rows if row.sealed_at}


def _exported(session: Session, until: datetime | None) -> int:
    """Count exported histories whose case was filed while the key was sealed with (None: not known)."""
    wanted = select(func.count()).select_from(HistoryExport).where(HistoryExport.outcome == KEPT)
    if until is not None:
        filed = select(Case.id).where(col(Case.received_at) <= until + ALIVE)
        wanted = wanted.where(col(HistoryExport.case_id).in_(filed))
    return session.exec(wanted).one()


async def _running(services: Services, until: datetime | None) -> int | None:
    """Count running workflows begun before `until`; None where the engine can't say."""
    query = "ExecutionStatus = 'Running'"
    if until is not None:
        query += f" AND StartTime <= '{(until + ALIVE).isoformat()}'"
    try:
        client = await services.engine.client()
        return (await client.count_workflows(query, rpc_timeout=WITHIN)).count
    except (EngineUnavailable, RPCError):
        return None


async def rotate(services: Services, done: Callable[[SealedColumn, int], None]) -> KeyStatus:
    """Move everything under the first key and put the others away; return how things stand then.

    May be ended at any time and done again. Nothing is put away while a process still seals with another
    key: it would leave tokens behind. Raises `NotReady`, DatabaseUnavailable.
    """
    first = services.keyring.key_ids[0]
    await refuse_unready(services, first)
    for column in COLUMNS:
        await reseal(services.database, services.keyring, column, lambda n, at=column: done(at, n))  # type: ignore[misc]
    if all(holder.sealing == first for holder in await holders(services)):
        await _put_away(services, services.keyring.key_ids[1:])
    return await key_status(services)


async def refuse_unready(services: Services, key_id: str) -> None:
    """Raise `NotReady` where a running process can't open what is sealed with this key."""
    if unready := [each for each in await holders(services) if key_id not in each.opening.split(",")]:
        raise NotReady([holder.process for holder in unready])


async def _put_away(services: Services, key_ids: Sequence[str]) -> None:
    wrapped = {PAYLOAD + key_id: services.keyring.wrap_key(key_id) for key_id in key_ids}

    def store(session: Session) -> None:
        for name, token in wrapped.items():
            house_key(session, name).wrapped = token

    await services.database.write(store)
    await read_house_keys(services)


async def forget(services: Services, key_id: str) -> None:
    """Destroy a retired key. Raises `StillNeeded`, `NoSuchKey`."""
    uses = (await key_status(services)).keys
    found = next((use for use in uses if use.key_id == key_id and key_id), None)
    if found is None:
        raise NoSuchKey(key_id)
    if found.role != RETIRED or found.is_needed:
        raise StillNeeded(found)

    def drop(session: Session) -> None:
        session.delete(session.get_one(HouseKey, PAYLOAD + key_id))

    await services.database.write(drop)


async def until_all(
    services: Services, holds: Callable[[KeyHolder], bool], within: timedelta = 2 * ALIVE
) -> None:
    """Wait until every running process is as it should be. Raises `NotReady` after a while."""
    end = asyncio.get_running_loop().time() + within.total_seconds()
    while late := [holder.process for holder in await holders(services) if not holds(holder)]:
        if asyncio.get_running_loop().time() > end:
            raise NotReady(late)
        await asyncio.sleep(0.2)
