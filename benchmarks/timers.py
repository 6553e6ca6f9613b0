"""What `herd` and `alarm` share: cases and bare workflows that wait for an instant, and what came of it."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import create_engine
from sqlmodel import col, func, select

from benchmarks.bare import QUEUE, ROWS, BareTimerWorkflow, Step
from benchmarks.lifecycle import CLERK, HALL, PASSWORD, STEPS, crowd, file_cases
from benchmarks.rig import Rig, percentile
from casework.calendars import terms_for
from casework.engine import EngineUnavailable
from models.case import LedgerEvent
from models.filing import Filing
from models.messages import CommandMessage, encode_command
from tests.support.onlooker import work_every_day

CONCURRENCY = 20
P99 = 0.99


async def prepared(rig: Rig, *, every_day: bool = True) -> tuple[int, int]:
    """Make tables, halls and people; start our worker and the bare one, and return their process ids.

    `every_day`: every day is worked, so that cases come due on a Sunday too.
    """
    ROWS.metadata.create_all(create_engine(str(rig.database_url).replace("+aiosqlite", "")))
    await rig.demonstrate(PASSWORD)
    if every_day:
        await work_every_day(str(rig.database_url))
    return rig.spawn("worker.py").pid, rig.spawn("-m", "benchmarks.bare_worker").pid


async def start_cases(rig: Rig, received: Sequence[datetime], *, triaged: bool) -> list[str]:
    """Start a case for each T0 (as the counter does, but long ago); triage each to a unit."""
    ids = await file_cases(rig, len(received))
    by_id = dict(zip(ids, received, strict=True))
    async with rig.database.begin() as session:
        for case_id, at in by_id.items():
            (await session.get_one(Filing, case_id)).received_at = at
    engine, services = rig.engine(), rig.services()
    actor, triage = STEPS[0]
    assert actor == CLERK

    async def start(case_id: str) -> None:
        pinned = await terms_for(services, HALL, by_id[case_id])
        await insisted(lambda: engine.start(case_id, pinned))
        if triaged:
            message = CommandMessage(str(uuid.uuid4()), actor, encode_command(triage))
            await insisted(lambda: engine.command(case_id, triage.name, message))

    await crowd(ids, start, CONCURRENCY)
    return ids


async def insisted(ask: Callable[[], Awaitable[object]]) -> None:
    """Ask until the engine has time: on a busy machine an update may take longer than a call waits."""
    while True:
        try:
            await ask()
            return
        except EngineUnavailable:
            await asyncio.sleep(0.2)


async def start_bare(rig: Rig, due: Sequence[datetime]) -> list[str]:
    """Start a bare workflow with a timer to each instant."""
    by_id = {f"bare-timer-{uuid.uuid4()}": at for at in due}

    async def start(name: str) -> None:
        step = Step(name[-36:], 1, "")
        await rig.client.start_workflow(
            BareTimerWorkflow.run, args=[step, by_id[name]], id=name, task_queue=QUEUE
        )

    await crowd(list(by_id), start, CONCURRENCY)
    return [name[-36:] for name in by_id]


async def last_event(rig: Rig) -> int:
    """Return the id of the newest row in the ledger."""
    async with rig.database.read() as session:
        return (await session.exec(select(func.max(LedgerEvent.id)))).one() or 0


async def fired(rig: Rig, alarm: str, since: int) -> int:
    """Return how many alarms of a name came after row `since`: looking at the others takes its time."""
    async with rig.database.read() as session:
        wanted = select(func.count()).select_from(LedgerEvent)
        wanted = wanted.where(LedgerEvent.type == alarm, col(LedgerEvent.id) > since)
        return (await session.exec(wanted)).one()


async def bare_fired(rig: Rig) -> int:
    """Return how many rows the bare timers have written."""
    async with rig.database.read() as session:
        return (await session.exec(select(func.count()).select_from(ROWS))).one()


async def lateness(rig: Rig, alarm: str, ids: Sequence[str]) -> dict[str, list[float]]:
    """Return the seconds between being due and firing of each alarm of a name, by case."""
    found: dict[str, list[float]] = {case_id: [] for case_id in ids}
    async with rig.database.read() as session:
        wanted = select(LedgerEvent).where(LedgerEvent.type == alarm).order_by(col(LedgerEvent.id))
        for row in (await session.exec(wanted)).all():
            was_due_at = datetime.fromisoformat(row.data["was_due_at"])
            found.setdefault(row.case_id, []).append((row.at - was_due_at).total_seconds())
    return found


async def bare_lateness(rig: Rig) -> list[float]:
    """Return the same of the bare timers."""
    async with rig.database.read() as session:
        return [float(text) for text in (await session.exec(select(ROWS.c.text))).all()]


def p99(values: Sequence[float]) -> float:
    """Return the 99th percentile; 0 of nothing."""
    return percentile(values, P99)


async def counted_to(count: Callable[[], Awaitable[int]], wanted: int, within: float) -> datetime:
    """Wait until `count` says so many, or `within` seconds are over; return when it said it last more."""
    end, last, before = time.monotonic() + within, datetime.now(UTC), 0
    while before < wanted and time.monotonic() < end:
        await asyncio.sleep(0.05)
        if (now := await count()) > before:
            before, last = now, datetime.now(UTC)
    return last


async def wait_until(at: datetime) -> None:
    """Sleep until an instant."""
    await asyncio.sleep(max(0.0, (at - datetime.now(UTC)).total_seconds()))
