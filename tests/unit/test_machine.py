"""No sequence of commands, alarms, outages and calendar changes breaks a case.

Hypothesis plays everybody at once: people who do what they may, people who try what they may not,
time that passes with and without anybody there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from models.messages import (
    decode_changes,
    decode_command,
    decode_state,
    encode_changes,
    encode_command,
    encode_state,
)
from rules.calendar import SHANGHAI, Calendar
from rules.case.alarms import Alarm, alarms, next_alarm
from rules.case.commands import COMMANDS, Command
from rules.case.context import Context
from rules.case.decide import decide
from rules.case.errors import Refusal
from rules.case.events import CITIZEN, SYSTEM, Actor, Event, evolve, fold
from rules.case.notices import material, recipients
from rules.case.permits import PERMITS, allowed
from rules.case.state import CaseState
from rules.case.vocabulary import LADDER, LEVELS, OPEN, Kind, Light, Status
from rules.holding import stretches
from tests.support.cases import (
    ADMIN,
    AUDITOR,
    CENTRE,
    CLERK,
    GUIDANCE,
    LEAD,
    NATIONAL,
    NOTICE,
    POLICIES,
    SUPERIOR,
    SUPERVISOR,
    Story,
    contact,
    leader,
    make,
    triage,
)

UNITS = ("housing", "market", "social")
ACTORS = (
    *(CLERK, LEAD, CENTRE, SUPERVISOR, SUPERIOR, AUDITOR, ADMIN, CITIZEN, SYSTEM),
    *(contact(unit) for unit in UNITS),
    *(leader(unit) for unit in UNITS),
)
BY_THE_WAY = {"withdraw", "merge", "attach", "remind", "inform", "progress", "order", "excuse"}

# Nothing else moves a due date. (triage sets the first one; transfer comes before there is one.)
MOVERS = frozenset(
    {
        *("triage", "set_limit", "refer_up", "confirm_unsolvable", "decide_extension", "resume"),
        *("auto_resume", "reclassify", "judge_revisit", "transfer", "calendar_changed"),
    }
)
CALENDARS = (
    NATIONAL,
    replace(NATIONAL, version="fewer", off=NATIONAL.off | {date(2026, 3, day) for day in (11, 13, 18, 25)}),
    replace(NATIONAL, version="more", work=NATIONAL.work | {date(2026, 3, day) for day in (14, 15, 22)}),
)

units = st.sampled_from(UNITS)
maybe = st.sampled_from([True, True, False])
dates = st.integers(0, 60).map(lambda days: date(2026, 3, 9) + timedelta(days))
kinds = st.sampled_from(Kind)

FIELDS: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "triage": {
        "kind": kinds,
        "cause": st.just("other"),
        "unit": units,
        "answer": st.just("可以"),
        "guidance": st.just(GUIDANCE),
        "one_time_notice": st.just(NOTICE),
    },
    "transfer": {"hall": st.sampled_from(["guilin", "chengzhong"])},
    "decide_return": {"accept": maybe, "unit": st.sampled_from([*UNITS, None])},
    "coordinate": {"to": st.sampled_from([None, "supervision"])},
    "convene": {"co_units": st.lists(units, max_size=2).map(tuple)},
    "set_limit": {"due_on": dates},
    "refer_up": {"due_on": dates},
    "request_extension": {"working_days": st.integers(0, 6)},
    "decide_extension": {"accept": maybe},
    "reclassify": {"kind": kinds},
    "reassign": {"unit": units},
    "confirm_unsolvable": {"accept": maybe},
    "reply": {"resolved": maybe},
    "check_reply": {"accept": maybe, "reason": st.sampled_from(["不全", "不全", None])},
    "revisit": {
        "reached": maybe,
        "rating": st.sampled_from([1, 2, 3, 4, 5, None, None, 0, 6]),
        "resolved": st.sampled_from([None, True, False]),
    },
    "judge_revisit": {"reopen": maybe},
    "rate": {"rating": st.sampled_from([1, 2, 4, 5, 0, 6])},
    "merge": {
        "into": st.sampled_from(["case", "older"]),
        "into_hall": st.sampled_from(["guilin", "chengzhong"]),
        "into_received_at": st.just(datetime(2026, 3, 1, tzinfo=UTC)),
        "into_open": maybe,
    },
    "answer_order": {"order": st.sampled_from("1232")},
}
NAMES = sorted(set(COMMANDS) - {"register", "calendar_changed"})


def commands(name: str) -> st.SearchStrategy[Command]:
    """Any command of this name, right and wrong values alike."""
    return st.fixed_dictionaries(FIELDS.get(name, {})).map(lambda given: make(name, **given))


class CaseMachine(RuleBasedStateMachine):
    """A case and all who have to do with it."""

    state: CaseState
    now: datetime
    calendar: Calendar

    @initialize(
        hall=st.sampled_from(["guilin", "chengzhong"]),
        minute=st.integers(0, 5 * 24 * 60),
        kind=st.sampled_from(
            [Kind.COMMITMENT, Kind.SIMPLE, Kind.COMMITMENT, Kind.COMPLEX, Kind.CONSULTATION, None]
        ),
        signed=maybe,
    )
    def file(self, hall: str, minute: int, kind: Kind | None, signed: bool) -> None:
        """Most stories should get past the window."""
        self.policy, self.calendar = POLICIES[hall], NATIONAL
        received = datetime(2026, 3, 9, tzinfo=SHANGHAI) + timedelta(minutes=minute)
        story = Story(received.strftime("%m-%d %H:%M"), hall)
        self.state, self.events, self.now = story.state, list(story.events), story.clock
        if kind:
            self.attempt(triage(kind), CLERK)
        if signed:
            self.attempt(make("sign"), contact())

    # --- what happens

    @rule(data=st.data())
    def the_unit_works(self, data: st.DataObject) -> None:
        unit = self.state.unit or "housing"
        self.somebody_does_what_he_may(data, contact(unit), leader(unit))

    @rule(data=st.data())
    def the_window_works(self, data: st.DataObject) -> None:
        self.somebody_does_what_he_may(data, LEAD, CLERK)

    @rule(data=st.data())
    def others_work(self, data: st.DataObject) -> None:
        co_units = [contact(c.unit) for c in self.state.co_units]
        self.somebody_does_what_he_may(data, SUPERVISOR, CITIZEN, CENTRE, SUPERIOR, *co_units)

    def somebody_does_what_he_may(self, data: st.DataObject, *actors: Actor) -> None:
        self.fire()
        may = [(actor, name) for actor in actors for name in allowed(self.state, self.context(actor))]
        # What leads nowhere, or out, is drawn less often.
        moves = [step for step in may if step[1] not in BY_THE_WAY]
        if may:
            actor, name = data.draw(st.sampled_from(moves * 5 + may))
            self.attempt(data.draw(commands(name)), actor)

    @rule(actor=st.sampled_from(ACTORS), command=st.sampled_from(NAMES).flatmap(commands))
    def somebody_tries_something(self, actor: Actor, command: Command) -> None:
        self.fire()
        self.attempt(command, actor)

    @rule(hours=st.integers(1, 60))
    def time_passes(self, hours: int) -> None:
        """Each alarm fires at its instant."""
        end = self.now + timedelta(hours=hours)
        for alarm in self.due_until(end):
            self.now = max(self.now, alarm.at)
            self.record(alarm, SYSTEM)
        self.now = end

    @rule()
    def time_passes_to_the_next_alarm(self) -> None:
        alarm = next_alarm(self.state, self.policy, self.calendar)
        if alarm:
            self.now = max(self.now, alarm.at)
            self.fire()

    @rule(hours=st.integers(1, 150))
    def nobody_is_there(self, hours: int) -> None:
        """An outage: all that came due fires afterwards."""
        self.now += timedelta(hours=hours)
        self.fire()

    @precondition(lambda self: self.state.status is not Status.ARCHIVED)
    @rule(calendar=st.sampled_from(CALENDARS))
    def a_calendar_is_published(self, calendar: Calendar) -> None:
        self.fire()
        self.calendar = calendar
        self.attempt(make("calendar_changed", calendar=calendar.version), SYSTEM)

    def teardown(self) -> None:
        """At the end: the ledger folds to the state, and somebody held the open case without a gap."""
        if not hasattr(self, "state"):
            return
        assert fold(self.events) == self.state
        held = stretches(self.events)
        assert held[0].start == self.state.received_at
        assert (held[-1].end is None) == self.state.is_open
        assert all(a.end is not None and a.end <= b.start for a, b in pairwise(held))

    # --- how it is driven

    def context(self, actor: Actor) -> Context:
        return Context(self.now, actor, self.policy, self.calendar)

    def fire(self) -> None:
        """Fire what is due, as the shell does before any command."""
        for alarm in self.due_until(self.now):
            self.record(alarm, SYSTEM)

    def due_until(self, end: datetime) -> Iterator[Alarm]:
        """One alarm after the other; whoever takes one fires it before the next is looked for."""
        for _ in range(100):
            alarm = next_alarm(self.state, self.policy, self.calendar)
            if alarm is None or alarm.at > end:
                return
            yield alarm
        raise AssertionError("alarms without end")

    def attempt(self, command: Command, actor: Actor) -> None:
        before = self.state
        try:
            self.record(command, actor)
        except Refusal:
            assert self.state is before
        else:
            # Deciding lets through who might under an earlier release, for replays; nobody is offered that.
            formerly = actor.role in PERMITS[command.name].formerly
            assert formerly or command.name in allowed(before, self.context(actor))
        self.fire()

    def record(self, command: Any, actor: Actor) -> None:
        """Decide, check what one step may do, and go on from what the ledger would hold."""
        before = self.state
        if isinstance(command, Command):
            assert decode_command(command.name, encode_command(command)) == command
        for event in decide(before, command, self.now, actor, self.policy, self.calendar):
            after = evolve(self.state, event)
            self.check_step(self.state, event, after)
            # What a workflow sees has crossed Temporal as JSON.
            crossed = replace(event, changes=decode_changes(encode_changes(event.changes)))
            assert evolve(self.state, crossed) == after
            self.events.append(crossed)
            self.state = after

    def check_step(self, before: CaseState, event: Event, after: CaseState) -> None:
        assert event.at == self.now
        assert before.status is not Status.ARCHIVED
        if after.due_at != before.due_at:
            assert event.type in MOVERS
            assert (event.data["due_at"], event.data["previous_due_at"]) == (after.due_at, before.due_at)
            if after.due_at is not None:
                assert after.due_epoch > before.due_epoch
        else:
            assert "due_at" not in event.data
        if event.fired:
            assert event.data["was_due_at"] <= event.at
            assert not set(event.fired) & {mark.key for mark in before.fired}
        if LEVELS.index(after.level) < LEVELS.index(before.level):
            assert after.unit != before.unit
        if before.status is Status.CLOSED:
            assert after.status in {Status.CLOSED, Status.REVISITING, Status.ARCHIVED}
        if before.round.on_time is not None and after.round.round == before.round.round:
            assert after.round.on_time == before.round.on_time
        for old, new in zip(before.rounds[:-1], after.rounds, strict=False):
            assert old == new
        # Nobody is told by an address without a unit that needs one; material names a unit.
        assert all(a.unit for a in recipients(after, event) if a.role in {"contact", "deputy_leader"})
        assert all(found.unit for found in material(before, after, event))

    # --- what always holds

    @invariant()
    def the_state_crosses_temporal_unharmed(self) -> None:
        assert decode_state(encode_state(self.state)) == self.state

    @invariant()
    def every_alarm_fires_once_and_none_is_left_behind(self) -> None:
        armed = alarms(self.state, self.policy, self.calendar)
        keys = [mark.key for mark in self.state.fired]
        assert len(keys) == len(set(keys))
        assert len({alarm.key for alarm in armed}) == len(armed)
        assert not set(keys) & {alarm.key for alarm in armed}
        assert all(alarm.at > self.now for alarm in armed)

    @invariant()
    def what_should_have_fired_has_fired(self) -> None:
        """Measured here instead of reckoned, so without the alarms' own code."""
        state, policy = self.state, self.policy
        fired = {mark.key for mark in state.fired}
        hours = self.calendar.working_hours_between(state.stage_since, self.now)
        sign = policy.sign_simple if state.kind is Kind.SIMPLE else policy.sign_other
        in_hours = {
            Status.REGISTERED: {"triage_late": policy.triage},
            Status.DISPATCHED: {"sign_late_1": sign, "sign_late_2": 2 * sign},
            Status.RETURN_REVIEW: {"return_undecided": policy.return_decision},
            Status.REPLIED: {"check_late": policy.check_reply},
        }
        for name, limit in in_hours.get(state.status, {}).items():
            instance = state.dispatches if state.status is Status.DISPATCHED else state.stage
            assert hours < timedelta(hours=limit) or f"{name}/{instance}/1" in fired
        if state.status is Status.LIMIT_PENDING and self.days_since(state.stage_since) > policy.set_limit:
            assert f"limit_missing/{state.stage}/1" in fired
        if state.status is Status.REVISITING and state.round.told_at and not state.round.revisited:
            late = self.days_since(state.stage_since) > policy.revisit
            assert not late or f"revisit_late/{state.stage}/1" in fired
        if state.judgement_since and state.status is Status.REVISITING:
            late = self.days_since(state.judgement_since) > policy.judgement
            assert not late or f"judgement_late/{state.stage}/1" in fired
        if state.status in LADDER:
            for number, since in enumerate(reversed(state.response_since)):
                late = self.days_since(since) > policy.response
                assert not late or f"response_late/{state.responses_owed - number}/1" in fired
        if state.status is Status.SUSPENDED:
            assert self.days_since(state.stage_since) <= policy.suspension_total - state.suspended_days
        if state.status is Status.CLOSED and state.closed_at:
            assert self.days_since(state.closed_at) <= policy.objection
        if state.is_open:
            unanswered = (
                o for o in state.orders if not o.answered_at and not o.lapsed and o.due_at <= self.now
            )
            assert all(f"order_unanswered/{order.id}/1" in fired for order in unanswered)

    @invariant()
    def what_is_overdue_has_been_said(self) -> None:
        state = self.state
        if state.status not in LADDER or state.due_at is None or self.now <= state.due_at:
            return
        fired = {mark.key for mark in state.fired}
        assert f"overdue_1/{state.due_epoch}/1" in fired
        assert state.light is Light.RED
        if self.days_since(state.ladder_from or state.due_at) > self.policy.overdue_2:
            assert f"overdue_2/{state.due_epoch}/1" in fired

    def days_since(self, at: datetime) -> int:
        """Working days from one date to today; today's closing may still be to come."""
        return self.calendar.working_days_between(at, self.now)

    @invariant()
    def the_case_is_in_order(self) -> None:
        state = self.state
        assert [r.round for r in state.rounds] == list(range(1, len(state.rounds) + 1))
        assert 0 <= state.suspended_days <= self.policy.suspension_total
        assert sum(r.suspended_days for r in state.rounds) == state.suspended_days
        assert state.extensions <= self.policy.extensions
        assert state.attachments <= 10
        assert state.refused_returns <= state.returns
        assert (state.light is Light.GREY) == (
            state.due_at is None or state.status is Status.SUSPENDED or _was_paused(state)
        )
        if state.status in {Status.DISPATCHED, Status.HANDLING, Status.REFERRED, Status.EXPLAINING}:
            assert state.unit is not None and state.due_at is not None
            assert state.round.due_at == state.due_at
        if state.status in {Status.CLOSED, Status.ARCHIVED}:
            assert state.outcome is not None and state.closed_at is not None
            assert (state.pending, state.judgement_since) == (None, None)
        if state.outcome in {"solved", "explained"}:
            assert (state.round.told_at and state.round.revisited) or state.status in OPEN


def _was_paused(state: CaseState) -> bool:
    """Closed while it was suspended: the light stays as it was last."""
    return state.status in {Status.CLOSED, Status.ARCHIVED, Status.REVISITING} and state.light is Light.GREY


TestCase = CaseMachine.TestCase
TestCase.settings = settings(
    max_examples=150,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(FIELDS)))
def test_a_command_crosses_temporal_unharmed(name: str) -> None:
    """Those with values to vary cross in the stories above."""
    command = make(name)
    assert decode_command(name, encode_command(command)) == command
