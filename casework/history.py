"""What happened to a case, for those who look back: its events, who held it, its row of 附件3."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.filer import filer_of
from casework.finding import Found
from casework.ledger_texts import Texts, read_events
from casework.moments import shown, shown_facts
from casework.services import Services
from casework.view import LADDER_ORDER
from models.case import LedgerEvent
from models.chain import verify_chain
from models.directory import ContactEntry, Unit
from models.messages import StoredEvent
from rules.case.events import SYSTEM, Event
from rules.case.state import CaseState
from rules.case.vocabulary import Role
from rules.holding import stretches, working_hours

MAY_SEE_HOLDING = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.WINDOW_LEAD, Role.CENTRE})
Row = tuple[LedgerEvent, Texts]

# Events that remind: people's and the machine's (附件3 counts them together).
_REMINDERS = frozenset({"remind", "due_soon_1", "due_soon_2"})
_DISPATCHES = frozenset({"triage", "decide_return", "reassign", "set_limit"})


async def events_of(services: Services, found: Found) -> dict[str, Any]:
    """Return the whole ledger of a case in clear, and whether its hash chain holds."""
    rows = await rows_of(services, found)
    async with services.database.read() as session:
        filer = await filer_of(session, found.case.id)
    return events_shown(found, rows, filer)


async def rows_of(services: Services, found: Found) -> list[Row]:
    """Return the ledger of a case, each event with what people typed in it."""
    async with services.database.read() as session:
        return await read_events(session, services.keyring, [found.case.id])


def events_shown(found: Found, rows: Sequence[Row], filer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ledger as readers get it. The rows were read after the case was found.

    The registration says who filed beside what is stored: `filed_by` stands in no row.
    """
    last = found.case.seq
    items = [_event(row, texts) for row, texts in rows]
    for item in items:
        if item["type"] == "registered":
            item["data"]["filed_by"] = filer
    return {
        "items": items,
        # The projection may be older than the ledger read after it, never younger.
        "verified": verify_chain([row for row, _ in rows], last) is None,
    }


def _event(row: LedgerEvent, texts: Texts) -> dict[str, Any]:
    return {
        "seq": row.seq,
        "at": shown(row.at),
        "type": row.type,
        "actor": row.actor,
        "data": shown_facts(row.data) | texts | {"changes": shown_facts(row.changes)},
        "prev_hash": row.prev_hash,
        "hash": row.hash,
    }


async def holding_of(services: Services, found: Found) -> dict[str, Any]:
    """Return who held the case for how many working hours, by its hall's calendar."""
    until = await services.clock.now()
    return holding_shown(found, await rows_of(services, found), until)


def holding_shown(found: Found, rows: Sequence[Row], until: datetime) -> dict[str, Any]:
    """Return the holding times; one that still lasts is counted to `until`."""
    calendar = found.pinned.calendar
    items, total = [], timedelta()
    for stretch in stretches(decided(rows)):
        hours = working_hours(stretch, calendar, until)
        total += hours
        items.append(
            {
                "holder": stretch.holder,
                "unit": stretch.unit,
                "from": shown(stretch.start),
                "to": shown(stretch.end),
                "working_hours": _hours(hours),
            }
        )
    return {"items": items, "total_working_hours": _hours(total)}


def _hours(amount: timedelta) -> float:
    return round(amount / timedelta(hours=1), 4)


def decided(rows: Iterable[Row]) -> list[Event]:
    """Return the events as the rules know them: to fold them, with what was typed."""
    stored = (
        (StoredEvent(row.seq, row.command_id, row.type, row.at, row.changes, row.fired), texts)
        for row, texts in rows
    )
    return [replace(event.event(SYSTEM), texts=texts) for event, texts in stored]


async def ledger_row(services: Services, found: Found) -> dict[str, Any]:
    """Return the case as a row of the progress ledger. Source: S0, 附件3."""
    case = found.case
    async with services.database.read() as session:
        rows = await read_events(session, services.keyring, [case.id])
        unit_name, person = await _unit(session, case.hall, case.unit)
    return row_of_ledger(found.state, rows, case.matter, unit_name, person)


def row_of_ledger(
    state: CaseState, rows: Sequence[Row], subject: str | None, unit_name: str | None, person: str | None
) -> dict[str, Any]:
    """Return a case as a row of 附件3, as it stood after `rows`; `state` is their fold.

    `person` is the unit's contact, for as long as nobody has signed.
    """
    dispatched = _last(rows, _DISPATCHES, lambda row: "dispatches" in row.changes)
    signed = _last(rows, {"sign"})
    revisit = _last(rows, {"revisit"})
    return {
        "number": state.number,
        "subject": subject,
        "unit": state.unit,
        "unit_name": unit_name,
        "person": signed[0].actor.get("name") if signed and state.unit_signed else person,
        "dispatched_at": shown(dispatched[0].at) if dispatched else None,
        "signed_at": shown(signed[0].at) if signed and state.unit_signed else None,
        "due_at": shown(state.due_at),
        "progress": [_line(row, texts) for row, texts in rows if row.type == "progress"],
        "level": state.level,
        "returns": state.returns,
        "extensions": state.extensions,
        "reminders": sum(row.type in _REMINDERS for row, _ in rows),
        "orders": _orders(rows, state),
        "reply": _reply(rows, resolved=True),
        "explanation": _reply(rows, resolved=False),
        "revisit": _revisit(*revisit) if revisit else None,
        "rating": state.round.rating,
        "closed_at": None if state.is_open else shown(state.closed_at),
        "light": state.light,
    }


def _last(rows: Sequence[Row], types: Iterable[str], also: Any = lambda row: True) -> Row | None:
    wanted = set(types)
    return next((r for r in reversed(rows) if r[0].type in wanted and also(r[0])), None)


def _line(row: LedgerEvent, texts: Texts) -> dict[str, Any]:
    return {"at": shown(row.at), "by": row.actor.get("name"), "text": texts.get("text")}


def _orders(rows: Sequence[Row], state: CaseState) -> list[dict[str, Any]]:
    typed = {row.data.get("order"): texts.get("text") for row, texts in rows if row.type == "order"}
    answers = {row.data["order"]: texts.get("text") for row, texts in rows if row.type == "answer_order"}
    return [
        {
            "id": order.id,
            "text": typed.get(order.id, LADDER_ORDER),
            "due_at": shown(order.due_at),
            "answered_at": shown(order.answered_at),
            "answer": answers.get(order.id),
        }
        for order in state.orders
    ]


def _reply(rows: Sequence[Row], resolved: bool) -> str | None:
    last = _last(rows, {"reply"}, lambda row: row.data.get("resolved") is resolved)
    return last[1].get("text") if last else None


def _revisit(row: LedgerEvent, texts: Texts) -> dict[str, Any]:
    return {
        "at": shown(row.at),
        "by": row.actor.get("name"),
        "reached": row.data.get("reached"),
        "rating": row.data.get("rating"),
        "resolved": row.data.get("resolved"),
        "text": texts.get("text"),
    }


async def _unit(session: AsyncSession, hall: str, unit: str | None) -> tuple[str | None, str | None]:
    """Return the unit's name, and that of its contact."""
    row = await session.get(Unit, (hall, unit)) if unit else None
    newest = (
        select(ContactEntry)
        .where(ContactEntry.hall == hall, ContactEntry.unit == unit)
        .order_by(col(ContactEntry.version).desc())
    )
    entry = (await session.exec(newest)).first()
    return row.name if row else None, entry.contact.get("name") if entry else None
