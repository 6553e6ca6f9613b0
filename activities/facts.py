"""Writes what the figures count of a case, beside the ledger: soon after the event that changes it.

Such an event marks its case (`cases.facts_due`), and most commands mark nothing (rules/facts.py, `stirs`).
Idempotent by the case: a row is what the ledger says of it, however often it is written.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ColumnElement

from activities.tables import CALENDARS, CASES, EVENTS, FACTS, PETITIONERS, POLICIES
from models.calendar_values import calendar_from_values
from models.messages import decode_changes, decode_policy, decode_state
from rules.calendar import Calendar
from rules.case.events import SYSTEM, Event
from rules.case.state import CaseState
from rules.facts import CaseFacts, facts_of, outline, settled
from rules.policy import Policy
from rules.repeats import WITHIN, matter_key

_log = structlog.get_logger(__name__)
_SIGN = 1 << 63
_EVER = datetime(9999, 1, 1, tzinfo=UTC)
_PLACE = ("hall", "unit", "kind", "cause", "consulted", "out_of_scope", "merged", "apart")

_LEDGER = (
    select(EVENTS.c.type, EVENTS.c.at, EVENTS.c.changes, EVENTS.c.fired)
    .where(EVENTS.c.case_id == bindparam("case_id"))
    .order_by(EVENTS.c.seq)
)
_PERSON = select(PETITIONERS.c.phone_index).where(PETITIONERS.c.case_id == bindparam("case_id"))
# Word for word the condition of the partial index.
_IS_DUE = text("cases.facts_due")
_UNTIL = CASES.c.updated_at <= bindparam("until", type_=CASES.c.updated_at.type)
_ANY_DUE = select(CASES.c.id).where(_IS_DUE, _UNTIL).limit(1)
# Locked: an event that is written meanwhile waits, and marks the case again.
_DUE = (
    select(CASES.c.id, CASES.c.state, CASES.c.updated_at, CASES.c.matter)
    .where(_IS_DUE, _UNTIL)
    .order_by(CASES.c.received_at, CASES.c.id)
    .limit(bindparam("most"))
    .with_for_update()
)
_DONE = update(CASES).where(CASES.c.id.in_(bindparam("ids", expanding=True))).values(facts_due=False)
_OLD = delete(FACTS).where(FACTS.c.case_id == bindparam("case_id"))


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


def any_due(connection: Connection, until: datetime | None = None) -> bool:
    """Whether facts of any case are older than its ledger; of any that has no event since `until`."""
    return connection.execute(_ANY_DUE, {"until": until or _EVER}).first() is not None


class FactsWriter:
    """Brings `case_facts` up to the ledger. It remembers policies and calendars, which never change."""

    def __init__(self) -> None:
        self._policies: dict[tuple[str, str], Policy] = {}
        self._calendars: dict[str, Calendar] = {}

    def write_due(self, connection: Connection, most: int, until: datetime | None = None) -> int:
        """Make the rows of marked cases anew from their ledgers, `most` of them; return of how many.

        `until` leaves cases alone that have an event since.

        Oldest first, since whether a case was a repeated one is looked up among those before it. A case
        that can't be read, because somebody wrote into its rows, keeps the row it had, and the log names it.
        """
        due = connection.execute(_DUE, {"most": most, "until": until or _EVER}).all()
        for row in due:
            try:
                facts = self._facts(connection, row)
            except DBAPIError:
                raise
            except Exception:  # whatever stands there: the figures of all others go on
                _log.exception("facts not written", case_id=row.id)
                continue
            connection.execute(_OLD, {"case_id": row.id})
            self._insert(connection, facts, row.matter)
        if due:
            connection.execute(_DONE, {"ids": [row.id for row in due]})
        return len(due)

    def _facts(self, connection: Connection, row: Any) -> CaseFacts:
        state = decode_state(row.state)
        if not settled(state, row.updated_at):
            return outline(state)
        wanted = connection.execute(_LEDGER, {"case_id": row.id})
        events = [
            Event(told.type, told.at, SYSTEM, changes=decode_changes(told.changes), fired=tuple(told.fired))
            for told in wanted
        ]
        return facts_of(events, self._policy(connection, state), self._calendar(connection, state.calendar))

    def _insert(self, connection: Connection, facts: CaseFacts, matter: str | None) -> None:
        person = connection.execute(_PERSON, {"case_id": facts.case_id}).scalar_one_or_none()
        keys = {"person": person_key(person), "matter": matter_key(matter)}
        values = columns_of_facts(facts) | {
            "own_id": facts.case_id,
            "own_received_at": facts.received_at,
            "like_since": facts.received_at - WITHIN,
        }
        values |= {f"{name}_key": key for name, key in keys.items()}
        connection.execute(_NEW, values | {f"like_{name}": key for name, key in keys.items()})

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
