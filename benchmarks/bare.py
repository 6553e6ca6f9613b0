"""The floor: a workflow without rules, with as many updates, local activities and armed timers.

Same converter and codec, same worker options but for the sandbox (`bare_worker.py`); each local activity
writes one plain row to the same database in the same way (`Database.write`).
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Integer, MetaData, String, Table, insert
from temporalio import activity, workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from models.database import Database

QUEUE = "bare"
OUR_RUNNER = "bare-our-runner"
LEDGER: dict[str, Any] = {
    "start_to_close_timeout": timedelta(seconds=10),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=200)),
}
ROWS = Table(
    "bare_rows",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("case_id", String(36)),
    Column("step", Integer),
    Column("text", String(400)),
)


@dataclass(frozen=True)
class Step:
    """What one update carries: about as much as a command does."""

    case_id: str
    step: int
    text: str


class BareActivities:
    """Writes one row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @activity.defn
    async def write(self, step: Step) -> int:
        row = {"case_id": step.case_id, "step": step.step, "text": step.text}
        await self._database.write(lambda session: session.connection().execute(insert(ROWS), row))
        return step.step


@workflow.defn(name="Bare")
class BareWorkflow:
    """One row at the start and one an update; a timer armed anew each time."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._steps = 0
        self._timer: asyncio.Task[None] | None = None

    @workflow.run
    async def run(self, first: Step) -> None:
        await self._write(first)
        await workflow.wait_condition(lambda: self._steps > LAST)
        await workflow.wait_condition(workflow.all_handlers_finished)
        if self._timer:
            self._timer.cancel()

    @workflow.update
    async def begin(self) -> int:
        await workflow.wait_condition(lambda: self._steps > 0)
        return self._steps

    @workflow.update
    async def step(self, step: Step) -> int:
        return await self._write(step)

    @step.validator
    def _check(self, step: Step) -> None:
        if step.step < 0:
            raise ValueError("negative")

    async def _write(self, step: Step) -> int:
        async with self._lock:
            done = await workflow.execute_local_activity_method(
                BareActivities.write, step, summary="step", **LEDGER
            )
            self._steps += 1
            if self._timer:
                self._timer.cancel()
            self._timer = asyncio.create_task(workflow.sleep(timedelta(days=3), summary="step"))
            return done


@workflow.defn(name="BareTimer")
class BareTimerWorkflow:
    """A timer to an instant, one row when it goes off, and the next timer armed: one rung of a ladder."""

    @workflow.run
    async def run(self, step: Step, until: datetime) -> None:
        await workflow.sleep(until - workflow.now(), summary="rung")
        late = (workflow.now() - until).total_seconds()
        await workflow.execute_local_activity_method(
            BareActivities.write, replace(step, text=str(late)), summary="rung", **LEDGER
        )
        await workflow.sleep(timedelta(days=1), summary="rung")


LAST = 6  # updates after the first row: triage, sign, reply, check, revisit, archive
