"""The product's worker for drills: a command can be held just before or just after the ledger's commit.

Run as `python -m tests.support.crashing_worker GATES`. A file `GATES/<case id>.<event type>` with
the word `before` or `after` holds that event there, until the file is gone or somebody kills us;
`GATES/<case id>.<event type>.held` says that it is held. `any.registered` holds the next filing,
whose id nobody knows yet. The relay is in more of a hurry here.
"""

import asyncio
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

from temporalio import activity
from temporalio.worker import Worker

import logs
import worker
from activities.ledger import LedgerActivities
from activities.registration import RegistrationActivities
from casework import relay
from models.messages import Recorded, RecordRequest, RegisterRequest
from settings import Settings

GATES = Path(sys.argv[1])


class HeldLedger(LedgerActivities):
    """The ledger behind gates."""

    @activity.defn
    async def record(self, request: RecordRequest) -> Recorded:
        """Write, waiting before or after the commit where a gate is closed."""
        gate = GATES / f"{request.case_id}.{request.events[0]['type']}"
        await _pass(gate, "before")
        recorded = await super().record(request)
        await _pass(gate, "after")
        return recorded


class HeldRegistration(RegistrationActivities):
    """The registration behind a gate."""

    @activity.defn
    async def register(self, request: RegisterRequest) -> Recorded:
        """Register, waiting before or after the commit where the gate is closed."""
        await _pass(GATES / "any.registered", "before")
        recorded = await super().register(request)
        await _pass(GATES / "any.registered", "after")
        return recorded


async def _pass(gate: Path, side: str) -> None:
    while gate.exists() and gate.read_text() == side:
        gate.with_name(f"{gate.name}.held").touch()
        await asyncio.sleep(0.02)


def main() -> None:
    """Run until a signal comes."""
    # What waits for a dead worker goes to another one after this, and not after ten seconds.
    quick_worker = partial(Worker, sticky_queue_schedule_to_start_timeout=timedelta(seconds=2))
    changed = {
        "LedgerActivities": HeldLedger,
        "RegistrationActivities": HeldRegistration,
        "Worker": quick_worker,
        "relay": partial(relay.relay, every=timedelta(seconds=0.5)),
    }
    for name, value in changed.items():
        setattr(worker, name, value)
    relay.PATIENCE = timedelta(seconds=1)
    logs.configure()
    logs.forward_engine_logs()
    asyncio.run(worker.run(Settings()))


if __name__ == "__main__":
    main()
