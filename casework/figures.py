"""The figures of a period, as API and page show them (domain.md, section 9).

Sums come from `casework/figure_rows.py`, formulas from `rules/figures.py` and `rules/score.py`; here they
are only brought together. Hours are working hours; shares are decimals, None where there is nothing to
share ("—").
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from operator import add
from typing import Any

from sqlmodel import Session, col, select

from casework import figure_rows as rows
from casework.errors import NotFound
from casework.facts_filling import fill_facts
from casework.figure_rows import Period
from casework.held_longest import bottlenecks
from casework.moments import shown
from casework.places import Places, places_of
from casework.ranking import Standing, ranking, weights_of
from casework.scope import scope_of
from casework.services import Services
from casework.trends import Step, trend
from casework.viewer import Viewer
from models.calendar_values import calendar_from_values
from models.directory import Hall
from models.terms import CalendarSnapshot
from rules.counts import COUNTED, Counts
from rules.figures import Intake, Spread, rates, spread
from rules.holding import HOLDERS

MONTHS = 12
"""So many months, the present one the last, where no period is asked for."""

_MINUTES = {str(holder): COUNTED.index(f"{holder}_minutes") for holder in HOLDERS}
_INDEX = {name: index for index, name in enumerate(COUNTED)}
_MINUTE = timedelta(minutes=1)
Place = tuple[Any, ...]
Cells = dict[Place, list[int]]


@dataclass(frozen=True)
class Asked:
    """What figures are asked for; ``start`` to ``end`` is half-open, all else narrows it down."""

    start: datetime
    end: datetime
    hall: str | None = None
    unit: str | None = None
    kind: str | None = None
    cause: str | None = None
    step: Step = "month"


@dataclass
class Sums:
    """What the database added up, hall by hall, unit by unit, kind by kind, cause by cause."""

    handled: Cells = field(default_factory=dict)
    intake: Cells = field(default_factory=dict)
    days: Sequence[tuple[bool, int, int]] = ()
    minutes: Sequence[tuple[bool, int, int]] = ()
    trend: Sequence[Mapping[str, Any]] = ()
    bulletins: Mapping[tuple[str, str], int] = field(default_factory=dict)
    matters: Sequence[tuple[str, int, int]] = ()


async def read_figures(services: Services, viewer: Viewer, asked: Asked) -> dict[str, Any]:
    """Return the figures of the halls that a viewer oversees. Raises `NotFound` for a hall of others."""
    await fill_facts(services)
    now = await services.clock.now()
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        places = await places_of(session, scope)
        policies = dict((await session.exec(select(Hall.code, Hall.policy_id))).all())
    if asked.hall is not None and asked.hall not in places.halls:
        raise NotFound("hall")
    halls = scope.halls if asked.hall is None else frozenset({asked.hall})
    period = Period(asked.start, asked.end, now, halls, asked.unit, asked.kind, asked.cause)
    sums = await services.database.look(lambda session: _sums(session, period, asked.step))
    weights = await asyncio.to_thread(weights_of, services, policies)
    return _shown(asked, period, sums, places, ranking(sums.handled, sums.bulletins, weights, places))


def _sums(session: Session, period: Period, step: Step) -> Sums:
    connection = session.connection()
    found = Sums()
    for place, values in rows.handled_cells(connection, period):
        found.handled[place] = values
    for place, share in rows.shares_elsewhere(connection, period):
        _move(found.handled, place, *share)
    _add_running(session, period, found.handled)
    for place, values in rows.intake_cells(connection, period):
        found.intake[place] = values
    found.days = rows.handling_times(connection, period, "handling_days")
    found.minutes = rows.handling_times(connection, period, "handling_minutes")
    found.trend = trend(connection, period, step)
    found.bulletins = rows.issued_bulletins(connection, period)
    found.matters = rows.recurring_matters(connection, period)
    return found


def _move(cells: Cells, place: Place, unit: str, name: str, value: int) -> None:
    """Give an earlier unit what is its own: it was added to the unit that has the case now."""
    hall, _, kind, cause = place
    other = cells.setdefault((hall, unit, kind, cause), [0] * len(COUNTED))
    cells[place][_INDEX[name]] -= value
    other[_INDEX[name]] += value


def _add_running(session: Session, period: Period, cells: Cells) -> None:
    """Add the stretches that still last, up to now."""
    spent_by: dict[str, Callable[[datetime], timedelta]] = {}
    for row in rows.running_stretches(session.connection(), period):
        hall, unit, kind, cause, held_by, since, version = row
        if version not in spent_by:
            snapshot = session.exec(select(CalendarSnapshot).where(col(CalendarSnapshot.version) == version))
            spent_by[version] = calendar_from_values(snapshot.one().values).measured_to(period.now)
        minutes = spent_by[version](since) // _MINUTE
        cells[hall, unit, kind, cause][_MINUTES[held_by]] += minutes


def _shown(
    asked: Asked, period: Period, sums: Sums, places: Places, standings: Sequence[Standing]
) -> dict[str, Any]:
    handled = {place: values for place, values in sums.handled.items() if period.fits(place)}
    intake = {place: values for place, values in sums.intake.items() if period.fits(place)}

    def by(*names: str) -> list[dict[str, Any]]:
        indexes = [rows.PLACE.index(name) for name in names]
        return _groups(handled, intake, lambda place: tuple(place[i] for i in indexes), names)

    (total,) = _groups(handled, intake, lambda place: (), ()) or [_group([], [])]
    return {
        "hall": asked.hall,
        "unit": asked.unit,
        "kind": asked.kind,
        "cause": asked.cause,
        "from": shown(asked.start),
        "to": shown(asked.end),
        "as_of": shown(period.now),
        **total,
        "handling": _handling(sums),
        "by_hall": by("hall"),
        "by_unit": by("hall", "unit"),
        "by_kind": by("kind"),
        "by_cause": by("cause"),
        "trend": {"step": asked.step, "items": list(sums.trend)},
        "bottlenecks": bottlenecks(handled, sums.matters),
        "ranking": [standing.shown() for standing in standings],
    }


def _groups(
    handled: Cells, intake: Cells, key: Callable[[Place], Place], names: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the figures of each group of cells, by what they share; without units where there is none."""
    keys = {key(place) for place in (*handled, *intake)}
    grouped = sorted(keys, key=lambda each: [str(part or "~") for part in each])
    counts, received = _added(handled, key), _added(intake, key)
    return [
        dict(zip(names, each, strict=True)) | _group(counts.get(each, []), received.get(each, []))
        for each in grouped
    ]


def _added(cells: Cells, key: Callable[[Place], Place]) -> dict[Place, list[int]]:
    found: dict[Place, list[int]] = {}
    for place, values in cells.items():
        group = key(place)
        found[group] = list(map(add, found[group], values)) if group in found else values
    return found


def _group(handled: Iterable[int], intake: Iterable[int]) -> dict[str, Any]:
    """Return every count and rate of a group of cases, and who held them for how long."""
    counts, received = Counts(*handled), Intake(*intake)
    minutes = {holder: getattr(counts, f"{holder}_minutes") for holder in HOLDERS}
    plain = {
        name: value for name, value in asdict(counts).items() if not name.endswith(("_minutes", "_days"))
    }
    return {
        **asdict(received),
        **plain,
        "late": counts.handled - counts.on_time - counts.excused,
        "explained": counts.unsolved,
        **{name: share(rate.value) for name, rate in rates(counts, received).items()},
        "mean_working_days": share(Fraction(counts.handling_days, counts.told) if counts.told else None),
        "mean_working_hours": hours(Fraction(counts.handling_minutes, counts.told) if counts.told else None),
        "holding": {holder: hours(spent) for holder, spent in minutes.items()},
        "total_holding_hours": hours(sum(minutes.values())),
    }


def _handling(sums: Sums) -> dict[str, Any]:
    """Return the handling time of all, of the usual cases, and of those apart."""
    wanted = {"all": (True, False), "usual": (False,), "apart": (True,)}
    found: dict[str, Any] = {}
    for name, which in wanted.items():
        days = spread((each[1], each[2]) for each in sums.days if each[0] in which)
        spent = spread((each[1], each[2]) for each in sums.minutes if each[0] in which)
        found[name] = {
            "cases": days.cases,
            "working_days": _spread(days, share),
            "working_hours": _spread(spent, hours),
        }
    return found


def _spread(of: Spread, show: Callable[[Any], float | None]) -> dict[str, float | None]:
    return {"mean": show(of.mean), "median": show(of.median), "p90": show(of.p90)}


def share(value: Fraction | int | None) -> float | None:
    """Return a figure to four decimals."""
    return None if value is None else round(float(value), 4)


def hours(minutes: Fraction | int | None) -> float | None:
    """Return minutes as hours, to two decimals."""
    return None if minutes is None else round(float(minutes) / 60, 2)
