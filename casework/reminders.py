"""The reminders (催办) sent lately in the halls that a viewer sees."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select

from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case, LedgerEvent

LATELY = timedelta(days=14)
MOST = 10

# Word for word the condition of the partial index: a bound value would hide it from a planner.
_REMINDERS = text("events.type = 'remind'")


@dataclass(frozen=True)
class Reminder:
    """Who reminded of which case, and when."""

    at: datetime
    by: str
    number: str | None
    hall: str
    unit: str | None
    matter: str | None


async def reminders_lately(services: Services, viewer: Viewer) -> list[Reminder]:
    """Return the last ones, newest first."""
    since = await services.clock.now() - LATELY
    shown: tuple[Any, ...] = (Case.number, Case.hall, Case.unit, Case.matter)
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        wanted: Any = (
            select(LedgerEvent.at, LedgerEvent.actor, *shown)
            .join(Case, col(Case.id) == LedgerEvent.case_id)
            .where(_REMINDERS, LedgerEvent.at >= since, scope.cases)
            .order_by(col(LedgerEvent.at).desc(), col(LedgerEvent.id).desc())
            .limit(MOST)
        )
        found = (await session.exec(wanted)).all()
    return [Reminder(at, actor.get("name") or "—", *rest) for at, actor, *rest in found]
