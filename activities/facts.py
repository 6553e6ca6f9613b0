"""Writes what the figures count of a case, in the transaction that writes its events.

Most commands change nothing of it and cost nothing (rules/facts.py, `stirs`). Idempotent by the case:
a row is what the ledger says of it, however often it is written.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Update, and_, bindparam, case, delete, exists, insert, or_, select, update
from sqlalchemy.sql.elements import ColumnElement

from activities.tables import CALENDARS, CASES, EVENTS, FACTS, PETITIONERS, POLICIES
from models.calendar_values import calendar_from_values
from models.messages import decode_changes, decode_policy
from rules.calendar import Calendar
from rules.case.events import SYSTEM, Event, fold
from rules.case.state import CaseState
from rules.facts import CaseFacts, facts_of, outline, settled
from rules.policy import Policy
from rules.repeats import WITHIN, matter_key

_SIGN = 1 << 63
_PLACE = ("hall", "unit", "kind", "cause", "consulted", "out_of_scope", "merged", "apart")
_PLACE_AND_TIME = (*_PLACE, "counts_at", "counts_on")
# A case that was judged before, and is open again, is in no N until it is judged anew.
_NOTHING_YET = {"handled": 0}

_LEDGER = (
    select(EVENTS.c.type, EVENTS.c.at, EVENTS.c.changes, EVENTS.c.fired)
    .where(EVENTS.c.case_id == bindparam("case_id"))
    .order_by(EVENTS.c.seq)
)
_PERSON = select(PETITIONERS.c.phone_index).where(PETITIONERS.c.case_id == bindparam("case_id"))
# Locked: an event that is written meanwhile must find the row, or wait for it.
_MATTER = select(CASES.c.matter).where(CASES.c.id == bindparam("case_id")).with_for_update()


def _repeated(person: ColumnElement[Any], matter: ColumnElement[Any]) -> ColumnElement[int]:
    """Whether the same person came with the same matter within the days before: the mark 重复反映."""
    like = FACTS.alias("like")
    mine = bindparam("own_received_at", type_=FACTS.c.received_at.type)
    before = or_(
        like.c.received_at < mine, and_(like.c.received_at == mine, like.c.case_id < bindparam("own_id"))
    )
    found = exists().where(
        like.c.person_key == person,
        like.c.matter_key == matter,
        like.c.received_at >= bindparam("like_since", type_=FACTS.c.received_at.type),
        before,
    )
    return case((found, 1), else_=0)


# Built once: making a statement costs as much as running it.
_PERSON_KEY = bindparam("like_person", type_=FACTS.c.person_key.type)
_MATTER_KEY = bindparam("like_matter", type_=FACTS.c.matter_key.type)
_NEW = insert(FACTS).values(repeated=_repeated(_PERSON_KEY, _MATTER_KEY))
_MINE = FACTS.c.case_id == bindparam("own_id")
_CHANGED = update(FACTS).where(_MINE).values(repeated=_repeated(FACTS.c.person_key, FACTS.c.matter_key))
_NEW_MATTER = update(FACTS).where(_MINE).values(repeated=_repeated(FACTS.c.person_key, _MATTER_KEY))


class FactsWriter:
    """Keeps `case_facts` as the ledger is. It remembers policies and calendars, which never change."""

    def __init__(self) -> None:
        self._policies: dict[tuple[str, str], Policy] = {}
        self._calendars: dict[str, Calendar] = {}

    def begin(self, connection: Connection, state: CaseState, matter: str | None) -> None:
        """Write the row of a case that was just registered."""
        self._insert(connection, outline(state), matter)

    def change(self, connection: Connection, state: CaseState, at: datetime, matter: str | None) -> None:
        """Write what an event at `at` changed; `matter` only where it was typed anew."""
        if settled(state, at):
            values = columns_of_facts(self._facts(connection, state.case_id))
        else:
            known = columns_of_facts(outline(state))
            values = {name: known[name] for name in _PLACE_AND_TIME} | _NOTHING_YET
        statement: Update = _CHANGED
        if matter is not None:
            key = matter_key(matter)
            statement, values = _NEW_MATTER, values | {"matter_key": key, "like_matter": key}
        if connection.execute(statement, values | _own(state.case_id, state.received_at)).rowcount == 0:
            self.rewrite(connection, state.case_id)

    def rewrite(self, connection: Connection, case_id: str) -> None:
        """Make the row of a case anew from its ledger: one from before there were facts, or all of them."""
        matter = connection.execute(_MATTER, {"case_id": case_id}).scalar_one()
        connection.execute(delete(FACTS).where(FACTS.c.case_id == case_id))
        self._insert(connection, self._facts(connection, case_id), matter)

    def _insert(self, connection: Connection, facts: CaseFacts, matter: str | None) -> None:
        person = connection.execute(_PERSON, {"case_id": facts.case_id}).scalar_one_or_none()
        keys = {"person": person_key(person), "matter": matter_key(matter)}
        values = columns_of_facts(facts) | _own(facts.case_id, facts.received_at)
        values |= {f"{name}_key": key for name, key in keys.items()}
        connection.execute(_NEW, values | {f"like_{name}": key for name, key in keys.items()})

    def _facts(self, connection: Connection, case_id: str) -> CaseFacts:
        events = [
            Event(row.type, row.at, SYSTEM, changes=decode_changes(row.changes), fired=tuple(row.fired))
            for row in connection.execute(_LEDGER, {"case_id": case_id})
        ]
        state = fold(events)
        assert state is not None
        if not settled(state, events[-1].at):
            return outline(state)
        return facts_of(events, self._policy(connection, state), self._calendar(connection, state.calendar))

    def _policy(self, connection: Connection, state: CaseState) -> Policy:
        name = (state.policy.id, state.policy.version)
        if name not in self._policies:
            wanted = select(POLICIES.c["values"]).where(
                POLICIES.c.id == name[0], POLICIES.c.version == name[1]
            )
            self._policies[name] = decode_policy(connection.execute(wanted).scalar_one())
        return self._policies[name]

    def _calendar(self, connection: Connection, version: str) -> Calendar:
        if version not in self._calendars:
            wanted = select(CALENDARS.c["values"]).where(CALENDARS.c.version == version)
            self._calendars[version] = calendar_from_values(connection.execute(wanted).scalar_one())
        return self._calendars[version]


def _own(case_id: str, received_at: datetime) -> dict[str, Any]:
    return {"own_id": case_id, "own_received_at": received_at, "like_since": received_at - WITHIN}


def columns_of_facts(facts: CaseFacts) -> dict[str, Any]:
    """Return the facts as the columns of `case_facts`, but for what is looked up among other cases."""
    running = facts.running
    return {
        "case_id": facts.case_id,
        "received_at": facts.received_at,
        "received_on": facts.received_on,
        **{name: getattr(facts, name) for name in _PLACE},
        "counts_at": facts.counts_at,
        "counts_on": facts.counts_on,
        **asdict(facts.counts),
        "elsewhere": _shares(facts) or None,
        "held_by": running.holder if running else None,
        "held_since": running.since if running else None,
        "held_calendar": running.calendar if running else None,
    }


def _shares(facts: CaseFacts) -> dict[str, dict[str, int]]:
    """Return what belongs to earlier units, without what is nothing."""
    found = {
        unit: {name: n for name, n in asdict(part).items() if n} for unit, part in facts.elsewhere.items()
    }
    return {unit: share for unit, share in found.items() if share}


def person_key(phone_index: str | None) -> int | None:
    """Return a person as a number of 64 bits: a part of the keyed hash of the phone."""
    return int(phone_index[:16], 16) - _SIGN if phone_index else None
