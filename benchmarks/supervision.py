"""Supervision and evidence, all figures of contract.md in one run, on PostgreSQL.

    python benchmarks/supervision.py [--part evidence] [--part figures] [--part exports]

Each part has a module of its own (`supervision_….py`), which can be run alone and says what it measures.
Prints the tables of all parts, and as its last line one JSON object of all figures.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


from benchmarks.rig import hush, parser_of
from benchmarks.supervision_evidence import measure_evidence
from benchmarks.supervision_exports import measure_exports
from benchmarks.supervision_figures import measure_figures
from tests.support.postgres import PostgresServer, postgres_server

PARTS: dict[str, Callable[[PostgresServer], dict[str, float]]] = {
    "evidence": measure_evidence,
    "figures": measure_figures,
    "exports": measure_exports,
}


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="one part only; may be repeated")
    parts = parser.parse_args().part or list(PARTS)
    hush()
    figures: dict[str, float] = {}
    with postgres_server() as server:
        for part in parts:
            print(f"{part} …", flush=True)
            figures |= PARTS[part](server)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
