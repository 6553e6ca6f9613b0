"""Thousands of cases that are due at the same instant, beside as many bare timers with one local activity.

    python benchmarks/herd.py [--cases 2000] [--turns 2] [--within 300]

The hall closes while the benchmark looks on (a 17:30 of its own), and every case is overdue one second
later: its timer goes off, the rung is decided and written, and the next one is armed. The floor goes first
in each turn: a bare workflow whose timer goes off, that writes one plain row and arms its next timer. Prints
how many a second both came to, from the instant to the last row; how late the rungs were; and what was lost
or doubled.
"""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import timers
from benchmarks.closing import close_in
from benchmarks.lifecycle import HALL
from benchmarks.rig import Rig, parser_of, ratio_of, report
from rules.case.alarms import OVERDUE_AFTER
from tests.support.onlooker import LIMIT

STARTS = 20.0  # a second at the very least, on a busy machine
RUNG = "overdue_1"


def room_for(cases: int) -> timedelta:
    """Return how long starting so many may take."""
    return timedelta(seconds=30 + cases / STARTS)


async def bare_herd(rig: Rig, options: argparse.Namespace) -> float:
    """Let the bare timers go off at one instant; return how many rows a second they wrote."""
    at = datetime.now(UTC).replace(microsecond=0) + room_for(options.cases) / 3
    wanted = await timers.bare_fired(rig) + options.cases
    await timers.start_bare(rig, [at] * options.cases)
    _in_time(at)
    await timers.wait_until(at)
    last = await timers.counted_to(lambda: timers.bare_fired(rig), wanted, options.within)
    return options.cases / (last - at).total_seconds()


async def our_herd(rig: Rig, options: argparse.Namespace) -> tuple[float, list[str]]:
    """Let the cases become overdue at one instant; return the rungs a second, and the cases."""
    closing = await close_in(str(rig.database_url), HALL, room_for(options.cases))
    received = closing - LIMIT - timedelta(seconds=30)
    started = time.monotonic()
    ids = await timers.start_cases(rig, [received] * options.cases, triaged=True)
    print(f"{len(ids)} cases are started in {time.monotonic() - started:.0f} s", flush=True)
    at, since = closing + OVERDUE_AFTER, await timers.last_event(rig)
    _in_time(at)
    await timers.wait_until(at)
    last = await timers.counted_to(lambda: timers.fired(rig, RUNG, since), options.cases, options.within)
    return options.cases / (last - at).total_seconds(), ids


def _in_time(at: datetime) -> None:
    if datetime.now(UTC) > at:
        sys.exit("the machine was too busy to start them all before they were due: try fewer --cases")


async def measure(options: argparse.Namespace) -> int:
    """Run both herds and print what came out; return the exit code, 1 where anything is lost or doubled."""
    ours: list[float] = []
    bare: list[float] = []
    ids: list[str] = []
    async with Rig() as rig:
        await timers.prepared(rig)
        for _ in range(options.turns):
            bare.append(await bare_herd(rig, options))
            rate, cases = await our_herd(rig, options)
            ours.append(rate)
            ids += cases
            print(f"bare: {bare[-1]:.1f} a second, ours: {rate:.1f}", flush=True)
        await asyncio.sleep(2)  # for a second one, where there were one
        late, bare_late = await timers.lateness(rig, RUNG, ids), await timers.bare_lateness(rig)
    seconds = [each for found in late.values() for each in found]
    figures = {
        "cases": options.cases,
        "rate_ratio": round(ratio_of(ours, bare), 3),
        "lateness_p99_s": round(timers.p99(seconds), 2),
        "lost": sum(not found for found in late.values()),
        "doubled": sum(len(found) - 1 for found in late.values() if found),
    }
    rows = [
        ("", "ours", "bare"),
        ("rungs a second", f"{median(ours):.1f}", f"{median(bare):.1f}"),
        ("lateness p99, s", f"{timers.p99(seconds):.2f}", f"{timers.p99(bare_late):.2f}"),
        ("lost", str(figures["lost"]), str(len(ids) - len(bare_late))),
        ("doubled", str(figures["doubled"]), ""),
    ]
    report(rows, figures)
    return int(bool(figures["lost"] or figures["doubled"]))


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=2000, help="cases due at once (default 2000)")
    parser.add_argument("--turns", type=int, default=2, help="herds of each side (default 2)")
    parser.add_argument(
        "--within", type=float, default=300, help="seconds to wait for the last (default 300)"
    )
    sys.exit(asyncio.run(measure(parser.parse_args())))


if __name__ == "__main__":
    main()
