"""What the figures are added up from: sums over `case_facts`, made by the database. Every query is scoped.

Nothing is decided here: a case was judged when its events were written (rules/facts.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, and_, cast, func, or_, select, true
from sqlalchemy.sql.elements import ColumnElement

from models.case import Bulletin, Case
from models.facts import CASE_FACTS as FACTS
from rules.counts import COUNTED

PLACE = ("hall", "unit", "kind", "cause")
INTAKE = ("registered", "consulted", "out_of_scope", "merged", "repeated")
TREND = ("handled", "on_time", "unit_on_time", "solved", "unsolved", "rated_final", "satisfied_final")
_EACH = {"postgresql": func.jsonb_each, "sqlite": func.json_each}
RECURRING = 10
"""So many matters are named as recurring at most."""


@dataclass(frozen=True)
class Period:
    """What is asked for: [start, end), cases of these halls (None: every one), and what narrows it.

    ``now`` is when it is asked: an open case counts once its due time has passed.
    """

    start: datetime
    end: datetime
    now: datetime
    halls: frozenset[str] | None
    unit: str | None = None
    kind: str | None = None
    cause: str | None = None

    @property
    def counted(self) -> ColumnElement[bool]:
        """Return the condition on cases that count: N, by the earlier of due time and accepted reply.

        A case is judged when an event says that it is late or told; before that nothing is added up.
        """
        at = FACTS.c.counts_at
        passed = or_(FACTS.c.told == 1, at < self.now)
        return and_(
            at >= self.start, at < self.end, FACTS.c.handled == 1, passed, self._of_halls(FACTS.c.hall)
        )

    @property
    def received(self) -> ColumnElement[bool]:
        """Return the condition on cases that were received in the period."""
        at = FACTS.c.received_at
        return and_(at >= self.start, at < self.end, self._of_halls(FACTS.c.hall))

    @property
    def narrowed(self) -> ColumnElement[bool]:
        """Return the condition of the filters; units are those that the cases lie with now."""
        wanted = {"unit": self.unit, "kind": self.kind, "cause": self.cause}
        return and_(true(), *(FACTS.c[name] == value for name, value in wanted.items() if value is not None))

    def fits(self, place: Sequence[Any]) -> bool:
        """Whether hall, unit, kind and cause pass the filters."""
        wanted = (None, self.unit, self.kind, self.cause)
        return all(want is None or want == got for want, got in zip(wanted, place, strict=False))

    def bulletins(self) -> ColumnElement[bool]:
        """Return the condition on the 通报 that were decided in the period."""
        at: Column[datetime] = Bulletin.__table__.c.decided_at  # type: ignore[attr-defined]
        hall = Bulletin.__table__.c.hall  # type: ignore[attr-defined]
        return and_(at >= self.start, at < self.end, self._of_halls(hall))

    def _of_halls(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        return true() if self.halls is None else column.in_(sorted(self.halls))


def handled_cells(connection: Connection, period: Period) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    """Yield hall, unit, kind, cause with the sums of their cases, in the order of `COUNTED`."""
    place = [FACTS.c[name] for name in PLACE]
    sums = [func.sum(FACTS.c[name]) for name in COUNTED]
    for row in connection.execute(select(*place, *sums).where(period.counted).group_by(*place)):
        yield tuple(row[: len(PLACE)]), list(row[len(PLACE) :])


def intake_cells(connection: Connection, period: Period) -> Iterator[tuple[tuple[Any, ...], list[int]]]:
    """Yield hall, unit, kind, cause with the sums of cases received, in the order of `INTAKE`."""
    place = [FACTS.c[name] for name in PLACE]
    sums = [func.count(), *(func.sum(FACTS.c[name]) for name in INTAKE[1:])]
    for row in connection.execute(select(*place, *sums).where(period.received).group_by(*place)):
        yield tuple(row[: len(PLACE)]), list(row[len(PLACE) :])


def shares_elsewhere(
    connection: Connection, period: Period
) -> Iterator[tuple[tuple[Any, ...], tuple[str, str, int]]]:
    """Yield, of cases that went from unit to unit, their place and what belongs to an earlier unit.

    That is the unit, the name of a count, and its sum. The database opens and adds up the values: read row
    by row they took as long as all the other sums of a year together.
    """
    each = _EACH[connection.dialect.name]
    unit = each(FACTS.c.elsewhere).table_valued("key", "value").alias("of_unit")
    count = each(unit.c.value).table_valued("key", "value").alias("of_count")
    names = (*(FACTS.c[name] for name in PLACE), unit.c.key, count.c.key)
    wanted = select(*names, func.sum(cast(count.c.value, Integer))).select_from(FACTS)
    wanted = wanted.join(unit, true()).join(count, true()).group_by(*names)
    for row in connection.execute(wanted.where(period.counted, FACTS.c.elsewhere.is_not(None))):
        yield tuple(row[: len(PLACE)]), (row[-3], row[-2], row[-1])


def handling_times(connection: Connection, period: Period, measure: str) -> Sequence[tuple[bool, int, int]]:
    """Return apart or not, a handling time, and how many replied cases took so long.

    ``measure`` is "handling_days" or "handling_minutes"; each by itself, as both together hardly repeat.
    """
    measured = (FACTS.c.apart, FACTS.c[measure])
    wanted = select(*measured, func.count()).where(period.counted, period.narrowed, FACTS.c.told == 1)
    return [(row[0], row[1], row[2]) for row in connection.execute(wanted.group_by(*measured))]


def handled_by_day(connection: Connection, period: Period) -> Mapping[date, Sequence[int]]:
    """Return the sums of `TREND` by the date of Shanghai that cases count on."""
    sums = [func.sum(FACTS.c[name]) for name in TREND]
    wanted = select(FACTS.c.counts_on, *sums).where(period.counted, period.narrowed)
    return {row[0]: row[1:] for row in connection.execute(wanted.group_by(FACTS.c.counts_on))}


def received_by_day(connection: Connection, period: Period) -> Mapping[date, int]:
    """Return how many cases were received on each date of Shanghai."""
    wanted = select(FACTS.c.received_on, func.count()).where(period.received, period.narrowed)
    return {row[0]: row[1] for row in connection.execute(wanted.group_by(FACTS.c.received_on))}


def running_stretches(connection: Connection, period: Period) -> Sequence[Any]:
    """Return who holds the open cases that count: place, holder, since when, calendar's version.

    A unit's people hold only what lies with their unit, so the place says which.
    """
    names = (*PLACE, "held_by", "held_since", "held_calendar")
    wanted = select(*(FACTS.c[name] for name in names)).where(period.counted, FACTS.c.held_by.is_not(None))
    return connection.execute(wanted).all()


def issued_bulletins(connection: Connection, period: Period) -> Mapping[tuple[str, str], int]:
    """Return how many 通报 were issued, by hall and unit."""
    table = Bulletin.__table__  # type: ignore[attr-defined]
    wanted = select(table.c.hall, table.c.unit, func.count()).where(period.bulletins())
    rows = connection.execute(wanted.where(table.c.status == "issued").group_by(table.c.hall, table.c.unit))
    return {(hall, unit): n for hall, unit, n in rows}


def recurring_matters(connection: Connection, period: Period) -> Sequence[tuple[str, int, int]]:
    """Return matters that came more than once: as last typed, how often, and how often repeated."""
    key, times = FACTS.c.matter_key, func.count()
    wanted = (
        select(key, times, func.sum(FACTS.c.repeated), func.max(FACTS.c.case_id))
        .where(period.received, period.narrowed, key.is_not(None))
        .group_by(key)
        .having(times > 1)
        .order_by(times.desc(), key)
        .limit(RECURRING)
    )
    rows = connection.execute(wanted).all()
    table = Case.__table__  # type: ignore[attr-defined]
    names = select(table.c.id, table.c.matter).where(table.c.id.in_([row[3] for row in rows]))
    matters: dict[str, str | None] = {row[0]: row[1] for row in connection.execute(names)}
    return [(matters.get(row[3]) or "", row[1], row[2]) for row in rows]
