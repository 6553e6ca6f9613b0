"""The product's worker for drills of reporting: it can be held just before or just after a report's commit.

Run as `python -m tests.support.crashing_reporter`, with what it needs in its environment (`VARIABLES`).
A file `GATES/<kind>` with the word `before` or `after` holds a report of that kind there, until somebody
kills us; `GATES/<kind>.held` says that it is held.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from temporalio.client import Client

import activities.reporting
import worker
import workflows.reporting
from activities.reporting import Maker, make_once
from models.codec import data_converter
from models.crypto import Keyring
from models.database import Database
from rules.reporting import Due
from tests.support.office import services_at
from tests.support.processes import ServerProcess

WITHIN = 90.0  # seconds; four on an idle machine
VARIABLES = ("DRILL_DATABASE_URL", "DRILL_ADDRESS", "DRILL_KEYS", "DRILL_FOLDER")


class CrashingReporter:
    """Such a worker as a process of its own."""

    def __init__(self, url: str, address: str, keys: str, folder: Path) -> None:
        self._gates = folder / "gates"
        self._gates.mkdir(exist_ok=True)
        given: Mapping[str, str] = dict(zip(VARIABLES, (url, address, keys, str(folder)), strict=True))
        self._process = ServerProcess(
            [sys.executable, "-m", "tests.support.crashing_reporter"],
            log=folder / "reporter.log",
            env=os.environ | given | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def __enter__(self) -> "CrashingReporter":
        """Start nothing yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no worker behind: it would take what later tests do."""
        self.kill()

    async def held(self, kind: str, side: str) -> None:
        """Start, and wait until a report of this kind is held on that side of its commit."""
        gate = self._gates / kind
        gate.write_text(side)
        self._process.start(lambda: True)
        async with asyncio.timeout(WITHIN):
            while not gate.with_name(f"{kind}.held").exists():
                assert self._process.running, self._process.log.read_text()
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """Kill it with -9; its gates are open afterwards."""
        self._process.kill()
        for gate in self._gates.iterdir():
            gate.unlink()


async def run() -> None:
    """Run until somebody kills us."""
    url, address, keys, folder = (os.environ[name] for name in VARIABLES)
    gates = Path(folder) / "gates"

    async def gated(database: Database, maker: Maker, hall: str, due: Due, made_at: datetime) -> str:
        await _pass(gates / due.kind, "before")
        made = await make_once(database, maker, hall, due, made_at)
        await _pass(gates / due.kind, "after")
        return made

    activities.reporting.make_once = gated
    worker.CACHED = 0  # what a dead worker keeps in memory is waited for, ten seconds long
    workflows.reporting._ONE_TRY = timedelta(seconds=3)  # and what it has under way, five minutes
    keyring = Keyring.parse(keys)
    client = await Client.connect(address, data_converter=data_converter(keyring))
    services = replace(services_at(url, Path(folder)), keyring=keyring)
    await asyncio.gather(*(each.run() for each in worker.build_workers(client, services)))


async def _pass(gate: Path, side: str) -> None:
    while gate.exists() and gate.read_text() == side:
        gate.with_name(f"{gate.name}.held").touch()
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(run())
