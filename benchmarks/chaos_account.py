"""The account at the end of the chaos: the ledger against the answers, the rules and the workflows.

Nothing here trusts what the machine did: which alarms were due is reckoned anew with the rules, from the
state that the ledger folds to before each of its events.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import select

from benchmarks.chaos_load import Answers
from casework.pinned import Pinned, PinnedTerms
from models.case import LedgerEvent
from models.database import Database
from models.filing import Filing
from models.messages import StoredEvent, encode_state
from rules.case.alarms import Alarm, next_alarm
from rules.case.events import SYSTEM, Event, evolve
from rules.case.state import CaseState
from rules.case.vocabulary import Role
from tests.support.books import checked_fold, events_of
from tests.support.onlooker import Onlooker

AT_ONCE = 20
Terms = Callable[[CaseState], Pinned]


@dataclass
class Account:
    """What was found; `findings` names every fault in words."""

    cases: int = 0
    events: int = 0
    alarms: int = 0
    lost: int = 0
    doubled: int = 0
    alarms_missed: int = 0
    alarms_doubled: int = 0
    broken: int = 0
    astray: int = 0
    lateness: list[float] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    def note(self, what: str, case_id: str, said: object, times: int = 1) -> None:
        """Count a fault under its name."""
        setattr(self, what, getattr(self, what) + times)
        self.findings.append(f"{what}: {case_id}: {said}")


async def account_of(seen: Onlooker, answers: Answers, until: datetime) -> Account:
    """Settle the account of everything that was filed, with the alarms due by `until`."""
    made, turns, pinned = Account(), asyncio.Semaphore(AT_ONCE), PinnedTerms()
    filed = await _filed(seen.database)
    for key, case_id in answers.cases.items():
        if filed.get(key) != case_id:
            made.note("lost", case_id, f"{key} was answered with it, and the filings say {filed.get(key)}")

    async def one(case_id: str) -> None:
        async with turns:
            await _settle(seen, made, pinned, case_id, answers, until)

    await asyncio.gather(*map(one, filed.values()))
    return made


async def _filed(database: Database) -> dict[str, str]:
    """Return the case of each key: the table has one row a key at most."""
    async with database.read() as session:
        rows = (await session.exec(select(Filing.idempotency_key, Filing.case_id))).all()
    return {str(key): case_id for key, case_id in rows}


async def _settle(
    seen: Onlooker, made: Account, pinned: PinnedTerms, case_id: str, answers: Answers, until: datetime
) -> None:
    made.cases += 1
    rows = await events_of(seen.database, case_id)
    made.events += len(rows)
    if not rows:
        return made.note("lost", case_id, "was filed and never registered")
    try:
        held = encode_state(await checked_fold(seen.database, case_id))
    except AssertionError as fault:
        return made.note("broken", case_id, str(fault).splitlines()[0])
    count_acts(made, case_id, rows, answers)
    terms = await _terms(seen.database, pinned, rows)
    reckon_alarms(made, case_id, rows, terms, until)
    if (holds := await seen.held(case_id)) != held:
        made.note("astray", case_id, _apart(holds, held, rows))


def _apart(holds: Any, held: dict[str, Any], rows: Sequence[LedgerEvent]) -> str:
    """Say how far a workflow is from its ledger."""
    story = " ".join(row.type for row in rows)
    if holds is None:
        return f"its workflow does not answer; the ledger holds {story}"
    apart = {name: (holds.get(name), value) for name, value in held.items() if holds.get(name) != value}
    return f"its workflow and the ledger ({story}) differ in {apart}"


def count_acts(made: Account, case_id: str, rows: Sequence[LedgerEvent], answers: Answers) -> None:
    """Hold the commands in the ledger against those that were answered, by their names."""
    done = Counter(row.type for row in rows if row.actor["role"] != Role.SYSTEM)
    answered = Counter({name: n for (case, name), n in answers.acts.items() if case == case_id})
    for name, times in (answered - done).items():
        made.note("lost", case_id, f"{name} was answered and is not there", times)
    for name, times in (done - answered).items():
        made.note("doubled", case_id, f"{name} is there and nobody was answered", times)
    births = sum(row.type == "registered" for row in rows)
    if births != 1:
        made.note("doubled" if births else "lost", case_id, f"registered {births} times")


def reckon_alarms(
    made: Account, case_id: str, rows: Sequence[LedgerEvent], terms: Terms, until: datetime
) -> None:
    """Walk through the ledger: each alarm that was due before an event must be an event before it."""
    state: CaseState | None = None
    fired: Counter[str] = Counter()
    overtaken: list[Alarm] = []
    before = rows[0].at
    for row in rows:
        due = _due(state, terms, row.at)
        if row.command_id in row.fired:
            made.alarms += 1
            if due is None:
                made.note("alarms_doubled", case_id, f"{row.command_id} fired and was not due")
            elif due.key != row.command_id:
                overtaken.append(due)
            else:
                # What lay behind when it was armed (a warning of a case filed late) was not late.
                made.lateness.append((row.at - max(due.at, due.armed_at, before)).total_seconds())
        elif due is not None:
            overtaken.append(due)
        fired.update(row.fired)
        state, before = evolve(state, _event(row)), row.at
    if (last := _due(state, terms, until)) is not None:
        overtaken.append(last)
    for key in {alarm.key for alarm in overtaken} - fired.keys():
        made.note("alarms_missed", case_id, f"{key} was due and never fired")
    for key, times in fired.items():
        if times > 1:
            made.note("alarms_doubled", case_id, f"{key} fired {times} times", times - 1)


def _due(state: CaseState | None, terms: Terms, at: datetime) -> Alarm | None:
    """Return the alarm that has to be the next event at this instant, if one is due."""
    if state is None:
        return None
    pinned = terms(state)
    alarm = next_alarm(state, pinned.policy, pinned.calendar)
    return alarm if alarm is not None and alarm.at <= at else None


async def _terms(database: Database, pinned: PinnedTerms, rows: Iterable[LedgerEvent]) -> Terms:
    """Read the terms of every state of a case beforehand: the walk waits for nothing."""
    found: dict[tuple[str, str, str], Pinned] = {}
    state: CaseState | None = None
    async with database.read() as session:
        for row in rows:
            state = evolve(state, _event(row))
            if _named(state) not in found:
                found[_named(state)] = await pinned.at(session, state)
    return lambda state: found[_named(state)]


def _named(state: CaseState) -> tuple[str, str, str]:
    return state.policy.id, state.policy.version, state.calendar


def _event(row: LedgerEvent) -> Event:
    return StoredEvent(row.seq, row.command_id, row.type, row.at, row.changes, row.fired).event(SYSTEM)
