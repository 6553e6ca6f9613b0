"""Rehearsal (演练): the clock of the time-skipping server, and moving it forward.

Between two advances rehearsal time runs at the pace of real time: nobody skips but `advance`. While
the server moves its clock it stands still for every workflow that is at work, so each alarm fires at
its own instant, however far one advance goes.

A signed head is due each evening. Here one is taken for the latest evening that an advance has passed,
as after an outage: a year would otherwise be 365 of them, each with a check of the whole ledger.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

from google.protobuf.empty_pb2 import Empty
from sqlmodel import col, exists, or_, select
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.service import RPCError

from casework.engine import Engine, EngineUnavailable
from casework.errors import BadInput
from casework.heads import take_late
from casework.services import Services
from models.case import Case
from models.filing import Filing
from models.report import ReportingPlan
from rules.evidence import latest_head_due

FARTHEST = timedelta(days=3660)
ANSWER_WITHIN = timedelta(seconds=5)
SKIP_WITHIN = timedelta(minutes=10)  # real time; a year with many open cases takes a minute
SETTLE_WITHIN = 30.0  # seconds of real time
_TICK = timedelta(milliseconds=1)  # the server's clock counts no less


class Unsettled(Exception):
    """Time was moved, but not everything that was due by then is in the ledger yet."""


class RehearsalClock:
    """Tells the time of the time-skipping server, the domain's time in a rehearsal, and moves it."""

    def __init__(self, engine: Engine) -> None:
        """Take the way to the server."""
        self._engine = engine
        self.moving = asyncio.Lock()

    async def now(self) -> datetime:
        """Return the present instant of the rehearsal. Raises `EngineUnavailable`."""
        client = await self._engine.client()
        try:
            answer = await client.test_service.get_current_time(Empty(), timeout=ANSWER_WITHIN)
        except RPCError as error:
            raise EngineUnavailable(str(error)) from error
        return answer.time.ToDatetime(UTC)

    async def skip(self, time: timedelta) -> None:
        """Move time forward; what falls due on the way fires at its own instant.

        Raises `EngineUnavailable`, also where the server is not done within SKIP_WITHIN: time may
        then still move.
        """
        request = SleepRequest()
        # Rounded up: the instant itself is to be reached.
        request.duration.FromTimedelta(-(-time // _TICK) * _TICK)
        client = await self._engine.client()
        try:
            await client.test_service.unlock_time_skipping_with_sleep(request, timeout=SKIP_WITHIN)
        except RPCError as error:
            raise EngineUnavailable(str(error)) from error


async def advance(
    services: Services, clock: RehearsalClock, target: Callable[[datetime], Awaitable[datetime]]
) -> datetime:
    """Move time to where `target` leads from now; return the time then, once all is in ledger and inboxes.

    One move after the other, each from where the one before it ended. Raises `BadInput` for an
    instant in the past or more than FARTHEST away, `Unsettled`, `EngineUnavailable`.
    """
    async with clock.moving:
        now = await clock.now()
        to = await target(now)
        if to < now:
            raise BadInput({"to": "in_the_past"})
        if to - now > FARTHEST:
            raise BadInput({"to": "out_of_range"})
        await clock.skip(to - now)
        reached = await clock.now()
        try:
            async with asyncio.timeout(SETTLE_WITHIN):
                while await _something_open(services, reached):
                    await asyncio.sleep(0.02)
        except TimeoutError as error:
            raise Unsettled(f"not everything due by {reached.isoformat()} is done") from error
        if (head := latest_head_due(reached)) > now:
            await take_late(services, head)
        return reached


async def _something_open(services: Services, by: datetime) -> bool:
    """Whether an alarm has not fired, a filing is not registered, or a report not made, that was due then."""
    alarms = exists().where(col(Case.next_alarm_at) <= by)
    filings = exists().where(col(Filing.registered_at).is_(None), col(Filing.received_at) <= by)
    reports = exists().where(col(ReportingPlan.due_at) <= by)
    async with services.database.read() as session:
        return bool((await session.exec(select(or_(alarms, filings, reports)))).one())
