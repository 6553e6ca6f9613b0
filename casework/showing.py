"""A case for the operator at the command line: as it stands, and its events without their texts."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from casework.finding import find_case
from casework.reading import get_case
from casework.services import Services
from casework.users import OPERATOR
from casework.viewer import Viewer
from models.case import LedgerEvent
from rules.case.vocabulary import Role

# Reads every hall, and may change nothing.
_LOOKING_ON = Viewer(OPERATOR, OPERATOR, Role.AUDITOR)


async def case_and_events(services: Services, ref: str) -> tuple[dict[str, Any], Sequence[LedgerEvent]]:
    """Return a case by its number or id, and its events in order.

    Raises `NotFound`, EngineUnavailable for a filing that waits for its number.
    """
    found = await find_case(services, _LOOKING_ON, ref)
    shown = await get_case(services, _LOOKING_ON, ref)
    wanted = select(LedgerEvent).where(LedgerEvent.case_id == found.case.id).order_by(col(LedgerEvent.seq))
    async with services.database.read() as session:
        return shown, (await session.exec(wanted)).all()
