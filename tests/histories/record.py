"""Records the histories of all paths, and what replaying them gives.

    .venv/bin/python -m tests.histories.record             record the paths that have no history yet
    .venv/bin/python -m tests.histories.record --golden    write the golden files anew (all, or those named)

A history that stands is never recorded anew: it is what open cases of an old version look like.
SHA256SUMS names each, and a test compares. A change of the golden files is to be read in the diff.
"""

import argparse
import asyncio
import base64
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from models.codec import data_converter
from models.crypto import Keyring
from models.database import Database
from models.migrate import upgrade
from tests.histories.paths import FILED, IN_SHORT_RUNS, PATHS, WITH_GATEWAY, case_id_of
from tests.support.books import furnish
from tests.support.gateway import Gateway
from tests.support.replaying import replay
from tests.support.shell import CHENGZHONG, GUILIN, LiveCase, Shell
from tests.support.temporal import TemporalServer

FOLDER = Path(__file__).parent
# Seals recorded histories, so that the codec of today proves to read those of yesterday. No secret.
TEST_KEY = base64.b64encode(b"checked in, opens nothing secret").decode()
KEYRING = Keyring.parse(f"test-only:{TEST_KEY}")


def history_file(name: str) -> Path:
    """Where the history of a path is kept."""
    return FOLDER / f"{name}.json.gz"


SUMS = FOLDER / "SHA256SUMS"


def sums() -> dict[str, str]:
    """Return the SHA-256 of each history as it was recorded, by file name."""
    lines = (line.split() for line in SUMS.read_text(encoding="utf-8").splitlines())
    return {name: digest for digest, name in lines}


def sum_of(name: str) -> str:
    """Return the SHA-256 of a history as it stands."""
    return hashlib.sha256(history_file(name).read_bytes()).hexdigest()


def write_sums() -> None:
    """Add a line for each history that has none; no line is changed."""
    known = sums()
    found = {history_file(name).name: sum_of(name) for name in recorded()} | known
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(found.items()))
    SUMS.write_text(text, encoding="utf-8")


def golden_file(name: str) -> Path:
    """Where the outcome of its replay is kept."""
    return FOLDER / f"{name}.golden.json"


def read_history(name: str) -> WorkflowHistory:
    """Return a recorded history."""
    text = gzip.decompress(history_file(name).read_bytes()).decode()
    return WorkflowHistory.from_json(f"case-{case_id_of(path_of(name))}", text)


def read_golden(name: str) -> dict[str, Any]:
    """Return what replaying it must give."""
    golden: dict[str, Any] = json.loads(golden_file(name).read_text(encoding="utf-8"))
    return golden


async def write_golden(name: str) -> None:
    """Write what replaying a recorded history gives now."""
    replayed = await replay(read_history(name), data_converter(KEYRING))
    text = json.dumps(replayed.values(), ensure_ascii=False, indent=1)
    golden_file(name).write_text(text + "\n", encoding="utf-8")


async def record(names: list[str]) -> None:
    """Run the paths on servers of their own, and keep their histories."""
    in_short_runs = [name for name in names if name in IN_SHORT_RUNS]
    await _record_on([name for name in names if name not in IN_SHORT_RUNS], {})
    await _record_on(in_short_runs, {"limit.historyCount.suggestContinueAsNew": "200"})


async def _record_on(names: list[str], settings: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/ledger.db"
        await upgrade(url)
        database = Database(url)
        await furnish(database, GUILIN, CHENGZHONG)
        server = TemporalServer(Path(folder), **settings)
        server.start()
        try:
            client = await server.client(data_converter=data_converter(KEYRING), identity="recorder")
            shell = Shell(client, database, KEYRING)
            for name in names:
                await _record(shell, name)
        finally:
            server.stop()
            await database.close()


async def _record(shell: Shell, name: str) -> None:
    gateway = Gateway(alive=True)
    async with gateway.channel() as channel, shell.worker(*([channel] if name in WITH_GATEWAY else [])):
        case = await shell.file(FILED, case_id=case_id_of(name))
        first = (await case.handle.describe()).run_id
        await PATHS[name](shell, case)
        await case.checked()
    print(name, *(f"\n    {line}" for line in await case.story()))
    for number, history in enumerate(await _runs(case, first), 1):
        file = history_file(name if number == 1 else f"{name}-{number}")
        # No time in the header: the same history makes the same file.
        file.write_bytes(gzip.compress(history.to_json().encode(), mtime=0))


async def _runs(case: LiveCase, run_id: str | None) -> list[WorkflowHistory]:
    """Return the histories of a case's runs, from the first one on."""
    found = []
    while run_id:
        handle = case.shell.client.get_workflow_handle(case.handle.id, run_id=run_id)
        found.append(await handle.fetch_history())
        last = found[-1].events[-1]
        run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return found


def recorded(names: Iterable[str] = PATHS) -> list[str]:
    """Return the names of the histories that are kept of these paths, several where it continued."""
    kept = sorted(file.name.removesuffix(".json.gz") for file in FOLDER.glob("*.json.gz"))
    return [name for name in kept if path_of(name) in names]


def path_of(name: str) -> str:
    """Return the path that a history is of: `continued-2` is the second run of `continued`."""
    return name.partition("-")[0]


async def main() -> int:
    """Run as a program."""
    parser = argparse.ArgumentParser(description="Record histories of cases for the replay tests.")
    parser.add_argument("paths", nargs="*", metavar="PATH", help=f"of {', '.join(PATHS)}; all by default")
    parser.add_argument("--golden", action="store_true", help="write golden files, record nothing")
    given = parser.parse_args()
    if unknown := set(given.paths) - PATHS.keys():
        parser.error(f"unknown paths: {', '.join(sorted(unknown))}")
    names = given.paths or list(PATHS)
    if not given.golden:
        names = [name for name in names if not history_file(name).exists()]
        await record(names)
        write_sums()
    for name in recorded(names):
        await write_golden(name)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
