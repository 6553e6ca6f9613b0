"""A hall that reports: the API, the workers, cases and a reporting workflow, with clocks of their own.

Times are written "MM-DD HH:MM" and mean 2037, whose dates fall on the weekdays of 2026; its notice is
that of 2026, so that Spring Festival, Labour Day and National Day are off as they were then.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, select
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from activities.inbox import Inbox
from activities.writing import LedgerWriter, read_head
from casework.calendars import terms_for
from casework.reporting import reporting_id
from models.codec import data_converter
from models.crypto import CaseKey
from models.filing import CaseSecret
from models.messages import encode_event
from models.petitioner import PetitionerDetails, seal_petitioner
from models.report import Report, ReportingPlan
from models.reporting import ReportingInput
from models.terms import CalendarYear
from rules.case.commands import Command
from rules.case.decide import decide
from tests.support.books import person
from tests.support.house import KEYRING
from tests.support.office import Office, SetClock, open_office, services_at
from tests.support.shell import CALENDAR, LEEWAY, YEAR, LiveCase, Shell, at, seen
from tests.support.temporal import TemporalServer
from worker import build_workers
from workflows.queues import CASES
from workflows.reporting import ReportingWorkflow

WITHIN = 30.0


@dataclass
class Newsroom:
    """The office, cases in 2037, and the reporting of a hall. `workers` runs what the product runs."""

    office: Office
    shell: Shell
    hall: str = "guilin"

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        """Run the workers of the product while the block runs."""
        async with AsyncExitStack() as stack:
            for worker in build_workers(self.shell.client, self.office.services):
                await stack.enter_async_context(worker)
            yield

    async def case(self, received: str, *, hall: str | None = None, name: str = "周小明") -> LiveCase:
        """File a case, petitioner included, and have it registered at that instant."""
        hall = hall or self.hall
        terms = await terms_for(self.office.services, hall, at(received))
        case = await self.shell.filing(received, terms=terms)
        async with self.office.services.database.begin() as session:
            secret = await session.get_one(CaseSecret, case.case_id)
            key = CaseKey.unwrap(KEYRING, case.case_id, secret.wrapped_key)
            details = PetitionerDetails("person", name, "13800130001")
            session.add(seal_petitioner(details, case.case_id, key, KEYRING))
        await case.start(at(received))
        return case

    async def begin(self, when: str, since: str | None = None) -> None:
        """Have the reporting of the hall, begun at `since`, meet its first worker at `when`.

        (No clock can be moved past a timer that nobody answers: so an outage is one from the start.)
        """
        await self.shell.client.start_workflow(
            ReportingWorkflow.run,
            ReportingInput(self.hall, at(since or when)),
            id=reporting_id(self.hall),
            task_queue=CASES,
            start_delay=at(when) - datetime.now(UTC),
        )
        await self.clock(when)
        await self.planned(after=when)

    async def clock(self, when: str) -> None:
        """Move the clock of the reporting; what was due until then is made, if there are workers."""
        skipper = self.shell.skipper
        ahead = at(when) + LEEWAY - await skipper.get_current_time(self.handle)
        if ahead > timedelta():
            await skipper.fast_forward(self.handle, ahead)

    async def until(self, when: str) -> list[str]:
        """Let time pass; return the hall's reports as `story` tells them."""
        await self.clock(when)
        await self.planned(after=when)
        return await self.story()

    async def planned(self, after: str | None = None) -> ReportingPlan:
        """The next report that the workflow has armed, once it lies after an instant."""
        async with asyncio.timeout(WITHIN):
            while True:
                async with self.office.services.database.read() as session:
                    plan = await session.get(ReportingPlan, self.hall)
                if plan and (after is None or plan.due_at > at(after)):
                    return plan
                await asyncio.sleep(0.05)

    async def reports(self) -> Sequence[Report]:
        """The hall's reports, the earliest due first."""
        wanted = (
            select(Report).where(Report.hall == self.hall).order_by(col(Report.due_at), col(Report.made_at))
        )
        async with self.office.services.database.read() as session:
            return (await session.exec(wanted)).all()

    async def story(self) -> list[str]:
        """The hall's reports: kind, when due, and what they cover."""
        return [
            f"{r.kind} {seen(r.due_at)} ({seen(r.covers_from)}, {seen(r.covers_to)}]"
            for r in await self.reports()
        ]

    async def slip_in(self, case: LiveCase, command: Command, username: str, when: str) -> None:
        """Write an event of an earlier instant into the ledger now, as after an outage of the ledger."""
        writer = LedgerWriter(KEYRING, Inbox())
        policy, calendar = case.terms.policy, case.terms.read_calendar()

        def append(session: Any) -> None:
            connection = session.connection()
            head = read_head(connection, case.case_id)
            assert head is not None
            events = decide(head.state, command, at(when), person(username), policy, calendar)
            writer.append(connection, head, f"late:{when}", [encode_event(e) for e in events], None)

        await self.office.services.database.write(append)

    async def end(self) -> None:
        """End what is under way: the workers of a later test must not take it up."""
        await self.shell.end()
        with suppress(RPCError):
            await self.handle.terminate()

    @property
    def handle(self) -> WorkflowHandle[Any, Any]:
        """The reporting workflow."""
        return self.shell.client.get_workflow_handle(reporting_id(self.hall))


@asynccontextmanager
async def open_newsroom(url: str, server: TemporalServer, folder: Path) -> AsyncIterator[Newsroom]:
    """Open it on a furnished database; nothing runs yet. The office's clock stands still."""
    client = await server.client(data_converter=data_converter(KEYRING))
    services = services_at(url, folder, clock=SetClock(at("01-05 09:00")))
    shell = Shell(client, services.database, KEYRING)
    services = replace(services, engine=shell.engine)
    async with open_office(services) as office:
        await _publish(office)
        newsroom = Newsroom(office, shell)
        try:
            yield newsroom
        finally:
            await newsroom.end()


async def _publish(office: Office) -> None:
    """Load the notice for the year, with nobody to be told."""
    async with office.services.database.begin() as session:
        session.add(
            CalendarYear(
                year=YEAR,
                version=1,
                off=[day.isoformat() for day in sorted(CALENDAR.off)],
                work=[day.isoformat() for day in sorted(CALENDAR.work)],
                source="关于2037年部分节假日安排的通知",
                loaded_by="admin",
                loaded_at=at("01-01 09:00"),
            )
        )
