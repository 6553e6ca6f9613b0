"""How events get into the ledger: one transaction holds the rows, the projection and inboxes.

Plain functions over a SQLAlchemy Core connection, run by `Database.write`: this is the hot path of
the product, and one hop for the whole transaction costs a third of an ORM session.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from activities.bulletins import draft
from activities.inbox import Inbox
from activities.projection import columns_of, texts_of
from activities.runs import note_ended, note_run
from activities.tables import CASES, CO_UNITS, DELIVERIES, EVENTS, SECRETS
from models.chain import EVENT_CHAIN, GENESIS
from models.crypto import CaseKey, Keyring
from models.messages import (
    NextAlarm,
    Recorded,
    StoredEvent,
    Values,
    decode_changes,
    decode_state,
    encode_state,
)
from rules.case.events import SYSTEM, Event, evolve
from rules.case.state import CaseState
from rules.case.vocabulary import Status
from rules.facts import stirs


def wrapped_key_of(case_id: ColumnElement[str]) -> ColumnElement[str]:
    """Return the column ``wrapped_key`` beside another one that holds a case's id."""
    key = select(SECRETS.c.wrapped_key).where(SECRETS.c.case_id == case_id)
    return key.scalar_subquery().label("wrapped_key")


# Built once: making a statement costs as much as running it.
_HEAD = (
    select(CASES.c.seq, CASES.c.last_hash, CASES.c.run_id, CASES.c.state, wrapped_key_of(CASES.c.id))
    .where(CASES.c.id == bindparam("case_id"))
    .with_for_update()
)
_PROJECT = update(CASES).where(CASES.c.id == bindparam("case_id"))
_RECORD = insert(EVENTS)


@dataclass(frozen=True)
class Head:
    """Where the ledger of a case stands: number and hash of its last event, and the state after it.

    ``wrapped_key`` is the key that the case's texts are sealed under, None once it was destroyed.
    ``run_id`` is the run of the workflow that wrote last.
    """

    case_id: str
    wrapped_key: str | None
    seq: int = 0
    hash: str = GENESIS
    state: CaseState | None = None
    run_id: str | None = None


class LedgerWriter:
    """Appends events of one case, in order; never changes or deletes one."""

    def __init__(self, keyring: Keyring, inbox: Inbox) -> None:
        self._keyring, self._inbox = keyring, inbox

    def append(
        self,
        connection: Connection,
        head: Head,
        command_id: str,
        events: Sequence[Values],
        next_alarm: NextAlarm | None,
        run_id: str | None = None,
    ) -> Recorded:
        """Write `events` after `head`; return them as stored. `run_id` is the run that has them written."""
        rows = self._rows(head, command_id, events)
        connection.execute(_RECORD, rows)
        state = head.state
        texts: dict[str, str] = {}
        outside: list[int] = []
        stirred = False
        for row, values in zip(rows, events, strict=True):
            event = _event(values)
            before, state = state, evolve(state, event)
            stirred = stirred or stirs(before, event, state)
            texts |= texts_of(event)
            if self._inbox.tell(connection, state, event, row["seq"]):
                outside.append(row["seq"])
            draft(connection, before, state, event, row["seq"])
            if before is not None and {"co_units", "hall"} & event.changes.keys():
                _see(connection, state)
        assert state is not None
        columns = texts | {
            "seq": rows[-1]["seq"],
            "last_hash": rows[-1]["hash"],
            "updated_at": rows[-1]["at"],
            "state": encode_state(state),
            "next_alarm_name": next_alarm.name if next_alarm else None,
            "next_alarm_at": next_alarm.at if next_alarm else None,
        }
        if run_id is not None and run_id != head.run_id:
            note_run(connection, head.case_id, run_id, head.run_id)
            columns["run_id"] = run_id
        if state.status is Status.ARCHIVED:
            note_ended(connection, run_id or head.run_id)
        if stirred:
            columns["facts_due"] = True
        if head.state is None:
            connection.execute(insert(CASES), {"id": head.case_id, **columns_of(state), **columns})
        else:
            # A column that is set costs the indexes it stands in, also where its value stays.
            stood = columns_of(head.state)
            columns |= {n: value for n, value in columns_of(state).items() if value != stood[n]}
            connection.execute(_PROJECT, {"case_id": head.case_id, **columns})
        return Recorded([_stored(row) for row in rows], outside)

    def open_key(self, case_id: str, wrapped_key: str | None) -> CaseKey:
        """Return the key of a case. Raises LookupError where it was destroyed."""
        if wrapped_key is None:
            raise LookupError(f"the key of case {case_id} is gone")
        return CaseKey.unwrap(self._keyring, case_id, wrapped_key)

    def _rows(self, head: Head, command_id: str, events: Sequence[Values]) -> list[dict[str, Any]]:
        rows = [
            {
                "case_id": head.case_id,
                "seq": head.seq + part + 1,
                "part": part,
                "at": datetime.fromisoformat(values["at"]),
                "type": values["type"],
                "actor": values["actor"],
                "data": values["data"],
                "sealed": self._seal(head, head.seq + part + 1, values["texts"]),
                "changes": values["changes"],
                "fired": values["fired"],
                "command_id": command_id,
            }
            for part, values in enumerate(events)
        ]
        return EVENT_CHAIN.link(rows, head.hash)

    def _seal(self, head: Head, seq: int, texts: Values) -> str | None:
        if not texts:
            return None
        key = self.open_key(head.case_id, head.wrapped_key)
        return key.seal_text(json.dumps(texts, ensure_ascii=False), sealing(head.case_id, seq))


def sealing(case_id: str, seq: int) -> str:
    """Return the purpose that an event's texts are sealed for: they open in their own row only."""
    return f"event:{case_id}:{seq}"


def read_head(connection: Connection, case_id: str) -> Head | None:
    """Read where a case stands, keeping other writers of it out until the transaction ends."""
    case = connection.execute(_HEAD, {"case_id": case_id}).one_or_none()
    if case is None:
        return None
    state = decode_state(case.state)
    return Head(case_id, case.wrapped_key, case.seq, case.last_hash, state, case.run_id)


def rows_after(connection: Connection, case_id: str, seq: int) -> Recorded:
    """Return what stands in the ledger of a case after number `seq`, and what nobody has sent yet."""
    wanted = select(EVENTS).where(EVENTS.c.case_id == case_id, EVENTS.c.seq > seq).order_by(EVENTS.c.seq)
    unsent = (
        select(DELIVERIES.c.seq)
        .where(DELIVERIES.c.case_id == case_id, DELIVERIES.c.seq > seq, DELIVERIES.c.status == "pending")
        .distinct()
        .order_by(DELIVERIES.c.seq)
    )
    rows = [_stored(row) for row in connection.execute(wanted).mappings()]
    return Recorded(rows, list(connection.execute(unsent).scalars()))


def rows_of(connection: Connection, case_id: str, command_id: str) -> Recorded:
    """Return the rows that a command left in the ledger of a case."""
    wanted = select(EVENTS).where(EVENTS.c.case_id == case_id, EVENTS.c.command_id == command_id)
    return Recorded([_stored(row) for row in connection.execute(wanted.order_by(EVENTS.c.seq)).mappings()])


def _see(connection: Connection, case: CaseState) -> None:
    """Let the co-units, and no others, see the case in their lists."""
    connection.execute(delete(CO_UNITS).where(CO_UNITS.c.case_id == case.case_id))
    rows = [
        {"case_id": case.case_id, "unit": c.unit, "hall": case.hall, "opined": c.opined_at is not None}
        for c in case.co_units
    ]
    if rows:
        connection.execute(insert(CO_UNITS), rows)


def _stored(row: Any) -> StoredEvent:
    """Return a row as a workflow wants it: without facts and texts."""
    return StoredEvent(row["seq"], row["command_id"], row["type"], row["at"], row["changes"], row["fired"])


def _event(values: Values) -> Event:
    return Event(
        values["type"],
        datetime.fromisoformat(values["at"]),
        SYSTEM,
        values["data"],
        values["texts"],
        decode_changes(values["changes"]),
        tuple(values["fired"]),
    )
