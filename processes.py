"""How programs run: on which loop, with children that end with them come what may, in locked folders."""

import asyncio
import fcntl
import gc
import logging
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import uvloop

Result = TypeVar("Result")

LOOPBACK = "127.0.0.1"
SETTLES_AGAIN = (60.0, 600.0)  # seconds after the time before
LOG_BYTES = 20_000_000

# The child dies with us even if we are killed with -9 (Linux). It is a program of its own and not a
# preexec_fn, which may deadlock in a process with threads.
_LAUNCHER = """
import ctypes, os, sys
os.setpgid(0, 0)
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG, SIGKILL
if os.getppid() != int(sys.argv[1]):
    sys.exit(1)
os.execv(sys.argv[2], sys.argv[2:])
"""


def run_to_end(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a program's work to its end; a case costs its worker less on this event loop (ADR 39)."""
    return uvloop.run(work)


async def spawn(
    command: Sequence[str | Path], *, log: Path, held: "FolderLock | None" = None
) -> asyncio.subprocess.Process:
    """Start a program that ends with this thread's process (Linux); its output is added to `log`.

    It runs in a process group of its own, so Ctrl-C reaches us alone. It inherits the lock `held`
    and keeps it as long as it lives.
    """
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        if log.stat().st_size > LOG_BYTES:
            log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())),
            *command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Settings of Temporal's own command line would change what its server does.
            env={k: v for k, v in os.environ.items() if not k.startswith("TEMPORAL_")},
            pass_fds=() if held is None else (held.fileno(),),
        )


async def end(child: asyncio.subprocess.Process, within: float) -> bool:
    """Ask a child to end, and kill it after `within` seconds; say whether it ended by itself."""
    if child.returncode is not None:
        return True
    child.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(child.wait(), within)
    except TimeoutError:
        child.kill()
        await child.wait()
        return False
    return True


class FolderLock:
    """A lock file that names the process holding it. The lock goes with its last holder."""

    def __init__(self, path: Path) -> None:
        """Open the file, and make it and its folder where they are missing."""
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def fileno(self) -> int:
        """Return the descriptor that a child may inherit."""
        return self._file

    def take(self) -> bool:
        """Take the lock if nobody holds it; say whether it is ours now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    @property
    def holder(self) -> int | None:
        """The process id that stands in the file."""
        text = os.pread(self._file, 20, 0).strip()
        return int(text) if text.isdigit() else None

    def name_holder(self, pid: int) -> None:
        """Write down who holds the lock."""
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, b"%d\n" % pid, 0)

    def close(self) -> None:
        """Let go of the lock; a child that inherited it keeps it."""
        os.close(self._file)


def free_port() -> int:
    """Return a loopback port that nothing listens on.

    It lies below the range that the kernel gives to outgoing connections: else a client that
    redials a killed server could be given that very port and keep the server from coming back.
    """
    chooser = random.SystemRandom()
    while not is_free(port := chooser.randrange(20_000, 32_000)):
        pass
    return port


def is_free(port: int) -> bool:
    """Say whether a server could listen on this loopback port."""
    with socket.socket() as probe:
        # As servers do: connections of a killed one that linger don't keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def settle_memory() -> None:
    """Have the garbage collector leave alone what was made at the start: it lives as long as the process.

    Modules, routes and models are some half a million objects, and each full collection looked at all of
    them: one request in a hundred waited a quarter of a second for it, whatever it asked for.
    """
    gc.collect()
    gc.freeze()


async def keep_settled() -> None:
    """Settle memory now, and again once people have asked for most of what there is.

    Routes, templates and statements are made by the first request that wants them, and stay as well.
    """
    settle_memory()
    for pause in SETTLES_AGAIN:
        await asyncio.sleep(pause)
        settle_memory()


def leave(code: int) -> NoReturn:
    """End this process at once, with everything printed.

    The engine's client has threads that may abort the process while Python takes itself down
    (sdk-python#300); whoever comes here has closed what needs closing.
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, Any]) -> AsyncIterator[asyncio.Task[Any]]:
    """Run something beside the block, and no longer."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])
