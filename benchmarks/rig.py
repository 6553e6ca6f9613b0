"""What every benchmark stands on: the real server, the real worker, and the clocks of their CPUs.

Everything runs on the loopback address in a temporary folder and is gone afterwards.
"""

import argparse
import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import Any, Self

import httpx
import structlog
from temporalio.client import Client

from casework.clocks import MachineClock
from casework.demo import load_demo
from casework.engine import Engine
from casework.services import Services
from embedded import TemporalServer
from models.codec import data_converter
from models.crypto import Keyring, generate_key
from models.database import Database
from models.migrate import upgrade
from models.policies import read_policies
from processes import free_port

ROOT = Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Rig:
    """A server, a migrated database, and workers as processes of their own."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="bancheng-bench-")))
    database_url: str | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        """Start the server and make the database."""
        self.keys = generate_key()
        self.keyring = Keyring.parse(self.keys)
        url = self.database_url or f"sqlite+aiosqlite:///{self.folder / 'bancheng.db'}"
        self.database_url = url
        await upgrade(url)
        self.database = Database(url)
        self._stack.push_async_callback(self.database.close)
        self.server = TemporalServer(self.folder, "default")
        await self.server.start()
        self._stack.push_async_callback(self.server.stop)
        self.client = await Client.connect(
            self.server.address, data_converter=data_converter(self.keyring), identity="benchmark"
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop what was started, the server last."""
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            await asyncio.to_thread(process.wait, 40)
        await self._stack.aclose()
        shutil.rmtree(self.folder, ignore_errors=True)

    def engine(self) -> Engine:
        """Return the product's way to its workflows, on this rig's client."""

        async def connected() -> Client:
            return self.client

        return Engine(connected)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the settings under which the product's processes run on this rig."""
        return {
            **os.environ,
            "BANCHENG_DATA_DIR": str(self.folder),
            "BANCHENG_DATABASE_URL": str(self.database_url),
            "BANCHENG_TEMPORAL_ADDRESS": self.server.address,
            "BANCHENG_PAYLOAD_KEYS": self.keys,
            **more,
        }

    def spawn(self, *arguments: str, **more: str) -> subprocess.Popen[bytes]:
        """Start a Python process of the product; its output goes to a log in the folder."""
        log = (self.folder / f"{len(self._processes)}.log").open("wb")
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=self.environment(**more),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self._processes.append(process)
        return process

    async def demonstrate(self, password: str) -> None:
        """Load the demonstration halls and their users."""
        await load_demo(self.services(), password)

    def services(self) -> Services:
        """Return what the product's own functions want, on this rig's database and engine."""
        clock = MachineClock()
        return Services(
            self.database, self.keyring, self.engine(), clock, clock, read_policies(None), self.folder
        )

    async def serve_api(self) -> int:
        """Start the API as a process of its own; return its port once it answers."""
        port = free_port()
        self.spawn("-m", "uvicorn", "api:app", "--port", str(port), "--log-level", "warning")
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
            for _ in range(600):
                with suppress(httpx.TransportError):
                    (await http.get("/healthz")).raise_for_status()
                    return port
                await asyncio.sleep(0.1)
        raise RuntimeError("the API did not start")

    def server_cpu(self) -> float:
        """Return the CPU seconds that the server has used so far."""
        return cpu_seconds(self.server.pid)


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds, user and system, of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def rss_kb(pid: int | None) -> int:
    """Return the memory that a process has in use, in KB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def ratio_of(ours: Sequence[float], floor: Sequence[float]) -> float:
    """Return the median of the ratios of neighbouring turns: a machine slows down for both alike."""
    return median(a / b for a, b in zip(ours, floor, strict=True))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that a share of all (0.99, say) does not exceed; 0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def parser_of(about: str | None) -> argparse.ArgumentParser:
    """Return a parser of options that shows a benchmark's docstring as it is written."""
    return argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)


def hush() -> None:
    """Log errors alone: one line a request, to a terminal, would be measured with them."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def report(rows: Sequence[tuple[str, ...]], figures: Mapping[str, Any]) -> None:
    """Print a table, then the figures as one JSON object in the last line."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
    print(json.dumps(figures))


async def timed(work: Callable[[], Any]) -> float:
    """Return the seconds that `work` takes."""
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start
