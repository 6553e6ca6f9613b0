"""The tables that a case needs around it, and the check that its ledger is whole.

Everybody here is invented. Users are named as in the demonstration: `guilin.clerk`,
`guilin.market.contact`, …
"""

import hashlib
import json
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlmodel import col, select

from models.case import Case, LedgerEvent
from models.chain import verify_chain
from models.codes import hash_code, new_code
from models.crypto import CaseKey, Keyring
from models.database import Database
from models.directory import Hall, Unit, User
from models.filing import CaseSecret, Filing
from models.messages import StoredEvent, Terms, encode_policy, encode_state
from models.migrate import upgrade
from models.policies import read_policies
from models.terms import CalendarSnapshot, PolicyVersion
from rules.case.alarms import next_alarm
from rules.case.events import SYSTEM, Actor, Event, fold
from rules.case.state import CaseState
from rules.case.vocabulary import Role

HALLS = ("guilin", "chengzhong")
UNITS = ("market", "housing", "social", "civil")
WINDOW = {
    "clerk": Role.CLERK,
    "lead": Role.WINDOW_LEAD,
    "centre": Role.CENTRE,
    "supervisor": Role.SUPERVISOR,
}
OF_UNITS = {"contact": Role.CONTACT, "alternate": Role.CONTACT, "leader": Role.DEPUTY_LEADER}
POLICIES = read_policies(None)


def person(username: str) -> Actor:
    """Who acts, by a username of the demonstration."""
    *place, role = username.split(".")
    if not place:
        return Actor(Role(role), username, username)
    unit = place[1] if len(place) > 1 else None
    return Actor((OF_UNITS if unit else WINDOW)[role], username, username, place[0], unit)


async def make_ready(url: str, *terms: Terms) -> None:
    """Make all tables at an address, and furnish them: a database to be copied."""
    await upgrade(url)
    database = Database(url)
    await furnish(database, *terms)
    await database.close()


async def furnish(database: Database, *terms: Terms) -> None:
    """Add two halls with their units and people, and the terms that cases may follow."""
    async with database.begin() as session:
        for hall in HALLS:
            session.add(
                Hall(
                    code=hall,
                    name=hall,
                    level="city",
                    supervision_department="政务服务监督管理局",
                    policy_id=hall,
                )
            )
            session.add_all(Unit(hall=hall, code=unit, name=unit) for unit in UNITS)
            names = [f"{hall}.{role}" for role in WINDOW]
            names += [f"{hall}.{unit}.{role}" for unit in UNITS for role in OF_UNITS]
            session.add_all(map(_user, names))
        session.add(_user("superior"))
    for each in terms:
        await keep_terms(database, each)


def _user(username: str) -> User:
    actor = person(username)
    return User(
        username=username,
        name=username,
        password_hash="-",
        role=actor.role,
        hall=actor.hall,
        unit=actor.unit,
        alternate=username.endswith(".alternate"),
        created_at=datetime.now(UTC),
    )


async def keep_terms(database: Database, terms: Terms) -> None:
    """Store a policy version and a calendar, as filing a case does."""
    policy, version = terms.policy, str(terms.calendar["version"])
    async with database.begin() as session:
        if await session.get(PolicyVersion, (policy.id, policy.version)) is None:
            values = encode_policy(policy)
            session.add(PolicyVersion(id=policy.id, version=policy.version, values=values))
        if await session.get(CalendarSnapshot, version) is None:
            session.add(CalendarSnapshot(version=version, values=terms.calendar))


async def file_case(
    database: Database,
    keyring: Keyring,
    received_at: datetime,
    *,
    hall: str = "guilin",
    case_id: str | None = None,
) -> str:
    """Commit a filing, as casework does before it calls the engine; return the case's id."""
    case_id, key = case_id or str(uuid.uuid4()), CaseKey.create()
    form = json.dumps({"matter": "营业执照注销", "problem": "窗口要求重复提交证件"}, ensure_ascii=False)
    async with database.begin() as session:
        session.add(
            Filing(
                case_id=case_id,
                hall=hall,
                channel="counter",
                received_at=received_at,
                clerk=f"{hall}.clerk",
                body_hash=hashlib.sha256(form.encode()).hexdigest(),
                form=key.seal_text(form, "form"),
                query_code_hash=hash_code(new_code()),
            )
        )
        session.add(CaseSecret(case_id=case_id, wrapped_key=key.wrap(keyring, case_id)))
    return case_id


async def events_of(database: Database, case_id: str) -> list[LedgerEvent]:
    """Return the rows of a case's ledger, in order."""
    wanted = select(LedgerEvent).where(LedgerEvent.case_id == case_id).order_by(col(LedgerEvent.seq))
    async with database.read() as session:
        return list(await session.exec(wanted))


async def projection_of(database: Database, case_id: str) -> Case | None:
    """Return the case as lists show it."""
    async with database.read() as session:
        return await session.get(Case, case_id)


async def checked_fold(database: Database, case_id: str, terms: Terms | None = None) -> CaseState:
    """Return the fold of a case's ledger, once sure that the ledger and the projection are whole.

    Numbers run from 1, the chain holds to its end, no command and no alarm stands twice, and the
    projection shows the fold (under `terms`, its next alarm too).
    """
    rows, case = await events_of(database, case_id), await projection_of(database, case_id)
    assert case is not None, f"case {case_id} is not registered"
    assert verify_chain(rows, case.seq) is None
    assert [row.seq for row in rows] == list(range(1, case.seq + 1))
    ids = [(row.command_id, row.part) for row in rows]
    assert len(ids) == len(set(ids)), "a command stands twice in the ledger"
    fired = [key for row in rows for key in row.fired]
    assert len(fired) == len(set(fired)), "an alarm fired twice"
    state = fold(map(_event, rows))
    assert state is not None
    assert encode_state(state) == case.state
    shown = (case.number, case.status, case.level, case.due_at, case.unit)
    assert shown == (state.number, state.status, state.level, state.due_at, state.unit)
    if terms is not None:
        alarm = next_alarm(state, terms.policy, terms.read_calendar())
        armed = (alarm.name, alarm.at) if alarm else (None, None)
        assert (case.next_alarm_name, case.next_alarm_at) == armed
    return state


def _event(row: LedgerEvent) -> Event:
    stored = StoredEvent(row.seq, row.command_id, row.type, row.at, row.changes, row.fired)
    return stored.event(SYSTEM)


def terms_with(policy: str = "guilin", /, *, calendar: Any, **limits: Any) -> Terms:
    """Return the terms of a packaged policy, some limits changed, under `calendar`."""
    return Terms.of(replace(POLICIES[policy], **limits), calendar)
