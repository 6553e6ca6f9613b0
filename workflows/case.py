"""One case as a durable workflow: registered, then commands and alarms until it is archived.

Every rule is in rules/case; every write is an activity's.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio import workflow
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType

from activities.notification import NotificationActivities
from models.messages import (
    CaseInput,
    CommandMessage,
    DeliveryRequest,
    Terms,
    Values,
    decode_command,
    decode_state,
    encode_state,
)
from rules.calendar import local
from rules.case.alarms import next_alarm
from rules.case.commands import CalendarChanged, Command
from rules.case.decide import decide
from rules.case.errors import Forbidden, Illegal, Invalid, Refusal
from rules.case.events import SYSTEM, evolve
from rules.case.state import CaseState
from rules.case.vocabulary import Status
from workflows.machine import Decider, Machine
from workflows.queues import NOTIFICATIONS

REGISTER = "register"

CASE: Decider[CaseState] = Decider(decide, evolve, next_alarm, lambda case: case.status is Status.ARCHIVED)

# A dead gateway delays no ledger and no timer; after this it is a dead letter in the table.
DELIVERY: dict[str, Any] = {
    "task_queue": NOTIFICATIONS,
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(hours=24),
    "retry_policy": RetryPolicy(
        initial_interval=timedelta(seconds=2), maximum_interval=timedelta(minutes=10)
    ),
    "cancellation_type": ActivityCancellationType.ABANDON,
}


@workflow.defn(name="Case")
class CaseWorkflow:
    """A case from the counter to the archive. Workflow id: ``case-<case id>``."""

    @workflow.init
    def __init__(self, given: CaseInput) -> None:
        """Take up the state that a run before this one carried over, if there is one."""
        self._case_id = given.case_id
        state = decode_state(given.state) if given.state else None
        self._machine = Machine(CASE, given.case_id, given.terms, state, given.seq)
        self._machine.outside += given.outside
        self._deliveries: dict[int, asyncio.Task[None]] = {}
        self._calendar_coming: str | None = None
        self._sent: tuple[tuple[str, Payload], CommandMessage, Command] | None = None

    @workflow.run
    async def run(self, given: CaseInput) -> None:
        """Live until archived. Continue as new, with the state, when the server suggests it."""
        machine = self._machine
        if machine.state is None:
            await machine.register()
        else:
            await machine.fire()
        while not machine.ended:
            self._describe()
            await workflow.wait_condition(lambda: machine.due or bool(machine.outside) or self._finished)
            if machine.due:
                await machine.fire()
            self._deliver()
            if workflow.info().is_continue_as_new_suggested() and not machine.ended:
                # Alarms wait meanwhile, so not for the gateway: what is still tried goes along.
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._carried())
        self._deliver()
        await workflow.wait_condition(lambda: workflow.all_handlers_finished() and not self._deliveries)

    @workflow.update(name=REGISTER)
    async def registered(self) -> str:
        """Answer with the case's number as soon as it has one."""
        await workflow.wait_condition(lambda: self._machine.state is not None)
        assert self._machine.state is not None
        return self._machine.state.number

    @workflow.update(dynamic=True)
    async def command(self, name: str, args: Sequence[RawValue]) -> int:
        """Carry out a command of domain.md, section 4; each shows under its own name.

        Answers with the number of its event, once that is on disk. A refusal is an
        `ApplicationError` whose type names the kind of refusal and whose details hold its facts.
        """
        await workflow.wait_condition(lambda: self._machine.state is not None)
        message, command = self._read(name, args)
        self._sent = None
        try:
            return await self._machine.command(message.command_id, command, message.actor, message.terms)
        except Refusal as refusal:
            raise refused(refusal, self._machine.seq) from refusal

    @command.validator
    def refuse_early(self, name: str, args: Sequence[RawValue]) -> None:
        """Refuse before anything is in the history; what passes is decided again in its turn."""
        if self._machine.state is None:
            return
        message, command = self._read(name, args)
        try:
            self._machine.decide(command, message.actor, message.terms)
        except Refusal as refusal:
            raise refused(refusal, self._machine.seq) from refusal

    @workflow.signal
    async def calendar_changed(self, terms: Terms) -> None:
        """Reckon the due dates again under a new calendar; the event records old and new."""
        await workflow.wait_condition(lambda: self._machine.state is not None)
        version = str(terms.calendar["version"])
        state = self._machine.state
        # Told twice while the first telling waits for its turn: once is enough.
        if state is None or version in {state.calendar, self._calendar_coming}:
            return
        self._calendar_coming = version
        own = Terms(self._machine.terms.policy, terms.calendar)
        command = CalendarChanged(calendar=version)
        try:
            # With the number: a calendar may come back after another one.
            command_id = f"calendar:{version}:{self._machine.seq}"
            await self._machine.command(command_id, command, SYSTEM, own)
        except Refusal as refusal:
            workflow.logger.info("calendar change not needed", extra={"refusal": str(refusal)})
        finally:
            if self._calendar_coming == version:
                self._calendar_coming = None

    @workflow.signal
    async def catch_up(self) -> None:
        """Fold in what the ledger has and this run never heard of."""
        await workflow.wait_condition(lambda: self._machine.state is not None)
        await self._machine.catch_up()

    @workflow.query
    def state(self) -> Values | None:
        """Return the state as JSON values: equal to the fold of the ledger."""
        return None if self._machine.state is None else encode_state(self._machine.state)

    @workflow.query
    def seq(self) -> int:
        """Return the number of the last event that this run has heard of."""
        return self._machine.seq

    @property
    def _finished(self) -> bool:
        return self._machine.ended or workflow.info().is_continue_as_new_suggested()

    def _read(self, name: str, args: Sequence[RawValue]) -> tuple[CommandMessage, Command]:
        """Read a command; the validator's reading serves the handler after it."""
        try:
            payload = args[0].payload
            if self._sent is None or self._sent[0] != (name, payload):
                message = workflow.payload_converter().from_payload(payload, CommandMessage)
                if not isinstance(message, CommandMessage):  # the converter leaves null and bytes as they are
                    raise ValueError("no message")
                self._sent = (name, payload), message, decode_command(name, message.body)
            return self._sent[1:]
        except (Invalid, ValueError, IndexError) as error:
            raise ApplicationError(str(error)[:500], type="Invalid", non_retryable=True) from error

    def _describe(self) -> None:
        case = self._machine.state
        if case is not None:
            due = f"{local(case.due_at):%Y-%m-%d %H:%M}" if case.due_at else "—"
            workflow.set_current_details(
                f"{case.number} · {case.status} · {case.level} · 期限 {due} · 承办 {case.unit or '—'}"
            )

    def _deliver(self) -> None:
        """Hand what people outside are to hear to the channels; nothing here waits for it."""
        for seq in self._machine.outside:
            task = asyncio.create_task(_deliver(DeliveryRequest(self._case_id, seq)))
            self._deliveries[seq] = task
            task.add_done_callback(partial(self._delivered, seq))
        self._machine.outside.clear()

    def _delivered(self, seq: int, task: asyncio.Task[None]) -> None:
        del self._deliveries[seq]

    def _carried(self) -> CaseInput:
        """Return what the next run starts with."""
        machine = self._machine
        return CaseInput(
            self._case_id,
            machine.terms,
            self.state(),
            machine.seq,
            sorted({*self._deliveries, *machine.outside}),
        )


async def _deliver(request: DeliveryRequest) -> None:
    try:
        await workflow.execute_activity_method(
            NotificationActivities.deliver, request, summary="外部通知", **DELIVERY
        )
    except ActivityError:
        workflow.logger.warning("delivery given up", extra={"seq": request.seq})


def refused(refusal: Refusal, seq: int) -> ApplicationError:
    """Return the refusal, decided after event `seq`, as an error that ends the update alone."""
    facts: dict[str, Any] = {"seq": seq}
    match refusal:
        case Forbidden():
            facts |= {"command": refusal.command, "role": refusal.role}
        case Illegal():
            facts |= {"command": refusal.command, "status": refusal.status, "rule": refusal.rule}
        case Invalid():
            facts |= {"faults": refusal.faults}
    return ApplicationError(str(refusal), facts, type=type(refusal).__name__, non_retryable=True)
