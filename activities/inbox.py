"""Who hears of an event: inbox rows in the ledger's transaction, and messages for channels outside."""

from dataclasses import replace
from functools import cache
from typing import Any, Protocol

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    and_,
    bindparam,
    exists,
    insert,
    not_,
    or_,
    select,
)

from activities.tables import CASES, DELIVERIES, NOTIFICATIONS, USERS
from activities.wording import sentence
from models.overseers import halls_over
from rules.case.events import Event
from rules.case.notices import CLERKS, Address, recipients
from rules.case.state import CaseState
from rules.case.vocabulary import Role, Status

_LINE = ("case_id", "number", "seq", "kind", "text", "at", "read")
# Its own hall tells a citizen: the case that it went into may have moved on to another one.
_PLACED = select(CASES.c.id, CASES.c.number, CASES.c.hall)
_ALL = _PLACED.where(CASES.c.merged_into == bindparam("into")).cte("merged", recursive=True)
# What was merged into a merged case is merged too.
_MERGED = select(_ALL.union(_PLACED.where(CASES.c.merged_into == _ALL.c.id)))

# An accepted reply, or what a consultation and a matter out of scope are answered at once.
_ANSWERED = {("check_reply", Status.REVISITING), ("triage", Status.CLOSED)}

Shape = tuple[tuple[Role, bool, bool], ...]
"""Of each address: its role, whether it names a unit, whether it is an alternate's."""


@cache
def _telling(shape: Shape) -> Executable:
    """Return the statement that writes a line for everybody at addresses of this shape.

    The database finds the people while it writes: this stands in the transaction of every event.
    """
    hall = bindparam("at_hall", type_=USERS.c.hall.type)
    # Once, however many of them are told: those who oversee a hall may sit above it.
    over = USERS.c.hall.in_(halls_over(hall))
    reach = {Role.SUPERVISOR: over, Role.SUPERIOR: or_(USERS.c.hall.is_(None), over)}
    at_any = []
    for place, (role, of_unit, alternate) in enumerate(shape):
        address = [USERS.c.role == role.value, reach.get(role, USERS.c.hall == hall)]
        if of_unit:
            address.append(USERS.c.unit == bindparam(f"at_unit_{place}"))
        if alternate:
            address.append(or_(USERS.c.alternate, _nobody_stands_in()))
        elif role is Role.CONTACT:
            address.append(not_(USERS.c.alternate))
        at_any.append(and_(*address))
    told = (
        select(
            USERS.c.username,
            *(bindparam(f"line_{name}", type_=NOTIFICATIONS.c[name].type) for name in _LINE),
        )
        .where(USERS.c.active, or_(*at_any))
        .order_by(USERS.c.username)
    )
    lines = insert(NOTIFICATIONS).from_select(["username", *_LINE], told)
    return lines.returning(NOTIFICATIONS.c.username)


def _nobody_stands_in() -> ColumnElement[bool]:
    """Whether a contact's unit has no alternate at work: then the reminder is the contact's own."""
    other = USERS.alias("other")
    same = (other.c.hall == USERS.c.hall, other.c.unit == USERS.c.unit, other.c.role == USERS.c.role)
    return ~exists().where(*same, other.c.alternate, other.c.active)


class Outside(Protocol):
    """A channel outside, as the ledger sees it: where, if anywhere, a message is to go."""

    name: str

    def targets(self, usernames: list[str]) -> list[str]:
        """Return who a message for these users goes to: short words for the record, never an address."""


class Inbox:
    """Writes what people are told of an event."""

    def __init__(self, channels: tuple[Outside, ...] = ()) -> None:
        self._channels = channels

    def tell(self, connection: Connection, case: CaseState, event: Event, seq: int) -> bool:
        """Write the inbox rows; say whether somebody outside is to hear of it too."""
        text = sentence(case, event)
        users = _tell(connection, case, recipients(case, event), event, seq, text)
        if (event.type, case.status) in _ANSWERED:
            _tell_merged(connection, case, event, seq)
        messages = [
            {
                "case_id": case.case_id,
                "seq": seq,
                "channel": channel.name,
                "target": target,
                "text": text,
                "status": "pending",
                "attempts": 0,
                "at": event.at,
            }
            for channel in self._channels
            for target in channel.targets(users)
        ]
        if messages:
            connection.execute(insert(DELIVERIES), messages)
        return bool(messages)


def _tell_merged(connection: Connection, case: CaseState, event: Event, seq: int) -> None:
    """The citizens of cases merged into this one are told with its reply."""
    for row in connection.execute(_MERGED, {"into": case.case_id}).all():
        text = f"{row.number} 所并入的 {case.number} 已答复，请告知反映人"
        merged = replace(case, case_id=row.id, number=row.number, hall=row.hall)
        _tell(connection, merged, CLERKS, replace(event, type="merged_reply"), seq, text)


def _tell(
    connection: Connection,
    case: CaseState,
    addresses: tuple[Address, ...],
    event: Event,
    seq: int,
    text: str,
) -> list[str]:
    """Write a line for everybody at the addresses; return who they are."""
    if not addresses:
        return []
    values: dict[str, Any] = {
        "at_hall": case.hall,
        "line_case_id": case.case_id,
        "line_number": case.number,
        "line_seq": seq,
        "line_kind": event.type,
        "line_text": text,
        "line_at": event.at,
        "line_read": False,
    }
    for place, address in enumerate(addresses):
        values[f"at_unit_{place}"] = address.unit
    told = connection.execute(_telling(_shape(addresses)), values)
    return list(told.scalars())


def _shape(addresses: tuple[Address, ...]) -> Shape:
    return tuple((a.role, a.unit is not None, a.alternate) for a in addresses)
