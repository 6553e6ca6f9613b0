"""What-if over past cases: what another policy, or another calendar, would have made of them.

Reads the ledger, page by page, and writes nothing. Deciding again is work for the processor, so it
is done in a thread, a page at a time: other requests are answered in between.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import and_, func, tuple_
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.calendars import hall_of
from casework.drafts import Draft, calendar_with, check
from casework.errors import BadInput, NotFound
from casework.places import Places, places_of
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case, LedgerEvent
from models.hall_calendar import span
from models.messages import decode_changes
from models.recorded import recorded_actor, recorded_command
from rules.calendar import SHANGHAI, Calendar, local
from rules.case.commands import CalendarChanged
from rules.case.errors import Invalid
from rules.case.events import SYSTEM, Event, fold
from rules.case.vocabulary import Status
from rules.policy import Policy
from rules.whatif import Step, Tally, outages_of, replay, tally

PAGE = 100  # cases read, and decided again, at a time


class TooManyCases(Exception):
    """More cases than one run may take."""

    def __init__(self, cases: int, most: int) -> None:
        """Take how many there are, and how many are allowed."""
        super().__init__(f"{cases} cases, at most {most} in one run")
        self.cases, self.most = cases, most


@dataclass(frozen=True)
class Question:
    """Which cases, received in [from, to), are decided again under what.

    `draft` is a holiday notice to reckon by from the beginning, instead of the calendars that were
    published meanwhile; None keeps each case's own.
    """

    policy: Policy
    received_from: datetime
    received_to: datetime
    hall: str | None = None
    draft: Draft | None = None


@dataclass(frozen=True)
class Change:
    """Counts as recorded, and as they would be."""

    before: Tally = field(default_factory=Tally)
    after: Tally = field(default_factory=Tally)

    def __add__(self, other: "Change") -> "Change":
        """Return both together."""
        return Change(self.before + other.before, self.after + other.after)


@dataclass
class Answer:
    """What changed: by hall and unit (None: never dispatched), and in all.

    `not_applicable` counts recorded commands that the other terms refuse, by name and rule;
    `unreadable` are cases that could not be decided again at all.
    """

    units: dict[tuple[str, str | None], Change] = field(default_factory=dict)
    not_applicable: Counter[tuple[str, str]] = field(default_factory=Counter)
    unreadable: int = 0
    places: Places = field(default_factory=lambda: Places({}, {}))

    @property
    def total(self) -> Change:
        """Return the change in all."""
        return sum(self.units.values(), Change())


@dataclass(frozen=True)
class _Past:
    """A case as the tables hold it, with the calendars that it needs."""

    case: Mapping[str, Any]
    events: Sequence[Mapping[str, Any]]
    calendars: Mapping[str, Calendar]
    other: Calendar | None


def days_of(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the instants [from, to) of the days from `first` to `last`, both included, in Shanghai.

    Raises `BadInput` where the last day is before the first.
    """
    if last < first:
        raise BadInput({"to": "before_from"})
    start, end = (datetime.combine(day, time(), SHANGHAI) for day in (first, last + timedelta(days=1)))
    return start, end


async def what_if(
    services: Services, viewer: Viewer | None, question: Question, most: int | None = None
) -> Answer:
    """Decide the cases again that the viewer sees (None: the operator, who sees all).

    Raises `TooManyCases`, `NotFound` for another hall than there is, `BadInput` for a faulty draft.
    """
    if question.draft is not None:
        await check(services, question.draft)
    now = await services.clock.now()
    async with services.database.read() as session:
        scope = Scope(None) if viewer is None else await scope_of(session, viewer)
        places = await places_of(session, scope)
        if question.hall is not None and question.hall not in places.halls:
            raise NotFound("hall")
        asked = and_(scope.cases, _asked(question))
        count = (await session.exec(select(func.count()).select_from(Case).where(asked))).one()
    if most is not None and count > most:
        raise TooManyCases(count, most)
    answer = Answer(places=places)
    async for page in _pages(services, question, asked, now):
        await asyncio.to_thread(_decide_again, page, question, now, answer)
    return answer


def _asked(question: Question) -> ColumnElement[bool]:
    conditions = [
        col(Case.received_at) >= question.received_from,
        col(Case.received_at) < question.received_to,
    ]
    if question.hall is not None:
        conditions.append(col(Case.hall) == question.hall)
    return and_(*conditions)


async def _pages(
    services: Services, question: Question, asked: ColumnElement[bool], now: datetime
) -> AsyncIterator[list[_Past]]:
    """Go through the cases by the time they were received; each page is a read of its own."""
    place = (col(Case.received_at), col(Case.id))
    columns: Any = (Case.id, Case.hall, Case.unit, Case.received_at)
    wanted: Any = select(*columns).where(asked).order_by(*place).limit(PAGE)
    calendars = _Calendars(services, question, now)
    after: ColumnElement[bool] | None = None
    while True:
        async with services.database.read() as session:
            query = wanted if after is None else wanted.where(after)
            cases = (await session.exec(query)).mappings().all()
            page = [past async for past in _with_events(session, cases, calendars)]
        if not cases:
            return
        yield page
        last = cases[-1]
        after = tuple_(*place) > (last["received_at"], last["id"])


async def _with_events(
    session: AsyncSession, cases: Sequence[Mapping[str, Any]], calendars: "_Calendars"
) -> AsyncIterator[_Past]:
    event = LedgerEvent
    columns: Any = (event.case_id, event.type, event.at, event.actor, event.data, event.changes, event.fired)
    mine = col(event.case_id).in_([case["id"] for case in cases])
    found: dict[str, list[Mapping[str, Any]]] = {case["id"]: [] for case in cases}
    rows: Any = await session.exec(select(*columns).where(mine).order_by(event.case_id, event.seq))
    for row in rows.mappings():
        found[row["case_id"]].append(row)
    for case in cases:
        events = found[case["id"]]
        named = {each["changes"]["calendar"] for each in events if "calendar" in each["changes"]}
        known = {name: await calendars.recorded(session, name) for name in named}
        yield _Past(case, events, known, await calendars.other(session, case))


class _Calendars:
    """The calendars that the cases were recorded under, and those of the question."""

    def __init__(self, services: Services, question: Question, now: datetime) -> None:
        self._services, self._draft, self._now = services, question.draft, now
        self._others: dict[tuple[str, int], Calendar] = {}

    async def recorded(self, session: AsyncSession, version: str) -> Calendar:
        return await self._services.pinned.calendar(session, version)

    async def other(self, session: AsyncSession, case: Mapping[str, Any]) -> Calendar | None:
        """Return the calendar with the draft in force; None where the case keeps its own."""
        draft = self._draft
        if draft is None or draft.hall not in (None, case["hall"]):
            return None
        key = case["hall"], local(case["received_at"]).year
        if key not in self._others:
            hall = await hall_of(session, case["hall"])
            years = {*span(key[1], local(self._now).year), draft.year}
            self._others[key] = await calendar_with(session, hall, years, draft)
        return self._others[key]


def _decide_again(page: Sequence[_Past], question: Question, now: datetime, answer: Answer) -> None:
    for past in page:
        try:
            change, refused = _change(past, question.policy, now)
        except (Invalid, ValueError, LookupError):  # facts that make no command, alarms without end
            answer.unreadable += 1
            continue
        key = past.case["hall"], past.case["unit"]
        answer.units[key] = answer.units.get(key, Change()) + change
        answer.not_applicable.update(refused)


def _change(past: _Past, policy: Policy, now: datetime) -> tuple[Change, list[tuple[str, str]]]:
    history = _history(past.events)
    state = fold(history)
    if state is None:
        raise ValueError("a case without events")
    # A case that has ended is followed as far as it was recorded, an open one until now.
    until = past.events[-1]["at"] if state.status is Status.ARCHIVED else now
    instants = ((event["at"], _was_due(event)) for event in past.events)
    again = replay(_steps(past, policy), outages_of(instants), state.orders, until)
    refused = [(each.command, each.rule) for each in again.not_applicable]
    after = tally(again.events, until, len(refused))
    return Change(tally(history, until), after), refused


def _history(recorded: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Return the events as far as they are counted: no texts, and nobody's name."""
    return [
        Event(
            each["type"],
            each["at"],
            SYSTEM,
            each["data"],
            changes=decode_changes(each["changes"]),
            fired=each["fired"],
        )
        for each in recorded
    ]


def _steps(past: _Past, policy: Policy) -> list[Step]:
    steps = []
    calendar = past.other
    for event in past.events:
        if past.other is None and "calendar" in event["changes"]:
            calendar = past.calendars[event["changes"]["calendar"]]
        command = recorded_command(event["type"], event["data"])
        if command is None or (past.other is not None and isinstance(command, CalendarChanged)):
            continue
        assert calendar is not None
        actor = recorded_actor(event["actor"])
        steps.append(Step(event["at"], actor, command, policy, calendar, event["data"].get("order")))
    return steps


def _was_due(event: Mapping[str, Any]) -> datetime | None:
    return datetime.fromisoformat(event["data"]["was_due_at"]) if event["fired"] else None
