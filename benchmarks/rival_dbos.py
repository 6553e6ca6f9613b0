"""The same case on dbos: the product's rules and its ledger, made durable by dbos instead of Temporal.

`python -m benchmarks.rival_dbos SYSTEM_URL CONCURRENCY`, with the product's settings, and the ids of filings
that are laid out as JSON on stdin: runs whole lifecycles, then holds cases open, and prints what each took.
A command is a message to the workflow and an event back once its rows are on disk; the wait for it is a
durable timer to the next alarm; each command is one step, which decides and writes as the product's ledger
activity does. dbos is a library, so driver and workflows share one process, as in its own examples.
"""

import asyncio
import json
import os
import sys
import time
import uuid
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from dbos import DBOS, DBOSConfig, SetWorkflowID

from activities.inbox import Inbox
from activities.ledger import LedgerActivities
from activities.registration import RegistrationActivities
from activities.writing import LedgerWriter
from assembly import build_services
from benchmarks.lifecycle import HALL, STEPS, crowd
from benchmarks.rig import cpu_seconds, rss_kb
from casework.calendars import terms_for
from models.database import Database
from models.messages import (
    NextAlarm,
    Recorded,
    RecordRequest,
    RegisterRequest,
    Terms,
    decode_command,
    encode_command,
    encode_event,
)
from rules.case.alarms import next_alarm
from rules.case.decide import decide
from rules.case.events import SYSTEM, Actor, evolve
from rules.case.state import CaseState
from rules.case.vocabulary import Status
from settings import Settings

TOPIC = "command"
ANSWERED_WITHIN = 60.0  # seconds


class Given:
    """What steps need; dbos finds workflows by their names, so they are plain functions."""

    ledger: LedgerActivities
    registration: RegistrationActivities
    terms: Terms


@DBOS.step()
async def register(case_id: str) -> Recorded:
    """Give the number and write the first event."""
    return await Given.registration.register(RegisterRequest(case_id, datetime.now(UTC), Given.terms))


@DBOS.step()
async def act(case: CaseState, case_id: str, seq: int, message: dict[str, Any] | None) -> Recorded:
    """Decide a command, or the alarm that is due, and write its events."""
    policy, calendar = Given.terms.policy, Given.terms.read_calendar()
    if message is None:
        command, actor = next_alarm(case, policy, calendar), SYSTEM
        assert command is not None
        command_id = command.key
    else:
        command, actor = decode_command(message["name"], message["body"]), Actor(**message["actor"])
        command_id = message["id"]
    events = decide(case, command, datetime.now(UTC), actor, policy, calendar)
    after = case
    for event in events:
        after = evolve(after, event)
    alarm = next_alarm(after, policy, calendar)
    armed = NextAlarm(alarm.name, alarm.at) if alarm else None
    encoded = [encode_event(event) for event in events]
    return await Given.ledger.record(RecordRequest(case_id, seq, command_id, encoded, armed))


@DBOS.workflow()
async def case(case_id: str) -> int:
    """One case until it is archived."""
    state: CaseState | None = None
    seq = 0
    recorded = await register(case_id)
    answer: str | None = "register"
    while True:
        for row in recorded.rows:
            state, seq = evolve(state, row.event(SYSTEM)), row.seq
        assert state is not None
        if answer:
            await DBOS.set_event_async(answer, seq)
        if state.status is Status.ARCHIVED:
            return seq
        alarm = next_alarm(state, Given.terms.policy, Given.terms.read_calendar())
        wait = (alarm.at - datetime.now(UTC)).total_seconds() if alarm else 86_400.0 * 365
        message = await DBOS.recv_async(TOPIC, timeout_seconds=max(0.0, wait))
        recorded = await act(state, case_id, seq, message)
        answer = message["id"] if message else None


async def begin(case_id: str) -> None:
    """Start a case; return once it has its number."""
    with SetWorkflowID(case_id):
        await DBOS.start_workflow_async(case, case_id)
    await DBOS.get_event_async(case_id, "register", timeout_seconds=ANSWERED_WITHIN)


async def live(case_id: str) -> None:
    """One case from the filing to the archive."""
    await begin(case_id)
    for actor, command in STEPS:
        message = {
            "id": str(uuid.uuid4()),
            "name": command.name,
            "body": encode_command(command),
            "actor": asdict(actor),
        }
        await DBOS.send_async(case_id, message, topic=TOPIC)
        told = await DBOS.get_event_async(case_id, message["id"], timeout_seconds=ANSWERED_WITHIN)
        if told is None:
            raise RuntimeError(f"{command.name} was not answered")


async def run(lived: list[str], warm: list[str], held: list[str], concurrency: int) -> None:
    """Measure, and print each figure as soon as it is there."""
    await crowd(warm, live, concurrency)
    print(json.dumps({"warm": len(warm)}), flush=True)
    cpu, start = cpu_seconds(os.getpid()), time.perf_counter()
    await crowd(lived, live, concurrency)
    seconds, used = time.perf_counter() - start, cpu_seconds(os.getpid()) - cpu
    print(json.dumps({"seconds": seconds, "cpu": used}), flush=True)
    before = rss_kb(os.getpid())
    await crowd(held, begin, concurrency)
    await asyncio.sleep(2)
    print(json.dumps({"kb": rss_kb(os.getpid()) - before}), flush=True)


async def main(url: str, ids: dict[str, list[str]], concurrency: int) -> None:
    """Launch dbos and run."""
    settings = Settings()
    database, keyring = Database(settings.database), settings.keyring()
    writer = LedgerWriter(keyring, Inbox())
    Given.ledger = LedgerActivities(database, writer)
    Given.registration = RegistrationActivities(database, writer)
    Given.terms = await terms_for(build_services(settings), HALL, datetime.now(UTC))
    config: DBOSConfig = {
        "name": "rival",
        "system_database_url": url,
        "log_level": "ERROR",
        "sys_db_pool_size": 20,
    }
    DBOS(config=config)
    DBOS.launch()
    await run(ids["lived"], ids["warm"], ids["held"], concurrency)
    os._exit(0)  # cases that are held open end with us


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], json.load(sys.stdin), int(sys.argv[2])))
