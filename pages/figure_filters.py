"""The filters of /figures as they were chosen; what is none is passed over, dates are checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import get_args

from pydantic import TypeAdapter, ValidationError

from casework.trends import Step
from pages.list_filters import code
from routes.fields import PeriodEnd, PeriodStart
from routes.wording import fault_words
from rules.case.vocabulary import Cause, Kind

NAMES = ("hall", "unit", "kind", "cause", "from", "to", "step")
_START: TypeAdapter[datetime] = TypeAdapter(PeriodStart)
_END: TypeAdapter[datetime] = TypeAdapter(PeriodEnd)


@dataclass(frozen=True)
class FigureFilters:
    """What was chosen: as values, as texts to show again, and what is wrong with it."""

    start: datetime | None
    end: datetime | None
    narrowed: Mapping[str, str | None]
    step: Step
    typed: Mapping[str, str]
    faults: Mapping[str, str]


def read_figure_filters(given: Mapping[str, str]) -> FigureFilters:
    """Read the filters from a query; a date that is none becomes a fault and counts for nothing."""
    typed = {name: given.get(name, "").strip() for name in NAMES}
    faults: dict[str, str] = {}
    step: Step = "week" if typed["step"] == "week" else "month"
    assert step in get_args(Step)
    narrowed = {
        "hall": code(typed["hall"]),
        "unit": code(typed["unit"]),
        "kind": typed["kind"] if typed["kind"] in set(Kind) else None,
        "cause": typed["cause"] if typed["cause"] in set(Cause) else None,
    }
    start, end = _border(_START, "from", typed, faults), _border(_END, "to", typed, faults)
    if start and end and start >= end:
        faults["to"], start, end = "结束日期早于开始日期", None, None
    return FigureFilters(start, end, narrowed, step, {**typed, "step": step}, faults)


def _border(
    adapter: TypeAdapter[datetime], name: str, typed: Mapping[str, str], faults: dict[str, str]
) -> datetime | None:
    if not typed[name]:
        return None
    try:
        return adapter.validate_python(typed[name])
    except ValidationError as error:
        # A border may also be an instant, which nobody types here: say what is wanted.
        slug = error.errors()[0]["type"]
        faults[name] = fault_words("date_parsing" if slug.startswith("datetime") else slug)
        return None


def presets(today: date) -> list[tuple[str, str, str]]:
    """Return usual periods: name, first day and last day, up to today."""
    month = today.replace(day=1)
    last = month - timedelta(days=1)
    periods = (
        ("本周", today - timedelta(days=today.weekday()), today),
        ("本月", month, today),
        ("上月", last.replace(day=1), last),
        ("今年", today.replace(month=1, day=1), today),
    )
    return [(name, first.isoformat(), end.isoformat()) for name, first, end in periods]
