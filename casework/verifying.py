"""Verifying the whole ledger: every chain of events and of acts, every signed head, the access log.

Memory stays bounded.

Hashing runs in a thread, so that a worker or an API that verifies goes on answering.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.archiving import read_head
from casework.acts_verifying import verify_acts
from casework.chain_check import ChainCheck, Held, Stands
from casework.findings import Finding
from casework.ledger_rows import EVENT_ROWS
from casework.services import Services
from models.access import AccessLog
from models.case import Case, LedgerEvent
from models.chain import ACCESS_CHAIN, GENESIS
from models.evidence import HeadLeaf, HistoryExport, LedgerCheck, LedgerHead
from models.heads import Head, HeadFile
from models.merkle import Leaf

CASES_AT_ONCE = 200
ROWS_AT_ONCE = 4000
LISTED = 100  # findings that are kept; the rest is counted

_PLACE = tuple_(col(LedgerEvent.case_id), col(LedgerEvent.seq))


@dataclass
class LedgerReport:
    """What came of it: how much was looked at, the first findings, and how many there are.

    `lost` are histories that the engine had deleted before they were exported: reported, no fault of
    the ledger.
    """

    cases: int = 0
    events: int = 0
    acts: int = 0
    heads: int = 0
    found: int = 0
    findings: list[Finding] = field(default_factory=list)
    lost: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return self.found == 0

    def add(self, finding: Finding | None) -> None:
        """Take a finding, if it is one."""
        if finding is not None:
            self.found += 1
            if len(self.findings) < LISTED:
                self.findings.append(finding)


def _nobody() -> None:
    """Tell nobody that it goes on."""


async def verify_ledger(
    services: Services, published: Sequence[HeadFile] = (), beat: Callable[[], None] = _nobody
) -> LedgerReport:
    """Verify everything; `published` are heads from outside, which the database cannot have changed.

    `beat` is called now and then. Raises DatabaseUnavailable.
    """
    report = LedgerReport()
    await _heads(services, report, published, beat)
    await _chains(services, report, _outside(published, "case"), beat)
    report.acts = await verify_acts(services, report.add, _outside(published, "act"), beat)
    await _exports(services, report, published)
    await _access_log(services, report, published, beat)
    return report


async def check_and_record(services: Services, beat: Callable[[], None]) -> bool:
    """Verify the ledger and keep what came of it, for people to read; return whether it holds."""
    report = await verify_ledger(services, beat=beat)
    row = LedgerCheck(
        at=await services.clock.now(),
        ok=report.ok,
        cases=report.cases,
        events=report.events,
        heads=report.heads,
        findings=[finding.values() for finding in report.findings],
    )
    async with services.database.begin() as session:
        session.add(row)
    return report.ok


async def _heads(
    services: Services, report: LedgerReport, published: Sequence[HeadFile], beat: Callable[[], None]
) -> None:
    """Check each head, that they follow each other, and that each has its leaves."""
    async with services.database.read() as session:
        numbers = list(await session.exec(select(LedgerHead.number).order_by(col(LedgerHead.number))))
    given = {file.head.number: file for file in published}
    keys, before = services.evidence.keys, None
    for number in numbers:
        file = await services.database.look(lambda session, number=number: read_head(session, number))  # type: ignore[misc]
        head, report.heads = file.head, report.heads + 1
        report.add(_of_head(head.fault(keys), head))
        if head.number != (before.number + 1 if before else 1):
            report.add(Finding("head_missing", facts={"head": head.number - 1}))
        elif head.prev_root != (before.root if before else GENESIS):
            report.add(_of_head("head_unlinked", head))
        if not await asyncio.to_thread(lambda file=file: file.whole):  # type: ignore[misc]
            report.add(_of_head("head_leaves", head))
        if number in given and given[number].head.root != head.root:
            report.add(_of_head("head_differs", given[number].head))
        before = head
        beat()
    for number, file in given.items():
        report.add(_of_head(file.head.fault(keys), file.head))
        if file.leaves and not file.whole:
            report.add(_of_head("head_leaves", file.head))
        if number not in numbers:
            report.add(_of_head("head_missing", file.head))


def _of_head(what: str | None, head: Head) -> Finding | None:
    return (what and Finding(what, facts={"head": head.number, "day": head.day.isoformat()})) or None


def _outside(published: Sequence[HeadFile], kind: str) -> Mapping[str, list[Held]]:
    """Return what the published heads hold, by key. A file whose leaves are not its own says nothing."""
    held: dict[str, list[Held]] = defaultdict(list)
    for file in published:
        for leaf in file.leaves if file.whole else ():
            if leaf.kind == kind:
                held[leaf.key].append(Held(file.head.number, file.head.day.isoformat(), leaf.seq, leaf.hash))
    return held


async def _chains(
    services: Services,
    report: LedgerReport,
    outside: Mapping[str, list[Held]],
    beat: Callable[[], None],
) -> None:
    after = ""
    last: str | None
    while True:
        async with services.database.read() as session:  # one snapshot: projection and ledger agree in it
            cases = await _some_cases(session, after)
            last = cases[-1][0] if len(cases) == CASES_AT_ONCE else None
            held = await _held(session, after, last)
            for case_id, known in outside.items():
                if case_id > after and (last is None or case_id <= last):
                    held[case_id] += known
            walk = _Walk(report, {row[0]: Stands(row[1], row[2]) for row in cases}, held)
            place = (after, 0)
            while rows := await _some_events(session, place, after, last):
                await asyncio.to_thread(walk.take, rows)
                place = rows[-1].case_id, rows[-1].seq
                beat()
        walk.end()
        report.cases += len(cases)
        if last is None:
            return
        after = last


class _Walk:
    """Goes over the events of a range of cases, in order."""

    def __init__(
        self, report: LedgerReport, stands: Mapping[str, Stands], held: Mapping[str, list[Held]]
    ) -> None:
        self._report, self._stands, self._held = report, stands, held
        self._left = {*stands, *held}
        self._check: ChainCheck | None = None

    def take(self, rows: Sequence[Row[Any]]) -> None:
        """Take the next rows."""
        for row in rows:
            if self._check is None or self._check.case_id != row.case_id:
                self._close()
                self._check = self._begin(row.case_id)
            self._check.event(row)
        self._report.events += len(rows)

    def end(self) -> None:
        """Close the last case, and those of which nothing is left."""
        self._close()
        for case_id in sorted(self._left):
            self._report.add(self._begin(case_id).end())

    def _begin(self, case_id: str) -> ChainCheck:
        return ChainCheck(case_id, self._stands.get(case_id), self._held.get(case_id, ()), EVENT_ROWS.hash_of)

    def _close(self) -> None:
        if self._check is not None:
            self._left.discard(self._check.case_id)
            self._report.add(self._check.end())
            self._check = None


async def _some_cases(session: AsyncSession, after: str) -> Sequence[tuple[str, int, str]]:
    wanted = select(Case.id, Case.seq, Case.last_hash).where(Case.id > after)
    return (await session.exec(wanted.order_by(col(Case.id)).limit(CASES_AT_ONCE))).all()


async def _held(session: AsyncSession, after: str, last: str | None) -> dict[str, list[Held]]:
    wanted = (
        select(HeadLeaf, col(LedgerHead.day))
        .join(LedgerHead, col(LedgerHead.number) == HeadLeaf.head)
        .where(HeadLeaf.kind == "case", HeadLeaf.key > after)
    )
    if last is not None:
        wanted = wanted.where(HeadLeaf.key <= last)
    held: dict[str, list[Held]] = defaultdict(list)
    for leaf, day in await session.exec(wanted):
        held[leaf.key].append(Held(leaf.head, day.isoformat(), leaf.seq, leaf.hash))
    return held


async def _some_events(
    session: AsyncSession, place: tuple[str, int], after: str, last: str | None
) -> Sequence[Row[Any]]:
    wanted = select(*EVENT_ROWS.columns).where(place < _PLACE, LedgerEvent.case_id > after)
    if last is not None:
        wanted = wanted.where(LedgerEvent.case_id <= last)
    wanted = wanted.order_by(col(LedgerEvent.case_id), col(LedgerEvent.seq)).limit(ROWS_AT_ONCE)
    rows: Sequence[Row[Any]] = (await session.exec(wanted)).all()
    return rows


async def _exports(services: Services, report: LedgerReport, published: Sequence[HeadFile]) -> None:
    """Hold the exported histories against the heads: each still has the hash that a head knows."""
    from_outside = [
        leaf for file in published if file.whole for leaf in file.leaves if leaf.kind == "history"
    ]
    async with services.database.read() as session:
        differs = (
            select(HeadLeaf.key, HeadLeaf.head, HistoryExport.case_id)
            .join(HistoryExport, col(HistoryExport.run_id) == HeadLeaf.key, isouter=True)
            .where(
                HeadLeaf.kind == "history",
                (col(HistoryExport.sha256).is_(None)) | (HistoryExport.sha256 != HeadLeaf.hash),
            )
        )
        for run_id, number, case_id in await session.exec(differs):
            report.add(Finding("history_replaced", case_id, facts={"run": run_id, "head": number}))
        for leaf in from_outside:
            known = await session.get(HistoryExport, leaf.key)
            if known is None or known.sha256 != leaf.hash:
                whose = known.case_id if known else None
                report.add(Finding("history_replaced", whose, facts={"run": leaf.key}))
        lost = select(HistoryExport).where(HistoryExport.outcome == "lost", HistoryExport.reason != "erased")
        for export in await session.exec(lost.order_by(col(HistoryExport.case_id))):
            report.lost.append(Finding("history_lost", export.case_id, facts={"run": export.run_id}))


async def _access_log(
    services: Services, report: LedgerReport, published: Sequence[HeadFile], beat: Callable[[], None]
) -> None:
    """Check the access log's own chain, against what heads hold of it too."""
    async with services.database.read() as session:
        leaves = (await session.exec(select(HeadLeaf).where(HeadLeaf.kind == "access"))).all()
    held = {leaf.seq: leaf.hash for leaf in leaves}
    given: list[Leaf] = [leaf for file in published if file.whole for leaf in file.leaves]
    held |= {leaf.seq: leaf.hash for leaf in given if leaf.kind == "access"}
    prev, after = GENESIS, 0
    while True:
        async with services.database.read() as session:
            wanted = select(AccessLog).where(col(AccessLog.id) > after).order_by(col(AccessLog.id))
            rows = (await session.exec(wanted.limit(ROWS_AT_ONCE))).all()
        for row in rows:
            after = int(row.id or 0)
            if not ACCESS_CHAIN.holds(row, prev):
                report.add(Finding("access_log_changed", seq=after))
                return
            if held.pop(after, row.hash) != row.hash:
                report.add(Finding("access_log_rewritten", seq=after))
                return
            prev = row.hash
        beat()
        if not rows:
            break
    if held:
        report.add(Finding("access_log_shortened", seq=min(held)))
