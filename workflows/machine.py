"""The shell that drives a decider: wait for a command or the next alarm, decide, record, evolve.

Record, then evolve: the ledger is the truth. A kill between the ledger's commit and the end of the
workflow task leaves a row that the workflow never heard of; so the state evolves from the rows as
stored, never from what was decided here. One command at a time, one armed timer at a time.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy

from activities.leaving import RETRIED_WITHIN
from activities.ledger import LedgerActivities
from activities.registration import RegistrationActivities
from models.messages import (
    NextAlarm,
    ReadRequest,
    Recorded,
    RecordRequest,
    RegisterRequest,
    Terms,
    TermsRequest,
    encode_event,
)
from rules.calendar import local
from rules.case.alarms import Alarm
from rules.case.events import SYSTEM, Actor, Event

S = TypeVar("S")

# A ledger that cannot be reached is tried for ever: the case waits, nothing is lost.
LEDGER: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "local_retry_threshold": RETRIED_WITHIN,
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=5)
    ),
}


@dataclass(frozen=True)
class Decider(Generic[S]):
    """The four pure functions that the shell drives."""

    decide: Callable[..., list[Event]]
    evolve: Callable[[S | None, Event], S]
    next_alarm: Callable[[S, Any, Any], Alarm | None]
    ended: Callable[[S], bool]


class Machine(Generic[S]):
    """One durable instance of a decider. Made in ``@workflow.init``; handlers may come before run."""

    def __init__(self, decider: Decider[S], case_id: str, terms: Terms, state: S | None, seq: int) -> None:
        self.state, self.seq = state, seq
        self.outside: list[int] = []
        self._decider, self._case_id = decider, case_id
        self._lock = asyncio.Lock()
        # Number of the last event of each command that this run has heard of.
        self._done: dict[str, int] = {}
        self._decided: tuple[tuple[Any, ...], list[Event]] | None = None
        self._alarm: Alarm | None = None
        self._timer: asyncio.Task[None] | None = None
        self._pin(terms)

    @property
    def ended(self) -> bool:
        """Whether nothing can happen any more."""
        return self.state is not None and self._decider.ended(self.state)

    @property
    def due(self) -> bool:
        """Whether the armed timer has gone off."""
        return self._timer is not None and self._timer.done()

    def decide(self, command: Any, actor: Actor, terms: Terms | None = None) -> list[Event]:
        """Decide now, without recording: what a validator needs. Raises `Refusal`."""
        # Asked by the validator and, mostly with the same arguments, again in the command's turn.
        asked = (self.state, command, workflow.now(), actor, terms)
        if self._decided is None or self._decided[0] != asked:
            policy, calendar = self._policy, self._calendar
            if terms is not None:
                policy, calendar = terms.policy, terms.read_calendar()
            decided = self._decider.decide(self.state, command, asked[2], actor, policy, calendar)
            self._decided = asked, decided
        return self._decided[1]

    async def register(self) -> None:
        """Make the case, or pick it up from the ledger where it has one."""
        async with self._lock:
            request = RegisterRequest(self._case_id, workflow.now(), self.terms)
            recorded = await workflow.execute_local_activity_method(
                RegistrationActivities.register, request, summary="登记", **LEDGER
            )
            await self._adopt(recorded)

    async def command(self, command_id: str, command: Any, actor: Actor, terms: Terms | None = None) -> int:
        """Decide, record and carry out; return the number of the last event. Raises `Refusal`."""
        async with self._lock:
            await self._fire_due()
            # Its rows may have come to light behind another command's: a second time they would be
            # refused by the ledger for ever.
            while command_id not in self._done:
                await self._record(command_id, self.decide(command, actor, terms), terms)
                if command_id not in self._done:
                    # Rows that we never heard of came first: they are folded in, so decide again.
                    await self._fire_due()
            return self._done[command_id]

    async def fire(self) -> None:
        """Fire every alarm that is due."""
        async with self._lock:
            await self._fire_due()
            self._arm()

    async def catch_up(self) -> None:
        """Fold in rows that the ledger has and this instance has not heard of."""
        async with self._lock:
            request = ReadRequest(self._case_id, self.seq)
            await self._adopt(
                await workflow.execute_local_activity_method(
                    LedgerActivities.read, request, summary="核对台账", **LEDGER
                )
            )

    def release(self) -> None:
        """Stop the timer: the run ends."""
        if self._timer:
            self._timer.cancel()

    async def _fire_due(self) -> None:
        # The armed one is the next one: it is armed anew with every change of the state.
        while (alarm := self._alarm) and alarm.at <= workflow.now():
            await self._record(alarm.key, self.decide(alarm, SYSTEM))

    async def _record(self, command_id: str, events: list[Event], terms: Terms | None = None) -> None:
        """Write the events, or hear of rows that stand there already."""
        after = self.state
        for event in events:
            after = self._decider.evolve(after, event)
        alarm = None if after is None else self._alarm_of(after, terms)
        recorded = await workflow.execute_local_activity_method(
            LedgerActivities.record,
            RecordRequest(
                self._case_id,
                self.seq,
                command_id,
                [encode_event(event) for event in events],
                NextAlarm(alarm.name, alarm.at) if alarm else None,
            ),
            summary="、".join(event.type for event in events),
            **LEDGER,
        )
        await self._adopt(recorded)

    async def _adopt(self, recorded: Recorded) -> None:
        for row in recorded.rows:
            self._done[row.command_id] = row.seq
            if row.seq > self.seq:
                self.state = self._decider.evolve(self.state, row.event(SYSTEM))
                self.seq = row.seq
                self._decided = None
        self.outside += recorded.outside
        await self._follow_terms()
        self._arm()

    async def _follow_terms(self) -> None:
        """Take up the terms that the ledger names, where they are not the ones at hand."""
        state: Any = self.state
        at_hand = (self._policy.id, self._policy.version, self._calendar.version)
        if state is None or (state.policy.id, state.policy.version, state.calendar) == at_hand:
            return
        request = TermsRequest(state.policy, state.calendar)
        self._pin(
            await workflow.execute_local_activity_method(
                LedgerActivities.terms, request, summary="取政策与日历", **LEDGER
            )
        )

    def _pin(self, terms: Terms) -> None:
        self.terms, self._policy, self._calendar = terms, terms.policy, terms.read_calendar()

    def _alarm_of(self, state: S, terms: Terms | None = None) -> Alarm | None:
        """Return the next alarm under the terms at hand, or under those that a command brings."""
        policy, calendar = self._policy, self._calendar
        if terms is not None:
            policy, calendar = terms.policy, terms.read_calendar()
        return self._decider.next_alarm(state, policy, calendar)

    def _next_alarm(self) -> Alarm | None:
        return None if self.state is None else self._alarm_of(self.state)

    def _arm(self) -> None:
        """Arm the next alarm; the timer is replaced only when that alarm moved."""
        alarm = self._next_alarm()
        armed = self._alarm
        if alarm and armed and (alarm.key, alarm.at) == (armed.key, armed.at) and not self.due:
            return
        self.release()
        self._alarm = alarm
        self._timer = asyncio.create_task(_ring(alarm)) if alarm else None


async def _ring(alarm: Alarm) -> None:
    wait = alarm.at - workflow.now()
    if wait > timedelta():
        await workflow.sleep(wait, summary=f"{alarm.name} {local(alarm.at):%Y-%m-%d %H:%M:%S}")
