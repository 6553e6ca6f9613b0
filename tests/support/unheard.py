"""A ledger that knows more than the workflow: what a kill at the wrong moment leaves behind."""

from temporalio import activity

from activities.inbox import Inbox
from activities.ledger import LedgerActivities
from activities.writing import LedgerWriter
from models.messages import NextAlarm, Recorded, RecordRequest, encode_event
from rules.case.alarms import next_alarm
from rules.case.commands import Command
from rules.case.decide import decide
from rules.case.events import evolve
from tests.support.books import checked_fold, person
from tests.support.shell import LiveCase, at


async def write_unheard(case: LiveCase, command: Command, when: str, command_id: str = "lost") -> None:
    """Write a command's row as a worker did that died before the server heard of it."""
    state = await checked_fold(case.shell.database, case.case_id)
    contact = person(f"{state.hall}.{state.unit}.contact")
    policy, calendar = case.terms.policy, case.terms.read_calendar()
    (event,) = decide(state, command, at(when), contact, policy, calendar)
    alarm = next_alarm(evolve(state, event), policy, calendar)
    assert alarm is not None
    seq = len(await case.ledger())
    ledger = LedgerActivities(case.shell.database, LedgerWriter(case.shell.keyring, Inbox()))
    following = NextAlarm(alarm.name, alarm.at)
    await ledger.record(RecordRequest(case.case_id, seq, command_id, [encode_event(event)], following))


class ForgetfulLedger(LedgerActivities):
    """Commits, and loses the first answer of each command on the way."""

    @activity.defn
    async def record(self, request: RecordRequest) -> Recorded:
        """Write, and fail once where something was written."""
        recorded = await super().record(request)
        if activity.info().attempt == 1:
            raise ConnectionError("the answer got lost")
        return recorded


class AbsentLedger(LedgerActivities):
    """Cannot be reached."""

    @activity.defn
    async def record(self, request: RecordRequest) -> Recorded:
        """Fail."""
        raise ConnectionError("the database is away")
