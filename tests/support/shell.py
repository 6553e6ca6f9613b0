"""The durable shell in one process: ledger, worker and engine, each case with a clock of its own.

Times are written "MM-DD HH:MM" and mean 2037: its dates fall on the weekdays of 2026 and it is
still to come, and a workflow's clock only goes forward. So no test cares on which day it runs.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.update.v1 import UpdateRef
from temporalio.api.workflowservice.v1 import PollWorkflowExecutionUpdateRequest
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from activities.inbox import Inbox
from activities.leaving import LetGo
from activities.ledger import LedgerActivities
from activities.notification import Channel, NotificationActivities
from activities.registration import RegistrationActivities
from activities.writing import LedgerWriter
from casework.engine import Engine, workflow_id
from models.case import LedgerEvent
from models.crypto import Keyring
from models.database import Database
from models.messages import CaseInput, CommandMessage, Terms, encode_command, encode_state
from rules.calendar import Calendar
from rules.case.commands import Command
from rules.case.errors import Refusal
from rules.case.events import CITIZEN, SYSTEM, Actor
from rules.case.state import CaseState
from rules.case.vocabulary import Role
from tests.support.books import checked_fold, events_of, file_case, person, terms_with
from tests.support.calendars import CALENDAR_2026
from tests.support.cases import OF_THE_LEADER, RETURN_DECIDERS, USUALLY, make, reason_of, shown, t
from workflows.case import CaseWorkflow
from workflows.queues import CASES, NOTIFICATIONS
from workflows.runner import RUNNER

YEAR = 2037
# A jump must not end while something is under way: the server would then go on to the next timer.
LEEWAY = timedelta(seconds=30)
MOMENT = timedelta(seconds=5)
WITHIN = timedelta(seconds=20)  # a query without a worker would wait for ever


def at(text: str) -> datetime:
    """The instant (UTC) of a time on the wall clock of Shanghai, in 2037."""
    return t(f"{YEAR}-{text}")


def seen(instant: datetime) -> str:
    """The same the other way round, to the second; what is a moment late counts as in time."""
    return str(shown(instant.replace(microsecond=0))).removeprefix(f"{YEAR}-")


def _instant(row: LedgerEvent) -> datetime:
    due = datetime.fromisoformat(row.data.get("was_due_at") or row.at.isoformat())
    return due if row.at - due < MOMENT else row.at


def _moved(days: frozenset[date]) -> frozenset[date]:
    return frozenset(day.replace(year=YEAR) for day in days)


CALENDAR = Calendar(
    version="notice-2037",
    off=_moved(CALENDAR_2026.off),
    work=_moved(CALENDAR_2026.work),
    published=frozenset({YEAR - 1, YEAR}),
)
GUILIN = terms_with("guilin", calendar=CALENDAR)
CHENGZHONG = terms_with("chengzhong", calendar=CALENDAR)


class Shell:
    """A client whose cases have clocks of their own, and the database that their worker writes to."""

    def __init__(self, client: Client, database: Database, keyring: Keyring) -> None:
        self.database, self.keyring = database, keyring
        self.skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
        self.client = self.skipper.client
        self.engine = Engine(self._connect)
        self._started: list[str] = []

    @asynccontextmanager
    async def worker(
        self,
        *channels: Channel,
        ledger: type[LedgerActivities] = LedgerActivities,
        case: type[CaseWorkflow] = CaseWorkflow,
        **options: Any,
    ) -> AsyncIterator[None]:
        """Run the workers of the product; a test may hand in a bad `ledger`, or other code."""
        writer = LedgerWriter(self.keyring, Inbox(channels))
        written = ledger(self.database, writer)
        registration = RegistrationActivities(self.database, writer)
        outside = NotificationActivities(self.database, {c.name: c for c in channels})
        async with (
            Worker(
                self.client,
                task_queue=CASES,
                workflows=[case],
                activities=[written.record, written.read, written.terms, registration.register],
                workflow_runner=RUNNER,
                interceptors=[LetGo()],
                **options,
            ),
            Worker(self.client, task_queue=NOTIFICATIONS, activities=[outside.deliver]),
        ):
            yield

    async def file(
        self,
        received: str,
        *,
        terms: Terms = GUILIN,
        case_id: str | None = None,
    ) -> "LiveCase":
        """File a case and have it registered at that instant of its own clock."""
        case = await self.filing(received, terms=terms, case_id=case_id)
        await case.start(at(received))
        return case

    async def filing(self, received: str, *, terms: Terms = GUILIN, case_id: str | None = None) -> "LiveCase":
        """File a case that no workflow knows of yet."""
        hall = terms.policy.id
        case_id = await file_case(self.database, self.keyring, at(received), hall=hall, case_id=case_id)
        return LiveCase(self, case_id, terms)

    async def end(self) -> None:
        """End every case: a later test's worker must not take them up."""
        for case_id in self._started:
            with suppress(RPCError):  # it has ended by itself
                await self.client.get_workflow_handle(workflow_id(case_id)).terminate()

    def note(self, case_id: str) -> None:
        """Remember a case for `end`."""
        self._started.append(case_id)

    async def _connect(self) -> Client:
        return self.client


class LiveCase:
    """A case in a running workflow; commands go the way that casework sends them."""

    def __init__(self, shell: Shell, case_id: str, terms: Terms) -> None:
        self.shell, self.case_id, self.terms = shell, case_id, terms
        self.number = ""

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The workflow, whichever run is the latest."""
        return self.shell.client.get_workflow_handle(workflow_id(self.case_id))

    async def begin(self, instant: datetime, leeway: timedelta = LEEWAY) -> None:
        """Start the workflow at `instant` of its own clock, which stands a little later afterwards."""
        self.shell.note(self.case_id)
        await self.shell.client.start_workflow(
            CaseWorkflow.run,
            CaseInput(self.case_id, self.terms),
            id=workflow_id(self.case_id),
            task_queue=CASES,
            start_delay=instant - datetime.now(UTC),
        )
        await self.move_clock(instant + leeway)

    async def start(self, instant: datetime, leeway: timedelta = LEEWAY) -> None:
        """Start the workflow as `begin` does, and wait for the number."""
        await self.begin(instant, leeway)
        self.number = await self.shell.engine.start(self.case_id, self.terms)

    async def until(self, text: str) -> "LiveCase":
        """Let time pass; what was due until then has fired and is in the ledger."""
        await self.move_clock(at(text) + LEEWAY)
        await self.idle()
        return self

    async def give(
        self, command: str | Command, when: str | None = None, actor: Actor | None = None, **given: Any
    ) -> "LiveCase":
        """Give a command at an instant (or at once), by who usually gives it unless said else.

        No alarm may be due at that very instant.
        """
        if when is not None:
            await self.move_clock(at(when))
        if isinstance(command, str):
            command = make(command, **given)
        await self.send(command, actor or await self.usual(command.name))
        return self

    async def send(
        self, command: Command, actor: Actor, *, command_id: str | None = None, terms: Terms | None = None
    ) -> int:
        """Send a command as it is. Raises `Refusal`."""
        body = encode_command(command)
        message = CommandMessage(command_id or str(uuid4()), actor, body, terms)
        return await self.shell.engine.command(self.case_id, command.name, message)

    async def refusal(self, command: str | Command, actor: Actor | None = None, **given: Any) -> str:
        """Why a command is refused: "forbidden", the name of the rule, or "field: fault"."""
        try:
            await self.give(command, actor=actor, **given)
        except Refusal as refusal:
            return reason_of(refusal)
        raise AssertionError(f"{command} was not refused")

    async def usual(self, name: str) -> Actor:
        """Who usually gives a command on this case."""
        state = await self.state()
        unit, hall = state["unit"] or "housing", state["hall"]
        if name in OF_THE_LEADER:
            return person(f"{hall}.{unit}.leader")
        actor = USUALLY.get(name)
        if name == "decide_return":
            actor = RETURN_DECIDERS[min(state["returns"], 3) - 1]
        if actor in {SYSTEM, CITIZEN}:
            return actor
        if actor is None:
            return person(f"{hall}.{unit}.contact")
        return person("superior" if actor.role is Role.SUPERIOR else f"{hall}.{actor.username}")

    async def state(self) -> dict[str, Any]:
        """The state that the workflow holds, as JSON values."""
        state: dict[str, Any] = await self._asked(CaseWorkflow.state)
        return state

    async def idle(self) -> None:
        """Wait until the workflow has nothing under way: a query may be answered before."""
        async with asyncio.timeout(WITHIN.total_seconds()):
            while (await self.handle.describe()).raw_description.HasField("pending_workflow_task"):
                await asyncio.sleep(0.02)

    async def waits_for_a_worker(self, command_id: str) -> None:
        """Wait until the server holds a command that no worker has taken yet."""
        reference = UpdateRef(
            workflow_execution=WorkflowExecution(workflow_id=self.handle.id), update_id=command_id
        )
        request = PollWorkflowExecutionUpdateRequest(
            namespace=self.shell.client.namespace, update_ref=reference
        )
        async with asyncio.timeout(WITHIN.total_seconds()):
            while True:
                try:
                    await self.shell.client.workflow_service.poll_workflow_execution_update(request)
                    return
                except RPCError as error:
                    if error.status is not RPCStatusCode.NOT_FOUND:
                        raise
                await asyncio.sleep(0.02)

    async def _asked(self, query: Any) -> Any:
        async with asyncio.timeout(WITHIN.total_seconds()):
            while True:
                try:
                    return await self.handle.query(query, rpc_timeout=WITHIN)
                except RPCError as error:  # a run that has just begun cannot be asked yet
                    if error.status is not RPCStatusCode.FAILED_PRECONDITION:
                        raise
                await asyncio.sleep(0.02)

    async def checked(self) -> CaseState:
        """The fold of the ledger, once sure that the workflow and the projection hold the same."""
        await self.idle()
        held = await self.state()
        folded = await checked_fold(self.shell.database, self.case_id, self.terms)
        assert encode_state(folded) == held
        return folded

    async def ledger(self) -> list[LedgerEvent]:
        """The rows of its ledger."""
        return await events_of(self.shell.database, self.case_id)

    async def story(self) -> list[str]:
        """Its events, each with its instant on the wall clock: "sign 03-09 10:00".

        An alarm that fired in time has the instant that it was due: a busy machine takes a second to fire it.
        """
        return [f"{row.type} {seen(_instant(row))}" for row in await self.ledger()]

    async def count(self, kind: "EventType.ValueType") -> int:
        """How many events of a kind its history has (of the latest run)."""
        history = await self.handle.fetch_history()
        return sum(event.event_type == kind for event in history.events)

    async def move_clock(self, instant: datetime) -> None:
        """Move the case's clock; alarms fire on the way, if there is a worker."""
        skipper, handle = self.shell.skipper, self.handle
        ahead = instant - await skipper.get_current_time(handle)
        if ahead > timedelta():
            await skipper.fast_forward(handle, ahead)
            past = await skipper.get_current_time(handle) - instant
            assert past < LEEWAY, f"the clock ran {past} too far"
