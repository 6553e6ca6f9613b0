"""The Temporal workers: what is registered on which queue, and how they start and stop.

`python worker.py` (or `bancheng worker`) runs until SIGTERM or SIGINT; run as many as you like. With
`--queue` a process works on some of the queues only.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Worker

import logs
from activities.archiving import ArchivingActivities, FileOutlet, Outlet
from activities.calendar import CalendarActivities
from activities.inbox import Inbox
from activities.issuing import IssuingActivities
from activities.leaving import LetGo
from activities.ledger import LedgerActivities
from activities.notification import Channel, NotificationActivities
from activities.observing import Observed
from activities.registration import RegistrationActivities
from activities.reporting import ReportingActivities
from activities.writing import LedgerWriter
from assembly import build_services
from casework.delivering import post
from casework.engine import EngineUnavailable
from casework.erasing import keep_erasing
from casework.heads import start_heads
from casework.histories import exporting
from casework.house_keys import holding_keys
from casework.import_work import keep_importing
from casework.namespace import RETENTION, look_at
from casework.rearming import TellCases
from casework.relay import relay
from casework.report_making import ReportMaker
from casework.reporting import keep_reporting
from casework.resuming import empty_if_restored, resuming
from casework.services import Services
from casework.verifying import check_and_record
from channels import outside
from processes import beside, leave, run_to_end, settle_memory
from settings import Settings
from watching import worker_port
from workflows.calendar import ReArmWorkflow
from workflows.case import CaseWorkflow
from workflows.evidence import LedgerHeadsWorkflow
from workflows.issuing import SendAgainWorkflow, SendBulletinWorkflow
from workflows.queues import CASES, NOTIFICATIONS, QUEUES, REPORTING
from workflows.reporting import ReportingWorkflow
from workflows.runner import RUNNER

# What is under way when a stop is asked for may come to its end; the SDK's default is not to wait.
GRACE = timedelta(seconds=30)
# Cases kept in memory, some 110 KB each; others are read from their history when needed. That costs twice as
# much as an alarm does, so the 2,000 cases of a large hall that come due at one instant have room.
CACHED = 2500
TRY_AGAIN = 1.0  # seconds

log = logging.getLogger("bancheng.worker")


def build_workers(
    client: Client,
    services: Services,
    channels: Sequence[Channel] = (),
    outlets: Sequence[Outlet] | None = None,
    queues: Collection[str] = QUEUES,
) -> list[Worker]:
    """Return the workers of these queues, not started.

    Heads leave by `outlets`; without any, into their folder.
    """
    database = services.database
    writer = LedgerWriter(services.keyring, Inbox(tuple(channels)))
    ledger = LedgerActivities(database, writer)
    registration = RegistrationActivities(database, writer)
    calendar = CalendarActivities(database, TellCases(services.engine))
    by_name = {channel.name: channel for channel in channels}
    outside = NotificationActivities(database, by_name)
    issuing = IssuingActivities(database, by_name, outside)
    maker = ReportMaker(database, services.keyring, services.templates)
    reporting = ReportingActivities(database, services.reporting, maker)
    archiving = ArchivingActivities(
        database,
        services.evidence.signer,
        [FileOutlet(services.evidence.heads)] if outlets is None else outlets,
        services.clock.now,
        partial(check_and_record, services),
    )
    observed = Observed(services.watch.meters)
    calendar_work = [archiving.take, archiving.publish, archiving.check, reporting.make_due]
    work: dict[str, dict[str, Any]] = {
        CASES: {
            "workflows": [
                *(CaseWorkflow, ReArmWorkflow, LedgerHeadsWorkflow),
                *(ReportingWorkflow, SendBulletinWorkflow, SendAgainWorkflow),
            ],
            "activities": [
                registration.register,
                *(ledger.record, ledger.read, ledger.terms),
                *(calendar.committed, calendar.sweep),
                *calendar_work,  # asked of this queue by what began before it had one of its own
            ],
            "workflow_runner": RUNNER,
            "interceptors": [observed, LetGo()],
            "max_cached_workflows": CACHED,
        },
        NOTIFICATIONS: {"activities": [outside.deliver, issuing.send_bulletin], "interceptors": [observed]},
        REPORTING: {"activities": calendar_work, "interceptors": [observed]},
    }
    return [
        Worker(client, task_queue=queue, graceful_shutdown_timeout=GRACE, **work[queue])
        for queue in QUEUES
        if queue in queues
    ]


async def run_workers(
    services: Services,
    settings: Settings,
    stop: asyncio.Event,
    *,
    with_heads: bool = True,
    queues: Collection[str] = QUEUES,
) -> None:
    """Run workers and relay until `stop`, through any outage; return once all work is at its end.

    Without `with_heads` no head is taken day by day: a rehearsal takes one each time that it moves on.
    The relay and what else goes on beside the workers is where the cases are, the post where the
    notifications are.
    """
    said = ""
    async with outside(settings, services.wall) as ways, AsyncExitStack() as others:
        if CASES in queues:
            await others.enter_async_context(_beside(services, with_heads))
        if NOTIFICATIONS in queues:
            await others.enter_async_context(post(services, ways.personal))
        while not stop.is_set():
            try:
                client = await services.engine.client()
                if with_heads and CASES in queues:
                    await empty_if_restored(services)
                    await start_heads(services.engine)
                    await _warn_of_retention(client)
                outlets = [FileOutlet(services.evidence.heads), *ways.outlets]
                workers = build_workers(client, services, ways.channels, outlets, queues)
                await _until_stop(workers, stop)
            except EngineUnavailable as error:
                if said != (said := str(error)[:200]):
                    log.warning("waiting for the engine", extra={"reason": said})
            except Exception:
                log.exception("the workers failed and are started again")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TRY_AGAIN)


async def _until_stop(workers: Sequence[Worker], stop: asyncio.Event) -> None:
    """Run until `stop`, or until one of them fails: then raise what it raised."""
    running = [asyncio.create_task(worker.run()) for worker in workers]
    stopping = asyncio.create_task(stop.wait())
    log.info("workers started")
    await asyncio.wait([*running, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    await asyncio.gather(*(worker.shutdown() for worker in workers if worker.is_running))
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome
    log.info("workers stopped")


@asynccontextmanager
async def _beside(services: Services, engine_lasts: bool) -> AsyncIterator[None]:
    """Do what no workflow asks for.

    Register what was filed while the engine was away, export histories, have every hall report, erase
    personal data whose time is over, and file what was imported. An engine that lasts is asked now and
    then whether it is still the one that has the open cases.
    """
    work = [relay(services), exporting(services), keep_reporting(services)]
    work += [keep_erasing(services), keep_importing(services)]
    if engine_lasts:
        work.append(resuming(services))
    tasks = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _warn_of_retention(client: Client) -> None:
    """Say where closed histories are gone before our own export can be sure to have them."""
    try:
        kept = (await look_at(client)).retention
    except RPCError as error:  # an API key may do its work and see no namespace
        log.info("the namespace's retention is not ours to see", extra={"reason": str(error)[:200]})
        return
    if kept is not None and kept < RETENTION:
        log.warning(
            "the namespace keeps closed histories for too short a time: run `bancheng engine prepare`",
            extra={"namespace": client.namespace, "days": kept.days, "needed": RETENTION.days},
        )


async def run(settings: Settings, queues: Collection[str] = QUEUES) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = stop_on_signals()
    services = build_services(settings)
    settle_memory()
    services.keyring.waits = True
    try:
        async with worker_port(services, settings.metrics_port()), beside(holding_keys(services, "worker")):
            while services.keyring.waits and not stop.is_set():
                await asyncio.sleep(0.05)
            await run_workers(services, settings, stop, queues=queues)
    finally:
        await services.database.close()


def main() -> None:
    """Run as a program."""
    logs.configure()
    logs.forward_engine_logs()
    run_to_end(run(Settings()))
    leave(0)


if __name__ == "__main__":
    main()
