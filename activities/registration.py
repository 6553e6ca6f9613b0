"""Registration: the filing becomes a case with a number. Source: S0 立即登记."""

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from temporalio import activity

from activities.runs import run_of_activity
from activities.tables import CASES, COUNTERS, FILINGS
from activities.writing import Head, LedgerWriter, rows_after, wrapped_key_of
from models.database import Database
from models.messages import (
    NextAlarm,
    Recorded,
    RegisterRequest,
    Values,
    encode_event,
)
from rules.calendar import local
from rules.case.alarms import next_alarm
from rules.case.commands import Register
from rules.case.decide import decide
from rules.case.events import SYSTEM, Event, fold
from rules.case.state import PolicyRef
from rules.case.vocabulary import Cause, Channel

# Locked: of two workers that register one case at once, the second finds the number.
_FILING = (
    select(FILINGS, wrapped_key_of(FILINGS.c.case_id))
    .where(FILINGS.c.case_id == bindparam("filed"))
    .with_for_update()
)
_NUMBERED = update(FILINGS).where(FILINGS.c.case_id == bindparam("filed"))
_UPSERTS = {
    dialect: insert_(COUNTERS)
    .on_conflict_do_update(index_elements=["hall", "day"], set_={"last": COUNTERS.c.last + 1})
    .returning(COUNTERS.c.last)
    for dialect, insert_ in (("sqlite", sqlite.insert), ("postgresql", postgresql.insert))
}


class RegistrationActivities:
    """Gives numbers. Idempotent: a case that has events already is handed back as it stands."""

    def __init__(self, database: Database, writer: LedgerWriter) -> None:
        self._database, self._writer = database, writer

    @activity.defn
    async def register(self, request: RegisterRequest) -> Recorded:
        """Write the first event, number included, or return every event there is."""
        run_id = run_of_activity()
        return await self._database.write(
            lambda session: self._register(session.connection(), request, run_id)
        )

    def _register(self, connection: Connection, request: RegisterRequest, run_id: str | None) -> Recorded:
        filing = connection.execute(_FILING, {"filed": request.case_id}).one()
        if filing.number is not None:
            return rows_after(connection, request.case_id, 0)
        number = _next_number(connection, filing.hall, local(filing.received_at).date())
        connection.execute(
            _NUMBERED, {"filed": request.case_id, "number": number, "registered_at": request.at}
        )
        event = _registered(filing, number, request)
        values = _with_origin(filing, encode_event(event) | {"texts": self._form(filing)})
        alarm = _first_alarm(event, request)
        head = Head(request.case_id, filing.wrapped_key)
        recorded = self._writer.append(connection, head, "register", [values], alarm, run_id)
        if filing.imported_at is not None:
            origin = {"source": filing.source, "reference": filing.reference}
            connection.execute(update(CASES).where(CASES.c.id == request.case_id).values(origin))
        return recorded

    def _form(self, filing: Any) -> Values:
        if filing.form is None:
            return {}
        key = self._writer.open_key(filing.case_id, filing.wrapped_key)
        texts: Values = json.loads(key.open_text(filing.form, "form"))
        return texts


def _registered(filing: Any, number: str, request: RegisterRequest) -> Event:
    policy = request.terms.policy
    command = Register(
        case_id=filing.case_id,
        number=number,
        hall=filing.hall,
        channel=Channel(filing.channel),
        received_at=filing.received_at,
        policy=PolicyRef(policy.id, policy.version),
        calendar=str(request.terms.calendar["version"]),
        cause=Cause(filing.cause) if filing.cause else None,
    )
    calendar = request.terms.read_calendar()
    return decide(None, command, request.at, SYSTEM, policy, calendar)[0]


def _with_origin(filing: Any, values: Values) -> Values:
    """Return the event, saying when it was imported and from where: T0 was not witnessed here.

    The number in the other system leads to a person there: it is sealed with the texts.
    """
    if filing.imported_at is None:
        return values
    data = {"imported_at": filing.imported_at.isoformat(), "source": filing.source}
    sealed = {"reference": filing.reference} if filing.reference else {}
    return values | {"data": values["data"] | data, "texts": values["texts"] | sealed}


def _first_alarm(event: Event, request: RegisterRequest) -> NextAlarm | None:
    state = fold([event])
    assert state is not None
    alarm = next_alarm(state, request.terms.policy, request.terms.read_calendar())
    return NextAlarm(alarm.name, alarm.at) if alarm else None


def _next_number(connection: Connection, hall: str, day: date) -> str:
    """Return the next number: ``<hall>-<yyyymmdd>-<4 digits>``, by the Shanghai date of T0."""
    upsert = _UPSERTS[connection.dialect.name]
    last = connection.execute(upsert, {"hall": hall, "day": day, "last": 1}).scalar_one()
    return f"{hall}-{day:%Y%m%d}-{last:04d}"
