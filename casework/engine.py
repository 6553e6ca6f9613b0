"""The way to the workflows: start a case, send it a command, tell it of a new calendar.

Refusals come back as the rules' own errors; an engine that cannot be reached is `EngineUnavailable`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, NoReturn

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowQueryFailedError,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from models.messages import CaseInput, CommandMessage, DeliveryRequest, Terms
from models.tracing import AGAIN, new_command_id
from rules.case.errors import Forbidden, Illegal, Invalid, Refusal
from workflows.case import REGISTER, CaseWorkflow
from workflows.issuing import SendAgainWorkflow, SendBulletinWorkflow
from workflows.queues import CASES

# An update that cannot be taken hangs: every call has an end.
WITHIN = timedelta(seconds=10)
_GONE = {RPCStatusCode.NOT_FOUND}


class EngineUnavailable(Exception):
    """The engine could not be reached, or did not answer in time; try again later."""


class CaseNotRunning(Exception):
    """No workflow of this case runs: never started, ended, or lost with its cluster."""


class Engine:
    """A Temporal client that connects when it is first needed, and again after a failure."""

    def __init__(self, connect: Callable[[], Awaitable[Client]], within: timedelta = WITHIN) -> None:
        self._connect, self._within = connect, within
        self._client: Client | None = None
        self._lock = asyncio.Lock()

    async def client(self) -> Client:
        """Return the client. Raises `EngineUnavailable`."""
        async with self._lock:
            if self._client is None:
                try:
                    async with asyncio.timeout(self._within.total_seconds()):
                        self._client = await self._connect()
                except (RuntimeError, RPCError, OSError, TimeoutError) as error:
                    raise EngineUnavailable(str(error)) from error
            return self._client

    async def reachable(self) -> bool:
        """Whether the engine answers now."""
        try:
            client = await self.client()
            return await client.service_client.check_health(timeout=timedelta(seconds=2))
        except (EngineUnavailable, RPCError, RuntimeError):
            return False

    async def start(self, case_id: str, terms: Terms) -> str:
        """Start a case, or join the start under way; return its number.

        The workflow id is the case's, so there is at most one case ever; a case that has events in
        the ledger goes on from them. Raises `EngineUnavailable`.
        """
        operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            CaseWorkflow.run,
            CaseInput(case_id, terms),
            id=workflow_id(case_id),
            task_queue=CASES,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        )
        client = await self.client()
        try:
            number: str = await client.execute_update_with_start_workflow(
                REGISTER,
                id=new_command_id(),
                start_workflow_operation=operation,
                result_type=str,
                rpc_timeout=self._within,
            )
            return number
        except Exception as error:
            # The start's own outcome is consumed too, else it is reported as never retrieved.
            await asyncio.gather(operation.workflow_handle(), return_exceptions=True)
            _raise(error, "register")

    async def resume(self, case_id: str, terms: Terms) -> bool:
        """Have a registered case run, from its ledger; say whether it had to be started.

        Raises `EngineUnavailable`.
        """
        client = await self.client()
        try:
            await client.start_workflow(
                CaseWorkflow.run,
                CaseInput(case_id, terms),
                id=workflow_id(case_id),
                task_queue=CASES,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                rpc_timeout=self._within,
            )
        except WorkflowAlreadyStartedError:
            return False
        except Exception as error:
            _raise(error, "resume")
        return True

    async def command(self, case_id: str, name: str, message: CommandMessage, *, again: bool = False) -> int:
        """Send a command; return the number of its event, once that is on disk.

        Asked under one id, a workflow repeats its first answer; `again` has it decide anew where that was a
        refusal. Raises `Refusal` (of the rules), `CaseNotRunning`, `EngineUnavailable`.
        """
        client = await self.client()
        handle = client.get_workflow_handle(workflow_id(case_id))
        try:
            number: int = await handle.execute_update(
                name,
                message,
                id=f"{message.command_id}{AGAIN if again else ''}",
                result_type=int,
                rpc_timeout=self._within,
            )
            return number
        except Exception as error:
            _raise(error, name)

    async def calendar_changed(self, case_id: str, terms: Terms) -> None:
        """Signal a new calendar. Raises `CaseNotRunning`, `EngineUnavailable`."""
        await self._signal(case_id, CaseWorkflow.calendar_changed, terms)

    async def catch_up(self, case_id: str) -> None:
        """Have a case fold in what its ledger holds. Raises `CaseNotRunning`, `EngineUnavailable`."""
        await self._signal(case_id, CaseWorkflow.catch_up)

    async def heard(self, case_id: str) -> int:
        """Return the number of the last event that a case's workflow has heard of; 0 before the first.

        Raises `CaseNotRunning`, `EngineUnavailable`.
        """
        client = await self.client()
        try:
            handle = client.get_workflow_handle(workflow_id(case_id))
            return await handle.query(CaseWorkflow.seq, rpc_timeout=self._within)
        except (RPCError, WorkflowQueryFailedError, WorkflowQueryRejectedError) as error:
            _raise(error, "seq")

    async def announce(self, bulletin: int) -> None:
        """Have an issued bulletin sent outside; one that is under way is left alone.

        Raises `EngineUnavailable`.
        """
        await self._begin(SendBulletinWorkflow.run, bulletin, f"bulletin-{bulletin}")

    async def send_again(self, request: DeliveryRequest) -> None:
        """Have what is not sent of an event sent outside. Raises `EngineUnavailable`."""
        await self._begin(SendAgainWorkflow.run, request, f"again-{request.case_id}-{request.seq}")

    async def _begin(self, run: Any, given: Any, id: str) -> None:
        """Start a workflow of this id; one that is under way is left alone."""
        client = await self.client()
        try:
            await client.start_workflow(
                run,
                given,
                id=id,
                task_queue=CASES,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                rpc_timeout=self._within,
            )
        except Exception as error:
            _raise(error, id)

    async def _signal(self, case_id: str, signal: Any, *args: Any) -> None:
        client = await self.client()
        handle = client.get_workflow_handle(workflow_id(case_id))
        try:
            await handle.signal(signal, *args, rpc_timeout=self._within)
        except RPCError as error:
            _raise(error, "signal")


@contextmanager
def outages() -> Iterator[None]:
    """Raise `EngineUnavailable` for what a call inside the block fails with."""
    try:
        yield
    except (RPCError, TimeoutError) as error:
        raise EngineUnavailable(str(error)) from error


def workflow_id(case_id: str) -> str:
    """Return the id of a case's workflow."""
    return f"case-{case_id}"


def _raise(error: BaseException, command: str) -> NoReturn:
    """Raise what a failed call means to the caller."""
    if isinstance(error.__cause__, asyncio.CancelledError):
        # The SDK words its caller's stop as an outage: whoever waits outages out would never stop.
        raise error.__cause__
    if isinstance(error, WorkflowUpdateFailedError):
        raise _refusal(error.cause, command) from error
    if isinstance(error, RPCError) and error.status in _GONE:
        raise CaseNotRunning(str(error)) from error
    unreachable = (
        *(RPCError, WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError),
        *(WorkflowQueryFailedError, WorkflowQueryRejectedError),
    )
    if isinstance(error, (*unreachable, WorkflowAlreadyStartedError)):
        raise EngineUnavailable(str(error)) from error
    raise error


def _refusal(cause: BaseException | None, command: str) -> Exception:
    if not isinstance(cause, ApplicationError):
        return EngineUnavailable(str(cause))
    facts: dict[str, Any] = cause.details[0] if cause.details else {}
    refusals: dict[str | None, Callable[[], Refusal]] = {
        "Forbidden": lambda: Forbidden(facts["command"], facts["role"]),
        "Illegal": lambda: Illegal(facts["command"], facts["status"], facts["rule"]),
        "Invalid": lambda: Invalid(facts.get("faults", {"body": cause.message})),
    }
    make = refusals.get(cause.type)
    if make is None:
        return EngineUnavailable(f"{command}: {cause.message}")
    made = make()
    made.seq = facts.get("seq")
    return made
