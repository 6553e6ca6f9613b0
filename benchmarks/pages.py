"""How long the server takes for every list page, with 10,000 and with 100,000 cases, on PostgreSQL.

    python benchmarks/pages.py [--small 10000] [--large 100000] [--requests 60]

Starts a PostgreSQL server of its own with a small and a large database, and asks the application over
each for each page in turn, signed in, one request after the other: a machine whose speed drifts slows
both. Prints the times and the weights, and as its last line `p95_ms` (of the slowest page, many cases),
`growth` (the worst ratio of two medians of a page, many to few cases), `kb_first` and `kb_cached` (what
the heaviest page sends to a new browser, and to one that has been there).
"""

import argparse
import asyncio
import re
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from sqlmodel import select
from temporalio.client import Client

from api import create_app
from benchmarks.crowded import fill
from benchmarks.crowded_around import fill_around
from benchmarks.page_list import NOBODY, PAGES, SIMILAR
from benchmarks.rig import hush, parser_of, percentile, report
from casework.accounts import Credentials, sign_in
from casework.calendars import terms_for
from casework.clocks import MachineClock
from casework.demo import load_demo
from casework.engine import Engine
from casework.services import Services
from models.case import Case
from models.crypto import Keyring, generate_key
from models.database import Database
from models.migrate import upgrade
from models.policies import read_policies
from pages.sessions import PAGE, SESSION
from processes import settle_memory
from tests.support.postgres import postgres_server
from tests.support.signed import evidence_in

PASSWORD = "benchmark-password"
WARM = 8
P95 = 0.95
FREQUENT = "00000000-0000-7000-8000-{:012x}"  # the last case is of a frequent matter


@dataclass
class Hall:
    """The application over a database, and a browser of each user."""

    services: Services
    http: httpx.AsyncClient
    sessions: dict[str, str]
    tokens: dict[str, str]
    number: str = ""

    async def ask(self, username: str, page: str) -> httpx.Response:
        """Ask for a page as a browser does."""
        path, _, typed = page.replace("{number}", self.number).partition(" ")
        cookies = {} if username == NOBODY else {"cookie": f"{SESSION}={self.sessions[username]}"}
        if not typed:
            return await self.http.get(path, headers=cookies)
        form = {"csrf": await self._token(username), "matter" if path == SIMILAR else "q": typed}
        form |= {} if path == SIMILAR else {"status": "all"}
        return await self.http.post(path, data=form, headers=cookies)

    async def _token(self, username: str) -> str:
        if username not in self.tokens:
            page = (await self.ask(username, "/cases")).text
            found = re.search(r'name="csrf" value="([^"]+)"', page)
            assert found
            self.tokens[username] = found[1]
        return self.tokens[username]


async def opened(url: str, folder: Path) -> Hall:
    """Prepare the database, load the demonstration halls, and sign everybody in."""
    await upgrade(url)

    async def no_engine() -> Client:
        raise RuntimeError("pages need no engine")

    clock = MachineClock()
    keyring = Keyring.parse(generate_key())
    services = Services(
        Database(url),
        keyring,
        Engine(no_engine),
        clock,
        clock,
        read_policies(None),
        folder,
        given_evidence=evidence_in(folder),
    )
    await load_demo(services, PASSWORD)
    app = create_app(services=services)
    app.state.services = services
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hall", timeout=120)
    sessions = {
        username: (await sign_in(services, Credentials(username, PASSWORD), None, PAGE)).token
        for username in sorted({username for username, _ in PAGES} - {NOBODY})
    }
    return Hall(services, http, sessions, {})


async def times_of(halls: Sequence[Hall], requests: int) -> list[dict[tuple[str, str], list[float]]]:
    """Return the milliseconds of each page in each hall, in order of size; pages and halls take turns."""
    times: list[dict[tuple[str, str], list[float]]] = [{each: [] for each in PAGES} for _ in halls]
    for turn in range(requests + WARM):
        if turn == WARM:
            settle_memory()  # as the API does a minute after its start
        for username, page in PAGES:
            for hall, found in zip(halls, times, strict=True):
                start = time.perf_counter()
                answer = await hall.ask(username, page)
                spent = (time.perf_counter() - start) * 1000
                assert answer.status_code == 200, (username, page, answer.status_code)
                if turn >= WARM:
                    found[username, page].append(spent)
    return [{each: sorted(took) for each, took in found.items()} for found in times]


async def weights_of(hall: Hall, username: str, page: str) -> tuple[float, float]:
    """Return the KB that a new browser fetches for a page, and one that has been there."""
    answer = await hall.ask(username, page)
    own = _transferred(answer)
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', answer.text))
    first = own
    while files:
        file = await hall.http.get(files.pop())
        first += _transferred(file)
        if "javascript" in file.headers["content-type"]:
            files |= {f"/static/{name}" for name in re.findall(r'from "\./([^"]+)"', file.text)}
    return first / 1024, own / 1024


def _transferred(answer: httpx.Response) -> int:
    """Bytes of body and headers as they go over the wire."""
    return answer.num_bytes_downloaded + sum(len(name) + len(value) + 4 for name, value in answer.headers.raw)


def p95(times: Sequence[float]) -> float:
    """Return the 95th percentile."""
    return percentile(times, P95)


async def filled(url: str, folder: Path, cases: int) -> Hall:
    """Return a hall with so many cases."""
    hall = await opened(url, folder)
    terms = await terms_for(hall.services, "guilin", await hall.services.clock.now())
    await fill(hall.services, url, terms, 1, cases)
    await fill_around(hall.services, url, cases)
    async with hall.services.database.read() as session:
        hall.number = (
            await session.exec(select(Case.number).where(Case.id == FREQUENT.format(cases)))
        ).one() or ""
    print(f"{cases} cases are there", flush=True)
    return hall


@asynccontextmanager
async def halls_of(urls: Sequence[str], folder: Path, sizes: Sequence[int]) -> AsyncIterator[list[Hall]]:
    """Fill a database for each size; close the halls in the end."""
    halls = [await filled(url, folder, cases) for url, cases in zip(urls, sizes, strict=True)]
    try:
        yield halls
    finally:
        for hall in halls:
            await hall.http.aclose()
            await hall.services.database.close()


async def measure(options: argparse.Namespace, urls: Sequence[str], folder: Path) -> None:
    """Fill both databases, measure, and print what came out."""
    async with halls_of(urls, folder, (options.small, options.large)) as halls:
        few, many = await times_of(halls, options.requests)
        weights = {each: await weights_of(halls[-1], *each) for each in PAGES}
    rows = [("page", "user", "p50 few", "p50 many", "ratio", "p95 many", "KB first", "KB cached")]
    ratios, slowest = [], []
    for username, page in PAGES:
        small, large = few[username, page], many[username, page]
        before, after = statistics.median(small), statistics.median(large)
        ratios.append(after / before)
        slowest.append(p95(large))
        cells = (before, after, after / before, p95(large), *weights[username, page])
        rows.append((page, username, *(f"{cell:.1f}" for cell in cells)))
    figures = {
        "p95_ms": round(max(slowest), 1),
        "growth": round(max(ratios), 2),
        "kb_first": round(max(first for first, _ in weights.values()), 1),
        "kb_cached": round(max(cached for _, cached in weights.values()), 1),
    }
    report(rows, figures)


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--small", type=int, default=10_000, help="cases at first")
    parser.add_argument("--large", type=int, default=100_000, help="cases in the end")
    parser.add_argument("--requests", type=int, default=60, help="requests of each page at each size")
    options = parser.parse_args()
    hush()
    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        urls = [server.create_database() for _ in range(2)]
        asyncio.run(measure(options, urls, Path(folder)))


if __name__ == "__main__":
    main()
