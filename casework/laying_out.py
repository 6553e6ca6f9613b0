"""From lines of inboxes to deliveries: for each line, each means of its reader, and the instant it is due.

The inbox is the list of what is to be told, so the ledger's transaction knows nothing of means and
addresses. Lines are taken in the order of their ids; on PostgreSQL a line may become visible behind one
with a higher id, so that none is passed for good before whatever wrote it has ended.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.delivery_choices import TRIAL, Choice, choices_of
from casework.services import Services
from models.case import Case
from models.directory import Hall, User
from models.hall_calendar import read_calendar, span
from models.inbox import Notification
from models.outside import DEFAULT, DeliveryProgress, PersonalDelivery
from rules.calendar import Calendar, local
from rules.delivering import STALE, due_at, is_urgent

SETTLED = 60.0  # seconds after which every transaction that had an id then has ended
BATCH = 500

Item = TypeVar("Item")
_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass
class Seen:
    """What this process has looked at already: ids, and up to which id at which second of its own."""

    ids: set[int] = field(default_factory=set)
    marks: list[tuple[float, int]] = field(default_factory=list)

    def forget(self, up_to: int) -> None:
        """Drop what is settled."""
        self.ids = {id for id in self.ids if id > up_to}
        self.marks = [mark for mark in self.marks if mark[1] > up_to]


async def lay_out(services: Services, seen: Seen) -> int:
    """Lay out what came in since; return how many deliveries that made. Twice is once.

    Raises DatabaseUnavailable.
    """
    async with services.database.read() as session:
        progress = await session.get(DeliveryProgress, 1)
        if progress is not None:
            wanted = select(Notification.id).where(col(Notification.id) > progress.up_to)
            ids = [id for id in (await session.exec(wanted)).all() if id is not None]
    if progress is None:
        await _begin(services)
        return 0
    fresh = sorted(set(ids) - seen.ids)
    made = 0
    for batch in _batches(fresh):
        made += await _lay_out(services, batch)
        seen.ids.update(batch)
    await _go_on(services, seen, progress.up_to, max(ids, default=progress.up_to))
    return made


async def _begin(services: Services) -> None:
    """Begin at the present: nobody is told outside of what was in the inboxes before."""
    async with services.database.begin() as session:
        newest = (await session.exec(select(func.max(Notification.id)))).one() or 0
        await _insert(session, DeliveryProgress, [{"id": 1, "up_to": newest}])


async def _go_on(services: Services, seen: Seen, up_to: int, newest: int) -> None:
    """Note how far everything is settled, and forget what is before."""
    now = asyncio.get_running_loop().time()
    settled = 0.0 if services.database.dialect == "sqlite" else SETTLED  # one writer: ids come in order
    if newest > max((id for _, id in seen.marks), default=up_to):
        seen.marks.append((now, newest))
    done = max((id for at, id in seen.marks if at <= now - settled), default=up_to)
    if done > up_to:
        async with services.database.begin() as session:
            behind = col(DeliveryProgress.up_to) < done
            await session.exec(update(DeliveryProgress).where(behind).values(up_to=done))
    seen.forget(done)


async def _lay_out(services: Services, ids: Sequence[int]) -> int:
    """Lay out these lines."""
    now = await services.clock.now()
    async with services.database.read() as session:
        lines = (await session.exec(select(Notification).where(col(Notification.id).in_(ids)))).all()
        lines = [line for line in lines if line.at > now - STALE]
        rows = await _Plan(services, session, now).rows(lines)
    if rows:
        async with services.database.begin() as session:
            await _insert(session, PersonalDelivery, rows)
    return len(rows)


class _Plan:
    """What is known while one batch is laid out; calendars are read once a hall."""

    def __init__(self, services: Services, session: AsyncSession, now: datetime) -> None:
        self._services, self._session, self._now = services, session, now
        self._calendars: dict[str | None, Calendar] = {}

    async def rows(self, lines: Sequence[Notification]) -> list[dict[str, Any]]:
        """Return a row for each line and each means by which its reader is reached."""
        choices = await self._choices(lines)
        lines = [line for line in lines if choices.get(line.username)]
        if not lines:
            return []
        halls = await self._halls(choices)
        lights = await self._lights(line.case_id for line in lines)
        made = []
        for line in lines:
            if line.username not in halls:
                continue
            calendar = await self._calendar(halls[line.username])
            choice = choices[line.username]
            urgent = line.kind == TRIAL or is_urgent(line.kind, lights.get(line.case_id))
            due = due_at(
                self._now, urgent=urgent, quiet=choice.quiet, digest=choice.digest, calendar=calendar
            )
            made += [self._row(line, str(means), due) for means in sorted(choice.means)]
        return made

    def _row(self, line: Notification, means: str, due: datetime) -> dict[str, Any]:
        assert line.id is not None
        row = PersonalDelivery(
            notification=line.id, username=line.username, means=means, due_at=due, laid_at=self._now
        )
        return row.values()

    async def _choices(self, lines: Iterable[Notification]) -> dict[str, Choice]:
        """Return what is in force for the readers, of those who are reached by anything."""
        readers = sorted({line.username for line in lines})
        found = await choices_of(self._session, self._services.keyring, [*readers, DEFAULT])
        default = found.pop(DEFAULT, Choice())
        inforce = {name: choice.reached_by(default, self._services.means) for name, choice in found.items()}
        return {name: choice for name, choice in inforce.items() if choice.means}

    async def _halls(self, usernames: Iterable[str]) -> dict[str, str | None]:
        """Return the halls of those who may still sign in."""
        wanted = select(User.username, User.hall).where(
            col(User.username).in_([*usernames]), col(User.active).is_(True)
        )
        return {name: hall for name, hall in (await self._session.exec(wanted)).all()}

    async def _lights(self, case_ids: Iterable[str]) -> dict[str, str]:
        wanted = select(Case.id, Case.light).where(col(Case.id).in_({*case_ids}))
        return {id: light for id, light in (await self._session.exec(wanted)).all()}

    async def _calendar(self, code: str | None) -> Calendar:
        if code not in self._calendars:
            hall = await self._session.get(Hall, code) if code else None
            years = span(local(self._now).year)
            self._calendars[code] = await read_calendar(self._session, hall, years)
        return self._calendars[code]


async def _insert(session: AsyncSession, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    """Insert what is not there yet: another process may lay out the same lines."""
    insert = _INSERT[session.get_bind().dialect.name]
    for some in _batches(rows):
        await session.exec(insert(table).values(list(some)).on_conflict_do_nothing())


def _batches(items: Sequence[Item]) -> Iterable[Sequence[Item]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
