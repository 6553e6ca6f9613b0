"""Filing over HTTP by several clerks at once, beside bare update-with-starts at the same concurrency.

    python benchmarks/filing.py [--filings 200] [--runs 5] [--concurrency 20]

A filing is checked, sealed and committed, a workflow is started for it, and its number is waited for; the
floor starts a bare workflow and waits for its first row. Both take turns; what figures count of the cases is
written between the turns. A clerk is a thread with a connection: all sides share the cores, and the clients
should take little of them. Prints filings a second of both, and the median of the ratios of neighbouring
turns: a machine that is slower for a while is so for both.
"""

import argparse
import asyncio
import json
import queue
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from benchmarks.lifecycle import CLERK, FORM, HALL, PASSWORD, begin_bare, come_to_rest, crowd
from benchmarks.rig import Rig, parser_of, ratio_of, report, timed
from benchmarks.timers import prepared


class Clerks:
    """As many clerks as there are connections, signed in under one name."""

    def __init__(self, port: int, token: str, concurrency: int) -> None:
        self._threads = ThreadPoolExecutor(concurrency)
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._free: queue.SimpleQueue[HTTPConnection] = queue.SimpleQueue()
        for _ in range(concurrency):
            self._free.put(HTTPConnection("127.0.0.1", port, timeout=60))

    @classmethod
    async def of(cls, rig: Rig, concurrency: int) -> "Clerks":
        """Start the API and sign in."""
        port = await rig.serve_api()
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api") as http:
            form = {"username": CLERK.username, "password": PASSWORD}
            token = (await http.post("/token", data=form)).raise_for_status().json()["access_token"]
        return cls(port, token, concurrency)

    async def file(self, key: str) -> None:
        """File a case under a key of its own; it must get its number at once."""
        await asyncio.get_running_loop().run_in_executor(self._threads, self._file, key)

    def _file(self, key: str) -> None:
        phone = f"1380013{int(key[:4], 16) % 10_000:04d}"
        body = {
            "hall": HALL,
            "channel": "counter",
            "petitioner": {"kind": "person", "name": "张三", "phone": phone},
            **FORM,
        }
        headers = self._headers | {"Idempotency-Key": key}
        connection = self._free.get()
        try:
            connection.request("POST", "/api/cases", json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            self._free.put(connection)
        if answer.status != 201:
            raise RuntimeError(f"a filing was answered with {answer.status}: {text[:200]!r}")

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown()
        while not self._free.empty():
            self._free.get().close()


async def measure(options: argparse.Namespace) -> None:
    """Let both sides take turns and print what came out."""
    ours: list[float] = []
    bare: list[float] = []
    async with Rig() as rig:
        await prepared(rig, every_day=False)
        clerks = await Clerks.of(rig, options.concurrency)

        async def rate(number: int, ours_: bool) -> float:
            await come_to_rest(rig)
            ids = [str(uuid.uuid4()) for _ in range(number)]
            one = clerks.file if ours_ else (lambda key: begin_bare(rig, key))
            return number / await timed(lambda: crowd(ids, one, options.concurrency))

        for each in (True, False):
            await rate(options.concurrency * 2, each)  # warm
        for count in range(options.runs):
            bare.append(await rate(options.filings, False))
            ours.append(await rate(options.filings, True))
            print(f"run {count + 1}: bare {bare[-1]:.1f}/s, ours {ours[-1]:.1f}/s", flush=True)
        clerks.close()
    figures = {
        "filing_ratio": round(ratio_of(ours, bare), 3),
        "filings_per_s": round(median(ours), 1),
        "bare_per_s": round(median(bare), 1),
        "concurrency": options.concurrency,
    }
    rows = [
        ("", "ours", "bare", "ratio"),
        ("filings a second", f"{median(ours):.1f}", f"{median(bare):.1f}", f"{figures['filing_ratio']:.2f}"),
    ]
    report(rows, figures)


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--filings", type=int, default=200, help="filings a run (default 200)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--concurrency", type=int, default=20, help="clerks at once (default 20)")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
