"""Registration: the filing becomes a case with a number. Source: S0 立即登记."""

import json
from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.writing import LedgerWriter, case_key, rows_after
from models.case import Case, NumberCounter
from models.crypto import Keyring
from models.database import Database
from models.filing import Filing
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
        async with self._database.begin() as session:
            if await session.get(Case, request.case_id):
                return await rows_after(session, request.case_id, 0)
            filing = await session.get_one(Filing, request.case_id)
            day = local(filing.received_at).date()
            filing.number = await _next_number(session, filing.hall, day)
            filing.registered_at = request.at
            event = _registered(filing, filing.number, request)
            values = encode_event(event)
            values["texts"] = await self._form(session, filing)
            alarm = _first_alarm(event, request)
            return await self._writer.append(
                session, None, request.case_id, "register", [values], alarm
            )

    async def _form(self, session: AsyncSession, filing: Filing) -> Values:
        key = await case_key(session, self._keyring, filing.case_id)
        if key is None or filing.form is None:
            return {}
        form: Values = json.loads(key.open_text(filing.form, "form"))
        return form


def _registered(filing: Filing, number: str, request: RegisterRequest) -> Event:
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


async def _next_number(session: AsyncSession, hall: str, day: date) -> str:
    """Return the next number: ``<hall>-<yyyymmdd>-<4 digits>``, by the Shanghai date of T0."""
    counter = await session.get(NumberCounter, (hall, day), with_for_update=True)
    if counter is None:
        counter = NumberCounter(hall=hall, day=day, last=0)
        session.add(counter)
    counter.last += 1
    await session.flush()
    return f"{hall}-{day:%Y%m%d}-{counter.last:04d}"
