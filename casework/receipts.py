"""What a receipt (回执) says: for the citizen to take home, so the petitioner stays masked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from casework.attachments import list_attachments
from casework.calendars import hall_of
from casework.desk import Promise, desk_of, promises_for
from casework.finding import Found, find_case
from casework.ledger_texts import read_events
from casework.public_view import told
from casework.reading import get_case
from casework.services import Services
from casework.viewer import Viewer
from models.directory import Unit


@dataclass(frozen=True, repr=False)
class Receipt:
    """A case, or a filing that waits for its number, as its citizen is told of it.

    `promises` are empty once the case was triaged: then its own due date counts. `answer` is what
    the citizen was told at triage or by an accepted reply.
    """

    case: Mapping[str, Any]
    hall: str
    unit: str | None
    promises: Sequence[Promise]
    notice: Mapping[str, str] | None
    answer: str | None
    attachments: Sequence[Mapping[str, Any]]


async def read_receipt(services: Services, viewer: Viewer, ref: str) -> Receipt:
    """Return the receipt of a case in the viewer's scope. Raises `NotFound`."""
    case = await get_case(services, viewer, ref)
    if case["number"] is None:
        desk = await desk_of(services, case["hall"], datetime.fromisoformat(case["received_at"]))
        return Receipt(case, desk.hall, None, desk.promises, None, None, ())
    found = await find_case(services, viewer, case["id"])
    files = await list_attachments(services, found)
    async with services.database.read() as session:
        hall = await hall_of(session, case["hall"])
        unit = await session.get(Unit, (case["hall"], case["unit"])) if case["unit"] else None
        notice, answer = await _said(services, session, found)
    untriaged = promises_for(found) if case["kind"] is None else ()
    name = unit.name if unit else None
    return Receipt(case, hall.name, name, untriaged, notice, answer, files["items"])


async def _said(
    services: Services, session: AsyncSession, found: Found
) -> tuple[Mapping[str, str] | None, str | None]:
    """Return the last one-time notice, and the last answer."""
    only = ("triage", "reply", "check_reply")
    rows = await read_events(session, services.keyring, [found.case.id], only=only)
    notices = [texts["one_time_notice"] for _, texts in rows if texts.get("one_time_notice")]
    return (notices[-1] if notices else None), told(rows)
