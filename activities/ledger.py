"""The ledger activity: writes the events of one command and the projection, in one transaction.

Idempotent by (case, command id): a retry gets the rows as they were stored, whatever it would
decide now.
"""

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError
from temporalio import activity

from activities.runs import run_of_activity
from activities.tables import CALENDARS, POLICIES
from activities.writing import LedgerWriter, read_head, rows_after, rows_of
from models.database import Database
from models.messages import (
    ReadRequest,
    Recorded,
    RecordRequest,
    Terms,
    TermsRequest,
    decode_policy,
)


class LedgerActivities:
    """What the machine asks of the ledger."""

    def __init__(self, database: Database, writer: LedgerWriter) -> None:
        self._database, self._writer = database, writer

    @activity.defn
    async def record(self, request: RecordRequest) -> Recorded:
        """Write the events, unless rows that the caller has not heard of stand there already.

        Then nothing is written and those rows come back: rows of the caller's own command mean
        that it was done; rows of another must be folded in, and the command decided again.
        """
        try:
            run_id = run_of_activity()
            return await self._database.write(
                lambda session: self._record(session.connection(), request, run_id)
            )
        except IntegrityError:
            # A command of a run before this one, sent again: it stands there, and is not refused for ever.
            done = await self._database.write(
                lambda session: rows_of(session.connection(), request.case_id, request.command_id)
            )
            if not done.rows:
                raise
            return done

    def _record(self, connection: Connection, request: RecordRequest, run_id: str | None) -> Recorded:
        head = read_head(connection, request.case_id)
        if head is None:
            raise LookupError(f"case {request.case_id} is not registered")
        if head.seq > request.after_seq:
            return rows_after(connection, request.case_id, request.after_seq)
        events, alarm = request.events, request.next_alarm
        return self._writer.append(connection, head, request.command_id, events, alarm, run_id)

    @activity.defn
    async def read(self, request: ReadRequest) -> Recorded:
        """Return what stands in the ledger after a number."""
        return await self._database.write(
            lambda session: rows_after(session.connection(), request.case_id, request.after_seq)
        )

    @activity.defn
    async def terms(self, request: TermsRequest) -> Terms:
        """Return a policy version and a calendar snapshot. Both are kept for ever."""
        return await self._database.write(lambda session: _terms(session.connection(), request))


def _terms(connection: Connection, request: TermsRequest) -> Terms:
    policy = select(POLICIES.c["values"]).where(
        POLICIES.c.id == request.policy.id, POLICIES.c.version == request.policy.version
    )
    calendar = select(CALENDARS.c["values"]).where(CALENDARS.c.version == request.calendar)
    return Terms(
        decode_policy(connection.execute(policy).scalar_one()),
        connection.execute(calendar).scalar_one(),
    )
