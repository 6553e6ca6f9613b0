"""Records histories of the workflows that live by a timetable, and what replaying them gives.

    .venv/bin/python -m tests.histories.timetables.record             record those that are missing
    .venv/bin/python -m tests.histories.timetables.record --golden    write the golden files anew

As with those of cases, a history that stands is never recorded anew; SHA256SUMS names each.
"""

import argparse
import asyncio
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from activities.archiving import ArchivingActivities, FileOutlet
from activities.reporting import ReportingActivities
from casework.report_making import ReportMaker
from models.codec import data_converter
from models.database import Database
from models.migrate import upgrade
from models.reporting import ReportingInput
from models.terms import CalendarYear
from tests.histories.record import KEYRING
from tests.support.books import furnish
from tests.support.replaying import Replayed, replay
from tests.support.shell import CALENDAR, CHENGZHONG, GUILIN, LEEWAY, YEAR, at
from tests.support.signed import SIGNER
from tests.support.temporal import TemporalServer
from workflows.evidence import LedgerHeadsWorkflow
from workflows.queues import CASES
from workflows.reporting import ReportingWorkflow
from workflows.runner import RUNNER

FOLDER = Path(__file__).parent
SUMS = FOLDER / "SHA256SUMS"


@dataclass(frozen=True)
class Span:
    """A workflow that begins at an instant and is looked at after another, day by day or in jumps."""

    workflow: type
    first: str
    stops: tuple[str, ...]
    given: tuple[Any, ...] = ()


SPANS: Mapping[str, Span] = {
    # Recorded before there were monthly reports: what runs that began in those days look like.
    "weekly_only": Span(
        ReportingWorkflow, "03-02 12:00", ("03-10 12:00", "03-31 12:00"), (ReportingInput("guilin"),)
    ),
    # Spring Festival: the 20th and the 22nd are off.
    "two_months": Span(
        ReportingWorkflow, "02-09 12:00", ("02-24 12:00", "03-24 12:00"), (ReportingInput("guilin"),)
    ),
    "evenings": Span(LedgerHeadsWorkflow, "03-09 09:00", ("03-10 09:00", "03-12 09:00")),
}


def history_file(name: str) -> Path:
    """Where a history is kept."""
    return FOLDER / f"{name}.json.gz"


def golden_file(name: str) -> Path:
    """Where the outcome of its replay is kept."""
    return FOLDER / f"{name}.golden.json"


def read_history(name: str) -> WorkflowHistory:
    """Return a recorded history."""
    return WorkflowHistory.from_json(name, gzip.decompress(history_file(name).read_bytes()).decode())


def read_golden(name: str) -> dict[str, Any]:
    """Return what replaying it must give."""
    golden: dict[str, Any] = json.loads(golden_file(name).read_text(encoding="utf-8"))
    return golden


def sums() -> dict[str, str]:
    """Return the SHA-256 of each history as it was recorded, by its name."""
    lines = (line.split() for line in SUMS.read_text(encoding="utf-8").splitlines()) if SUMS.exists() else ()
    return {file.removesuffix(".json.gz"): digest for digest, file in lines}


def sum_of(name: str) -> str:
    """Return the SHA-256 of a history as it stands."""
    return hashlib.sha256(history_file(name).read_bytes()).hexdigest()


async def replayed(name: str) -> Replayed:
    """A recorded history, replayed now."""
    return await replay(read_history(name), data_converter(KEYRING), SPANS[name].workflow)


async def record(names: list[str]) -> None:
    """Run workflows on a server and a database of their own, and keep their histories."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        server = TemporalServer(folder)
        server.start()
        try:
            for name in names:
                await _record(name, server, folder / name)
        finally:
            server.stop()


async def _record(name: str, server: TemporalServer, folder: Path) -> None:
    folder.mkdir()
    span = SPANS[name]
    url = f"sqlite+aiosqlite:///{folder}/ledger.db"
    await upgrade(url)
    database = Database(url)
    await _furnish(database)
    client = await server.client(data_converter=data_converter(KEYRING), identity="recorder")
    skipper = TimeSkipper(client, config=TimeSkippingConfig(enabled=False))
    handle = skipper.client.get_workflow_handle(name)

    async def now() -> datetime:
        return await skipper.get_current_time(handle)

    async with _worker(skipper.client, database, folder, now):
        await skipper.client.start_workflow(
            span.workflow.run,  # type: ignore[attr-defined]
            args=span.given,
            id=name,
            task_queue=CASES,
            start_delay=at(span.first) - datetime.now(UTC),
        )
        for stop in (span.first, *span.stops):
            await skipper.fast_forward(handle, at(stop) + LEEWAY - await now())
        history = await handle.fetch_history()
        await handle.terminate()
    await database.close()
    # No time in the header: the same history makes the same file.
    history_file(name).write_bytes(gzip.compress(history.to_json().encode(), mtime=0))


async def _furnish(database: Database) -> None:
    await furnish(database, GUILIN, CHENGZHONG)
    notice = CalendarYear(
        year=YEAR,
        version=1,
        off=[day.isoformat() for day in sorted(CALENDAR.off)],
        work=[day.isoformat() for day in sorted(CALENDAR.work)],
        source="关于2037年部分节假日安排的通知",
        loaded_by="admin",
        loaded_at=at("01-01 09:00"),
    )
    async with database.begin() as session:
        session.add(notice)


def _worker(client: Any, database: Database, folder: Path, now: Callable[[], Awaitable[datetime]]) -> Worker:
    async def check(beat: Any) -> bool:
        return True

    archiving = ArchivingActivities(database, SIGNER, [FileOutlet(folder / "heads")], now, check)
    return Worker(
        client,
        task_queue=CASES,
        workflows=[ReportingWorkflow, LedgerHeadsWorkflow],
        activities=[
            *(archiving.take, archiving.publish, archiving.check),
            ReportingActivities(database, {}, ReportMaker(database, KEYRING)).make_due,
        ],
        workflow_runner=RUNNER,
    )


async def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Record histories of reporting and of heads.")
    parser.add_argument("--golden", action="store_true", help="write golden files, record nothing")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SPANS)}; all by default")
    given = parser.parse_args()
    if unknown := set(given.names) - SPANS.keys():
        parser.error(f"unknown names: {', '.join(sorted(unknown))}")
    names = given.names or list(SPANS)
    if not given.golden:
        names = [name for name in names if not history_file(name).exists()]
        await record(names)
        known = {name: sum_of(name) for name in names} | sums()
        SUMS.write_text(
            "".join(f"{known[name]}  {name}.json.gz\n" for name in sorted(known)), encoding="utf-8"
        )
    for name in names:
        text = json.dumps((await replayed(name)).values(), ensure_ascii=False, indent=1)
        golden_file(name).write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
