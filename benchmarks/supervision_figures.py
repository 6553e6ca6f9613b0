"""How long the figures of a year take: for all halls, with ranking, trend and bottlenecks, on PostgreSQL.

    python benchmarks/supervision_figures.py [--cases 100000] [--requests 9]

Starts a PostgreSQL server of its own and makes the cases there: a year of two halls with seven units
each, of a hundred cases two complex, eight late, five that went from unit to unit, three open. Prints
the times of the calls behind page and API, and of the page, and as its last line `figures_s`: the median
of the call.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg
from sqlalchemy import make_url
from temporalio.client import Client

from benchmarks.crowded import fill
from benchmarks.rig import hush, parser_of, report
from casework.calendars import terms_for
from casework.clocks import MachineClock
from casework.demo import load_demo
from casework.engine import Engine
from casework.figures import Asked, read_figures
from casework.services import Services
from casework.viewer import Viewer
from models.crypto import Keyring, generate_key
from models.database import Database
from models.migrate import upgrade
from models.policies import read_policies
from rules.case.vocabulary import Role
from rules.counts import COUNTED
from tests.support.postgres import PostgresServer, postgres_server

AUDITOR = Viewer("auditor", "审计", Role.AUDITOR)
SUPERVISOR = Viewer("guilin.supervisor", "督查", Role.SUPERVISOR, "guilin")
YEAR = timedelta(days=365)

# What a case of such a year adds to the sums; `lot` is its number's place among a hundred.
_COUNTS = {
    "handled": "1",
    "on_time": "CASE WHEN lot < 8 THEN 0 ELSE 1 END",
    "unit_on_time": "CASE WHEN lot < 6 THEN 0 ELSE 1 END",
    "on_time_unextended": "CASE WHEN lot < 12 THEN 0 ELSE 1 END",
    "unit_on_time_unextended": "CASE WHEN lot < 10 THEN 0 ELSE 1 END",
    "dispatched": "1",
    "responded": "CASE WHEN lot < 9 THEN 0 ELSE 1 END",
    "dispatches": "CASE WHEN lot < 5 THEN 2 ELSE 1 END",
    "signed": "1",
    "signed_in_time": "CASE WHEN lot < 7 THEN 0 ELSE 1 END",
    "returns": "CASE WHEN lot < 5 THEN 1 ELSE 0 END",
    "solved": "CASE WHEN lot < 10 THEN 0 ELSE 1 END",
    "unsolved": "CASE WHEN lot < 10 THEN 1 ELSE 0 END",
    "rated_first": "1",
    "satisfied_first": "CASE WHEN lot < 11 THEN 0 ELSE 1 END",
    "rated_final": "1",
    "satisfied_final": "CASE WHEN lot < 7 THEN 0 ELSE 1 END",
    "told": "CASE WHEN lot < 3 THEN 0 ELSE 1 END",
    "revisited": "CASE WHEN lot < 3 THEN 0 ELSE 1 END",
    "reached": "CASE WHEN lot < 4 THEN 0 ELSE 1 END",
    "escalated": "CASE WHEN lot < 13 THEN 1 ELSE 0 END",
    "orders": "CASE WHEN lot < 3 THEN 1 ELSE 0 END",
    "ordered": "CASE WHEN lot < 3 THEN 1 ELSE 0 END",
    "handling_days": "n * 31 % 12",
    "handling_minutes": "n::bigint * 7919 % 5000",
    "window_minutes": "n * 31 % 300",
    "contact_minutes": "n::bigint * 7919 % 3000",
    "deputy_leader_minutes": "CASE WHEN lot < 13 THEN n % 900 ELSE 0 END",
    "supervision_minutes": "CASE WHEN lot < 3 THEN n % 400 ELSE 0 END",
}
_FACTS = """
WITH made AS (
  SELECT n, n::bigint * 7919 % 100 AS lot, CASE WHEN n % 5 = 0 THEN 'chengzhong' ELSE 'guilin' END AS hall,
    (ARRAY['market','social','medical','housing','resources','civil','education'])[1 + n / 3 % 7] AS unit,
    $2::timestamptz - make_interval(secs => ($1 - n) * 31000000.0 / $1 + 3600) AS received_at
  FROM generate_series(1, $1::int) AS n
)
INSERT INTO case_facts (case_id, hall, unit, kind, cause, received_at, received_on, person_key, matter_key,
  consulted, out_of_scope, merged, repeated, apart, counts_at, counts_on, elsewhere, held_by,
  held_since, held_calendar, {names})
SELECT '00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'), hall, unit,
  CASE WHEN lot < 2 THEN 'complex' WHEN lot < 30 THEN 'commitment' ELSE 'simple' END,
  (ARRAY['materials_incomplete','mechanical_application','poor_attitude_or_skill','policy_gap',
    'no_classification','system_barrier','legacy','other'])[1 + n * 31 % 8],
  received_at, received_at::date, n % 90000, n::bigint * 7919 % 40000, 0, 0, 0,
  CASE WHEN lot = 50 THEN 1 ELSE 0 END, lot < 2, received_at + '50 minutes', received_at::date,
  CASE WHEN lot < 5 THEN '{{"market": {{"dispatches": 1, "returns": 1, "contact_minutes": 90}}}}'::jsonb END,
  CASE WHEN lot < 3 THEN 'contact' END,
  CASE WHEN lot < 3 THEN received_at END, CASE WHEN lot < 3 THEN $3 END, {values}
FROM made
"""


async def make_facts(url: str, cases: int, services: Services, calendar: str) -> None:
    """Make the facts of so many cases of the last year."""
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    statement = _FACTS.format(
        names=", ".join(COUNTED), values=", ".join(_COUNTS.get(name, "0") for name in COUNTED)
    )
    try:
        await connection.execute(statement, cases, await services.clock.now(), calendar)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def figures_times(url: str, folder: Path, cases: int, requests: int) -> dict[str, list[float]]:
    """Return the seconds of each call, over a fresh database with so many cases."""
    await upgrade(url)

    async def no_engine() -> Client:
        raise RuntimeError("figures need no engine")

    clock = MachineClock()
    keyring = Keyring.parse(generate_key())
    services = Services(Database(url), keyring, Engine(no_engine), clock, clock, read_policies(None), folder)
    await load_demo(services, "benchmark-password")
    terms = await terms_for(services, "guilin", await clock.now())
    await fill(services, url, terms, 1, min(cases, 100_000))
    await make_facts(url, cases, services, terms.read_calendar().version)
    now = await clock.now()
    year = Asked(now - YEAR, now + timedelta(days=1))
    month = Asked(now - timedelta(days=30), now + timedelta(days=1))
    calls: dict[str, tuple[Viewer, Asked]] = {
        "all halls, a year": (AUDITOR, year),
        "one hall, a year": (SUPERVISOR, year),
        "all halls, a month": (AUDITOR, month),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(requests):
        for name, (viewer, asked) in calls.items():
            times[name].append(await _timed(services, viewer, asked))
    await services.database.close()
    return times


async def _timed(services: Services, viewer: Viewer, asked: Asked) -> float:
    start = time.perf_counter()
    found: dict[str, Any] = await read_figures(services, viewer, asked)
    assert found["handled"], "no case counts"
    return time.perf_counter() - start


def measure_figures(server: PostgresServer, cases: int = 100_000, requests: int = 9) -> dict[str, float]:
    """Return `figures_s`; prints a table of all calls."""
    with tempfile.TemporaryDirectory() as folder:
        times = asyncio.run(figures_times(server.create_database(), Path(folder), cases, requests))
    rows = [("call", "median s", "slowest s")]
    rows += [(name, f"{statistics.median(t):.3f}", f"{max(t):.3f}") for name, t in times.items()]
    figures = {"figures_s": round(statistics.median(times["all halls, a year"]), 3)}
    report(rows, figures)
    return figures


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=100_000, help="cases of the year")
    parser.add_argument("--requests", type=int, default=9, help="calls of each kind")
    options = parser.parse_args()
    hush()
    with postgres_server() as server:
        measure_figures(server, options.cases, options.requests)


if __name__ == "__main__":
    main()
