"""A plant seen from outside: over HTTP, into the ledger, and into the workflows by query.

Every day is worked, and the hall closes when the test says so: alarms come due within seconds.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
from sqlmodel import col, select
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from casework import filing
from casework.calendars import terms_for
from casework.engine import Engine, workflow_id
from casework.services import Services
from casework.viewer import Viewer
from models.case import LedgerEvent
from models.codec import data_converter
from models.crypto import Keyring
from models.database import Database
from models.directory import Hall
from models.filing import Filing
from models.messages import CaseInput, encode_state
from models.policies import read_policies
from models.terms import CalendarYear
from rules.calendar import local
from rules.case.state import CaseState
from rules.case.vocabulary import Role
from tests.support.books import checked_fold, events_of
from tests.support.house import form, token_of, triage
from tests.support.office import SetClock, no_engine
from tests.support.plant import KEYS, WITHIN, Plant, eventually
from tests.support.processes import LOOPBACK
from workflows.case import CaseWorkflow
from workflows.queues import CASES

TASK_WITHIN = timedelta(seconds=2)  # after this the task of a dead worker goes to another one
LIMIT = timedelta(days=3)  # of a simple case in Guilin, where every day is worked
CLERK = Viewer("guilin.clerk", "周小演", Role.CLERK, "guilin")


class Onlooker:
    """A plant seen by one test: its API, its ledger and its workflows."""

    def __init__(self, plant: Plant, database: Database, http: httpx.AsyncClient) -> None:
        self.plant, self.database, self.http = plant, database, http
        self.keyring = Keyring.parse(KEYS)

    async def up(self) -> None:
        """Wait until everything does its work again."""
        await eventually(self.plant.is_up)

    async def client(self) -> Client:
        """A client of the server as it is now."""
        return await self.plant.temporal.client(data_converter=data_converter(self.keyring))

    async def close_at(self, after: timedelta) -> datetime:
        """Have the hall close so much from now, on this and every day; return that instant."""
        now = datetime.now(UTC)
        if local(now).date() != local(now + timedelta(minutes=2)).date():
            await asyncio.sleep(130)  # no test of ours understands midnight
            return await self.close_at(after)
        closing = (now + after).replace(microsecond=0)
        async with self.database.begin() as session:
            hall = await session.get_one(Hall, "guilin")
            hall.hours = [["00:00:00", local(closing).time().isoformat()]]
        return closing

    async def due_case(self, closing: datetime, *, signed: bool = True) -> str:
        """A simple case, filed some days ago, that is due at `closing`; return its id.

        It was filed while the engine was down, so that its start here may ask for short tasks.
        """
        services = self.services(closing - LIMIT - timedelta(seconds=30))
        filed = await filing.file_case(services, CLERK, form(), None)
        case_id = str(filed.case["id"])
        client = await self.client()
        terms = await terms_for(services, "guilin", closing - LIMIT)
        await client.start_workflow(
            CaseWorkflow.run,
            CaseInput(case_id, terms),
            id=workflow_id(case_id),
            task_queue=CASES,
            task_timeout=TASK_WITHIN,
            # The relay may have been quicker.
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )

        async def connected() -> Client:
            return client

        await Engine(connected).start(case_id, terms)
        await self.act(case_id, "triage", "guilin.clerk", triage())
        if signed:
            await self.act(case_id, "sign", "guilin.market.contact")
        return case_id

    def services(self, at: datetime) -> Services:
        """Casework without an engine, at an instant."""
        return Services(
            database=self.database,
            keyring=self.keyring,
            engine=Engine(no_engine),
            clock=SetClock(at),
            wall=SetClock(),
            policies=read_policies(None),
            attachments=self.plant.folder / "attachments",
        )

    async def post(
        self, path: str, body: Mapping[str, Any], *, by: str, key: str | None = None
    ) -> httpx.Response:
        """Post as somebody. Raises `httpx.TransportError` where the API is gone."""
        headers = {"Authorization": f"Bearer {token_of(by)}"}
        if key:
            headers["Idempotency-Key"] = key
        return await self.http.post(f"/api/{path}", json=dict(body), headers=headers)

    async def act(
        self, case_id: str, name: str, by: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Give a command that must pass."""
        answer = await self.post(f"cases/{case_id}/{name}", body or {}, by=by)
        assert answer.status_code == 200, f"{name}: {answer.text}"
        return dict(answer.json())

    async def insist(
        self, path: str, body: Mapping[str, Any], *, by: str, key: str, within: float = WITHIN
    ) -> httpx.Response:
        """Post under one key until it is answered, as a good client does in an outage."""
        async with asyncio.timeout(within):
            while True:
                try:
                    answer = await self.post(path, body, by=by, key=key)
                    if answer.status_code != 503:
                        return answer
                    assert int(answer.headers["Retry-After"]) > 0
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.2)

    async def case(self, case_id: str) -> dict[str, Any]:
        """The case as the API shows it."""
        headers = {"Authorization": f"Bearer {token_of('guilin.clerk')}"}
        answer = await self.http.get(f"/api/cases/{case_id}", headers=headers)
        return dict(answer.raise_for_status().json())

    async def received(self) -> datetime:
        """T0 of the newest filing."""
        async with self.database.read() as session:
            found = await session.exec(select(Filing.received_at).order_by(col(Filing.received_at).desc()))
            newest = found.first()
        assert newest is not None
        return newest

    async def registered(self, case_id: str) -> dict[str, Any]:
        """Wait until a filing has its number; return the case."""
        async with asyncio.timeout(WITHIN):
            while (case := await self.case(case_id))["number"] is None:
                await asyncio.sleep(0.1)
            return case

    async def happened(self, case_id: str, event: str) -> None:
        """Wait until an event stands in the ledger."""
        async with asyncio.timeout(WITHIN):
            while event not in await self.types(case_id):
                await asyncio.sleep(0.05)

    async def ledger(self, case_id: str) -> list[LedgerEvent]:
        """The rows of a case."""
        return await events_of(self.database, case_id)

    async def types(self, case_id: str) -> list[str]:
        """The types of its events, in order."""
        return [row.type for row in await self.ledger(case_id)]

    async def whole(self, case_id: str) -> CaseState:
        """Wait until the workflow holds what the ledger folds to; return that, once it is checked."""
        async with asyncio.timeout(WITHIN):
            while True:
                folded = await checked_fold(self.database, case_id)
                if await self.held(case_id) == encode_state(folded):
                    return folded
                await asyncio.sleep(0.1)

    async def held(self, case_id: str) -> Any:
        """The state that its workflow holds, None where nobody answers."""
        try:
            handle = (await self.client()).get_workflow_handle(workflow_id(case_id))
            return await handle.query(CaseWorkflow.state, rpc_timeout=timedelta(seconds=5))
        except (RPCError, RuntimeError):
            return None


@asynccontextmanager
async def look_on(plant: Plant) -> AsyncIterator[Onlooker]:
    """Look at a plant; it has to be started."""
    database = Database(plant.url)
    async with httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{plant.port}", timeout=30) as http:
        onlooker = Onlooker(plant, database, http)
        try:
            yield onlooker
        finally:
            await database.close()


@asynccontextmanager
async def at_work(plant: Plant) -> AsyncIterator[Onlooker]:
    """Start a plant, look at it once it is up, and kill it in the end."""
    try:
        plant.start()
        async with look_on(plant) as seen:
            await seen.up()
            yield seen
    finally:
        plant.kill()


async def work_every_day(url: str) -> None:
    """Make every day around now a working day, so that tests pass on a Sunday too."""
    database = Database(url)
    this_year = datetime.now(UTC).year
    async with database.begin() as session:
        for year in range(this_year - 1, this_year + 4):
            days = (date(year, 1, 1) + timedelta(n) for n in range(366))
            work = [day.isoformat() for day in days if day.year == year and day.weekday() >= 5]
            session.add(
                CalendarYear(
                    hall=None,
                    year=year,
                    version=1000,
                    work=work,
                    source="每天都上班(测试)",
                    loaded_by="admin",
                    loaded_at=datetime.now(UTC),
                )
            )
    await database.close()
