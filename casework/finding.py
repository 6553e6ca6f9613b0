"""Finding one case: by id or number, and only where the viewer may know of it."""

import re
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.engine import EngineUnavailable
from casework.errors import NotFound
from casework.pinned import Pinned
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.filing import Filing
from models.messages import decode_state
from rules.case.state import CaseState

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER = re.compile(r"[A-Za-z0-9._-]{1,100}")


@dataclass(frozen=True)
class Found:
    """A case as it stands, with its state and terms; ``visible`` by the viewer's scope."""

    case: Case
    state: CaseState
    pinned: Pinned
    visible: bool = True


async def case_row(session: AsyncSession, ref: str) -> Case | None:
    """Return a case by its id or number, whoever asks."""
    if _ID.fullmatch(ref):
        return await session.get(Case, ref)
    if not _NUMBER.fullmatch(ref):
        return None
    return (await session.exec(select(Case).where(Case.number == ref))).first()


async def pending_filing(session: AsyncSession, ref: str, scope: Scope) -> Filing | None:
    """Return a filing in scope that has no number yet; it has an id only."""
    if not _ID.fullmatch(ref):
        return None
    wanted = select(Filing).where(Filing.case_id == ref, col(Filing.registered_at).is_(None), scope.filings)
    return (await session.exec(wanted)).first()


async def opened(services: Services, session: AsyncSession, case: Case, visible: bool = True) -> Found:
    """Return a case with its state and terms."""
    pinned = await services.pinned.of(session, case)
    return Found(case, decode_state(case.state), pinned, visible)


async def find_case(services: Services, viewer: Viewer, ref: str) -> Found:
    """Return a registered case that the viewer sees.

    Raises `NotFound`, and `EngineUnavailable` for a filing that waits for its number.
    """
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        case = await case_row(session, ref)
        if case is None and await pending_filing(session, ref, scope):
            raise EngineUnavailable("the filing waits for its number")
        if case is None or not scope.covers(case):
            raise NotFound("case")
        return await opened(services, session, case)
