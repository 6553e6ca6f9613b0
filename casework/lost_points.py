"""Where a unit's points went: the cases behind its score, each with what it cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, or_, select

from casework.errors import NotFound
from casework.facts_filling import fill_facts
from casework.figure_rows import Period
from casework.figures import Asked
from casework.places import Places, places_of
from casework.scope import scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.facts import CASE_FACTS as FACTS

MOST = 200
"""So many cases are listed at most."""

_CASES = Case.__table__  # type: ignore[attr-defined]
_REASONS = {
    "late": and_(FACTS.c.unit_on_time == 0, FACTS.c.unit_excused == 0),
    "excused": FACTS.c.unit_excused == 1,
    "unsolved": FACTS.c.unsolved == 1,
    "dissatisfied": and_(FACTS.c.rated_final == 1, FACTS.c.satisfied_final == 0),
    "no_response": and_(FACTS.c.dispatched == 1, FACTS.c.responded == 0),
}
_TIMES = ("refused_returns", "orders")


@dataclass(frozen=True)
class LosingCase:
    """A case that cost points; ``reasons`` are slugs, ``times`` how many refused returns and orders."""

    number: str
    matter: str | None
    reasons: tuple[str, ...]
    times: Mapping[str, int]


@dataclass(frozen=True)
class LostPoints:
    """The cases of a unit, oldest first; ``more``: there are others beyond those listed."""

    hall: str
    unit: str
    cases: tuple[LosingCase, ...]
    more: bool
    places: Places


async def lost_points(services: Services, viewer: Viewer, asked: Asked, most: int = MOST) -> LostPoints:
    """Return the cases that cost a unit points. Raises `NotFound` for a hall or unit of others."""
    await fill_facts(services)
    now = await services.clock.now()
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        places = await places_of(session, scope)
    if asked.hall is None or asked.unit is None or (asked.hall, asked.unit) not in places.units:
        raise NotFound("unit")
    period = Period(asked.start, asked.end, now, frozenset({asked.hall}))
    unit = asked.unit
    found = await services.database.look(lambda session: _cases(session.connection(), period, unit, most))
    return LostPoints(asked.hall, unit, tuple(found[:most]), len(found) > most, places)


def _cases(connection: Connection, period: Period, unit: str, most: int) -> list[LosingCase]:
    mine = and_(FACTS.c.unit == unit, or_(*_REASONS.values(), *(FACTS.c[name] > 0 for name in _TIMES)))
    flags = [condition.label(name) for name, condition in _REASONS.items()]
    wanted = (
        select(_CASES.c.number, _CASES.c.matter, FACTS.c.unit, FACTS.c.elsewhere, *flags)
        .add_columns(*(FACTS.c[name] for name in _TIMES))
        .join(_CASES, _CASES.c.id == FACTS.c.case_id)
        # What an earlier unit did is written beside what the present one did.
        .where(period.counted, or_(mine, FACTS.c.elsewhere.is_not(None)))
        .order_by(FACTS.c.counts_at, FACTS.c.case_id)
    )
    found: list[LosingCase] = []
    for row in connection.execute(wanted):
        if len(found) > most:
            break
        if losing := _losing(row, unit):
            found.append(losing)
    return found


def _losing(row: Any, unit: str) -> LosingCase | None:
    elsewhere: Mapping[str, Mapping[str, int]] = row.elsewhere or {}
    if row.unit == unit:
        reasons = tuple(name for name in _REASONS if getattr(row, name))
        others = elsewhere.values()
        times = {name: getattr(row, name) - sum(part.get(name, 0) for part in others) for name in _TIMES}
    else:
        reasons = ()
        times = {name: elsewhere.get(unit, {}).get(name, 0) for name in _TIMES}
    times = {name: value for name, value in times.items() if value}
    return LosingCase(row.number, row.matter, reasons, times) if reasons or times else None
