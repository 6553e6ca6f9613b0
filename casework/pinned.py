"""The terms that a case is pinned to, read once: policy versions and calendars never change."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlmodel.ext.asyncio.session import AsyncSession

from models.calendar_values import calendar_from_values
from models.case import Case
from models.database import Database
from models.messages import Terms, decode_policy, encode_policy
from models.terms import CalendarSnapshot, PolicyVersion
from rules.calendar import Calendar
from rules.case.state import CaseState
from rules.policy import Policy


async def changed_policies(database: Database, policies: Iterable[Policy]) -> list[str]:
    """Return the policies whose values differ from what is stored under the same id and version.

    Cases are pinned to a version by its name: one that means two things is no evidence.
    """
    changed = []
    async with database.read() as session:
        for policy in policies:
            stored = await session.get(PolicyVersion, (policy.id, policy.version))
            if stored is not None and stored.values != encode_policy(policy):
                changed.append(f"{policy.id} {policy.version}")
    return changed


@dataclass(frozen=True)
class Pinned:
    """A case's policy and calendar."""

    policy: Policy
    calendar: Calendar

    @property
    def terms(self) -> Terms:
        """Return them as a workflow's input wants them."""
        return Terms.of(self.policy, self.calendar)


class PinnedTerms:
    """Remembers what it has read. One object belongs to one database."""

    def __init__(self) -> None:
        self._policies: dict[tuple[str, str], Policy] = {}
        self._calendars: dict[str, Calendar] = {}

    def knows(self, policy: Policy, calendar: Calendar) -> bool:
        """Whether both were read or remembered here, and so are stored for certain."""
        return (policy.id, policy.version) in self._policies and calendar.version in self._calendars

    def remember(self, policy: Policy, calendar: Calendar) -> None:
        """Keep in mind what is stored."""
        self._policies[policy.id, policy.version] = policy
        self._calendars[calendar.version] = calendar

    async def of(self, session: AsyncSession, case: Case) -> Pinned:
        """Return the terms of a case, as its projection names them."""
        return await self._read(session, (case.policy_id, case.policy_version), case.calendar_version)

    async def at(self, session: AsyncSession, state: CaseState) -> Pinned:
        """Return the terms of a case as they were in a state of it: a calendar may come after it."""
        return await self._read(session, (state.policy.id, state.policy.version), state.calendar)

    async def _read(self, session: AsyncSession, policy: tuple[str, str], calendar: str) -> Pinned:
        if policy not in self._policies:
            row = await session.get_one(PolicyVersion, policy)
            self._policies[policy] = decode_policy(row.values)
        return Pinned(self._policies[policy], await self.calendar(session, calendar))

    async def calendar(self, session: AsyncSession, version: str) -> Calendar:
        """Return a calendar by its version."""
        if version not in self._calendars:
            snapshot = await session.get_one(CalendarSnapshot, version)
            self._calendars[version] = calendar_from_values(snapshot.values)
        return self._calendars[version]
