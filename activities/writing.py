"""How events get into the ledger: one transaction holds the rows, the projection and the inboxes."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.inbox import Inbox
from activities.projection import project
from models.case import Bulletin, Case, LedgerEvent
from models.chain import EVENT_CHAIN, GENESIS
from models.crypto import CaseKey, Keyring
from models.directory import ContactEntry
from models.filing import CaseSecret
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
from rules.case.notices import Material, material
from rules.case.state import CaseState
from rules.case.vocabulary import Ground


class LedgerWriter:
    """Appends events of one case, in order; never changes or deletes one."""

    def __init__(self, keyring: Keyring, inbox: Inbox) -> None:
        self._keyring, self._inbox = keyring, inbox

    async def append(
        self,
        session: AsyncSession,
        case: Case | None,
        case_id: str,
        command_id: str,
        events: Sequence[Values],
        next_alarm: NextAlarm | None,
    ) -> Recorded:
        """Write `events` after the last one of `case` (None: there is no event yet)."""
        state = decode_state(case.state) if case else None
        seq = case.seq if case else 0
        rows = await self._rows(session, case_id, seq, command_id, events)
        await session.exec(insert(LedgerEvent).values(rows))
        outside: list[int] = []
        for row, values in zip(rows, events, strict=True):
            event = _event(values)
            before, state = state, evolve(state, event)
            case = project(case, state, event, row["seq"])
            session.add(case)
            if await self._inbox.tell(session, state, event, row["seq"]):
                outside.append(row["seq"])
            await _draft(session, before, state, event, row["seq"])
        assert case is not None and state is not None
        case.state = encode_state(state)
        case.next_alarm_name = next_alarm.name if next_alarm else None
        case.next_alarm_at = next_alarm.at if next_alarm else None
        return Recorded([stored(LedgerEvent(**row)) for row in rows], outside)

    async def _rows(
        self,
        session: AsyncSession,
        case_id: str,
        seq: int,
        command_id: str,
        events: Sequence[Values],
    ) -> list[dict[str, Any]]:
        previous = GENESIS if seq == 0 else await _hash_of(session, case_id, seq)
        rows = [
            {
                "case_id": case_id,
                "seq": seq + part + 1,
                "part": part,
                "at": datetime.fromisoformat(values["at"]),
                "type": values["type"],
                "actor": values["actor"],
                "data": values["data"],
                "sealed": await self._seal(session, case_id, seq + part + 1, values["texts"]),
                "changes": values["changes"],
                "fired": values["fired"],
                "command_id": command_id,
            }
            for part, values in enumerate(events)
        ]
        return EVENT_CHAIN.link(rows, previous)

    async def _seal(
        self, session: AsyncSession, case_id: str, seq: int, texts: Values
    ) -> str | None:
        if not texts:
            return None
        key = await case_key(session, self._keyring, case_id)
        if key is None:
            raise LookupError(f"the key of case {case_id} is gone")
        return key.seal_text(json.dumps(texts, ensure_ascii=False), sealing(case_id, seq))


def sealing(case_id: str, seq: int) -> str:
    """Return the purpose that an event's texts are sealed for: they open in their own row only."""
    return f"event:{case_id}:{seq}"


async def case_key(session: AsyncSession, keyring: Keyring, case_id: str) -> CaseKey | None:
    """Return the key of a case, or None once it was erased."""
    secret = await session.get(CaseSecret, case_id)
    return CaseKey.unwrap(keyring, case_id, secret.wrapped_key) if secret else None


async def rows_after(session: AsyncSession, case_id: str, seq: int) -> Recorded:
    """Return what stands in the ledger of a case after number `seq`."""
    wanted = (
        select(LedgerEvent)
        .where(LedgerEvent.case_id == case_id, LedgerEvent.seq > seq)  # type: ignore[arg-type]
        .order_by(LedgerEvent.seq)  # type: ignore[arg-type]
    )
    return Recorded([stored(row) for row in (await session.exec(wanted)).scalars()])


def stored(row: LedgerEvent) -> StoredEvent:
    """Return a row as a workflow wants it: without facts and texts."""
    return StoredEvent(row.seq, row.command_id, row.type, row.at, row.changes, row.fired)


async def _hash_of(session: AsyncSession, case_id: str, seq: int) -> str:
    wanted = select(LedgerEvent.hash).where(  # type: ignore[call-overload]
        LedgerEvent.case_id == case_id, LedgerEvent.seq == seq
    )
    return str((await session.exec(wanted)).scalar_one())


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


async def _draft(
    session: AsyncSession, before: CaseState | None, after: CaseState, event: Event, seq: int
) -> None:
    """Draft a 通报 where the event gives grounds; a person decides on it. Source: S0 督促问效."""
    for found in material(before, after, event):
        orders = {order.id: order.due_at for order in after.orders}
        session.add(
            Bulletin(
                case_id=after.case_id,
                case_number=after.number,
                seq=seq,
                hall=after.hall,
                unit=found.unit,
                person=await _person(session, after, found),
                ground=found.ground,
                order_id=found.order,
                due=orders.get(found.order or ""),
                created_at=event.at,
            )
        )


async def _person(session: AsyncSession, case: CaseState, found: Material) -> str | None:
    """Return who is named beside the unit: the leader who owed an answer, else the contact."""
    wanted = (
        select(ContactEntry)
        .where(ContactEntry.hall == case.hall, ContactEntry.unit == found.unit)  # type: ignore[arg-type]
        .order_by(ContactEntry.version.desc())  # type: ignore[attr-defined]
        .limit(1)
    )
    entry = (await session.exec(wanted)).scalars().first()
    if entry is None:
        return None
    person = entry.deputy_leader if found.ground is Ground.ORDER_UNANSWERED else entry.contact
    return str(person["name"])
