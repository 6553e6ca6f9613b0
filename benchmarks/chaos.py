"""Cases under load while every process is killed with -9 at random; then the account of what is left.

    python benchmarks/chaos.py [--cases 1000] [--kills 100] [--clients 16] [--workers 2] [--seed N]

Starts a PostgreSQL, a Temporal server, the API and two workers as processes of their own. People file
cases and handle them over HTTP, under idempotency keys, asking again until they are answered; others file
cases that nobody touches, or that come due while the benchmark runs. Meanwhile parts are killed and started
again. At the end every case is accounted for: what was answered is in the ledger once, numbers have no gap,
chains hold, each alarm that was due fired once, and each workflow holds what its ledger folds to. Prints the
faults in words; exit code 1 where there is one. What is killed when depends on the machine, seed or not.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import structlog

from benchmarks.chaos_account import Account, account_of
from benchmarks.chaos_load import Answers, crowd
from benchmarks.chaos_plant import CLOSING_HALL, Production, havoc, production
from benchmarks.closing import close_in
from benchmarks.rig import parser_of, report
from tests.support.onlooker import Onlooker, look_on

SETTLED_WITHIN = 300.0  # seconds; nobody is killed any more
MARGIN = timedelta(seconds=5)  # an alarm may be so late by itself
FAULTS = ("lost", "doubled", "alarms_missed", "alarms_doubled", "broken", "astray")


@dataclass
class Waves:
    """Has the closing hall close again and again; `next` is when."""

    plant: Production
    every: timedelta
    next: datetime = field(default_factory=lambda: datetime.now(UTC))

    async def roll(self) -> None:
        """Until cancelled; an outage of the database is waited out."""
        while True:
            try:
                if datetime.now(UTC) > self.next - self.every / 4:
                    self.next = await close_in(self.plant.url, CLOSING_HALL, self.every)
            except Exception as error:  # whatever a database says that is being killed
                print(f"no new wave yet: {type(error).__name__}", flush=True)
            await asyncio.sleep(1)


async def unleash(seen: Onlooker, plant: Production, options: argparse.Namespace) -> Answers:
    """Let people work and parts die at once; return what people were answered."""
    chance = random.Random(options.seed)
    waves = Waves(plant, timedelta(seconds=options.wave))
    waves.next = await close_in(plant.url, CLOSING_HALL, waves.every)
    lasting = options.kills * options.pause
    rolling = asyncio.create_task(waves.roll())
    saying = asyncio.create_task(_say(plant))
    try:
        answers, _ = await asyncio.gather(
            crowd(seen, chance, options.cases, options.clients, lasting, lambda: waves.next),
            havoc(plant, chance, options.kills, options.pause),
        )
    finally:
        rolling.cancel()
        saying.cancel()
    print(f"everybody is answered; waiting for the last wave at {waves.next:%H:%M:%S} UTC", flush=True)
    await asyncio.sleep(max(0.0, (waves.next + MARGIN - datetime.now(UTC)).total_seconds()))
    return answers


async def _say(plant: Production) -> None:
    while True:
        await asyncio.sleep(10)
        print("killed so far:", ", ".join(f"{part} {n}" for part, n in plant.kills.items()), flush=True)


async def settled(seen: Onlooker, answers: Answers) -> Account:
    """Return the account once it is clean, or as it stands when patience is over."""
    end = time.monotonic() + SETTLED_WITHIN
    while True:
        account = await account_of(seen, answers, datetime.now(UTC) - MARGIN)
        if not account.findings or time.monotonic() > end:
            return account
        print(f"{len(account.findings)} open: {account.findings[0]}", flush=True)
        await asyncio.sleep(3)


async def chaos(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run it; print what was found and return the figures."""
    start = time.monotonic()
    async with production(folder, options.workers, options.quick) as plant, look_on(plant) as seen:
        print("everything is up", flush=True)
        answers = await unleash(seen, plant, options)
        took = time.monotonic() - start
        account = await settled(seen, answers)
        kills = dict(plant.kills)
    for finding in (*account.findings, *answers.faults, *answers.refused):
        print(finding)
    figures = {
        "cases": account.cases,
        "kills": sum(kills.values()),
        **{name: getattr(account, name) for name in FAULTS},
        "refused": len(answers.refused),
        "faulty_answers": len(answers.faults),
        "events": account.events,
        "alarms": account.alarms,
        "asked": answers.asked,
        "lateness_p50_s": round(statistics.median(account.lateness or [0]), 2),
        "lateness_max_s": round(max(account.lateness, default=0), 2),
        "seconds": round(took),
        "killed": kills,
    }
    report([("figure", "value"), *((name, str(value)) for name, value in figures.items())], figures)
    return figures


def sound(figures: dict[str, Any]) -> bool:
    """Whether nothing was lost, doubled, missed, refused or answered wrongly."""
    return not any(figures[name] for name in (*FAULTS, "refused", "faulty_answers"))


def parser() -> argparse.ArgumentParser:
    """Return the options with their defaults."""
    made = parser_of(__doc__)
    made.add_argument("--cases", type=int, default=1000, help="cases (default 1000)")
    made.add_argument("--kills", type=int, default=100, help="kills in all (default 100)")
    made.add_argument("--clients", type=int, default=16, help="people at work at once (default 16)")
    made.add_argument("--workers", type=int, default=2, help="workers (default 2)")
    made.add_argument("--pause", type=float, default=5.0, help="mean seconds between strikes (default 5)")
    made.add_argument("--wave", type=float, default=60.0, help="seconds from closing to closing (default 60)")
    made.add_argument("--quick", action="store_true", help="a first worker in more of a hurry, for tests")
    made.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    return made


def main() -> None:
    """Read the options and run."""
    options = parser().parse_args()
    print(f"seed {options.seed}", flush=True)
    # One line an act, to a terminal, says nothing.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    with tempfile.TemporaryDirectory(prefix="bancheng-chaos-") as folder:
        figures = asyncio.run(chaos(options, Path(folder)))
    sys.exit(not sound(figures))


if __name__ == "__main__":
    main()
