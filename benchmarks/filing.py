"""Filing over HTTP by several clerks at once, beside bare update-with-starts at the same concurrency.

    python benchmarks/filing.py [--filings 200] [--runs 5] [--concurrency 20]

A filing is checked, sealed and committed, a workflow is started for it, and its number is waited for; the
floor starts a bare workflow and waits for its first row. Both take turns. Prints filings a second of both and
their ratio.
"""

import argparse
import asyncio
import sys
import uuid
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx

from benchmarks.lifecycle import CLERK, FORM, HALL, PASSWORD, begin_bare, crowd
from benchmarks.rig import Rig, parser_of, report, timed
from benchmarks.timers import prepared


async def signed_in(rig: Rig, concurrency: int) -> httpx.AsyncClient:
    """Start the API; return a client with a clerk's token."""
    url = f"http://127.0.0.1:{await rig.serve_api()}/api"
    http = httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=concurrency))
    form = {"username": CLERK.username, "password": PASSWORD}
    token = (await http.post("/token", data=form)).raise_for_status().json()["access_token"]
    http.headers["authorization"] = f"Bearer {token}"
    return http


async def file(http: httpx.AsyncClient, key: str) -> None:
    """File a case under a key of its own; it must get its number at once."""
    body = {
        "hall": HALL,
        "channel": "counter",
        "petitioner": {"kind": "person", "name": "张三", "phone": f"1380013{int(key[:4], 16) % 10_000:04d}"},
        **FORM,
    }
    answer = await http.post("/cases", json=body, headers={"Idempotency-Key": key})
    if answer.status_code != 201:
        raise RuntimeError(f"a filing was answered with {answer.status_code}: {answer.text[:200]}")


async def measure(options: argparse.Namespace) -> None:
    """Let both sides take turns and print what came out."""
    ours: list[float] = []
    bare: list[float] = []
    async with Rig() as rig:
        await prepared(rig, every_day=False)
        http = await signed_in(rig, options.concurrency)

        async def rate(number: int, ours_: bool) -> float:
            ids = [str(uuid.uuid4()) for _ in range(number)]
            one = (lambda key: file(http, key)) if ours_ else (lambda key: begin_bare(rig, key))
            return number / await timed(lambda: crowd(ids, one, options.concurrency))

        for each in (True, False):
            await rate(options.concurrency * 2, each)  # warm
        for count in range(options.runs):
            bare.append(await rate(options.filings, False))
            ours.append(await rate(options.filings, True))
            print(f"run {count + 1}: bare {bare[-1]:.1f}/s, ours {ours[-1]:.1f}/s", flush=True)
        await http.aclose()
    figures = {
        "filing_ratio": round(median(ours) / median(bare), 3),
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
