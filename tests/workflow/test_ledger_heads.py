"""The daily head as a workflow: each evening once, after any outage once, sent out by every way."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlmodel import col, select
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError
from temporalio.worker import Worker

import workflows.evidence
from activities.archiving import ArchivingActivities, FileOutlet, Outlet, WebhookOutlet
from activities.webhooks import Webhook
from casework.clocks import MachineClock
from casework.heads import read_published
from models.evidence import HeadPublication, LedgerHead
from models.signing import PublicKeys
from rules.calendar import SHANGHAI
from rules.evidence import HEAD_AT
from tests.support.shell import Shell
from tests.support.signed import SIGNER
from workflows.evidence import LedgerHeadsWorkflow
from workflows.queues import CASES, REPORTING
from workflows.runner import RUNNER

DAY = timedelta(days=1)
MORNING = datetime(2037, 3, 9, 9, 0, tzinfo=SHANGHAI)


class Evenings:
    """The workflow with a clock of its own; workers that come and go."""

    def __init__(self, shell: Shell, folder: Path) -> None:
        self.shell, self.folder = shell, folder
        self.checks = 0
        self.id = f"ledger-heads-{uuid.uuid4()}"

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        return self.shell.client.get_workflow_handle(self.id)

    @asynccontextmanager
    async def worker(self, *outlets: Outlet) -> AsyncIterator[None]:
        archiving = ArchivingActivities(
            self.shell.database, SIGNER, [FileOutlet(self.folder), *outlets], self.now, self.check
        )
        client = self.shell.client
        activities = [archiving.take, archiving.publish, archiving.check]
        async with (
            Worker(client, task_queue=CASES, workflows=[LedgerHeadsWorkflow], workflow_runner=RUNNER),
            Worker(client, task_queue=REPORTING, activities=activities),
        ):
            yield

    async def now(self) -> datetime:
        return await self.shell.skipper.get_current_time(self.handle)

    async def check(self, beat: Any) -> bool:
        self.checks += 1
        return True

    async def begin(self) -> None:
        await self.shell.client.start_workflow(
            LedgerHeadsWorkflow.run,
            id=self.id,
            task_queue=CASES,
            start_delay=MORNING - datetime.now(UTC),
        )
        await self.until(MORNING + timedelta(minutes=1))

    async def until(self, instant: datetime) -> None:
        await self.shell.skipper.fast_forward(self.handle, instant - await self.now())

    async def heads(self) -> Sequence[LedgerHead]:
        async with self.shell.database.read() as session:
            return (await session.exec(select(LedgerHead).order_by(col(LedgerHead.number)))).all()

    async def sent(self) -> list[tuple[int, str]]:
        async with self.shell.database.read() as session:
            rows = (await session.exec(select(HeadPublication))).all()
        return sorted((row.head, row.outlet) for row in rows)


@pytest.fixture
async def evenings(either_shell: Shell, tmp_path: Path) -> AsyncIterator[Evenings]:
    """On SQLite and on PostgreSQL."""
    async with _evenings(either_shell, tmp_path) as made:
        yield made


@pytest.fixture
async def sqlite_evenings(shell: Shell, tmp_path: Path) -> AsyncIterator[Evenings]:
    """On SQLite, for what has nothing to do with the dialect."""
    async with _evenings(shell, tmp_path) as made:
        yield made


@asynccontextmanager
async def _evenings(shell: Shell, folder: Path) -> AsyncIterator[Evenings]:
    made = Evenings(shell, folder / "heads")
    yield made
    with suppress(RPCError):  # a test may not have begun it
        await made.handle.terminate()


async def test_a_head_is_taken_each_evening_and_sent_out(evenings: Evenings) -> None:
    async with evenings.worker():
        await evenings.begin()
        assert await evenings.heads() == []
        for days in (1, 2, 3):
            await evenings.until(MORNING + days * DAY)
        heads = await evenings.heads()
    assert [(head.number, head.day) for head in heads] == [
        (1, date(2037, 3, 9)),
        (2, date(2037, 3, 10)),
        (3, date(2037, 3, 11)),
    ]
    assert {head.due_at.astimezone(SHANGHAI).time() for head in heads} == {HEAD_AT}
    assert evenings.checks == 3
    files = read_published([evenings.folder])
    assert [file.head.root for file in files] == [head.root for head in heads]
    assert [file.head.fault(PublicKeys([SIGNER.public])) for file in files] == [None] * 3
    assert await evenings.sent() == [(1, "file"), (2, "file"), (3, "file")]


SHORT = timedelta(seconds=2)


def _latest(now: datetime) -> datetime:
    return now - (now - datetime(2026, 1, 1, tzinfo=UTC)) % SHORT


async def test_a_worker_that_was_down_over_several_evenings_takes_one_head(
    sqlite_evenings: Evenings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days of two seconds: no clock can be moved while nobody works."""
    evenings = sqlite_evenings
    monkeypatch.setattr(workflows.evidence, "latest_head_due", _latest)
    monkeypatch.setattr(workflows.evidence, "next_head_due", lambda now: _latest(now) + SHORT)
    start = evenings.shell.client.start_workflow
    async with evenings.worker():
        await start(LedgerHeadsWorkflow.run, id=evenings.id, task_queue=CASES)
        await asyncio.sleep(0.5)
        # Stopped early in a day: one that ends while its worker stops is half this worker's.
        now = datetime.now(UTC)
        await asyncio.sleep((_latest(now) + 1.25 * SHORT - now).total_seconds())
    before = len(await evenings.heads())
    gone = datetime.now(UTC)
    await asyncio.sleep(3 * SHORT.total_seconds() + 0.2)
    back = datetime.now(UTC)
    async with evenings.worker():
        async with asyncio.timeout(20):
            while len(await evenings.heads()) < before + 2:
                await asyncio.sleep(0.1)
    missed, following = (head.due_at for head in (await evenings.heads())[before : before + 2])
    assert gone < missed and _latest(back) <= missed
    assert following > missed


async def test_a_dead_gateway_gets_the_heads_that_it_missed(sqlite_evenings: Evenings) -> None:
    evenings = sqlite_evenings
    posted: list[int] = []
    alive = False

    def answer(request: httpx.Request) -> httpx.Response:
        if not alive:
            return httpx.Response(503)
        posted.append(json.loads(request.content)["head"]["number"])
        return httpx.Response(200)

    async with (
        httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client,
        evenings.worker(
            WebhookOutlet(Webhook("http://gateway.test/", client, "a secret of tests", MachineClock().now))
        ),
    ):
        await evenings.begin()
        await evenings.until(MORNING + 2 * DAY)
        assert [number for number, _ in await evenings.sent()] == [1, 2]
        alive = True
        await evenings.until(MORNING + 3 * DAY)
    assert posted == [1, 2, 3]
    assert await evenings.sent() == [(n, way) for n in (1, 2, 3) for way in ("file", "webhook")]
