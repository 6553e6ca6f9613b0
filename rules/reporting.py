"""When reports are due, and what they cover. Every instant is reckoned by the calendar of a hall.

Every Friday a hall's forms and ledger go to its centre, every Monday the centre's summary goes to
the supervision department [S0]; lists by the 20th of a month, their summary by the 22nd [S3]. A
report covers (last cut-off, this cut-off]. Source: domain.md, section 8.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.calendar import Calendar, local


class ReportKind(StrEnum):
    """The kinds that a reporting workflow makes, in their order where two are due at one instant."""

    HALL_WEEKLY = "hall_weekly"
    CENTRE_WEEKLY = "centre_weekly"


class Edge(StrEnum):
    """At which end of its day a report is due."""

    OPENING = "opening"
    CLOSING = "closing"


@dataclass(frozen=True)
class ReportingTimes:
    """At which time of its day each report is due. The defaults are proposals [P].

    Section `[reporting]` of a policy file; no case is pinned to it.
    """

    hall_weekly_at: Edge = Edge.CLOSING
    centre_weekly_at: Edge = Edge.OPENING


@dataclass(frozen=True)
class Due:
    """A report: due at `at`, covering what happened in (`start`, `end`]. All three in UTC.

    `provisional`: a day of it lies in a year without a published notice.
    """

    kind: ReportKind
    at: datetime
    start: datetime
    end: datetime
    provisional: bool = False

    def chained(self, covered_to: datetime | None) -> "Due | None":
        """Return it beginning where the last report made ended, should that be later; None: it is covered.

        A calendar that changed in between moves cut-offs: nothing is reported twice for it.
        """
        if covered_to is None or covered_to <= self.start:
            return self
        return replace(self, start=covered_to) if covered_to < self.end else None


FRIDAY, MONDAY = 4, 0
LISTS_DAY, SUMMARY_DAY = 20, 22  # of the month [S3]
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


def hall_day(calendar: Calendar, week: date) -> date | None:
    """Return the day of the hall's report in the week of `week`: Friday, or the last working day before.

    None for a week without a working day from Monday to Friday: it is merged into the next.
    Source: S0; domain.md, section 8.
    """
    friday = _weekday(week, FRIDAY)
    days = (friday - _DAY * back for back in range(FRIDAY + 1))
    return next(filter(calendar.is_working_day, days), None)


def centre_day(calendar: Calendar, week: date) -> date:
    """Return the day of the centre's summary in the week of `week`: Monday, or the next working day.

    Two weeks may have the same one: their summaries are merged. Source: S0; domain.md, section 8.
    """
    return _on_or_after(calendar, _weekday(week, MONDAY))


def lists_day(calendar: Calendar, year: int, month: int) -> date:
    """Return by which day the monthly lists are due. Source: S3; domain.md, section 8."""
    return _on_or_after(calendar, date(year, month, LISTS_DAY))


def summary_day(calendar: Calendar, year: int, month: int) -> date:
    """Return by which day the monthly summary is due: at least one working day after the lists."""
    after_lists = calendar.next_working_day(lists_day(calendar, year, month))
    return max(_on_or_after(calendar, date(year, month, SUMMARY_DAY)), after_lists)


def due_after(calendar: Calendar, times: ReportingTimes, kind: ReportKind, after: datetime) -> Due:
    """Return the first report of a kind that is due strictly after an instant."""
    week = local(after).date() - _WEEK  # a day off moves a summary into a later week
    return next(due for due in _dues(calendar, times, kind, week) if due.at > after)


def due_of_week(calendar: Calendar, times: ReportingTimes, kind: ReportKind, day: date) -> Due:
    """Return the report of the week that `day` lies in; where that was merged, the one it went into."""
    return next(_dues(calendar, times, kind, day))


def parse_times(text: str) -> ReportingTimes:
    """Return the section `[reporting]` of a policy file; what it does not say is as proposed.

    Raises ValueError for an unknown key, a wrong value, and one without a source.
    """
    section = tomllib.loads(text).get("reporting", {})
    known = {field.name for field in fields(ReportingTimes)}
    if not isinstance(section, dict) or section.keys() - known:
        raise ValueError(f"[reporting] knows {', '.join(sorted(known))}, and no other keys")
    return ReportingTimes(**{name: _edge(name, entry) for name, entry in section.items()})


def _edge(name: str, entry: object) -> Edge:
    if not isinstance(entry, Mapping) or entry.keys() != {"value", "unit", "source"}:
        raise ValueError(f"{name}: not a table of value, unit and source")
    if entry["unit"] != "choice" or not str(entry["source"]).strip():
        raise ValueError(f"{name}: the unit is choice, and it has a source")
    if entry["value"] not in tuple(Edge):
        raise ValueError(f"{name}: {entry['value']!r} is none of {', '.join(Edge)}")
    return Edge(entry["value"])


def _dues(calendar: Calendar, times: ReportingTimes, kind: ReportKind, week: date) -> Iterator[Due]:
    """Every report of a kind from the week of `week` on."""
    if kind is ReportKind.HALL_WEEKLY:
        for at in _cut_offs(calendar, times, week):
            yield _due(calendar, kind, at, _last_cut_off(calendar, times, at - timedelta.resolution), at)
        return
    while True:
        at = _summary_at(calendar, times, week)
        start = _last_cut_off(calendar, times, _summary_before(calendar, times, week, at))
        end = _last_cut_off(calendar, times, at)
        if start < end:  # else no cut-off lies between this summary and the one before
            yield _due(calendar, kind, at, start, end)
        week += _WEEK


def _due(calendar: Calendar, kind: ReportKind, at: datetime, start: datetime, end: datetime) -> Due:
    return Due(kind, at, start, end, calendar.is_provisional(start, at))


def _cut_offs(calendar: Calendar, times: ReportingTimes, week: date, step: int = 1) -> Iterator[datetime]:
    """The cut-offs of the halls from the week of `week` on, or (`step` -1) back."""
    while True:
        if (day := hall_day(calendar, week)) is not None:
            yield _instant(calendar, times.hall_weekly_at, day)
        week += _WEEK * step


def _last_cut_off(calendar: Calendar, times: ReportingTimes, until: datetime) -> datetime:
    back = _cut_offs(calendar, times, local(until).date(), -1)
    return next(at for at in back if at <= until)


def _summary_at(calendar: Calendar, times: ReportingTimes, week: date) -> datetime:
    return _instant(calendar, times.centre_weekly_at, centre_day(calendar, week))


def _summary_before(calendar: Calendar, times: ReportingTimes, week: date, at: datetime) -> datetime:
    """The last instant of a summary that differs from `at`: those merged with it are the same one."""
    while True:
        week -= _WEEK
        if (before := _summary_at(calendar, times, week)) < at:
            return before


def _instant(calendar: Calendar, edge: Edge, day: date) -> datetime:
    return calendar.opening(day) if edge is Edge.OPENING else calendar.closing(day)


def _on_or_after(calendar: Calendar, day: date) -> date:
    return day if calendar.is_working_day(day) else calendar.next_working_day(day)


def _weekday(day: date, weekday: int) -> date:
    return day + _DAY * (weekday - day.weekday())
