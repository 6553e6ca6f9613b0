"""Users and the contact table as Excel; the latter with the headings that its import reads."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.contact_history import halls_to_choose, lines_of
from casework.contact_table import PEOPLE, UNIT_COLUMNS
from casework.contact_template import TABLE_SHEET
from casework.directory import Line
from casework.errors import NotFound
from casework.exports import Export
from casework.sheets import Cell
from casework.user_list import read_places, users_wanted
from models.directory import User
from pages.admin_contacts import PARTS
from pages.admin_parts import Admin, KeepsContacts, split_place
from pages.admin_users import ACTIVE_WORDS, read_filter
from pages.frame import SIGNED_IN
from pages.sheets import Sheet, at_once, send_query, send_sheet, spared_on_head
from routes.dependencies import Given
from routes.wording import ROLES

router = APIRouter(dependencies=SIGNED_IN)

USERS = (
    *(("用户名", 28), ("姓名", 14), ("角色", 20), ("备用", 8), ("大厅", 28), ("单位", 20)),
    ("状态", 16),
)
CONTACTS = tuple((title, 18) for title in UNIT_COLUMNS)


@router.get("/admin/users/export.xlsx")
@spared_on_head
async def export_users(
    request: Request,
    given: Given,
    viewer: Admin,
    place: str = "",
    role: str = "",
    active: str = "",
    q: str = "",
) -> Response:
    """The users as narrowed."""
    wanted = read_filter(place, role, active, q)
    places = await read_places(given)

    def cells(row: Any) -> list[Cell]:
        user: User = row[0]
        hall = places.hall_names.get(user.hall, user.hall) if user.hall else None
        unit = places.unit_names.get((user.hall or "", user.unit), user.unit) if user.unit else None
        state = "待更改首次密码" if user.must_change_password else "有效"
        said = (user.username, user.name, ROLES[user.role], "备用" if user.alternate else None)
        return [*said, hall, unit, state if user.active else "已停用"]

    def sheet(export: Export) -> Sheet:
        hall, unit = split_place(place)
        said = [f"姓名或用户名:{wanted.q}"] if wanted.q else []
        said += [f"大厅:{places.hall_names.get(hall, hall)}"] if hall else []
        said += [f"单位:{places.unit_names.get((hall or '', unit), unit)}"] if unit else []
        said += [f"角色:{ROLES.get(role, role)}"] if role else []  # type: ignore[call-overload]
        said += [f"状态:{ACTIVE_WORDS[active]}"] if active in ACTIVE_WORDS else []
        return Sheet.of("用户", "users", USERS, "；".join(said), export, cells)

    async def query(session: Any) -> Any:
        return users_wanted(wanted)

    return await send_query(request, given, viewer, query, sheet)


@router.get("/admin/contacts/export.xlsx")
@spared_on_head
async def export_contacts(request: Request, given: Given, viewer: KeepsContacts, hall: str = "") -> Response:
    """The contact table of a hall; a unit that nobody was entered for is named above: no import takes it."""
    halls = await halls_to_choose(given, viewer)
    hall = hall or viewer.hall or (halls[0].code if halls else "")
    if not hall:
        raise NotFound("hall")
    lines = await lines_of(given, viewer, hall)
    filled, empty = [line for line in lines if line.version], [line for line in lines if not line.version]
    words = f"大厅:{next((each.name for each in halls if each.code == hall), hall)}"
    if empty:
        words += f"；尚未填写、不在表中:{'、'.join(line.name for line in empty)}"
    rows, now = at_once(filled), await given.clock.now()
    sheet = Sheet(TABLE_SHEET, "contacts", CONTACTS, words, len(filled), now, rows, _contact)
    return await send_sheet(request, given, viewer, sheet)


def _contact(line: Line) -> list[Cell]:
    people = [getattr(line, person) or {} for person in PEOPLE]
    return [line.hall, line.unit, line.name, *(of.get(part) for of in people for part in PARTS)]
