"""The same lifecycle on dbos, a durable engine within PostgreSQL: CPU per case, memory per open case.

    python benchmarks/rival.py [--cases 200] [--held 1000] [--concurrency 20]

Needs dbos, which the product does not: `make rival` installs it. Both sides have the product's rules and
write the same ledger to a PostgreSQL of the benchmark's own; ours is made durable by Temporal (its server on
a SQLite file), the other by dbos in the same PostgreSQL (`benchmarks/rival_dbos.py`). CPU is that of all that
takes part: caller, worker, server, PostgreSQL. Memory is what the processes that hold the cases grow by
(worker and server; the process of dbos), PostgreSQL left out on both sides. Payloads are sealed on our side
and in clear on the other. `dbos_cpu_ratio` is ours ÷ dbos.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.lifecycle import HALL, PASSWORD, crowd, file_cases, live
from benchmarks.rig import ROOT, TICK, Rig, cpu_seconds, parser_of, report, rss_kb
from casework.calendars import terms_for
from tests.support.postgres import PostgresServer, postgres_server

WARM = 40


def family_cpu(pid: int) -> float:
    """Return the CPU seconds of a process, its children, and those of them that have ended."""
    total = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            own, fields = int(stat.parent.name), stat.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if own == pid:
            total += sum(map(int, fields[11:15])) / TICK
        elif int(fields[1]) == pid:
            total += sum(map(int, fields[11:13])) / TICK
    return total


async def on_temporal(options: argparse.Namespace, postgres: PostgresServer) -> dict[str, float]:
    """Run our side."""
    async with Rig(database_url=postgres.create_database()) as rig:
        await rig.demonstrate(PASSWORD)
        worker = rig.spawn("worker.py").pid
        engine, pinned = rig.engine(), await terms_for(rig.services(), HALL, datetime.now(UTC))

        async def one(case_id: str) -> None:
            await live(engine, case_id, pinned)

        async def begin(case_id: str) -> None:
            await engine.start(case_id, pinned)

        def cpu() -> float:
            there = rig.server_cpu() + cpu_seconds(worker) + family_cpu(postgres.process.pid)
            return there + time.process_time()

        await crowd(await file_cases(rig, WARM), one, options.concurrency)
        lived = await file_cases(rig, options.cases)
        used, seconds = await _spent(cpu, lambda: crowd(lived, one, options.concurrency))
        held = await file_cases(rig, options.held)
        before = rss_kb(worker) + rss_kb(rig.server.pid)
        await crowd(held, begin, options.concurrency)
        await asyncio.sleep(2)
        kb = rss_kb(worker) + rss_kb(rig.server.pid) - before
    return {"cpu": used, "seconds": seconds, "kb": kb}


async def on_dbos(options: argparse.Namespace, postgres: PostgresServer) -> dict[str, float]:
    """Run the other side, in a process of its own; the rig gives it tables, people and filings."""
    system = postgres.create_database().replace("+asyncpg", "")
    async with Rig(database_url=postgres.create_database()) as rig:
        await rig.demonstrate(PASSWORD)
        numbers = {"warm": WARM, "lived": options.cases, "held": options.held}
        ids = {name: await file_cases(rig, number) for name, number in numbers.items()}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.rival_dbos", system, str(options.concurrency)),
            cwd=ROOT,
            env=rig.environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin and process.stdout
        process.stdin.write(json.dumps(ids).encode())
        process.stdin.close()
        found: dict[str, float] = {}
        before = 0.0
        while line := await process.stdout.readline():
            said = json.loads(line)
            if "warm" in said:
                before = family_cpu(postgres.process.pid)
            if "cpu" in said:
                said["cpu"] += family_cpu(postgres.process.pid) - before
            found |= said
        if await process.wait():
            raise RuntimeError("the other side failed")
    return found


async def _spent(cpu: Callable[[], float], work: Callable[[], Awaitable[Any]]) -> tuple[float, float]:
    """Return CPU and seconds of a piece of work."""
    before, start = cpu(), time.perf_counter()
    await work()
    return cpu() - before, time.perf_counter() - start


async def measure(options: argparse.Namespace, postgres: PostgresServer) -> None:
    """Run both sides, one after the other, and print what came out."""
    ours = await on_temporal(options, postgres)
    print(f"ours: {ours}", flush=True)
    other = await on_dbos(options, postgres)
    print(f"dbos: {other}", flush=True)
    cpu, other_cpu = (side["cpu"] / options.cases * 1000 for side in (ours, other))
    kb, other_kb = (side["kb"] / options.held for side in (ours, other))
    figures = {
        "dbos_cpu_ratio": round(cpu / other_cpu, 3),
        "dbos_kb_per_open_case": round(other_kb, 1),
        "kb_per_open_case": round(kb, 1),
        "cpu_ms": round(cpu, 1),
        "dbos_cpu_ms": round(other_cpu, 1),
        "lifecycles_per_s": round(options.cases / ours["seconds"], 1),
        "dbos_lifecycles_per_s": round(options.cases / other["seconds"], 1),
    }
    rows = [
        ("", "ours on Temporal", "dbos"),
        ("CPU per case, all processes, ms", f"{cpu:.0f}", f"{other_cpu:.0f}"),
        ("lifecycles a second", f"{figures['lifecycles_per_s']}", f"{figures['dbos_lifecycles_per_s']}"),
        ("KB per open case", f"{kb:.1f}", f"{other_kb:.1f}"),
    ]
    report(rows, figures)


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=200, help="lifecycles of each side (default 200)")
    parser.add_argument("--held", type=int, default=1000, help="cases held open (default 1000)")
    parser.add_argument("--concurrency", type=int, default=20, help="callers at once (default 20)")
    options = parser.parse_args()
    if find_spec("dbos") is None:
        parser.error("dbos is not installed: run `make rival`")
    with postgres_server() as postgres:
        asyncio.run(measure(options, postgres))


if __name__ == "__main__":
    main()
