"""A production in small, to be killed: PostgreSQL, Temporal, the API and workers as processes of their own.

The hall `guilin` is open all day, so that stage limits run at every hour; `chengzhong` closes when it is
told to, so that cases come due while the benchmark looks on.
"""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.closing import OPEN_ALL_DAY, set_hours
from tests.support.house import furnish
from tests.support.onlooker import work_every_day
from tests.support.plant import Plant
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.processes import ServerProcess, answers
from tests.support.running import BANCHENG

CLOSING_HALL, OPEN_HALL = "chengzhong", "guilin"
WITHIN = 120.0  # seconds, for everything to come up again


class Production(Plant):
    """A plant with a PostgreSQL and several workers, each of which may be killed and started again."""

    def __init__(self, folder: Path, postgres: PostgresServer, url: str, workers: int, quick: bool) -> None:
        super().__init__(folder, url)
        self.postgres = postgres
        self.workers = {f"worker-{n}": self._worker(f"worker-{n}") for n in range(1, workers + 1)}
        if quick:  # it waits two seconds for a dead one, where the product's waits ten
            self.workers["worker-1"] = self.worker
        self.kills = dict.fromkeys(self.parts, 0)

    def _worker(self, name: str) -> ServerProcess:
        return ServerProcess([BANCHENG, "worker"], log=self.folder / f"{name}.log", env=self.env)

    @property
    def parts(self) -> tuple[str, ...]:
        """Everything that may be killed."""
        return ("database", "temporal", "api", *self.workers)

    async def rise(self) -> None:
        """Start what is down, again and again where it dies, until everything does its work."""
        async with asyncio.timeout(WITHIN):
            while not self.is_up():
                for part in self.parts:
                    if not self.process(part).running:
                        self.start(part)
                await asyncio.sleep(0.1)

    def strike(self, *parts: str) -> None:
        """Kill parts with -9, and count them."""
        for part in parts:
            if self.process(part).running:
                self.kills[part] += 1
        self.kill(*parts)

    def fall(self) -> None:
        """Kill everything, the database last."""
        self.kill(*reversed(self.parts))

    def is_up(self) -> bool:
        """Whether all parts do their work."""
        return (
            all(self.process(part).running for part in self.parts)
            and self.postgres.ready()
            and self.temporal.ready()
            and answers(self.port)
            and all(_works(each) for each in self.workers.values())
        )

    def process(self, part: str) -> ServerProcess:
        """The process of a part."""
        known = {"database": self.postgres.process, "temporal": self.temporal.process, "api": self.api}
        return (known | self.workers)[part]


def _works(worker: ServerProcess) -> bool:
    return "workers started" in worker.log.read_text(errors="replace")


@asynccontextmanager
async def production(folder: Path, workers: int, quick: bool = False) -> AsyncIterator[Production]:
    """Build it, furnished with halls, people and their tokens, and start everything."""
    with postgres_server() as postgres:
        url = postgres.create_database()
        await furnish(url, folder)
        await work_every_day(url)
        plant = Production(folder, postgres, url, workers, quick)
        try:
            await set_hours(url, OPEN_HALL, OPEN_ALL_DAY)
            await plant.rise()
            yield plant
        finally:
            plant.fall()


async def havoc(plant: Production, chance: random.Random, kills: int, pause: float) -> None:
    """Kill parts at random, with -9, and start them again, until so many were killed.

    `pause` is the mean time in seconds between two strikes. Every second time or so everything comes up in
    between; else the next part dies while others are still rising.
    """
    while sum(plant.kills.values()) < kills:
        await asyncio.sleep(chance.uniform(0.2, 2) * pause)
        left = kills - sum(plant.kills.values())
        plant.strike(*chance.sample(plant.parts, min(left, chance.choice((1, 1, 1, 2, 3)))))
        await asyncio.sleep(chance.uniform(0, 1.5))
        if chance.random() < 0.6:
            await plant.rise()
        else:
            for part in plant.parts:
                if not plant.process(part).running:
                    plant.start(part)
    await plant.rise()
