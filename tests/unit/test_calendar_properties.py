"""What must hold for every calendar: adding and measuring working time undo each other."""

from datetime import UTC, date, datetime, time, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st

from rules.calendar import OPENING_HOURS, SHANGHAI, AfterHours, Calendar, local

FIRST, LAST = date(2026, 1, 1), date(2027, 12, 31)
HOURS = [
    OPENING_HOURS,
    ((time(8), time(18)),),
    ((time(0), time(23, 59, 59)),),
    ((time(9), time(11, 17, 3)), (time(11, 17, 3), time(12)), (time(20), time(20, 30))),
]
ZONES = [UTC, SHANGHAI, timezone(timedelta(hours=-7)), timezone(timedelta(hours=14))]

timeless = settings(deadline=None)  # a busy machine is no fault of a rule

dates = st.dates(FIRST, LAST)
instants = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - Hypothesis wants naive bounds and adds the zone
    datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.sampled_from(ZONES),
)
amounts = st.timedeltas(timedelta(), timedelta(hours=200))
counts = st.integers(0, 60)
rules = st.sampled_from(AfterHours)


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    """Any calendar with single days and whole weeks off, and with make-up days."""
    off = draw(st.frozensets(dates, max_size=12))
    begin = draw(dates)
    week = frozenset(begin + timedelta(days) for days in range(draw(st.integers(0, 9))))
    work = draw(st.frozensets(dates.filter(lambda day: day.weekday() >= 5), max_size=12))
    return Calendar("any", (off | week) - work, work, frozenset(), draw(st.sampled_from(HOURS)))


@timeless
@given(calendars(), instants, counts)
def test_measuring_undoes_adding_days(calendar: Calendar, start: datetime, count: int) -> None:
    assert calendar.working_days_between(start, calendar.add_working_days(start, count)) == count


@timeless
@given(calendars(), instants, amounts)
def test_measuring_undoes_adding_hours(calendar: Calendar, start: datetime, amount: timedelta) -> None:
    due = calendar.add_working_hours(start, amount)
    assert calendar.working_hours_between(start, due) == amount


@timeless
@given(calendars(), instants, instants)
def test_adding_what_was_measured_never_overshoots(
    calendar: Calendar, one: datetime, other: datetime
) -> None:
    """It stops at the last worked instant: equal to the end wherever the end itself is worked."""
    start, end = sorted((one, other))
    again = calendar.add_working_hours(start, calendar.working_hours_between(start, end))
    assert again <= end
    assert calendar.working_hours_between(again, end) == timedelta()
    count = calendar.working_days_between(start, end)
    assert local(calendar.add_working_days(start, count)).date() <= local(end).date()


@timeless
@given(calendars(), instants, counts, counts, rules)
def test_adding_days_is_additive(
    calendar: Calendar, start: datetime, first: int, then: int, rule: AfterHours
) -> None:
    at_once = calendar.add_working_days(start, first + then, rule)
    between = calendar.add_working_days(start, first, rule)
    assert calendar.add_working_days(between, then, rule) == at_once


@timeless
@given(calendars(), instants, amounts, amounts)
def test_adding_hours_is_additive(
    calendar: Calendar, start: datetime, first: timedelta, then: timedelta
) -> None:
    between = calendar.add_working_hours(start, first)
    at_once = calendar.add_working_hours(start, first + then)
    assert calendar.add_working_hours(between, then) == at_once


@timeless
@given(calendars(), st.lists(instants, min_size=3, max_size=3).map(sorted))
def test_measuring_is_additive(calendar: Calendar, moments: list[datetime]) -> None:
    first, middle, last = moments
    days, worked = calendar.working_days_between, calendar.working_hours_between
    assert days(first, middle) + days(middle, last) == days(first, last)
    assert worked(first, middle) + worked(middle, last) == worked(first, last)


@timeless
@given(calendars(), instants, instants, counts, rules)
def test_days_are_monotone_in_the_start(
    calendar: Calendar, one: datetime, other: datetime, count: int, rule: AfterHours
) -> None:
    start, later = sorted((one, other))
    due = calendar.add_working_days(start, count, rule)
    assert due <= calendar.add_working_days(later, count, rule)


@timeless
@given(calendars(), instants, instants, amounts)
def test_hours_are_monotone_in_the_start(
    calendar: Calendar, one: datetime, other: datetime, amount: timedelta
) -> None:
    start, later = sorted((one, other))
    due = calendar.add_working_hours(start, amount)
    assert due <= calendar.add_working_hours(later, amount)


@timeless
@given(calendars(), instants, counts, amounts, rules)
def test_more_time_ends_later(
    calendar: Calendar, start: datetime, count: int, amount: timedelta, rule: AfterHours
) -> None:
    sooner = calendar.add_working_days(start, count, rule)
    assert sooner < calendar.add_working_days(start, count + 1, rule)
    more = amount + timedelta(microseconds=1)
    ends = calendar.add_working_hours(start, amount)
    assert start <= ends < calendar.add_working_hours(start, more)


@timeless
@given(calendars(), instants, counts)
def test_next_day_never_ends_before_same_day(calendar: Calendar, start: datetime, count: int) -> None:
    same = calendar.add_working_days(start, count, AfterHours.SAME_DAY)
    assert same <= calendar.add_working_days(start, count, AfterHours.NEXT_DAY)


@timeless
@given(calendars(), instants, st.integers(1, 60), rules)
def test_a_limit_in_days_ends_at_closing_of_a_working_day(
    calendar: Calendar, start: datetime, count: int, rule: AfterHours
) -> None:
    due = calendar.add_working_days(start, count, rule)
    assert calendar.is_working_day(local(due).date())
    assert due == calendar.closing(local(due).date())
    assert due.tzinfo is UTC


@timeless
@given(calendars(), dates)
def test_neighbours_are_the_nearest_working_days(calendar: Calendar, day: date) -> None:
    after, before = calendar.next_working_day(day), calendar.previous_working_day(day)
    assert before < day < after
    assert calendar.is_working_day(after)
    assert calendar.is_working_day(before)
    between = (before + timedelta(days) for days in range(1, (after - before).days))
    assert not any(calendar.is_working_day(other) for other in between if other != day)


@timeless
@given(calendars(), instants, st.timedeltas(timedelta(), timedelta(days=3)))
def test_measuring_equals_the_sum_over_opening_periods(
    calendar: Calendar, start: datetime, length: timedelta
) -> None:
    """The slow way: cut at every edge of every day, and add up what lies inside opening hours."""
    end = start + length
    expected = timedelta()
    for offset in range(-1, 6):
        day = local(start).date() + timedelta(offset)
        if calendar.is_working_day(day):
            for begin, close in calendar.hours:
                opened = datetime.combine(day, begin, SHANGHAI).astimezone(UTC)
                closed = datetime.combine(day, close, SHANGHAI).astimezone(UTC)
                expected += max(timedelta(), min(end, closed) - max(start, opened))
    assert calendar.working_hours_between(start, end) == expected


@timeless
@given(calendars(), st.lists(instants, min_size=1, max_size=6), instants)
def test_measuring_many_instants_to_one_end_is_measuring_each(
    calendar: Calendar, starts: list[datetime], end: datetime
) -> None:
    spent = calendar.measured_to(end)
    assert [spent(start) for start in starts] == [
        calendar.working_hours_between(start, end) for start in starts
    ]
