"""The ledger activity: writes the events of one command and the projection, in one transaction.

Idempotent by (case, command id): a retry gets the rows as they were stored, whatever it would
decide now.
"""

from sqlalchemy import select
from sqlmodel.ext.asyncio.session import AsyncSession
from temporalio import activity

from activities.writing import LedgerWriter, rows_after
from models.case import Case
from models.database import Database
from models.messages import (
    ReadRequest,
    Recorded,
    RecordRequest,
    Terms,
    TermsRequest,
    decode_policy,
)
from models.terms import CalendarSnapshot, PolicyVersion


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
        async with self._database.begin() as session:
            case = await _locked(session, request.case_id)
            if case is None:
                raise LookupError(f"case {request.case_id} is not registered")
            if case.seq > request.after_seq:
                return await rows_after(session, request.case_id, request.after_seq)
            return await self._writer.append(
                session,
                case,
                request.case_id,
                request.command_id,
                request.events,
                request.next_alarm,
            )

    @activity.defn
    async def read(self, request: ReadRequest) -> Recorded:
        """Return what stands in the ledger after a number."""
        async with self._database.read() as session:
            return await rows_after(session, request.case_id, request.after_seq)

    @activity.defn
    async def terms(self, request: TermsRequest) -> Terms:
        """Return a policy version and a calendar snapshot. Both are kept for ever."""
        async with self._database.read() as session:
            policy = await session.get_one(
                PolicyVersion, (request.policy.id, request.policy.version)
            )
            calendar = await session.get_one(CalendarSnapshot, request.calendar)
            return Terms(decode_policy(policy.values), calendar.values)


async def _locked(session: AsyncSession, case_id: str) -> Case | None:
    """Read the case and keep other writers of it out until the transaction ends."""
    wanted = select(Case).where(Case.id == case_id).with_for_update()  # type: ignore[arg-type]
    return (await session.exec(wanted)).scalars().one_or_none()
