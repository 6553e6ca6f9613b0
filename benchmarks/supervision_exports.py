"""Excel of the progress ledger (附件3) over many cases: rows a second, peak memory, pauses of the loop.

    python benchmarks/supervision_exports.py [--cases 100000]

Each case has its events with sealed texts; the export is taken in a process of its own, as a server
would, and counts from the question to the finished file. Peak memory is that of this process and of
the one that writes the sheet, together. benchmarks/supervision.py prints
the figures beside others.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg
from sqlalchemy import make_url
from temporalio.client import Client

from activities.writing import sealing
from benchmarks.crowded import fill
from benchmarks.rig import parser_of, report
from casework import exports
from casework.calendars import terms_for
from casework.clocks import MachineClock
from casework.demo import load_demo
from casework.engine import Engine
from casework.searching import Wanted
from casework.services import Services
from casework.sheets import Cells, Head, write_sheet
from casework.viewer import Viewer
from models.crypto import CaseKey, Keyring, generate_key
from models.database import Database
from models.migrate import upgrade
from models.policies import read_policies
from pages.export_words import LEDGER, LIST, ledger_cells, list_cells
from rules.case.vocabulary import Role
from tests.support.postgres import PostgresServer, postgres_server

CASES = 100_000
PIECE = 5_000  # cases whose events are made at a time
START = datetime(2026, 3, 9, 1, 20, tzinfo=UTC)
TEXTS = {
    "progress": "已联系反映人，材料补齐后当日办理。",
    "reply": "经核查，所需证件已由部门共享取得，不再要求提交；已为您办结，请凭身份证领取。",
    "revisit": "反映人表示满意。",
}
EVENTS = ("triage", "sign", "inform", "progress", "due_soon_1", "reply", "check_reply", "revisit")
COLUMNS = (
    *("case_id", "seq", "part", "at", "type", "actor", "data", "sealed", "changes", "fired"),
    *("command_id", "prev_hash", "hash"),
)
DATA = {"reply": {"resolved": True}, "revisit": {"reached": True, "rating": 5}}


def services_on(url: str, keys: str, folder: Path) -> Services:
    """Return services without an engine over a database."""

    async def no_engine() -> Client:
        raise RuntimeError("exports need no engine")

    clock = MachineClock()
    keyring = Keyring.parse(keys)
    return Services(Database(url), keyring, Engine(no_engine), clock, clock, read_policies(None), folder)


async def prepare(url: str, keys: str, folder: Path, cases: int) -> None:
    """Fill a database with cases, their keys and their events."""
    await upgrade(url)
    services = services_on(url, keys, folder)
    await load_demo(services, "benchmark-password")
    terms = await terms_for(services, "guilin", await services.clock.now())
    await fill(services, url, terms, 1, cases)
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(dsn)
    ids = [row["id"] for row in await connection.fetch("SELECT id FROM cases ORDER BY id")]
    for start in range(0, len(ids), PIECE):
        several = {case_id: CaseKey.create() for case_id in ids[start : start + PIECE]}
        secrets = [(case_id, key.wrap(services.keyring, case_id)) for case_id, key in several.items()]
        await connection.copy_records_to_table(
            "case_secrets", records=secrets, columns=("case_id", "wrapped_key")
        )
        rows = [row for case_id, key in several.items() for row in _events(case_id, key)]
        await connection.copy_records_to_table("events", records=rows, columns=COLUMNS)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()
    await services.database.close()


def _events(case_id: str, key: CaseKey) -> Iterator[tuple[Any, ...]]:
    actor = '{"name": "李某某", "role": "contact", "unit": "market", "username": "guilin.market.contact"}'
    for seq, kind in enumerate(EVENTS, 2):
        at = START + timedelta(hours=seq)
        data = json.dumps(DATA.get(kind, {}))
        text = json.dumps({"text": TEXTS[kind]}, ensure_ascii=False) if kind in TEXTS else None
        sealed = key.seal_text(text, sealing(case_id, seq)) if text else None
        changes = '{"dispatches": 1}' if kind == "triage" else "{}"
        yield case_id, seq, 0, at, kind, actor, data, sealed, changes, "[]", f"{kind}-{seq}", "", ""


async def export(url: str, keys: str, what: str) -> dict[str, float]:
    """Export everything once; return rows, seconds, size and the longest pause of the loop."""
    with tempfile.TemporaryDirectory() as folder:
        services = services_on(url, keys, Path(folder))
        viewer = Viewer("auditor", "审计", Role.AUDITOR)
        of_ledger = what == "ledger"
        watch = _Watch()
        looking = asyncio.create_task(watch.look())
        start = time.perf_counter()
        opened = exports.ledger if of_ledger else exports.filtered
        async with opened(services, viewer, Wanted(status="all", sort="oldest")) as found:
            make: Any = ledger_cells if of_ledger else list_cells
            head = Head("表", [("件数", str(found.total))], LEDGER if of_ledger else LIST)
            file = await write_sheet(head, _cells(found, make(found.places)))
        took = time.perf_counter() - start
        looking.cancel()
        size = file.seek(0, 2)
        file.close()
        await services.database.close()
    return {
        "rows": found.total,
        "seconds": took,
        "megabytes": size / 1e6,
        "pause_ms": watch.pause * 1000,
        # Not what the system counts for the children of a process: that begins at its parent's size.
        "peak_mb": _most_mb("self") + watch.writer_mb,
    }


async def _cells(found: exports.Export, cells: Any) -> AsyncIterator[Sequence[Cells]]:
    async for rows in found.rows:
        yield await asyncio.to_thread(lambda several: list(map(cells, several)), rows)


@dataclass
class _Watch:
    """The longest that the loop waited, and the most memory that the writing process took."""

    pause: float = 0.0
    writer_mb: float = 0.0

    async def look(self) -> None:
        """Look every hundredth of a second, at the writer every fifth."""
        before, turns = time.perf_counter(), 0
        while True:
            await asyncio.sleep(0.01)
            now = time.perf_counter()
            self.pause, before, turns = max(self.pause, now - before - 0.01), now, turns + 1
            if turns % 20 == 0:
                self.writer_mb = max([self.writer_mb, *map(_most_mb, _children())])


def _children() -> list[str]:
    """Return the processes that this one has started."""
    listed = Path("/proc/self/task").glob("*/children")
    return [pid for path in listed for pid in path.read_text().split()]


def _most_mb(pid: str) -> float:
    """Return the most memory that a process has had since it is what it is."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:  # it has ended meanwhile
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)


def measure_exports(server: PostgresServer, cases: int = CASES) -> dict[str, float]:
    """Return `export_rows_per_s` and `export_peak_mb` of the ledger, in a database of its own.

    Beside them, of the ledger and of the plain list, the longest that the loop waited.
    """
    url, keys = server.create_database(), generate_key()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(prepare(url, keys, Path(folder), cases))
    print(f"{cases} cases are there", flush=True)
    found = {}
    for what in ("list", "ledger"):
        command = [sys.executable, __file__, "--export", what, "--url", url, "--keys", keys]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[what] = json.loads(done.stdout.splitlines()[-1])
    ledger, plain = found["ledger"], found["list"]
    figures = {
        "export_rows_per_s": round(ledger["rows"] / ledger["seconds"]),
        "export_peak_mb": round(max(ledger["peak_mb"], plain["peak_mb"]), 1),
        "export_pause_ms": round(max(ledger["pause_ms"], plain["pause_ms"]), 1),
        "list_export_rows_per_s": round(plain["rows"] / plain["seconds"]),
        "export_file_mb": round(ledger["megabytes"], 1),
    }
    report([("figure", "value"), *((name, str(value)) for name, value in figures.items())], figures)
    server.drop_database(url)
    return figures


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help="cases in the ledger")
    for name in ("--export", "--url", "--keys"):
        parser.add_argument(name, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.export:
        print(json.dumps(asyncio.run(export(options.url, options.keys, options.export))))
        return
    with postgres_server() as server:
        measure_exports(server, options.cases)


if __name__ == "__main__":
    main()
