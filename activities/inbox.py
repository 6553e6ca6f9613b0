"""Who hears of an event: inbox rows in the ledger's transaction, and messages for channels outside."""

from typing import Any, Protocol

from sqlalchemy import Connection, bindparam, insert, or_, select

from activities.tables import CASES, DELIVERIES, NOTIFICATIONS, USERS
from activities.wording import sentence
from rules.case.events import Event
from rules.case.notices import CLERKS, Address, recipients
from rules.case.state import CaseState
from rules.case.vocabulary import Role, Status

# These belong to no hall, or to a hall above: they hear of cases of every hall under them.
ABOVE_HALLS = frozenset({Role.SUPERIOR})


_STAFF = (
    select(USERS.c.username, USERS.c.role, USERS.c.unit, USERS.c.alternate)
    .where(
        USERS.c.active,
        USERS.c.role.in_(bindparam("roles", expanding=True)),
        or_(USERS.c.hall == bindparam("hall"), USERS.c.role.in_(ABOVE_HALLS)),
    )
    .order_by(USERS.c.username)
)


class Outside(Protocol):
    """A channel outside, as the ledger sees it: where, if anywhere, a message is to go."""

    name: str

    def targets(self, usernames: list[str]) -> list[str]:
        """Return the addresses that a message for these users goes to."""


class Inbox:
    """Writes what people are told of an event."""

    def __init__(self, channels: tuple[Outside, ...] = ()) -> None:
        self._channels = channels

    def tell(self, connection: Connection, case: CaseState, event: Event, seq: int) -> bool:
        """Write the inbox rows; say whether somebody outside is to hear of it too."""
        users = _users(connection, case, recipients(case, event))
        text = sentence(case, event)
        rows = [_line(case.case_id, case.number, event, seq, event.type, user, text) for user in users]
        if event.type == "check_reply" and case.status is Status.REVISITING:
            rows += _to_merged(connection, case, event, seq)
        if rows:
            connection.execute(insert(NOTIFICATIONS), rows)
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


def _to_merged(connection: Connection, case: CaseState, event: Event, seq: int) -> list[dict[str, Any]]:
    """The citizens of cases merged into this one are told with its reply."""
    wanted = select(CASES.c.id, CASES.c.number).where(CASES.c.merged_into == case.case_id)
    merged = connection.execute(wanted).all()
    clerks = _users(connection, case, CLERKS) if merged else []
    text = f"所并入的 {case.number} 已答复，请告知反映人"
    return [
        _line(row.id, row.number, event, seq, "merged_reply", user, f"{row.number} {text}")
        for row in merged
        for user in clerks
    ]


def _line(
    case_id: str, number: str, event: Event, seq: int, kind: str, user: str, text: str
) -> dict[str, Any]:
    return {
        "username": user,
        "case_id": case_id,
        "number": number,
        "seq": seq,
        "kind": kind,
        "text": text,
        "at": event.at,
        "read": False,
    }


def _users(connection: Connection, case: CaseState, addresses: tuple[Address, ...]) -> list[str]:
    if not addresses:
        return []
    roles = sorted({address.role for address in addresses})
    found = connection.execute(_STAFF, {"hall": case.hall, "roles": roles})
    return [row.username for row in found if any(_matches(row, address) for address in addresses)]


def _matches(user: Any, address: Address) -> bool:
    return (
        user.role == address.role
        and (address.unit is None or user.unit == address.unit)
        and (address.role is not Role.CONTACT or user.alternate == address.alternate)
    )
