"""The engine that comes along: it is ours alone, keeps what it knows, and never outlives us."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.empty_pb2 import Empty
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus

from embedded import EmbeddedFailure, TemporalServer, TimeSkippingServer, only_user_of
from processes import FolderLock

QUEUE = "embedded"
ROOT = Path(__file__).parents[2]

SERVING = """
import asyncio, pathlib, sys
from embedded import TemporalServer

async def main():
    server = TemporalServer(pathlib.Path(sys.argv[1]), "default")
    await server.start()
    print(server.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[TemporalServer]:
    """A server that runs on the test's folder."""
    running = TemporalServer(tmp_path, "halls")
    await running.start()
    yield running
    await running.stop()


async def client_of(server: TemporalServer) -> Client:
    return await Client.connect(server.address, namespace="halls")


async def gone(pid: int) -> bool:
    """Whether a process ends within a few seconds."""
    for _ in range(100):
        with suppress(FileNotFoundError):
            if "State:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                await asyncio.sleep(0.05)
                continue
        return True
    return False


async def test_histories_of_closed_cases_are_kept_for_ninety_days(server: TemporalServer) -> None:
    client = await client_of(server)
    found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="halls"))
    assert found.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=90)


async def test_a_second_start_has_the_same_port_and_the_same_workflows(server: TemporalServer) -> None:
    address = server.address
    client = await client_of(server)
    await client.start_workflow("Any", id="kept", task_queue=QUEUE)
    await server.stop()
    await server.start()
    assert server.address == address
    kept = await client.get_workflow_handle("kept").describe()
    assert kept.status is WorkflowExecutionStatus.RUNNING


async def test_a_port_that_somebody_else_took_is_given_up(server: TemporalServer) -> None:
    await server.stop()
    taken = server.port
    with closing(socket.create_server(("127.0.0.1", taken))):
        await server.start()
        assert server.port != taken
        await client_of(server)


async def test_a_killed_server_comes_back_by_itself(server: TemporalServer) -> None:
    address, pid = server.address, server.pid
    assert pid is not None
    keeping = asyncio.create_task(server.keep_running())
    os.kill(pid, signal.SIGKILL)
    while server.pid == pid:
        await asyncio.sleep(0.02)
    async with asyncio.timeout(30):
        while True:
            with suppress(RuntimeError):
                await client_of(server)
                break
            await asyncio.sleep(0.05)
    keeping.cancel()
    assert server.address == address


async def test_ctrl_c_at_the_terminal_does_not_reach_it(server: TemporalServer) -> None:
    assert server.pid is not None
    assert os.getpgid(server.pid) != os.getpgid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends it")
async def test_it_dies_with_a_killed_parent(tmp_path: Path) -> None:
    command = [sys.executable, "-c", SERVING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        try:
            pid = int(await asyncio.to_thread(parent.stdout.readline))
            assert Path(f"/proc/{pid}").exists()
        finally:
            parent.kill()
    assert await gone(pid)


async def test_an_orphan_that_holds_the_database_is_ended(tmp_path: Path) -> None:
    with closing(FolderLock(tmp_path / "temporal.lock")) as lock:
        assert lock.take()
        orphan = subprocess.Popen(["sleep", "600"], pass_fds=[lock.fileno()])
        lock.name_holder(orphan.pid)
    server = TemporalServer(tmp_path, "default")
    await server.start()
    await server.stop()
    assert orphan.wait(5) == -signal.SIGTERM


async def test_one_folder_has_one_serve(tmp_path: Path) -> None:
    with (
        only_user_of(tmp_path),
        pytest.raises(EmbeddedFailure, match=str(os.getpid())),
        only_user_of(tmp_path),
    ):
        pass
    with only_user_of(tmp_path):
        pass


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").mkdir()
    server = TemporalServer(tmp_path, "default")
    with pytest.raises(EmbeddedFailure, match=r"did not start:\n.*unable to open database file"):
        await server.start()


async def test_the_clock_of_a_rehearsal_begins_at_the_present(tmp_path: Path) -> None:
    server = TimeSkippingServer(tmp_path)
    await server.start()
    try:
        client = await Client.connect(server.address)
        now = (await client.test_service.get_current_time(Empty())).time.ToDatetime(UTC)
        assert abs(now - datetime.now(UTC)) < timedelta(seconds=30)
    finally:
        await server.stop()
