"""Whole lifecycles of a standard case beside a bare workflow, in one run, in turn.

    python benchmarks/lifecycle.py [--cases 100] [--runs 5] [--concurrency 20]

Prints throughput, CPU of server and worker per case, the median time to file a case over HTTP
beside a bare update-with-start, and the size of a standard case's history. What the product does beside a
case soon after (the rows that figures count, the export of the history) is done between the turns and told
apart. The floor is a bare workflow in the SDK's sandbox, as it comes; a third side runs it as ours are.
"""

import argparse
import asyncio
import json
import sys
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from sqlalchemy import create_engine
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy

from benchmarks.bare import LAST, OUR_RUNNER, QUEUE, ROWS, BareWorkflow, Step
from benchmarks.rig import Rig, cpu_seconds, ratio_of, report, timed
from casework.calendars import terms_for
from casework.engine import Engine, workflow_id
from casework.facts_filling import fill_facts
from casework.histories import export_ended
from models.codes import hash_code, new_code
from models.crypto import CaseKey
from models.filing import CaseSecret, Filing
from models.messages import CommandMessage, Terms, encode_command
from rules.case import commands as c
from rules.case.events import Actor
from rules.case.vocabulary import Cause, Kind, Role
from tests.support.signed import evidence_in

PASSWORD = "benchmark-password"
HALL, UNIT = "guilin", "market"
CLERK = Actor(Role.CLERK, "guilin.clerk", "窗口A岗", HALL)
LEAD = Actor(Role.WINDOW_LEAD, "guilin.lead", "窗口负责人", HALL)
CONTACT = Actor(Role.CONTACT, "guilin.market.contact", "联系人", HALL, UNIT)
NOTICE = c.OneTimeNotice(
    materials="身份证、营业执照", window="3号窗口", person="王经办", contact="0773-2800000"
)
STEPS: list[tuple[Actor, c.Command]] = [
    (CLERK, c.Triage(kind=Kind.SIMPLE, cause=Cause.OTHER, unit=UNIT, one_time_notice=NOTICE)),
    (CONTACT, c.Sign()),
    (CONTACT, c.ReplyCommand(text="已办结,请凭回执到3号窗口领取执照。", resolved=True)),
    (LEAD, c.CheckReply(accept=True)),
    (CLERK, c.Revisit(reached=True, rating=5)),
    (LEAD, c.Archive()),
]
FORM = {"matter": "个体工商户注销", "problem": "窗口要求重复提交已经共享的证件,来回跑了三次。"}


async def file_cases(rig: Rig, number: int) -> list[str]:
    """Lay out filings as the API does; their registration is part of what is measured."""
    ids = [str(uuid.uuid4()) for _ in range(number)]
    async with rig.database.begin() as session:
        for case_id in ids:
            key = CaseKey.create()
            session.add(
                Filing(
                    case_id=case_id,
                    hall=HALL,
                    channel="counter",
                    received_at=datetime.now(UTC),
                    clerk=str(CLERK.username),
                    body_hash="",
                    form=key.seal_text(json.dumps(FORM), "form"),
                    query_code_hash=hash_code(new_code()),
                )
            )
            session.add(CaseSecret(case_id=case_id, wrapped_key=key.wrap(rig.keyring, case_id)))
    return ids


async def live(engine: Engine, case_id: str, pinned: Terms) -> None:
    """One case from the filing to the archive."""
    await engine.start(case_id, pinned)
    for actor, command in STEPS:
        message = CommandMessage(str(uuid.uuid4()), actor, encode_command(command))
        await engine.command(case_id, command.name, message)


async def begin_bare(rig: Rig, case_id: str, queue: str = QUEUE) -> None:
    """Start a bare workflow with its first row."""
    operation: Any = WithStartWorkflowOperation(
        BareWorkflow.run,
        Step(case_id, 0, FORM["problem"]),
        id=f"bare-{case_id}",
        task_queue=queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    await rig.client.execute_update_with_start_workflow(
        BareWorkflow.begin, start_workflow_operation=operation
    )


async def live_bare(rig: Rig, case_id: str, queue: str = QUEUE, steps: int = LAST) -> None:
    """The same number of updates, rows and timers without rules; to the end, or only `steps` of them."""
    await begin_bare(rig, case_id, queue)
    handle = rig.client.get_workflow_handle(f"bare-{case_id}")
    for step in range(1, steps + 1):
        await handle.execute_update(
            BareWorkflow.step, Step(case_id, step, FORM["problem"]), id=str(uuid.uuid4())
        )


async def crowd(ids: list[str], one: Callable[[str], Awaitable[None]], concurrency: int) -> None:
    """Run all, so many at a time."""
    gate = asyncio.Semaphore(concurrency)

    async def guarded(case_id: str) -> None:
        async with gate:
            await one(case_id)

    await asyncio.gather(*map(guarded, ids))


async def come_to_rest(rig: Rig) -> None:
    """Do what the product does beside a case, soon after: write what figures count, keep its history.

    Else it would fall into the floor's turn, and slow that down.
    """
    services = replace(rig.services(), given_evidence=evidence_in(rig.folder))
    while await fill_facts(services):
        pass
    await export_ended(services)


class Measured:
    """Throughput and CPU of one side, run by run."""

    def __init__(self, rig: Rig, pid: int) -> None:
        self.rig, self.pid = rig, pid
        self.rates: list[float] = []
        self.cpu: list[float] = []

    async def run(self, ids: list[str], one: Callable[[str], Awaitable[None]], concurrency: int) -> None:
        before = self.rig.server_cpu() + cpu_seconds(self.pid)
        seconds = await timed(lambda: crowd(ids, one, concurrency))
        after = self.rig.server_cpu() + cpu_seconds(self.pid)
        self.rates.append(len(ids) / seconds)
        self.cpu.append((after - before) / len(ids) * 1000)

    async def rest(self, cases: int) -> float:
        """Come to rest after a run of so many cases; return the CPU that it took, in ms a case."""
        before = self.rig.server_cpu() + cpu_seconds(self.pid) + time.process_time()
        await come_to_rest(self.rig)
        after = self.rig.server_cpu() + cpu_seconds(self.pid) + time.process_time()
        return (after - before) / cases * 1000


async def filing_times(rig: Rig, port: int, number: int) -> tuple[float, float]:
    """Median milliseconds to file a case over HTTP, and to start a bare one, in turn."""
    ours: list[float] = []
    bare: list[float] = []
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}/api") as http:
        form = {"username": CLERK.username, "password": PASSWORD}
        token = (await http.post("/token", data=form)).json()["access_token"]
        http.headers["authorization"] = f"Bearer {token}"
        for count in range(number):
            body = {
                "hall": HALL,
                "channel": "counter",
                "petitioner": {"kind": "person", "name": "张三", "phone": f"1380013{count:04d}"},
                **FORM,
            }
            start = time.perf_counter()
            response = await http.post("/cases", json=body)
            ours.append((time.perf_counter() - start) * 1000)
            response.raise_for_status()
            bare.append(await timed(lambda: begin_bare(rig, str(uuid.uuid4()))) * 1000)
    return median(ours), median(bare)


async def history(rig: Rig, case_id: str) -> tuple[int, int]:
    """Return events and bytes of a case's history."""
    handle = rig.client.get_workflow_handle(workflow_id(case_id))
    info = (await handle.describe()).raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


async def measure(options: argparse.Namespace) -> None:
    """Run both sides in turn and print what came out."""
    async with Rig() as rig:
        ROWS.metadata.create_all(create_engine(str(rig.database_url).replace("+aiosqlite", "")))
        await rig.demonstrate(PASSWORD)
        ours = Measured(rig, rig.spawn("worker.py").pid)
        bare = Measured(rig, rig.spawn("-m", "benchmarks.bare_worker").pid)
        same = Measured(rig, rig.spawn("-m", "benchmarks.bare_worker", "--our-runner").pid)
        port = await rig.serve_api() if options.filings else 0
        engine, pinned = rig.engine(), await terms_for(rig.services(), HALL, datetime.now(UTC))

        async def one(case_id: str) -> None:
            await live(engine, case_id, pinned)

        async def one_bare(case_id: str) -> None:
            await live_bare(rig, case_id)

        async def one_same(case_id: str) -> None:
            await live_bare(rig, case_id, OUR_RUNNER)

        def fresh() -> list[str]:
            return [str(uuid.uuid4()) for _ in range(options.cases)]

        warm = await file_cases(rig, options.concurrency)
        await crowd(warm, one, options.concurrency)
        await crowd(warm, one_bare, options.concurrency)
        await crowd(fresh(), one_same, options.concurrency)
        await ours.rest(options.concurrency)
        beside: list[float] = []
        for count in range(options.runs):
            await bare.run(fresh(), one_bare, options.concurrency)
            await ours.run(await file_cases(rig, options.cases), one, options.concurrency)
            beside.append(await ours.rest(options.cases))
            await same.run(fresh(), one_same, options.concurrency)
            rates = [side.rates[-1] for side in (bare, ours, same)]
            print(f"run {count + 1}: bare {rates[0]:.1f}/s, ours {rates[1]:.1f}/s,", end=" ")
            print(f"bare run as ours {rates[2]:.1f}/s", flush=True)
        ours_p50, bare_p50 = await filing_times(rig, port, options.filings) if options.filings else (0, 1)
        events, size = await history(rig, warm[0])
    print_figures(ours, bare, same, (ours_p50, bare_p50), (events, size), median(beside))


def print_figures(
    ours: Measured,
    bare: Measured,
    same: Measured,
    filing: tuple[float, float],
    kept: tuple[int, int],
    beside: float,
) -> None:
    """Print medians beside both floors, and the figures: medians of the ratios of neighbouring turns."""
    rate, floor, second = median(ours.rates), median(bare.rates), median(same.rates)
    cpu, cpu_floor, cpu_second = median(ours.cpu), median(bare.cpu), median(same.cpu)
    ratio, ratio_same = ratio_of(ours.rates, bare.rates), ratio_of(ours.rates, same.rates)
    cpu_ratio, cpu_ratio_same = ratio_of(ours.cpu, bare.cpu), ratio_of(ours.cpu, same.cpu)
    rows = [
        ("", "ours", "bare", "ratio", "bare run as ours", "ratio"),
        (
            "lifecycles per second",
            *(f"{rate:.1f}", f"{floor:.1f}", f"{ratio:.2f}"),
            *(f"{second:.1f}", f"{ratio_same:.2f}"),
        ),
        (
            "CPU per case, ms",
            *(f"{cpu:.0f}", f"{cpu_floor:.0f}", f"{cpu_ratio:.2f}"),
            *(f"{cpu_second:.0f}", f"{cpu_ratio_same:.2f}"),
        ),
        ("CPU beside it, ms", f"{beside:.1f}", "", "", "", ""),
        ("filing p50, ms", f"{filing[0]:.1f}", f"{filing[1]:.1f}", f"{filing[0] / filing[1]:.2f}", "", ""),
        ("history events", str(kept[0]), "", "", "", ""),
        ("history bytes", str(kept[1]), "", "", "", ""),
    ]
    figures = {
        "lifecycle_ratio": round(ratio, 3),
        "cpu_ratio": round(cpu_ratio, 3),
        "filing_p50_ratio": round(filing[0] / filing[1], 3),
        "history_events": kept[0],
        "history_bytes": kept[1],
        "lifecycle_ratio_same_runner": round(ratio_same, 3),
        "cpu_ratio_same_runner": round(cpu_ratio_same, 3),
        "beside_cpu_ms": round(beside, 1),
    }
    report(rows, figures)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100, help="lifecycles a run (default 100)")
    parser.add_argument("--runs", type=int, default=5, help="runs of each side (default 5)")
    parser.add_argument("--concurrency", type=int, default=20, help="callers at once (default 20)")
    parser.add_argument("--filings", type=int, default=100, help="filings over HTTP (default 100)")
    asyncio.run(measure(parser.parse_args()))


if __name__ == "__main__":
    main()
