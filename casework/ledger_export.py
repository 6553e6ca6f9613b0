"""The progress ledger (附件3) of many cases: the rows of `casework.history.ledger_row`, as a stream.

One query a page for what the events say, by columns instead of whole rows, and the work of opening
texts in a thread: a hundred thousand cases take seconds, and nobody waits for them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, Text, func
from sqlalchemy import cast as sql_cast
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.writing import sealing
from casework.view import LADDER_ORDER
from models.case import Case, LedgerEvent
from models.crypto import CaseKey, Keyring
from models.directory import ContactEntry
from models.filing import CaseSecret

PAGE = 500  # cases at a time

_DISPATCHES = ("triage", "decide_return", "reassign", "set_limit")
_REMINDERS = ("remind", "due_soon_1", "due_soon_2")
_WITH_TEXT = ("progress", "order", "answer_order", "reply", "revisit")

Line = tuple[datetime, str | None, str | None]  # when, by whom, what


@dataclass
class LedgerRow:
    """A case as a row of 附件3; texts are None once they were erased."""

    number: str | None
    hall: str
    subject: str | None
    unit: str | None
    person: str | None
    due_at: datetime | None
    level: str
    returns: int
    extensions: int
    rating: int | None
    closed_at: datetime | None
    light: str
    dispatched_at: datetime | None = None
    signed_at: datetime | None = None
    progress: list[Line] = field(default_factory=list)
    reminders: int = 0
    orders: list[tuple[str | None, datetime, datetime | None, str | None]] = field(default_factory=list)
    reply: str | None = None
    explanation: str | None = None
    revisit: tuple[datetime, bool | None, int | None, bool | None, str | None] | None = None


async def stream_ledger(
    keyring: Keyring, session: AsyncSession, cases: ColumnElement[bool], order: Sequence[Any]
) -> AsyncIterator[list[LedgerRow]]:
    """Yield the rows of all the cases that pass, in this order, a page at a time."""
    contacts = await _contacts(session)
    columns: Any = (*_OF_CASE, CaseSecret.wrapped_key)
    wanted = select(*columns).outerjoin(CaseSecret, col(CaseSecret.case_id) == Case.id)
    wanted = wanted.where(cases).order_by(*order).execution_options(yield_per=PAGE)
    told = _told(session.get_bind().dialect.name)
    found = await session.stream(wanted)
    async for page in found.mappings().partitions():
        ids = [case["id"] for case in page]
        events = dict((await session.exec(told.where(col(LedgerEvent.case_id).in_(ids)))).all())
        yield await asyncio.to_thread(_rows, keyring, [*page], events, contacts)


_STATE: Any = col(Case.state)
_OF_CASE = (
    *(Case.id, Case.number, Case.hall, Case.matter, Case.unit, Case.due_at, Case.level),
    *(Case.closed_at, Case.light),
    # Parts of the state: to read all of it costs more than the rest of a row.
    _STATE["returns"].as_integer().label("returns"),
    _STATE["extensions"].as_integer().label("extensions"),
    _STATE["unit_signed"].as_boolean().label("unit_signed"),
    _STATE["rounds"].label("rounds"),
    _STATE["orders"].label("orders"),
)


def _told(dialect: str) -> Any:
    """Return the query for the events that a row tells of: case → JSON text of them all.

    The database puts those of a case into one value; row by row they would cost five times as much.
    """
    of = LedgerEvent
    data: Any = col(of.data)
    values = (
        of.seq,
        of.type,
        of.at,
        col(of.actor)["name"].as_string(),
        of.sealed,
        data["resolved"].as_boolean(),
        data["reached"].as_boolean(),
        data["rating"].as_integer(),
        data["order"].as_string(),
        col(of.changes)["dispatches"].as_integer(),
    )
    types = col(of.type).in_(("sign", *_DISPATCHES, *_REMINDERS, *_WITH_TEXT))
    if dialect == "postgresql":
        told: Any = func.json_agg(func.json_build_array(*values))
    else:
        told = func.json_group_array(func.json_array(*values))
    return select(of.case_id, sql_cast(told, Text)).where(types).group_by(of.case_id)


async def _contacts(session: AsyncSession) -> dict[tuple[str, str], str | None]:
    """Return the contact of each unit, by hall and unit."""
    columns = (ContactEntry.hall, ContactEntry.unit, ContactEntry.contact)
    rows = await session.exec(select(*columns).order_by(col(ContactEntry.version)))
    return {(hall, unit): contact.get("name") for hall, unit, contact in rows.all()}  # the newest comes last


def _rows(
    keyring: Keyring,
    page: Sequence[RowMapping],
    events: Mapping[str, str],
    contacts: Mapping[tuple[str, str], str | None],
) -> list[LedgerRow]:
    return [_row(keyring, case, json.loads(events.get(case["id"], "[]")), contacts) for case in page]


def _row(
    keyring: Keyring,
    case: RowMapping,
    events: list[list[Any]],
    contacts: Mapping[tuple[str, str], str | None],
) -> LedgerRow:
    last = case["rounds"][-1]
    row = LedgerRow(
        number=case["number"],
        hall=case["hall"],
        subject=case["matter"],
        unit=case["unit"],
        person=contacts.get((case["hall"], case["unit"])),
        due_at=case["due_at"],
        level=case["level"],
        returns=case["returns"],
        extensions=case["extensions"],
        rating=last["citizen_rating"] or last["clerk_rating"],
        closed_at=case["closed_at"],
        light=case["light"],
    )
    _Telling(keyring, case, row).tell(sorted(events))
    return row


class _Telling:
    """What the events of a case say, put into its row."""

    def __init__(self, keyring: Keyring, case: RowMapping, row: LedgerRow) -> None:
        self._row, self._id, self._case = row, case["id"], case
        wrapped = case["wrapped_key"]
        self._key = CaseKey.unwrap(keyring, self._id, wrapped) if wrapped is not None else None
        self._ordered: dict[str | None, str | None] = {}
        self._answers: dict[str | None, str | None] = {}

    def tell(self, events: Sequence[list[Any]]) -> None:
        """Go through the events in order."""
        for event in events:
            self._one(*event)
        for order in self._case["orders"]:
            text = self._ordered.get(order["id"], LADDER_ORDER)
            due, answered = _instant(order["due_at"]), order["answered_at"]
            answer = (_instant(answered) if answered else None, self._answers.get(order["id"]))
            self._row.orders.append((text, due, *answer))

    def _one(
        self,
        seq: int,
        kind: str,
        at: str,
        by: str | None,
        sealed: str | None,
        resolved: bool | None,
        reached: bool | None,
        rating: int | None,
        order: str | None,
        dispatches: int | None,
    ) -> None:
        row = self._row
        if kind in _REMINDERS:
            row.reminders += 1
        elif kind == "sign":
            if self._case["unit_signed"]:
                row.signed_at, row.person = _instant(at), by
        elif kind in _DISPATCHES:
            if dispatches is not None:
                row.dispatched_at = _instant(at)
        else:
            text = self._text(seq, sealed)
            match kind:
                case "progress":
                    row.progress.append((_instant(at), by, text))
                case "order":
                    self._ordered[order] = text
                case "answer_order":
                    self._answers[order] = text
                case "reply" if resolved:
                    row.reply = text
                case "reply":
                    row.explanation = text
                case "revisit":
                    told = (None if resolved is None else bool(resolved), text)
                    row.revisit = (_instant(at), bool(reached), rating, *told)

    def _text(self, seq: int, sealed: str | None) -> str | None:
        if sealed is None or self._key is None:
            return None
        texts = json.loads(self._key.open_text(sealed, sealing(self._id, seq)))
        return texts.get("text")  # type: ignore[no-any-return]


def _instant(text: str) -> datetime:
    """Return an instant as a database writes it into JSON; SQLite keeps UTC without saying so."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at
