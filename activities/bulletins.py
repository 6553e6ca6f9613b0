"""Drafts of a 通报: laid out by the machine with the event that gives grounds, issued by nobody.

Source: S0 督促问效; domain.md, section 4, fine print.
"""

from sqlalchemy import Connection, insert, select

from activities.tables import BULLETINS, CONTACTS
from rules.case.events import Event
from rules.case.notices import Material, material
from rules.case.state import CaseState
from rules.case.vocabulary import Ground


def draft(connection: Connection, before: CaseState | None, after: CaseState, event: Event, seq: int) -> None:
    """Draft a 通报 for each ground that the event gives; it names unit and person."""
    for found in material(before, after, event):
        due = {order.id: order.due_at for order in after.orders}.get(found.order or "")
        connection.execute(
            insert(BULLETINS),
            {
                "case_id": after.case_id,
                "case_number": after.number,
                "seq": seq,
                "hall": after.hall,
                "unit": found.unit,
                "person": _person(connection, after, found),
                "ground": found.ground,
                "status": "draft",
                "order_id": found.order,
                "due": due,
                "created_at": event.at,
            },
        )


def _person(connection: Connection, case: CaseState, found: Material) -> str | None:
    """Return who is named beside the unit: the leader who owed an answer, else the contact."""
    wanted = (
        select(CONTACTS.c.deputy_leader, CONTACTS.c.contact)
        .where(CONTACTS.c.hall == case.hall, CONTACTS.c.unit == found.unit)
        .order_by(CONTACTS.c.version.desc())
        .limit(1)
    )
    entry = connection.execute(wanted).one_or_none()
    if entry is None:
        return None
    answers = found.ground is Ground.ORDER_UNANSWERED
    return str((entry.deputy_leader if answers else entry.contact)["name"])
