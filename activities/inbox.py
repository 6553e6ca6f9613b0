"""Who hears of an event: inbox rows in the ledger's transaction, and messages for channels outside."""

from typing import Protocol

from sqlalchemy import insert, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel.ext.asyncio.session import AsyncSession

from activities.wording import sentence
from models.case import Case
from models.directory import User
from models.inbox import Delivery, Notification
from rules.case.events import Event
from rules.case.notices import CLERKS, Address, recipients
from rules.case.state import CaseState
from rules.case.vocabulary import Role, Status

# These belong to no hall, or to a hall above: they hear of cases of every hall under them.
ABOVE_HALLS = frozenset({Role.SUPERIOR})


class Outside(Protocol):
    """A channel outside, as the ledger sees it: where, if anywhere, a message is to go."""

    name: str

    def targets(self, usernames: list[str]) -> list[str]:
        """Return the addresses that a message for these users goes to."""


class Inbox:
    """Writes what people are told of an event."""

    def __init__(self, channels: tuple[Outside, ...] = ()) -> None:
        self._channels = channels

    async def tell(self, session: AsyncSession, case: CaseState, event: Event, seq: int) -> bool:
        """Write the inbox rows; say whether somebody outside is to hear of it too."""
        users = await _users(session, case, recipients(case, event))
        text = sentence(case, event)
        if users:
            await session.exec(
                insert(Notification).values(
                    [
                        {
                            "username": username,
                            "case_id": case.case_id,
                            "number": case.number,
                            "seq": seq,
                            "kind": event.type,
                            "text": text,
                            "at": event.at,
                            "read": False,
                        }
                        for username in users
                    ]
                )
            )
        if event.type == "check_reply" and case.status is Status.REVISITING:
            await self._tell_merged(session, case, event, seq)
        return self._outside(session, case, event, seq, users, text)

    def _outside(
        self,
        session: AsyncSession,
        case: CaseState,
        event: Event,
        seq: int,
        users: list[str],
        text: str,
    ) -> bool:
        found = False
        for channel in self._channels:
            for target in channel.targets(users):
                session.add(
                    Delivery(
                        case_id=case.case_id,
                        seq=seq,
                        channel=channel.name,
                        target=target,
                        text=text,
                        at=event.at,
                    )
                )
                found = True
        return found

    async def _tell_merged(
        self, session: AsyncSession, case: CaseState, event: Event, seq: int
    ) -> None:
        """The citizens of cases merged into this one are told with its reply."""
        wanted = select(Case.id, Case.number).where(Case.merged_into == case.case_id)  # type: ignore[call-overload]
        clerks = await _users(session, case, CLERKS)
        for merged_id, number in (await session.exec(wanted)).all():
            for username in clerks:
                session.add(
                    Notification(
                        username=username,
                        case_id=merged_id,
                        number=number,
                        seq=seq,
                        kind="merged_reply",
                        text=f"{number} 所并入的 {case.number} 已答复,请告知反映人",
                        at=event.at,
                    )
                )


async def _users(
    session: AsyncSession, case: CaseState, addresses: tuple[Address, ...]
) -> list[str]:
    if not addresses:
        return []
    wanted = select(User.username).where(  # type: ignore[call-overload]
        User.active, or_(*(_matches(case, address) for address in addresses))
    )
    return sorted((await session.exec(wanted)).scalars())


def _matches(case: CaseState, address: Address) -> ColumnElement[bool]:
    found = User.role == address.role
    if address.role not in ABOVE_HALLS:
        found &= User.hall == case.hall
    if address.unit is not None:
        found &= User.unit == address.unit
    if address.role is Role.CONTACT:
        found &= User.alternate == address.alternate
    return found  # type: ignore[return-value]
