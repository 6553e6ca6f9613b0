"""What an archived case takes on the disk, and what watching a large database costs. PostgreSQL.

    python benchmarks/footprint.py [--cases 200] [--crowd 100000]

Drives whole lifecycles of a standard case through a real server and worker, waits until their histories
are exported, and measures by how much PostgreSQL, the engine's own database (SQLite here) and the folder
of histories grew. Then fills a database as it is after years and reads the gauges of `/metrics` from it.
Prints, as its last line, `ledger_kb` (PostgreSQL, indexes included), `engine_kb`, `history_kb`, all per
case, and `gauges_ms` (the median of 20 readings). No petitioner's files are among it.
"""

import argparse
import asyncio
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg
from sqlalchemy import make_url

from benchmarks.crowded import fill
from benchmarks.crowded_around import fill_around
from benchmarks.lifecycle import HALL, PASSWORD, crowd, file_cases, live
from benchmarks.rig import Rig, parser_of, report
from casework.calendars import terms_for
from casework.engine import EngineUnavailable
from casework.gauges import read_gauges
from models.migrate import upgrade
from tests.support.postgres import PostgresServer, postgres_server

AT_ONCE = 10
READINGS = 20
EXPORTED_WITHIN = 300  # seconds
STARTED_WITHIN = 12  # tries of ten seconds
LARGEST = """
SELECT relname, pg_total_relation_size(oid) AS bytes FROM pg_class
WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY bytes DESC LIMIT 8
"""


def plain(url: str) -> str:
    """Return the address as asyncpg reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


async def ask(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(plain(url))
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


def folder_bytes(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.rglob(pattern) if path.is_file())


async def sizes(rig: Rig) -> tuple[int, int, int]:
    """Return bytes of PostgreSQL's tables, of the engine's database, of exported histories."""
    await ask(str(rig.database_url), "CHECKPOINT")
    total = await ask(str(rig.database_url), "SELECT pg_database_size(current_database())")
    return total[0][0], folder_bytes(rig.folder, "temporal.db*"), folder_bytes(rig.folder / "histories", "*")


async def exported(rig: Rig, cases: int) -> None:
    """Wait until so many histories are beside the ledger."""
    until = time.monotonic() + EXPORTED_WITHIN
    while (await ask(str(rig.database_url), "SELECT count(*) FROM history_exports"))[0][0] < cases:
        if time.monotonic() > until:
            raise RuntimeError("the histories were not exported in time")
        await asyncio.sleep(1)


async def lifecycles(url: str, cases: int) -> tuple[list[tuple[str, ...]], list[float]]:
    """Return the rows to print, and KB per case of ledger, engine and exported history."""
    async with Rig(database_url=url) as rig:
        await rig.demonstrate(PASSWORD)
        rig.spawn("worker.py")
        engine, terms = rig.engine(), await terms_for(rig.services(), HALL, datetime.now(UTC))

        async def one(case_id: str) -> None:
            await live(engine, case_id, terms)

        warm = await file_cases(rig, AT_ONCE)
        for _ in range(STARTED_WITHIN):
            with suppress(EngineUnavailable):  # until the worker is there
                await engine.start(warm[0], terms)
                break
        await crowd(warm, one, AT_ONCE)
        await exported(rig, AT_ONCE)
        before = await sizes(rig)
        await crowd(await file_cases(rig, cases), one, AT_ONCE)
        await exported(rig, AT_ONCE + cases)
        after = await sizes(rig)
        largest = await ask(url, LARGEST)
    per_case = [(b - a) / cases / 1024 for a, b in zip(before, after, strict=True)]
    rows = [("table", "bytes in all, indexes included")]
    rows += [(row["relname"], str(row["bytes"])) for row in largest]
    return rows, per_case


async def gauges(url: str, cases: int) -> float:
    """Return the milliseconds that reading all gauges takes among so many cases, the median."""
    async with Rig(database_url=url) as rig:
        await rig.demonstrate(PASSWORD)
        services = rig.services()
        await fill(services, url, await terms_for(services, HALL, datetime.now(UTC)), 1, cases)
        await fill_around(services, url, cases)
        await ask(url, "VACUUM ANALYZE")
        now, took = datetime.now(UTC), []
        for _ in range(READINGS):
            started = time.perf_counter()
            await rig.database.look(lambda session: read_gauges(session, now, now, services.outlets))
            took.append(time.perf_counter() - started)
    return median(took) * 1000


async def measure(server: PostgresServer, options: argparse.Namespace) -> None:
    rows, (ledger, engine, history) = await lifecycles(server.create_database(), options.cases)
    url = server.create_database()
    await upgrade(url)
    reading = await gauges(url, options.crowd) if options.crowd else 0.0
    figures = {
        "ledger_kb": round(ledger, 1),
        "engine_kb": round(engine, 1),
        "history_kb": round(history, 1),
        "gauges_ms": round(reading, 1),
    }
    report(rows, figures)


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=200, help="lifecycles to measure (default 200)")
    parser.add_argument("--crowd", type=int, default=100_000, help="cases that gauges are read among")
    options = parser.parse_args()
    with postgres_server() as server:
        asyncio.run(measure(server, options))


if __name__ == "__main__":
    main()
