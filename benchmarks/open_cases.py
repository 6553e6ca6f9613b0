"""Many cases held open: the worker's memory for each that it has in its cache, and how fast new ones start.

    python benchmarks/open_cases.py [--cases 10000] [--batch 500]

Starts cases and triages them, batch by batch, and leaves them open. The worker keeps the newest of them in
memory (`worker.CACHED`), so its memory has to stay where it is once the cache is full, however many cases
there are. The floor is a bare workflow with as many updates, rows and timers, held open in the same number as
the cache has room for. Prints start rate and memory by batch. Beside each batch some bare ones more are
started: by them a fall of the rate is told from a machine that is slower for a while.
"""

import argparse
import asyncio
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlmodel import col, func, select

from benchmarks.lifecycle import crowd, live_bare
from benchmarks.rig import Rig, parser_of, report, rss_kb, timed
from benchmarks.timers import CONCURRENCY, prepared, start_cases
from models.case import Case
from worker import CACHED

WARM = 200  # cases first, so that everything is loaded that is loaded once
ENDS = 4  # batches at either end, whose median rate is compared
BESIDE = 100  # bare workflows after each batch


@dataclass
class Held:
    """Batches of one side: how many were held, at which rate they started, the worker's memory then."""

    pid: int
    rates: list[float] = field(default_factory=list)
    kb: list[int] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    async def grow(self, start: Callable[[int], Awaitable[object]], batch: int) -> None:
        """Start a batch more."""
        seconds = await timed(lambda: start(batch))
        await asyncio.sleep(0.5)
        self.rates.append(batch / seconds)
        self.kb.append(rss_kb(self.pid))

    def kb_per_case(self, cached: int) -> float:
        """Return the memory of a cached one: the most there ever was, less what a warm worker has."""
        return (max(self.kb) - self.kb[0]) / (cached - WARM)


async def hold(rig: Rig, options: argparse.Namespace) -> tuple[Held, Held]:
    """Hold bare workflows up to the cache's size, then all cases; return both sides, ours first."""
    pid, bare_pid = await prepared(rig, every_day=False)
    ours, bare = Held(pid), Held(bare_pid)

    async def start_bare(number: int) -> None:
        ids = [str(uuid.uuid4()) for _ in range(number)]
        await crowd(ids, lambda case_id: live_bare(rig, case_id, steps=1), CONCURRENCY)

    async def start(number: int) -> None:
        await start_cases(rig, [datetime.now(UTC)] * number, triaged=True)

    for side, begin, total in ((bare, start_bare, min(CACHED, options.cases)), (ours, start, options.cases)):
        await side.grow(begin, WARM)
        held = WARM
        while held < total:
            batch = min(options.batch, total - held)
            await side.grow(begin, batch)
            held += batch
            if side is ours:
                side.beside.append(BESIDE / await timed(lambda: start_bare(BESIDE)))
            print(
                f"{held} held, {side.rates[-1]:.1f} a second, worker {side.kb[-1] / 1024:.0f} MB", flush=True
            )
    return ours, bare


async def measure(options: argparse.Namespace) -> None:
    """Hold them and print what came out."""
    async with Rig() as rig:
        ours, bare = await hold(rig, options)
        async with rig.database.read() as session:
            count = select(func.count()).select_from(Case).where(col(Case.open))
            held = (await session.exec(count)).one()
        server_kb = rss_kb(rig.server.pid)
    cached = min(CACHED, options.cases)
    full = 1 + -(-(cached - WARM) // options.batch)  # batches until the cache is full
    rates, beside = ours.rates[1:], ours.beside
    relative = [rate / bare_rate for rate, bare_rate in zip(rates, beside, strict=True)]
    first, last = median(relative[:ENDS]), median(relative[-ENDS:])
    figures = {
        "cases": held,
        "kb_per_cached_case": round(ours.kb_per_case(cached), 1),
        "start_rate_drop": round(max(0.0, 1 - last / first), 3),
        "bare_kb_per_cached_case": round(bare.kb_per_case(cached), 1),
        "kb_more_once_full": ours.kb[-1] - ours.kb[full - 1],
        "server_mb": round(server_kb / 1024),
    }
    rows = [
        ("", "ours", "bare"),
        ("KB per cached case", f"{figures['kb_per_cached_case']}", f"{figures['bare_kb_per_cached_case']}"),
        ("starts a second, first batches", f"{median(rates[:ENDS]):.1f}", f"{median(beside[:ENDS]):.1f}"),
        ("starts a second, last batches", f"{median(rates[-ENDS:]):.1f}", f"{median(beside[-ENDS:]):.1f}"),
        ("the same, ours by bare, first and last", f"{first:.2f}", f"{last:.2f}"),
        ("worker MB, cache just full", f"{ours.kb[full - 1] / 1024:.0f}", f"{bare.kb[-1] / 1024:.0f}"),
        ("worker MB, at the end", f"{ours.kb[-1] / 1024:.0f}", ""),
    ]
    report(rows, figures)


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="cases held open (default 10000)")
    parser.add_argument("--batch", type=int, default=500, help="cases a batch (default 500)")
    options = parser.parse_args()
    if options.cases <= WARM:
        parser.error(f"more than {WARM} cases are needed")
    asyncio.run(measure(options))


if __name__ == "__main__":
    main()
