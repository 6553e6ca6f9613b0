"""Registration: the filing becomes a case with a number. Source: S0 立即登记."""

import json
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update
from temporalio import activity

from activities.tables import COUNTERS, FILINGS
from activities.writing import Head, LedgerWriter, no_head, read_head, rows_after
from models.crypto import CaseKey, Keyring
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


class RegistrationActivities:
    """Gives numbers. Idempotent: a case that has events already is handed back as it stands."""

    def __init__(self, database: Database, keyring: Keyring, writer: LedgerWriter) -> None:
        self._database, self._keyring, self._writer = database, keyring, writer

    @activity.defn
    async def register(self, request: RegisterRequest) -> Recorded:
        """Write the first event, number included, or return every event there is."""
        return await self._database.write(lambda session: self._register(session.connection(), request))

    def _register(self, connection: Connection, request: RegisterRequest) -> Recorded:
        if read_head(connection, request.case_id):
            return rows_after(connection, request.case_id, 0)
        wanted = select(FILINGS).where(FILINGS.c.case_id == request.case_id)
        filing = connection.execute(wanted).one()
        number = _next_number(connection, filing.hall, local(filing.received_at).date())
        connection.execute(
            update(FILINGS).where(FILINGS.c.case_id == request.case_id),
            {"number": number, "registered_at": request.at},
        )
        event = _registered(filing, number, request)
        head = no_head(connection, request.case_id)
        values = encode_event(event) | {"texts": self._form(head, filing.form)}
        alarm = _first_alarm(event, request)
        return self._writer.append(connection, head, "register", [values], alarm)

    def _form(self, head: Head, form: str | None) -> Values:
        if head.wrapped_key is None or form is None:
            return {}
        key = CaseKey.unwrap(self._keyring, head.case_id, head.wrapped_key)
        texts: Values = json.loads(key.open_text(form, "form"))
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


def _first_alarm(event: Event, request: RegisterRequest) -> NextAlarm | None:
    state = fold([event])
    assert state is not None
    alarm = next_alarm(state, request.terms.policy, request.terms.read_calendar())
    return NextAlarm(alarm.name, alarm.at) if alarm else None


def _next_number(connection: Connection, hall: str, day: date) -> str:
    """Return the next number: ``<hall>-<yyyymmdd>-<4 digits>``, by the Shanghai date of T0."""
    same = (COUNTERS.c.hall == hall) & (COUNTERS.c.day == day)
    last = connection.execute(select(COUNTERS.c.last).where(same).with_for_update()).scalar()
    if last is None:
        connection.execute(insert(COUNTERS), {"hall": hall, "day": day, "last": 1})
    else:
        connection.execute(update(COUNTERS).where(same), {"last": last + 1})
    return f"{hall}-{day:%Y%m%d}-{(last or 0) + 1:04d}"
