"""Workers by queue, what they say of the namespace at their start, and their own port."""

import logging
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.worker import Worker

import worker
from tests.support.house import services_on
from tests.support.running import bancheng
from tests.support.temporal import TemporalServer
from worker import build_workers
from workflows.queues import CASES, NOTIFICATIONS, QUEUES, REPORTING


@pytest.fixture
def built(temporal_server: TemporalServer, tmp_path: Path) -> Callable[..., Awaitable[list[Worker]]]:
    """Build the workers of some queues, each time for a client of their own: a client has one a queue."""

    async def build(*queues: str) -> list[Worker]:
        client = await temporal_server.client()
        services = services_on(f"sqlite+aiosqlite:///{tmp_path / 'none.db'}", client, tmp_path)
        return build_workers(client, services, queues=queues)

    return build


Build = Callable[..., Awaitable[list[Worker]]]


@pytest.mark.parametrize(
    ("wanted", "made"),
    [(QUEUES, QUEUES), ((REPORTING, CASES), (CASES, REPORTING)), ((NOTIFICATIONS,), (NOTIFICATIONS,))],
)
async def test_a_process_works_on_the_queues_that_it_is_told(
    built: Build, wanted: Sequence[str], made: Sequence[str]
) -> None:
    assert [each.task_queue for each in await built(*wanted)] == list(made)


@pytest.mark.parametrize("queue", [CASES, REPORTING])
async def test_reports_and_heads_are_taken_from_either_queue(built: Build, queue: str) -> None:
    """What was asked for before the queue of its own was there stands on that of cases, and is done."""
    (made,) = await built(queue)
    names = {each.__temporal_activity_definition.name for each in made.config()["activities"]}  # type: ignore[attr-defined]
    assert {"take_head", "publish_heads", "check_ledger", "make_due"} <= names


def test_an_unknown_queue_is_a_misuse(tmp_path: Path) -> None:
    code, said = bancheng(tmp_path, "worker", "--queue", "casse")
    assert code == 2
    assert all(word in said for word in ("casse", *QUEUES))


def test_metrics_that_cannot_be_served_end_the_worker(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        code, said = bancheng(tmp_path, "worker", metrics_address=address)
    assert code == 1
    assert "BANCHENG_METRICS_ADDRESS" in said and address in said and "Traceback" not in said


@pytest.mark.parametrize(("days", "warned"), [(3, True), (90, False)])
async def test_a_namespace_that_forgets_too_soon_is_warned_of(
    temporal_server: TemporalServer, caplog: pytest.LogCaptureFixture, days: int, warned: bool
) -> None:
    client = await temporal_server.client(namespace=f"forgets-after-{days}")
    request = RegisterNamespaceRequest(namespace=client.namespace)
    request.workflow_execution_retention_period.FromTimedelta(timedelta(days=days))
    await client.workflow_service.register_namespace(request)
    with caplog.at_level(logging.WARNING, "bancheng.worker"):
        await worker._warn_of_retention(client)
    assert any("engine prepare" in record.message for record in caplog.records) is warned
