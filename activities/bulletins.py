"""Drafts of a 通报: laid out by the machine with the event that gives grounds, issued by nobody.

Source: S0 督促问效; domain.md, section 4, fine print.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, insert, or_, select, update

from activities.tables import BULLETINS, CONTACTS, NOTIFICATIONS, USERS
from models.act import BULLETIN, NewAct, append_act
from models.overseers import supervisors_over
from rules.case.events import Event
from rules.case.notices import Material, material
from rules.case.state import CaseState
from rules.case.vocabulary import Ground, Role

DRAFTED = "bulletin_drafted"
_WORDS = "已生成通报批评草稿，分管领导可提交单位说明，待监督管理部门审定"
_SYSTEM = {"role": Role.SYSTEM.value}


def draft(connection: Connection, before: CaseState | None, after: CaseState, event: Event, seq: int) -> None:
    """Draft a 通报 for each ground that the event gives; it names unit and person.

    Once per event: the event's number is part of the draft's key.
    """
    for found in material(before, after, event):
        due = {order.id: order.due_at for order in after.orders}.get(found.order or "")
        # What an order's leader left undone, he left undone by its due time, however late that fired.
        person = _person(connection, after, found, due or event.at)
        row = {
            "case_id": after.case_id,
            "case_number": after.number,
            "seq": seq,
            "hall": after.hall,
            "unit": found.unit,
            "person": person.get("name"),
            "post": person.get("post"),
            "ground": found.ground,
            "status": "draft",
            "order_id": found.order,
            "due": due,
            "created_at": event.at,
        }
        made = connection.execute(insert(BULLETINS).returning(BULLETINS.c.id), row).scalar_one()
        act_id = _record(connection, made, row)
        _tell(connection, made, act_id, row)


def _record(connection: Connection, bulletin: int, row: Mapping[str, Any]) -> int:
    """Begin the record of a bulletin with its draft."""
    told = ("case_number", "hall", "unit", "person", "post", "ground", "order_id")
    data = {name: row[name] for name in told} | {"event": row["seq"]}
    act = NewAct(BULLETIN, bulletin, row["case_id"], row["created_at"], "drafted", _SYSTEM, data)
    act_id, last_hash = append_act(connection, act)
    mine = update(BULLETINS).where(BULLETINS.c.id == bulletin)
    connection.execute(mine.values(acts=1, last_hash=last_hash))
    return act_id


def _tell(connection: Connection, bulletin: int, act_id: int, row: Mapping[str, Any]) -> None:
    """Tell who decides, in this hall or above it, and the unit's leader, who is heard before."""
    unit_leader = and_(
        USERS.c.active,
        USERS.c.role == Role.DEPUTY_LEADER,
        USERS.c.hall == row["hall"],
        USERS.c.unit == row["unit"],
    )
    wanted = select(USERS.c.username).where(or_(supervisors_over(row["hall"]), unit_leader))
    notes = [
        {
            "username": username,
            "case_id": row["case_id"],
            "number": row["case_number"],
            "seq": -act_id,
            "kind": DRAFTED,
            "text": f"{row['case_number']} {_WORDS}",
            "at": row["created_at"],
            "read": False,
            "path": f"/bulletins/{bulletin}",
        }
        for username in connection.execute(wanted.order_by(USERS.c.username)).scalars()
    ]
    if notes:
        connection.execute(insert(NOTIFICATIONS), notes)


def _person(connection: Connection, case: CaseState, found: Material, at: datetime) -> Mapping[str, Any]:
    """Return who is named beside the unit: the leader who owed an answer, else the contact.

    By the version of the contact table that held at that time; nobody where none did.
    """
    wanted = (
        select(CONTACTS.c.deputy_leader, CONTACTS.c.contact)
        .where(CONTACTS.c.hall == case.hall, CONTACTS.c.unit == found.unit)
        .where(CONTACTS.c.valid_from <= at, or_(CONTACTS.c.valid_to.is_(None), CONTACTS.c.valid_to > at))
        .order_by(CONTACTS.c.version.desc())
        .limit(1)
    )
    entry = connection.execute(wanted).one_or_none()
    if entry is None:
        return {}
    answers = found.ground is Ground.ORDER_UNANSWERED
    person: Mapping[str, Any] = entry.deputy_leader if answers else entry.contact
    return person
