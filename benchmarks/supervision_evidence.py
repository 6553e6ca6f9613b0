"""How fast the ledger is verified, and how long a dossier takes, on PostgreSQL.

    python benchmarks/supervision_evidence.py [--cases 8000] [--dossiers 9]

Writes whole chains of cases of the usual length, texts sealed, a head over them, and verifies all of it
as `bancheng ledger verify` does. Then one case is handled over HTTP with a real engine, and its dossier
is asked for. Prints as its last line `verify_events_per_s` and `dossier_s` (medians).
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sqlalchemy import insert, text
from sqlmodel import Session

from activities.projection import columns_of
from activities.tables import CASES, EVENTS
from activities.writing import sealing
from benchmarks.rig import hush, parser_of, report
from casework.services import Services
from casework.verifying import verify_ledger
from models.chain import EVENT_CHAIN
from models.crypto import CaseKey
from models.messages import encode_event, encode_state
from tests.support.house import furnish, open_house
from tests.support.ledgers import head_now, story
from tests.support.office import services_at
from tests.support.postgres import PostgresServer, postgres_server
from tests.support.temporal import TemporalServer

AT_ONCE = 200
EVENING = datetime(2026, 3, 9, 15, 50, tzinfo=UTC)
TIMES = 3


async def write_chains(services: Services, cases: int) -> int:
    """Write whole chains of so many cases; return how many events that were."""
    told = story()
    for minute in range(8):
        told.give("rate" if minute == 0 else "remind", f"03-10 15:{minute + 10:02}", **_typed(minute))
    encoded = [encode_event(event) for event in told.events]
    state = {**columns_of(told.state), "state": encode_state(told.state), "matter": "营业执照注销"}
    for start in range(0, cases, AT_ONCE):
        some = [str(uuid.uuid4()) for _ in range(min(AT_ONCE, cases - start))]
        chains = [_chain(case_id, encoded) for case_id in some]
        projected = [
            {
                **state,
                "id": case_id,
                "number": case_id,
                "seq": rows[-1]["seq"],
                "last_hash": rows[-1]["hash"],
                "updated_at": rows[-1]["at"],
            }
            for case_id, rows in zip(some, chains, strict=True)
        ]

        def write(session: Session, chains: Any = chains, projected: Any = projected) -> None:
            session.connection().execute(insert(EVENTS), [row for rows in chains for row in rows])
            session.connection().execute(insert(CASES), projected)

        await services.database.write(write)
    return cases * len(encoded)


def _typed(minute: int) -> dict[str, Any]:
    return {"rating": 5} if minute == 0 else {"text": "请抓紧办理，并告知反映人进展。"}


def _chain(case_id: str, encoded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    key = CaseKey.create()
    rows = [
        {
            "case_id": case_id,
            "seq": seq,
            "part": 0,
            "at": datetime.fromisoformat(event["at"]),
            "type": event["type"],
            "actor": event["actor"],
            "data": event["data"],
            "sealed": key.seal_text(json.dumps(event["texts"]), sealing(case_id, seq))
            if event["texts"]
            else None,
            "changes": event["changes"],
            "fired": event["fired"],
            "command_id": str(uuid.uuid4()),
        }
        for seq, event in enumerate(encoded, 1)
    ]
    return EVENT_CHAIN.link(rows)


async def verify_rate(url: str, folder: Path, cases: int) -> tuple[int, list[float]]:
    """Return how many events were verified, and the seconds of each time."""
    await furnish(url, folder)
    services = services_at(url, folder)
    events = await write_chains(services, cases)
    await head_now(services, EVENING)
    async with services.database.begin() as session:
        await session.exec(text("ANALYZE"))  # type: ignore[call-overload]
    seconds = []
    for _ in range(TIMES):
        start = time.perf_counter()
        found = await verify_ledger(services)
        seconds.append(time.perf_counter() - start)
        assert found.ok and found.events == events, found
    await services.database.close()
    return events, seconds


async def dossier_times(url: str, folder: Path, dossiers: int) -> list[float]:
    """Return the seconds of each request for the dossier of a case of the usual length."""
    await furnish(url, folder)
    server = TemporalServer(folder)
    server.start()
    try:
        async with open_house(url, server, folder) as house:
            case = await house.closed()
            await head_now(house.services, EVENING)
            seconds = []
            for _ in range(dossiers):
                start = time.perf_counter()
                answer = await house.get(f"cases/{case['id']}/dossier", by="auditor")
                seconds.append(time.perf_counter() - start)
                assert answer.status_code == 200, answer.text
            return seconds
    finally:
        server.stop()


def measure_evidence(server: PostgresServer, cases: int = 8000, dossiers: int = 9) -> dict[str, float]:
    """Return `verify_events_per_s` and `dossier_s`; prints a table."""
    with tempfile.TemporaryDirectory() as folder:
        events, verified = asyncio.run(verify_rate(server.create_database(), Path(folder), cases))
    with tempfile.TemporaryDirectory() as folder:
        taken = asyncio.run(dossier_times(server.create_database(), Path(folder), dossiers))
    figures = {
        "verify_events_per_s": round(events / statistics.median(verified)),
        "dossier_s": round(statistics.median(taken), 3),
    }
    rows = [("what", "median s", "slowest s")]
    rows += [
        (name, f"{statistics.median(seconds):.3f}", f"{max(seconds):.3f}")
        for name, seconds in ((f"verify {events} events", verified), ("dossier", taken))
    ]
    report(rows, figures)
    return figures


def main() -> None:
    """Read the options and measure."""
    parser = parser_of(__doc__)
    parser.add_argument("--cases", type=int, default=8000, help="cases whose chains are verified")
    parser.add_argument("--dossiers", type=int, default=9, help="dossiers of one case")
    options = parser.parse_args()
    hush()
    with postgres_server() as server:
        measure_evidence(server, options.cases, options.dossiers)


if __name__ == "__main__":
    main()
