"""What stands in a report, as JSON values: the same again for a second run. No file format is known here.

Instants are ISO 8601 on the clock of Shanghai; the petitioner is masked.
"""

import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.history import row_of_ledger
from casework.moments import shown
from casework.petitioners import erased, masked, read_petitioners
from casework.report_cases import Told
from casework.report_figures import Figures
from casework.report_lists import Causes, demand, measures, problem
from casework.report_rates import Rates
from casework.report_volumes import volumes_in
from models.crypto import Keyring
from models.directory import ContactEntry, Hall, Unit, User
from models.filing import Filing
from models.report import ReportCase
from rules.case.vocabulary import Level, Light
from rules.reporting import Due, ReportKind

Values = dict[str, Any]


@dataclass(frozen=True)
class Heading:
    """What a report is: of which hall, due when, made when; `head` is the signed head printed on it."""

    report_id: str
    hall: str
    due: Due
    made_at: datetime
    head: Values | None = None


@dataclass(frozen=True, repr=False)
class Content:
    """A report before it becomes files, and the cases that it tells of."""

    values: Values
    cases: Sequence[ReportCase]

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the content."""
        return hashlib.sha256(
            json.dumps(self.values, ensure_ascii=False, sort_keys=True).encode()
        ).hexdigest()


async def content_of(
    session: AsyncSession, keyring: Keyring, heading: Heading, cases: AsyncIterator[Told]
) -> Content:
    """Return what a report says of these cases. Raises `sqlalchemy.exc.NoResultFound` for no hall."""
    desk = await _desk(session, heading)
    figures, rates, causes, listed = Figures(), Rates(heading.due), Causes(), list[ReportCase]()
    kind = heading.due.kind
    summary = kind in _SUMMARIES
    parts: Mapping[str, list[Values]] = {name: [] for name in _PARTS[kind]}
    async for told in cases:
        figures.add(told)
        if summary:
            await rates.add(session, told)
        if kind in _MONTHLY:
            causes.add(told)
        listed.append(told.listed(heading.report_id))
        for name, part in parts.items():
            if line := await _LINES[name](session, keyring, desk, told):
                part.append(line)
    for part in parts.values():
        part.sort(key=lambda line: (line["received_at"], line["number"]))
    values = _head(heading, desk) | {"figures": figures.values(), **parts}
    if summary:
        values["figures"]["rates"] = rates.values()
    if kind in _MONTHLY:
        values["figures"]["causes"] = causes.values()
    if kind is ReportKind.MONTHLY:
        values["figures"]["volumes"] = await volumes_in(session, heading.hall, heading.due)
    if not summary:
        values["contacts"] = list(desk.contacts.values())
    return Content(values, listed)


@dataclass(frozen=True)
class _Desk:
    """The directory as it was at the cut-off: units by code, contact table lines by unit."""

    hall: Hall
    units: Mapping[str, str]
    contacts: Mapping[str, Values]
    people: dict[str, str | None] = field(default_factory=dict)

    def contact(self, unit: str | None) -> str | None:
        """Return the name of a unit's contact."""
        return (self.contacts.get(unit or "", {}).get("contact") or {}).get("name")


_Line = Callable[[AsyncSession, Keyring, _Desk, Told], Awaitable[Values | None]]
"""Makes a case's line of a part; None where it has none there."""


async def _desk(session: AsyncSession, heading: Heading) -> _Desk:
    hall = await session.get_one(Hall, heading.hall)
    units = await session.exec(select(Unit.code, Unit.name).where(Unit.hall == hall.code).order_by(Unit.code))
    names = dict(units.all())
    in_force = (
        select(ContactEntry)
        .where(ContactEntry.hall == hall.code, ContactEntry.valid_from <= heading.due.end)
        .where(or_(col(ContactEntry.valid_to).is_(None), col(ContactEntry.valid_to) > heading.due.end))
        .order_by(col(ContactEntry.unit), col(ContactEntry.version))
    )
    contacts = {
        row.unit: {
            "unit": row.unit,
            "unit_name": names.get(row.unit, row.unit),
            "deputy_leader": row.deputy_leader,
            "contact": row.contact,
            "alternate": row.alternate,
            "version": row.version,
            "valid_from": shown(row.valid_from),
        }
        for row in (await session.exec(in_force)).all()
    }
    return _Desk(hall, names, contacts)


def _head(heading: Heading, desk: _Desk) -> Values:
    due = heading.due
    return {
        "id": heading.report_id,
        "kind": due.kind,
        "hall": desk.hall.code,
        "hall_name": desk.hall.name,
        "supervision_department": desk.hall.supervision_department,
        "from": shown(due.start),
        "to": shown(due.end),
        "due_at": shown(due.at),
        "made_at": shown(heading.made_at),
        "provisional": due.provisional,
        "head": heading.head,
        "units": dict(desk.units),
    }


async def _form(session: AsyncSession, keyring: Keyring, desk: _Desk, told: Told) -> Values | None:
    """Return a registration form; None where it is not news. Source: S0, 附件2."""
    if not told.is_new:
        return None
    state, typed = told.state, told.rows[0][1]
    row, details = (await read_petitioners(session, keyring, [state.case_id]))[state.case_id]
    filing = await session.get_one(Filing, state.case_id)
    texts = [texts for _, texts in told.rows]
    notices = [each["one_time_notice"] for each in texts if each.get("one_time_notice")]
    files = [each["file_name"] for each in texts if each.get("file_name")]
    return {
        "number": state.number,
        "received_at": shown(state.received_at),
        "registered_at": shown(state.registered_at),
        "channel": state.channel,
        "clerk": await _person(session, desk, filing.clerk),
        "petitioner": masked(details) if details else erased(row.kind),
        "matter": told.texts.get("matter"),
        "attempts": typed.get("attempts") or [],
        "problem": told.texts.get("problem"),
        "cause": state.cause,
        "kind": state.kind,
        "unit_name": desk.units.get(state.unit, state.unit) if state.unit else None,
        "notice": notices[-1] if notices else None,
        "attachments": files,
        "status": state.status,
        "outcome": None if state.is_open else state.outcome,
        "reply": told.texts.get("reply_text"),
        "late": bool(told.late and told.late[0].seq == 1),
    }


async def _line(session: AsyncSession, keyring: Keyring, desk: _Desk, told: Told) -> Values:
    """Return a line of the progress ledger. Source: S0, 附件3."""
    state = told.state
    unit = desk.units.get(state.unit, state.unit) if state.unit else None
    row = row_of_ledger(state, told.rows, told.texts.get("matter"), unit, desk.contact(state.unit))
    return row | {
        "received_at": shown(state.received_at),
        "kind": state.kind,
        "status": state.status,
        "due_provisional": state.due_provisional,
        "news": bool(told.fresh),
        "late": [{"type": each.type, "at": shown(each.at)} for each in told.late],
    }


async def _concern(session: AsyncSession, keyring: Keyring, desk: _Desk, told: Told) -> Values | None:
    """Return what the supervision department has to look at; None where there is nothing."""
    state = told.state
    if not state.is_open:
        return None
    reasons = [name for name, holds in _reasons(told) if holds]
    if not reasons:
        return None
    return await _line(session, keyring, desk, told) | {"reasons": reasons}


def _reasons(told: Told) -> list[tuple[str, bool]]:
    state = told.state
    return [
        ("overdue", state.light is Light.RED),
        ("warned", state.light is Light.YELLOW),
        ("limit_asked", state.limit_asked),
        ("referred", state.referred),
        ("supervision", state.level is Level.SUPERVISION),
        ("order_open", any(order.answered_at is None for order in state.orders)),
    ]


async def _late(session: AsyncSession, keyring: Keyring, desk: _Desk, told: Told) -> Values | None:
    return await _line(session, keyring, desk, told) if told.late else None


async def _person(session: AsyncSession, desk: _Desk, username: str) -> str | None:
    if username not in desk.people:
        user = await session.get(User, username)
        desk.people[username] = user.name if user else None
    return desk.people[username]


def _on_a_list(said: Callable[[Told], Values | None]) -> _Line:
    """Return what makes a line of the ledger with what a list says beside it; none where it says nothing."""

    async def line(session: AsyncSession, keyring: Keyring, desk: _Desk, told: Told) -> Values | None:
        found = said(told)
        return await _line(session, keyring, desk, told) | found if found else None

    return line


_LINES: Mapping[str, _Line] = {
    "forms": _form,
    "ledger": _line,
    "concerns": _concern,
    "late": _late,
    "problems": _on_a_list(problem),
    "demands": _on_a_list(demand),
    "measures": _on_a_list(measures),
}
_PARTS: Mapping[ReportKind, tuple[str, ...]] = {
    ReportKind.HALL_WEEKLY: ("forms", "ledger"),
    ReportKind.CENTRE_WEEKLY: ("concerns", "late"),
    ReportKind.MONTHLY_LISTS: ("problems", "demands", "measures", "forms", "ledger"),
    ReportKind.MONTHLY: ("demands", "concerns", "late"),
}
_SUMMARIES = frozenset({ReportKind.CENTRE_WEEKLY, ReportKind.MONTHLY})
_MONTHLY = frozenset({ReportKind.MONTHLY_LISTS, ReportKind.MONTHLY})
