"""Start, kill and stop the real servers that tests run against."""

import atexit
import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

LOOPBACK = "127.0.0.1"
READY_WITHIN = 60.0  # seconds; a loaded machine with two cores needs up to ten


def free_port() -> int:
    """Return a loopback port that nothing listens on.

    It lies below the range that the kernel gives to outgoing connections: else a client that
    redials a killed server could be given that very port and keep the server from coming back.
    """
    chooser = random.SystemRandom()
    while True:
        port = chooser.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return port


def answers(port: int) -> bool:
    """Say whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


_SETPRIV = shutil.which("setpriv")
_ENDING_WITH_US = [_SETPRIV, "--pdeathsig", "INT"] if _SETPRIV else []


class ServerProcess:
    """One server as a plain child process: it can be killed and started again.

    Its output goes to a log file, anew at each start. It runs in a process group of its own, so
    Ctrl-C reaches the tests alone. It ends with the thread that started it (Linux), whatever became
    of the tests: a hung test is ended with its whole process, and no fixture can clean up after that.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path,
        user: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.command = [*_ENDING_WITH_US, *(str(part) for part in command)]
        self.log = log
        self._user = user
        self._env = dict(env) if env is not None else None
        self._child: subprocess.Popen[bytes] | None = None
        atexit.register(self.kill)

    def set(self, **settings: str) -> None:
        """Give it other settings (environment variables) from its next start on."""
        assert self._env is not None
        self._env |= settings

    @property
    def pid(self) -> int:
        """Process id of the running server; raises RuntimeError when there is none."""
        if self._child is None:
            raise RuntimeError(f"{self.command[0]} is not running")
        return self._child.pid

    @property
    def running(self) -> bool:
        """Whether the process is there (it may not answer yet)."""
        return self._child is not None and self._child.poll() is None

    def start(self, ready: Callable[[], bool], *, within: float = READY_WITHIN) -> None:
        """Start the server and return once `ready` says so.

        Raises RuntimeError with the end of the log when it dies or takes more than `within` seconds.
        """
        if self.running:
            raise RuntimeError(f"{self.command[0]} is running already")
        with self.log.open("wb") as log:
            self._child = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._env,
                user=self._user,
                group=self._user,
                extra_groups=None if self._user is None else [],
                process_group=0,
            )
        deadline = time.monotonic() + within
        while not ready():
            if not self.running or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"{' '.join(self.command)} did not start:\n{self.tail()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """End the process with SIGKILL, as a power cut would; nothing happens when it is gone."""
        self._end(signal.SIGKILL, within=10.0)

    def stop(self, *, within: float = 15.0) -> None:
        """Ask the process to end (SIGINT); kill it when it takes more than `within` seconds."""
        try:
            self._end(signal.SIGINT, within=within)
        except subprocess.TimeoutExpired:
            self.kill()

    def end(self, how: signal.Signals, *, within: float = 60.0) -> int:
        """Send a signal and return the exit code; the test fails when that takes too long."""
        child = self._child
        assert child is not None
        self._end(how, within=within)
        return child.returncode

    def wait(self, *, within: float = 60.0) -> int:
        """Wait for the process to end by itself; return its exit code."""
        assert self._child is not None
        return self._child.wait(within)

    def tail(self, lines: int = 30) -> str:
        """Return the last lines of the server's output."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _end(self, how: signal.Signals, *, within: float) -> None:
        child = self._child
        if child is None:
            return
        if child.poll() is None:
            os.kill(child.pid, how)
            child.wait(within)
        self._child = None
