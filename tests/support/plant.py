"""The product as in production: Temporal, worker and API as processes of their own, to be killed."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from models.crypto import generate_key
from tests.support.processes import ServerProcess, answers, free_port
from tests.support.running import BANCHENG, environment
from tests.support.temporal import TemporalServer

KEYS = generate_key()
ROOT = Path(__file__).parents[2]
WITHIN = 60.0  # seconds, for what takes one or two on an idle machine
PARTS = ("temporal", "api", "worker")


class Plant:
    """The three processes on one database."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder, self.url = folder, database_url
        self.gates = folder / "gates"
        self.gates.mkdir()
        self.temporal = TemporalServer(folder)
        self.port = free_port()
        self.env = environment(
            folder,
            port=self.port,
            database_url=database_url,
            temporal_address=self.temporal.address,
            payload_keys=KEYS,
        )
        self.api = ServerProcess([BANCHENG, "api"], log=folder / "api.log", env=self.env)
        self.worker = ServerProcess(
            [sys.executable, "-m", "tests.support.crashing_worker", self.gates],
            log=folder / "worker.log",
            env=self.env | {"PYTHONPATH": str(ROOT)},
        )

    def start(self, *parts: str) -> None:
        """Start parts (all by default), without waiting for them: `Onlooker.up` does."""
        for part in parts or PARTS:
            self.process(part).start(lambda: True)

    def kill(self, *parts: str) -> None:
        """Kill parts with -9."""
        for part in parts or PARTS:
            self.process(part).kill()

    def set(self, **settings: str) -> None:
        """Give API and worker other settings from their next start on: `payload_keys="…"`."""
        named = {f"BANCHENG_{name.upper()}": value for name, value in settings.items()}
        for part in (self.api, self.worker):
            part.set(**named)

    def is_up(self) -> bool:
        """Whether all three do their work."""
        return (
            self.temporal.ready()
            and answers(self.port)
            and "workers started" in self.worker.log.read_text(errors="replace")
        )

    def hold(self, case_id: str, event: str, side: str) -> "Gate":
        """Have the worker hold an event of a case `before` or `after` the commit."""
        gate = Gate(self.gates / f"{case_id}.{event}")
        gate.path.write_text(side)
        return gate

    def process(self, part: str) -> ServerProcess:
        """The process of a part."""
        return {"temporal": self.temporal.process, "api": self.api, "worker": self.worker}[part]


class Gate:
    """Holds one event in the worker."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def holds(self) -> bool:
        """Whether the event has come to it."""
        return self.path.with_name(f"{self.path.name}.held").exists()

    def open(self) -> None:
        """Let it pass, and be of use again."""
        self.path.unlink()
        self.path.with_name(f"{self.path.name}.held").unlink(missing_ok=True)


async def eventually(holds: Callable[[], bool], within: float = WITHIN) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(within):
        while not holds():
            await asyncio.sleep(0.02)
