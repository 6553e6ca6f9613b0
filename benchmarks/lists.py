"""Lists, searches and a year's figures with a million cases, on PostgreSQL.

    python benchmarks/lists.py [--cases 1000000] [--requests 40] [--few 100000]

Starts a PostgreSQL server of its own and makes a database of so many cases (`benchmarks/crowded.py`: a case
every ten minutes, most archived), and a smaller one beside it, over which the same pages are asked for
in turn: that is the floor. Then it makes a year of so many cases and asks for all its figures. Prints the
slowest pages, and as its last line `list_p95_ms` (95th percentile of the slowest page, with all cases) and
`figures_s` (median of the figures of the year).
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


from benchmarks.page_list import PAGES
from benchmarks.pages import halls_of, p95, times_of
from benchmarks.rig import hush, parser_of, report
from benchmarks.supervision_figures import measure_figures
from tests.support.postgres import postgres_server

SHOWN = 15  # pages in the table: the slowest


async def page_times(
    urls: Sequence[str], options: argparse.Namespace, folder: Path
) -> list[dict[Any, list[float]]]:
    """Fill a small and a large database; return the times of every page over each."""
    async with halls_of(urls, folder, (options.few, options.cases)) as halls:
        return await times_of(halls, options.requests)


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="cases (default 1000000)")
    parser.add_argument("--few", type=int, default=100_000, help="cases of the floor (default 100000)")
    parser.add_argument("--requests", type=int, default=40, help="requests of each page (default 40)")
    options = parser.parse_args()
    hush()
    with postgres_server() as server:
        urls = [server.create_database() for _ in range(2)]
        with tempfile.TemporaryDirectory() as folder:
            few, many = asyncio.run(page_times(urls, options, Path(folder)))
        for url in urls:
            server.drop_database(url)
        year = measure_figures(server, options.cases, 5)
    slowest = sorted(PAGES, key=lambda each: p95(many[each]), reverse=True)
    rows = [("page", "user", f"p50 {options.few}", f"p50 {options.cases}", "ratio", "p95")]
    for username, page in slowest[:SHOWN]:
        before, after = (statistics.median(times[username, page]) for times in (few, many))
        cells = (before, after, after / before, p95(many[username, page]))
        rows.append((page, username, *(f"{cell:.1f}" for cell in cells)))
    figures = {
        "cases": options.cases,
        "list_p95_ms": round(p95(many[slowest[0]]), 1),
        "figures_s": year["figures_s"],
        "growth": round(
            max(statistics.median(many[each]) / statistics.median(few[each]) for each in PAGES), 2
        ),
    }
    report(rows, figures)


if __name__ == "__main__":
    main()
