"""The figures counted by hand, case by case, straight from the stories: nothing of rules/facts.py is used.

What is counted here is written down a second time from domain.md, section 9, on purpose.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from math import ceil
from statistics import median
from typing import Any

from rules.calendar import Calendar, local
from rules.case.events import Event
from rules.case.state import CaseState, Round
from tests.support.cases import Story

MINUTE = timedelta(minutes=1)
HOLDER_BY_STATUS = {
    "registered": "window",
    "return_review": "window",
    "replied": "window",
    "revisiting": "window",
    "limit_pending": "supervision",
    "referred": "superior",
    "suspended": "citizen",
}
ANSWERS = ("inform", "reply", "revisit")
SET_ANEW = ("reclassify", "set_limit", "refer_up")


def counted_round(case: CaseState) -> Round | None:
    """The round that a case is judged by."""
    for each in case.rounds:
        withdrawn_in_time = each.told_at is None and not each.late and each != case.rounds[-1]
        if each.due_at is not None and not withdrawn_in_time:
            return each
    return None


def period_of(case: CaseState, now: datetime) -> datetime | None:
    """The instant that puts a case into a period; None: it is in no N (yet)."""
    each = counted_round(case)
    if case.kind in (None, "consultation", "out_of_scope") or each is None or case.outcome == "merged":
        return None
    due, replied = each.due_at, each.replied_at
    assert due is not None
    if replied is not None:
        return replied if replied < due else due
    if case.outcome == "withdrawn" and each.on_time is not False:
        return None
    if case.status == "suspended" or due >= now:
        return None
    if case.status == "replied" and case.reply is not None and case.reply.at <= due:
        return None  # it waits for its check
    return due


def holder(case: CaseState) -> tuple[str, str | None] | None:
    """Who holds a case, by the table of contract.md."""
    if case.status in ("closed", "archived"):
        return None
    if case.status in HOLDER_BY_STATUS:
        return HOLDER_BY_STATUS[case.status], None
    return str(case.level), None if case.level == "supervision" else case.unit


def held_minutes(
    events: Sequence[Event], states: Sequence[CaseState], calendar: Calendar, now: datetime
) -> Counter[tuple[str, str | None]]:
    """Minutes of each holder; the stretch that lasts is measured by itself, to `now`."""
    spent: dict[Any, timedelta] = {}
    begun, who = states[0].received_at, holder(states[0])
    for event, state in zip(events[1:], states[1:], strict=True):
        if holder(state) == who:
            continue
        if who is not None:
            took = calendar.working_hours_between(begun, event.at)
            spent[who] = spent.get(who, timedelta()) + took
        begun, who = event.at, holder(state)
    found: Counter[tuple[str, str | None]] = Counter({each: took // MINUTE for each, took in spent.items()})
    if who is not None:
        found[who] += calendar.working_hours_between(begun, now) // MINUTE
    return found


def due_without_extensions(story: Story, each: Round) -> datetime:
    """The due date of a round, walked back by the days that were granted and still stand in it."""
    assert each.due_at is not None
    granted = 0
    for (_, before), (event, after) in pairwise(zip(story.events, story.states, strict=True)):
        if after.round.round != each.round:
            continue
        moved = before.due_at != after.due_at
        if event.type == "decide_extension" and after.extensions > before.extensions:
            assert before.pending is not None
            granted += before.pending.days
        elif event.type in SET_ANEW or (event.type == "confirm_unsolvable" and moved):
            granted = 0
    day = local(each.due_at).date()
    for _ in range(granted):
        day = story.calendar.previous_working_day(day)
    return story.calendar.closing(day) if granted else each.due_at


def one(story: Story, now: datetime) -> Counter[str]:
    """What one case that counts adds to the sums."""
    case, events = story.state, story.events
    each = counted_round(case)
    assert each is not None and each.due_at is not None
    found: Counter[str] = Counter(handled=1, dispatches=case.dispatches, returns=case.returns)
    found["on_time"] = each.on_time is True
    found["unit_on_time"] = bool(each.replied_at and each.replied_at <= each.due_at and not each.late)
    without = due_without_extensions(story, each)
    judged = each.told_at if story.policy.judged_by == "told" else each.replied_at
    found["on_time_unextended"] = bool(found["on_time"] and judged and judged <= without)
    found["unit_on_time_unextended"] = bool(found["unit_on_time"] and each.replied_at <= without)  # type: ignore[operator]
    found["excused"] = case.excused and not found["on_time"]
    found["unit_excused"] = case.excused and not found["unit_on_time"]
    found["refused_returns"], found["orders"] = case.refused_returns, len(case.orders)
    found["ordered"] = len(case.orders) > 0
    found["extended"], found["reopened"] = case.extensions > 0, case.round.round > each.round
    found["solved"], found["unsolved"] = case.outcome == "solved", case.outcome == "explained"
    for name, of in (("first", each), ("final", case.rounds[-1])):
        rating = of.citizen_rating or of.clerk_rating
        found[f"rated_{name}"] = rating is not None
        found[f"satisfied_{name}"] = rating in (3, 4, 5)
    told = [r for r in case.rounds if r.told_at is not None]
    found["told"] = bool(told)
    found["revisited"] = bool(told) and told[-1].revisited
    found["reached"] = bool(told) and told[-1].reached
    found["escalated"] = any(
        state.level != "contact" or state.limit_asked or state.referred for state in story.states
    )
    found["dispatched"] = case.dispatches > 0
    found["responded"] = _answered(story)
    found["signed"] = sum(event.type == "sign" for event in events)
    found["signed_in_time"] = _signed_in_time(story)
    return Counter({name: int(value) for name, value in found.items()})


def _answered(story: Story) -> bool:
    sent = [e.at for e, s in zip(story.events, story.states, strict=True) if s.dispatches == 1]
    if not sent:
        return False
    index = next(i for i, s in enumerate(story.states) if s.dispatches == 1)
    answers = [event.at for event in story.events[index + 1 :] if event.type in ANSWERS]
    return bool(answers) and answers[0] <= story.calendar.add_working_days(sent[0], story.policy.response)


def _signed_in_time(story: Story) -> int:
    """Signings that no reminder came before, since the case was last sent to a unit."""
    sent = [0] + [s.dispatches for s in story.states]
    found = 0
    for index, event in enumerate(story.events):
        if event.type == "sign":
            last = max(i for i in range(index) if sent[i + 1] > sent[i])
            found += not any(each.type == "sign_late_1" for each in story.events[last:index])
    return found


def ratio(part: int, whole: int) -> float | None:
    """A share as it is shown."""
    return round(part / whole, 4) if whole else None


def spread(values: Iterable[float]) -> dict[str, float | None]:
    """Mean, median and P90 by nearest rank."""
    ordered = sorted(values)
    if not ordered:
        return {"mean": None, "median": None, "p90": None}
    return {
        "mean": sum(ordered) / len(ordered),
        "median": float(median(ordered)),
        "p90": ordered[ceil(len(ordered) * 9 / 10 - 1e-9) - 1],
    }
