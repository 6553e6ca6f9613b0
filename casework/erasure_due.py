"""Which cases are to be erased, and which soon: by their policy, once archived for long enough."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, exists, false, or_, select, text
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.services import Services
from models.case import Case
from models.evidence import LedgerCheck
from models.retention import ErasureHold
from models.terms import PolicyVersion
from rules.retention import Retention

# Written out, as the index of them has it: a parameter would not meet its condition.
STANDS = text("NOT cases.erased")
"""Its key is there, so its texts can be read."""
ARCHIVED = text("cases.status = 'archived'")
HELD = exists().where(col(ErasureHold.case_id) == col(Case.id), col(ErasureHold.lifted_at).is_(None))


@dataclass(frozen=True)
class Place:
    """A case as a walk over those to be erased finds it; `archived_at` is UTC."""

    case_id: str
    number: str
    hall: str
    policy_id: str
    archived_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class Walk:
    """The archived cases that still have their key, by policy: the `over` ones and the `announced` ones.

    None was archived after `newest`, nor received.
    """

    session: AsyncSession
    over: ColumnElement[bool]
    announced: ColumnElement[bool]
    newest: datetime

    async def some(
        self, halls: Sequence[str], most: int, after: Place | None = None, held: bool | None = None
    ) -> list[Place]:
        """Return the first ones of these halls whose period is over, by when they were received."""
        conditions = [self.over] if held is None else [self.over, HELD if held else ~HELD]
        return await self._read(halls, conditions, most, after)

    async def coming(self, halls: Sequence[str], most: int) -> list[Place]:
        """Return those of these halls that are over, or will be soon; held ones too."""
        return await self._read(halls, [self.announced], most, None)

    async def _read(
        self, halls: Sequence[str], conditions: list[ColumnElement[bool]], most: int, after: Place | None
    ) -> list[Place]:
        old = col(Case.hall).in_(halls), Case.received_at <= self.newest
        wanted = select(*_PLACE).where(ARCHIVED, STANDS, *old, *conditions)
        if after is not None:
            later = and_(Case.received_at == after.received_at, Case.id > after.case_id)
            wanted = wanted.where(or_(Case.received_at > after.received_at, later))
        wanted = wanted.order_by(col(Case.received_at), col(Case.id)).limit(most)
        return [Place(*row) for row in (await self.session.exec(wanted)).all()]


_PLACE: tuple[Any, ...] = (
    *(Case.id, Case.number, Case.hall, Case.policy_id),
    *(Case.updated_at, Case.received_at),
)


@dataclass(frozen=True)
class Withheld:
    """The ids of policies under which archived cases are not erased, though their time may be over.

    `unread`: the file was not read, so that the period is not known. `clock`: the announced days have not
    been seen to pass. What is erased by mistake never comes back; what is kept too long is erased later.
    """

    unread: list[str] = field(default_factory=list)
    clock: list[str] = field(default_factory=list)


async def walk_of(session: AsyncSession, services: Services, now: datetime) -> Walk:
    """Return what is to be erased at an instant, policy by policy; nothing under one that was not read."""
    periods, _ = await _periods(session, services)
    passed = await _passed(session, periods, now)
    newest = max((each.announced_to(now) for each in periods.values()), default=now)
    return Walk(
        session,
        _by_policy({policy: each.over(now) for policy, each in periods.items() if policy in passed}),
        _by_policy({policy: each.announced_to(now) for policy, each in periods.items()}),
        newest,
    )


async def withheld_now(services: Services) -> Withheld:
    """Return under which policies nothing is erased now, of those that have something to erase."""
    now = await services.clock.now()
    async with services.database.read() as session:
        periods, _ = await _periods(session, services)
        passed = await _passed(session, periods, now)
        late = {policy: each.over(now) for policy, each in periods.items() if policy not in passed}
        clock = [policy for policy in sorted(late) if await _any(session, policy, late[policy])]
        return Withheld(await unread_policies(session, services), clock)


async def unread_policies(session: AsyncSession, services: Services) -> list[str]:
    """Return the ids of policies that have archived cases to erase some day, and no file."""
    _, unread = await _periods(session, services)
    return [policy for policy in unread if await _any(session, policy)]


async def _periods(session: AsyncSession, services: Services) -> tuple[dict[str, Retention], list[str]]:
    """Return the periods of all policies that cases were accepted under, and the ids of those without one."""
    policies = (await session.exec(select(PolicyVersion.id).distinct().order_by(PolicyVersion.id))).all()
    read = services.retention
    known = {policy: read[policy] for policy in policies if policy in read}
    return known, [policy for policy in policies if policy not in read]


async def _passed(session: AsyncSession, periods: Mapping[str, Retention], now: datetime) -> frozenset[str]:
    """Return the policies whose announced days have passed by what was recorded every night."""
    first = min((each.seen_since(now) for each in periods.values()), default=now)
    seen = (await session.exec(select(LedgerCheck.at).where(LedgerCheck.at >= first))).all()
    return frozenset(policy for policy, each in periods.items() if each.announcement_passed(seen, now))


async def _any(session: AsyncSession, policy: str, archived_to: datetime | None = None) -> bool:
    conditions: list[Any] = [ARCHIVED, STANDS, Case.policy_id == policy]
    if archived_to is not None:
        conditions.append(Case.updated_at <= archived_to)
    return (await session.exec(select(Case.id).where(*conditions).limit(1))).first() is not None


def _by_policy(archived_to: dict[str, datetime]) -> ColumnElement[bool]:
    """Archiving is the last event that a case can have, so that `updated_at` is when it happened."""
    return or_(
        false(),
        *(
            and_(Case.policy_id == policy, Case.updated_at <= instant)
            for policy, instant in archived_to.items()
        ),
    )
