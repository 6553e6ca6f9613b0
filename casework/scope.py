"""Who sees which cases: by hall, unit and role (domain.md, section 1). Every query passes here."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import SQLColumnExpression, and_, false, or_, true
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.viewer import Viewer
from models.case import Case, CaseCoUnit
from models.directory import Hall
from models.filing import Filing
from rules.case.vocabulary import Role

OF_A_HALL = frozenset({Role.CLERK, Role.WINDOW_LEAD, Role.CENTRE})
OF_A_UNIT = frozenset({Role.CONTACT, Role.DEPUTY_LEADER})


@dataclass(frozen=True)
class Scope:
    """What a viewer sees. ``halls`` None means every hall; ``unit`` narrows to that unit's cases."""

    halls: frozenset[str] | None
    unit: str | None = None
    referred_only: bool = False

    @property
    def cases(self) -> ColumnElement[bool]:
        """Return the condition on `Case`."""
        conditions = [self._of_halls(col(Case.hall))]
        if self.unit is not None:
            conditions.append(or_(col(Case.unit) == self.unit, col(Case.id).in_(self._asked())))
        if self.referred_only:
            # As the partial index says it: "IS TRUE" is something else to a planner.
            conditions.append(and_(col(Case.referred)))
        return and_(*conditions)

    @property
    def filings(self) -> ColumnElement[bool]:
        """Return the condition on `Filing`, for one that is no case yet: only its hall has it."""
        if self.unit is not None or self.referred_only:
            return false()
        return self._of_halls(col(Filing.hall))

    def covers(self, case: Case) -> bool:
        """Whether this case, as it stands in memory, is one of those."""
        if self.halls is not None and case.hall not in self.halls:
            return False
        if self.unit is not None and self.unit not in {case.unit, *case.co_units}:
            return False
        return case.referred or not self.referred_only

    def _asked(self) -> ColumnElement[bool]:
        asked = select(CaseCoUnit.case_id).where(CaseCoUnit.unit == self.unit)
        if self.halls is not None:
            asked = asked.where(col(CaseCoUnit.hall).in_(self.halls))
        return asked  # type: ignore[return-value]

    def _of_halls(self, column: SQLColumnExpression[str]) -> ColumnElement[bool]:
        if self.halls is None:
            return true()
        return column.in_(sorted(self.halls)) if self.halls else false()


NOTHING = Scope(frozenset())


async def scope_of(session: AsyncSession, viewer: Viewer) -> Scope:
    """Return what the viewer sees; the admin sees no case at all."""
    if viewer.role is Role.AUDITOR:
        return Scope(None)
    if viewer.role is Role.SUPERIOR:
        halls = None if viewer.hall is None else await _under(session, viewer.hall)
        return Scope(halls, referred_only=True)
    if viewer.hall is None:
        return NOTHING
    if viewer.role is Role.SUPERVISOR:
        return Scope(await _under(session, viewer.hall))
    if viewer.role in OF_A_UNIT and viewer.unit is not None:
        return Scope(frozenset({viewer.hall}), viewer.unit)
    return Scope(frozenset({viewer.hall})) if viewer.role in OF_A_HALL else NOTHING


async def _under(session: AsyncSession, hall: str) -> frozenset[str]:
    parents = dict((await session.exec(select(Hall.code, Hall.parent))).all())
    return halls_under(hall, parents)


def halls_under(top: str, parents: Mapping[str, str | None]) -> frozenset[str]:
    """Return `top` and every hall below it; a ring in the directory ends."""
    found: set[str] = set()
    found_now: Iterable[str] = (top,)
    while new := set(found_now) - found:
        found |= new
        found_now = [hall for hall, parent in parents.items() if parent in new]
    return frozenset(found)
