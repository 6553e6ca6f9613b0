"""Verifying one case: its chain, the records of its bulletins, the heads over both, and the replay."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlmodel import col, or_, select

from activities.archiving import read_head
from casework.case_acts import ItemRecord, acts_of_case
from casework.chain_check import Held, Stands, check_chain
from casework.findings import Finding
from casework.histories import RunHistory, histories_of
from casework.ledger_texts import Texts, case_keys, read_events
from casework.replay_check import Recorded, check_replays
from casework.services import Services
from models.case import Case, LedgerEvent
from models.codec import data_converter
from models.evidence import HeadLeaf
from models.heads import HeadFile
from models.merkle import Leaf
from models.retention import Erasure


@dataclass(frozen=True)
class CaseEvidence:
    """All that speaks for a case, as it was read: nothing of it is verified yet.

    `heads` are those over the case or over one of its `records`, oldest first.
    """

    case: Case
    rows: Sequence[tuple[LedgerEvent, Texts]]
    erased: bool
    heads: Sequence[HeadFile]
    runs: Sequence[RunHistory]
    records: Sequence[ItemRecord] = ()
    erased_at: datetime | None = None

    def over(self, kind: str, key: str) -> list[tuple[HeadFile, Leaf]]:
        """Return the heads over the case (`case`, its id) or a record (`act`, its key), with their leaf."""
        return [
            (file, leaf)
            for file in self.heads
            for leaf in file.leaves
            if (leaf.kind, leaf.key) == (kind, key)
        ]

    def held(self, kind: str, key: str) -> list[Held]:
        """Return what these heads hold."""
        return [
            Held(file.head.number, file.head.day.isoformat(), leaf.seq, leaf.hash)
            for file, leaf in self.over(kind, key)
        ]

    @property
    def recorded(self) -> list[Recorded]:
        """Return the events as a replay is held against."""
        return [_recorded(row, None if self.erased else texts) for row, texts in self.rows]


@dataclass(frozen=True)
class CaseReport:
    """What came of it. `head` is the newest over the case; the numbers count what was looked at.

    `erased_at`: the case's personal data was erased then, and its history with it.
    """

    events: int
    runs: int
    head: HeadFile | None
    ledger: list[Finding] = field(default_factory=list)
    replay: list[Finding] = field(default_factory=list)
    acts: int = 0
    erased_at: datetime | None = None

    @property
    def ledger_ok(self) -> bool:
        """Whether the chains and the heads hold."""
        return not self.ledger

    @property
    def replay_ok(self) -> bool:
        """Whether every run replays to the events of the ledger; not where a history is lost."""
        return not self.replay

    @property
    def only_erased(self) -> bool:
        """Whether the one thing missing is the history that was erased with the personal data."""
        gone = all(finding.what == "history_erased" for finding in self.replay)
        return self.ledger_ok and gone and bool(self.replay) and self.erased_at is not None


async def gather_evidence(services: Services, case_id: str) -> CaseEvidence:
    """Read what speaks for a case.

    Raises EngineUnavailable where a history is still with the engine, DatabaseUnavailable.
    """
    chains = await gather_chains(services, case_id)
    # After the ledger: what it holds by now, an open case's history holds too.
    return replace(chains, runs=await histories_of(services, case_id))


async def gather_chains(services: Services, case_id: str) -> CaseEvidence:
    """Read chains and heads alone, which needs no engine. Raises DatabaseUnavailable."""
    async with services.database.read() as session:  # one snapshot: projection and ledger agree in it
        case = await session.get_one(Case, case_id)
        erasure = await session.get(Erasure, case_id)
        rows = await read_events(session, services.keyring, [case_id])
        erased = case_id not in await case_keys(session, services.keyring, [case_id])
        records = await acts_of_case(session, services.keyring, case_id)
        of_case = (col(HeadLeaf.kind) == "case") & (col(HeadLeaf.key) == case_id)
        keys = [record.key for record in records]
        of_acts = (col(HeadLeaf.kind) == "act") & col(HeadLeaf.key).in_(keys)
        over = select(HeadLeaf.head).where(or_(of_case, of_acts)).distinct()
        numbers = list(await session.exec(over.order_by(col(HeadLeaf.head))))
    heads = [
        await services.database.look(lambda session, number=number: read_head(session, number))  # type: ignore[misc]
        for number in numbers
    ]
    erased_at = erasure.erased_at if erasure else None
    return CaseEvidence(case, rows, erased, heads, (), records, erased_at)


async def verify_case(services: Services, case_id: str) -> CaseReport:
    """Verify a case. Raises EngineUnavailable, DatabaseUnavailable."""
    return await verify_evidence(services, await gather_evidence(services, case_id))


async def verify_evidence(services: Services, evidence: CaseEvidence) -> CaseReport:
    """Verify what was gathered."""
    case = evidence.case
    ledger: list[Finding] = []
    for file in evidence.heads:
        head = file.head
        fault = head.fault(services.evidence.keys)
        if fault is None and not await asyncio.to_thread(lambda file=file: file.whole):  # type: ignore[misc]
            fault = "head_leaves"
        if fault:
            facts = {"head": head.number, "day": head.day.isoformat()}
            ledger.append(Finding(fault, case.id, facts=facts))
    rows = [row for row, _ in evidence.rows]
    chain = check_chain(case.id, rows, Stands(case.seq, case.last_hash), evidence.held("case", case.id))
    acts = [record.fault(evidence.held("act", record.key)) for record in evidence.records]
    over = evidence.over("case", case.id)
    return CaseReport(
        events=len(rows),
        runs=len(evidence.runs),
        head=over[-1][0] if over else None,
        ledger=[*filter(None, [chain, *acts]), *ledger],
        replay=await _replayed(services, evidence),
        acts=sum(len(record.rows) for record in evidence.records),
        erased_at=evidence.erased_at if evidence.erased else None,
    )


async def _replayed(services: Services, evidence: CaseEvidence) -> list[Finding]:
    case_id = evidence.case.id
    findings = [
        Finding(run.fault, case_id, facts={"run": run.run_id, "reason": run.reason})
        for run in evidence.runs
        if run.fault
    ]
    there = [(run.run_id, run.history) for run in evidence.runs if run.history is not None]
    converter = data_converter(services.keyring)
    whole = not findings and bool(there)
    return findings + await check_replays(case_id, evidence.recorded, there, converter, whole)


def _recorded(row: LedgerEvent, texts: Texts | None) -> Recorded:
    return Recorded(
        row.seq,
        row.command_id,
        row.type,
        row.at,
        row.actor,
        row.data,
        row.changes,
        row.fired,
        texts,
    )
