"""Figures by month or by week of Shanghai: how they move."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Literal

from sqlalchemy import Connection

from casework.figure_rows import TREND, Period, handled_by_day, received_by_day

Step = Literal["month", "week"]
_RATES = {
    "on_time_rate": ("on_time", ("handled",)),
    "unit_on_time_rate": ("unit_on_time", ("handled",)),
    "solved_rate": ("solved", ("solved", "unsolved")),
    "satisfaction_final": ("satisfied_final", ("rated_final",)),
}


def trend(connection: Connection, period: Period, step: Step) -> Sequence[Mapping[str, Any]]:
    """Return one item a month or week that has any case, in order; `from` is its first day."""
    handled = handled_by_day(connection, period)
    received = received_by_day(connection, period)
    found: dict[date, dict[str, int]] = {}
    for day in sorted({*handled, *received}):
        sums = found.setdefault(_first(day, step), dict.fromkeys(("registered", *TREND), 0))
        sums["registered"] += received.get(day, 0)
        for name, value in zip(TREND, handled.get(day, [0] * len(TREND)), strict=True):
            sums[name] += value
    return [{"from": first.isoformat(), **sums, **_rates(sums)} for first, sums in found.items()]


def _first(day: date, step: Step) -> date:
    return day.replace(day=1) if step == "month" else day - timedelta(days=day.weekday())


def _rates(sums: Mapping[str, int]) -> dict[str, float | None]:
    found: dict[str, float | None] = {}
    for name, (part, whole) in _RATES.items():
        of = sum(sums[each] for each in whole)
        found[name] = round(float(Fraction(sums[part], of)), 4) if of else None
    return found
