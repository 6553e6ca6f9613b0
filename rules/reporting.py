"""When reports are due, and what they cover. Every instant is reckoned by the calendar of a hall.

Every Friday a hall's forms and ledger go to its centre, every Monday the centre's summary goes to
the supervision department [S0]; lists by the 20th of a month, their summary by the 22nd [S3]. A
report covers (last cut-off, this cut-off]. Source: domain.md, section 8.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from rules.calendar import Calendar, local


class ReportKind(StrEnum):
    """The kinds that a reporting workflow makes, in their order where two are due at one instant."""

    HALL_WEEKLY = "hall_weekly"
    CENTRE_WEEKLY = "centre_weekly"
    MONTHLY_LISTS = "monthly_lists"
    """A hall's lists of a month, for its centre."""
    MONTHLY = "monthly"
    """The centre's summary of them, for the supervision department."""


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
    monthly_lists_at: Edge = Edge.CLOSING
    monthly_at: Edge = Edge.CLOSING


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
    before = _RHYTHMS[kind].step(local(after).date(), -1)  # days off move a report into a later period
    return next(due for due in _dues(calendar, times, kind, before) if due.at > after)


def due_of(calendar: Calendar, times: ReportingTimes, kind: ReportKind, day: date) -> Due:
    """Return the report of the week (or month) that `day` lies in.

    Where that one was merged, it is the one it went into.
    """
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


@dataclass(frozen=True)
class _Rhythm:
    """What repeats: a cut-off in each period (None where it has none), and a summary of those passed.

    `step` gives a day of the period that lies so many periods on, or back.
    """

    step: Callable[[date, int], date]
    cut_off: Callable[[Calendar, date], date | None]
    summary: Callable[[Calendar, date], date]
    cut_off_kind: ReportKind

    def cut_offs(
        self, calendar: Calendar, times: ReportingTimes, day: date, by: int = 1
    ) -> Iterator[datetime]:
        """Yield the cut-offs from the period of `day` on, or (`by` -1) back."""
        while True:
            if (found := self.cut_off(calendar, day)) is not None:
                yield _instant(calendar, _edge_of(times, self.cut_off_kind), found)
            day = self.step(day, by)

    def last_cut_off(self, calendar: Calendar, times: ReportingTimes, until: datetime) -> datetime:
        """Return the last cut-off that has passed by an instant, exactly then included."""
        back = self.cut_offs(calendar, times, local(until).date(), -1)
        return next(at for at in back if at <= until)

    def summaries(self, calendar: Calendar, edge: Edge, day: date, by: int = 1) -> Iterator[datetime]:
        """Yield when a summary is due, from the period of `day` on, or (`by` -1) back."""
        while True:
            yield _instant(calendar, edge, self.summary(calendar, day))
            day = self.step(day, by)


def _by_week(day: date, by: int) -> date:
    return day + _WEEK * by


def _by_month(day: date, by: int) -> date:
    months = day.year * 12 + day.month - 1 + by
    return date(months // 12, months % 12 + 1, 1)


_WEEKLY = _Rhythm(_by_week, hall_day, centre_day, ReportKind.HALL_WEEKLY)
_MONTHLY = _Rhythm(
    _by_month,
    lambda calendar, day: lists_day(calendar, day.year, day.month),
    lambda calendar, day: summary_day(calendar, day.year, day.month),
    ReportKind.MONTHLY_LISTS,
)
_RHYTHMS = {
    ReportKind.HALL_WEEKLY: _WEEKLY,
    ReportKind.CENTRE_WEEKLY: _WEEKLY,
    ReportKind.MONTHLY_LISTS: _MONTHLY,
    ReportKind.MONTHLY: _MONTHLY,
}


def _dues(calendar: Calendar, times: ReportingTimes, kind: ReportKind, day: date) -> Iterator[Due]:
    """Every report of a kind from the period of `day` on; of merged ones each is the same one."""
    rhythm = _RHYTHMS[kind]
    if kind is rhythm.cut_off_kind:
        for at in rhythm.cut_offs(calendar, times, day):
            start = rhythm.last_cut_off(calendar, times, at - timedelta.resolution)
            yield _due(calendar, kind, at, start, at)
        return
    edge = _edge_of(times, kind)
    for at in rhythm.summaries(calendar, edge, day):
        # Merged summaries are one: what it begins with is what the last other one ended with.
        back = rhythm.summaries(calendar, edge, day, -1)
        start = rhythm.last_cut_off(calendar, times, next(each for each in back if each < at))
        end = rhythm.last_cut_off(calendar, times, at)
        if start < end:  # else no cut-off lies between this summary and the one before
            yield _due(calendar, kind, at, start, end)
        day = rhythm.step(day, 1)


def _due(calendar: Calendar, kind: ReportKind, at: datetime, start: datetime, end: datetime) -> Due:
    return Due(kind, at, start, end, calendar.is_provisional(start, at))


def _edge_of(times: ReportingTimes, kind: ReportKind) -> Edge:
    edge: Edge = getattr(times, f"{kind}_at")
    return edge


def _instant(calendar: Calendar, edge: Edge, day: date) -> datetime:
    return calendar.opening(day) if edge is Edge.OPENING else calendar.closing(day)


def _on_or_after(calendar: Calendar, day: date) -> date:
    return day if calendar.is_working_day(day) else calendar.next_working_day(day)


def _weekday(day: date, weekday: int) -> date:
    return day + _DAY * (weekday - day.weekday())
