"""The product as operators run it in production: Temporal, worker and API as processes to be killed.

The test looks on from outside: over HTTP, into the ledger, and into the workflows by query. Every
day is worked, and the hall closes when the test says so: an alarm comes due within seconds.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from temporalio.client import Client, WorkflowHandle
from temporalio.service import RPCError

import sys
from casework import filing
from casework.calendars import terms_for
from casework.engine import Engine, EngineUnavailable, workflow_id
from casework.services import Services
from casework.viewer import Viewer
from models.codec import data_converter
from models.crypto import Keyring, generate_key
from models.database import Database
from models.directory import Hall
from models.messages import CaseInput, encode_state
from models.policies import read_policies
from models.terms import CalendarYear
from rules.calendar import SHANGHAI
from rules.case.state import CaseState
from rules.case.vocabulary import Role
from tests.support.books import checked_fold, events_of
from tests.support.house import form, token_of, triage
from tests.support.office import SetClock, no_engine
from tests.support.processes import LOOPBACK, ServerProcess, free_port
from tests.support.running import BANCHENG, environment
from tests.support.temporal import TemporalServer
from workflows.case import CaseWorkflow
from workflows.queues import CASES

KEYS = generate_key()
ROOT = Path(__file__).parents[2]
SOON = timedelta(seconds=2)  # a task of a dead worker is given to another one after this
DAYS_TO_DUE = timedelta(days=3)  # the limit of a simple case in Guilin
WITHIN = 60.0  # seconds, for what takes one or two on an idle machine


class Plant:
    """The three processes and the database between them."""

    def __init__(self, folder: Path, database_url: str, temporal: TemporalServer) -> None:
        self.folder, self.url, self.temporal = folder, database_url, temporal
        self.gates = folder / "gates"
        self.gates.mkdir()
        port = free_port()
        env = environment(
            folder,
            port=port,
            database_url=database_url,
            temporal_address=temporal.address,
            payload_keys=KEYS,
        )
        self.address = f"http://{LOOPBACK}:{port}"
        self.api = ServerProcess([BANCHENG, "api"], log=folder / "api.log", env=env)
        program = [sys.executable, "-m", "tests.support.crashing_worker", self.gates]
        env = env | {"PYTHONPATH": str(ROOT)}
        self.worker = ServerProcess(program, log=folder / "worker.log", env=env)
        self.http = httpx.AsyncClient(base_url=self.address, timeout=30)
        self.database = Database(database_url)
        self.keyring = Keyring.parse(KEYS)
        self._client: Client | None = None

    async def start(self, *parts: str) -> None:
        """Start these parts at the same time (all by default)."""
        starts = {"temporal": self._start_temporal, "api": self._start_api, "worker": self._start_worker}
        await asyncio.gather(*(asyncio.to_thread(starts[part]) for part in parts or starts))

    def kill(self, *parts: str) -> None:
        """Kill these parts with -9."""
        processes = {"temporal": self.temporal.process, "api": self.api, "worker": self.worker}
        for part in parts:
            processes[part].kill()

    async def close(self) -> None:
        """End everything."""
        self.kill("worker", "api", "temporal")
        await self.http.aclose()
        await self.database.close()
