"""A case for the operator at the command line: as it stands, and its events without their texts."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from casework.case_verifying import CaseReport, verify_case
from casework.finding import find_case
from casework.reading import get_case
from casework.services import Services
from casework.users import OPERATOR
from casework.verifying import LedgerReport, verify_ledger
from casework.viewer import Viewer
from models.case import Case, LedgerEvent
from models.heads import HeadFile
from rules.case.vocabulary import Role

# Reads every hall, and may change nothing.
_LOOKING_ON = Viewer(OPERATOR, OPERATOR, Role.AUDITOR)


async def verify_one(services: Services, ref: str) -> CaseReport:
    """Verify a case by its number or id. Raises `NotFound`, EngineUnavailable."""
    found = await find_case(services, _LOOKING_ON, ref)
    return await verify_case(services, found.case.id)


async def verify_all(
    services: Services, published: Sequence[HeadFile]
) -> tuple[LedgerReport, dict[str, str]]:
    """Verify the whole ledger; return also the numbers of the cases that something was found about."""
    report = await verify_ledger(services, published)
    ids = {finding.case_id for finding in [*report.findings, *report.lost] if finding.case_id}
    wanted = select(Case.id, Case.number).where(col(Case.id).in_(ids))
    async with services.database.read() as session:
        return report, {case_id: number or case_id for case_id, number in await session.exec(wanted)}


async def case_and_events(services: Services, ref: str) -> tuple[dict[str, Any], Sequence[LedgerEvent]]:
    """Return a case by its number or id, and its events in order.

    Raises `NotFound`, EngineUnavailable for a filing that waits for its number.
    """
    found = await find_case(services, _LOOKING_ON, ref)
    shown = await get_case(services, _LOOKING_ON, ref)
    wanted = select(LedgerEvent).where(LedgerEvent.case_id == found.case.id).order_by(col(LedgerEvent.seq))
    async with services.database.read() as session:
        return shown, (await session.exec(wanted)).all()
