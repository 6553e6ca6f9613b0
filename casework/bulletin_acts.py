"""What people do to a bulletin: state, approve, reject, decide an accountability referral.

Nothing here runs by itself: a bulletin is issued or rejected by a supervisor, and a serious one goes on
only by the superior. Each act is a row of the record (`acts`) in the same transaction.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.acts import SYSTEM, Appended, actor_of, append, read_record
from casework.bulletin_document import document_facts
from casework.bulletin_notices import (
    ANSWERED,
    STATED,
    above,
    addressees,
    supervisors,
    tell,
    unit_leaders,
)
from casework.bulletin_notices import (
    ISSUED as ISSUED_NOTICE,
)
from casework.bulletin_notices import (
    REFERRED as REFERRED_NOTICE,
)
from casework.bulletin_notices import (
    REJECTED as REJECTED_NOTICE,
)
from casework.bulletins import (
    APPROVED,
    DRAFT,
    ISSUED,
    REFERRED,
    REJECTED,
    RETURNED,
    check_role,
    number_of,
    seriousness,
)
from casework.engine import EngineUnavailable
from casework.errors import BadInput, Conflict
from casework.services import Services
from casework.turns import take_turn
from casework.viewer import Viewer
from models.act import BULLETIN, NewAct
from models.case import Bulletin
from models.directory import Hall
from rules.bulletin import Serious
from rules.calendar import local

DECIDED = "bulletin-decided"


async def state(services: Services, viewer: Viewer, found: Bulletin, text: str) -> Bulletin:
    """Add a statement of the unit; as many as it likes before the decision.

    Raises `Forbidden`, and `Conflict` once it was decided.
    """
    check_role(viewer, "statement")
    now = await services.clock.now()
    async with services.database.begin() as session:
        bulletin = await _locked(session, found)
        _check_open(bulletin)
        last = (await read_record(session, services.keyring, bulletin)).acts[-1:]
        if last and (last[0].type, last[0].text) == ("statement", text):
            return bulletin  # sent twice: a double click says nothing new
        act = await _act(services, session, bulletin, now, "statement", actor_of(viewer), text=text)
        words = f"{bulletin.case_number} 通报批评草稿：单位已提交说明"
        await tell(session, bulletin, act.id, now, (STATED, words), await supervisors(session, bulletin))
        return bulletin


async def approve(services: Services, viewer: Viewer, found: Bulletin, reason: str | None = None) -> Bulletin:
    """Issue it: numbered by supervision department and year, without a gap, dated now, sent.

    The same supervisor once more gets it as it stands. Raises `Forbidden`, and `Conflict` where
    somebody else, or another decision, was first.
    """
    check_role(viewer, "approve")
    now = await services.clock.now()
    async with services.database.begin() as session:
        bulletin = await _locked(session, found)
        if (bulletin.status, bulletin.decided_by) == (ISSUED, viewer.username):
            return bulletin
        _check_open(bulletin)
        serious = await _number(services, session, bulletin, viewer, now)
        facts, matter = await document_facts(services, session, bulletin, serious)
        texts = {"text": reason, "matter": matter}
        act = await _act(
            services, session, bulletin, now, ISSUED, actor_of(viewer), data={"document": facts}, **texts
        )
        words = f"{bulletin.case_number} 已发出{number_of(bulletin)}"
        await tell(
            session, bulletin, act.id, now, (ISSUED_NOTICE, words), await addressees(session, bulletin)
        )
        if serious:
            await _refer(services, session, bulletin, serious, now)
    with suppress(EngineUnavailable):  # the relay sends it later
        await services.engine.announce(bulletin.id or 0)
    return bulletin


async def reject(services: Services, viewer: Viewer, found: Bulletin, reason: str) -> Bulletin:
    """Decide that there will be none. Raises as `approve`."""
    check_role(viewer, "reject")
    now = await services.clock.now()
    async with services.database.begin() as session:
        bulletin = await _locked(session, found)
        if (bulletin.status, bulletin.decided_by) == (REJECTED, viewer.username):
            return bulletin
        _check_open(bulletin)
        bulletin.status, bulletin.decided_at, bulletin.decided_by = REJECTED, now, viewer.username
        act = await _act(services, session, bulletin, now, REJECTED, actor_of(viewer), text=reason)
        words = f"{bulletin.case_number} 通报批评草稿：审定为不予通报"
        leaders = await unit_leaders(session, bulletin)
        await tell(session, bulletin, act.id, now, (REJECTED_NOTICE, words), leaders)
        return bulletin


async def decide_referral(
    services: Services, viewer: Viewer, found: Bulletin, accept: bool, reason: str | None
) -> Bulletin:
    """Approve an accountability referral (问责移送), or return it with a reason.

    Raises `Forbidden`, `BadInput`, `Conflict`.
    """
    check_role(viewer, "referral")
    if not accept and not reason:
        raise BadInput({"reason": "required"})
    now = await services.clock.now()
    outcome = APPROVED if accept else RETURNED
    async with services.database.begin() as session:
        bulletin = await _locked(session, found)
        if bulletin.accountability != REFERRED:
            raise Conflict(DECIDED, {"bulletin_status": bulletin.accountability or bulletin.status})
        bulletin.accountability = outcome
        act = await _act(
            services, session, bulletin, now, f"referral_{outcome}", actor_of(viewer), text=reason
        )
        decided = "同意问责移送" if accept else "退回问责移送"
        users = [*await supervisors(session, bulletin), *await unit_leaders(session, bulletin)]
        words = f"{bulletin.case_number} {number_of(bulletin)}：上级{decided}"
        await tell(session, bulletin, act.id, now, (ANSWERED, words), users)
        return bulletin


async def _locked(session: AsyncSession, found: Bulletin) -> Bulletin:
    """Return it as it stands now; others who act on it wait for this transaction."""
    wanted = select(Bulletin).where(Bulletin.id == found.id).with_for_update()
    return (await session.exec(wanted.execution_options(populate_existing=True))).one()


def _check_open(bulletin: Bulletin) -> None:
    if bulletin.status != DRAFT:
        raise Conflict(DECIDED, {"bulletin_status": bulletin.status})


async def _act(
    services: Services,
    session: AsyncSession,
    bulletin: Bulletin,
    at: datetime,
    kind: str,
    actor: dict[str, Any],
    data: dict[str, Any] | None = None,
    **texts: str | None,
) -> Appended:
    new = NewAct(BULLETIN, bulletin.id or 0, bulletin.case_id, at, kind, actor, data or {})
    appended = await append(session, services.keyring, new, texts)
    bulletin.acts, bulletin.last_hash = bulletin.acts + 1, appended.hash
    session.add(bulletin)
    await session.flush()
    return appended


async def _number(
    services: Services, session: AsyncSession, bulletin: Bulletin, viewer: Viewer, now: datetime
) -> Serious | None:
    """Give the next number of the department and year; say why the bulletin is serious."""
    hall = await session.get_one(Hall, bulletin.hall)
    department, year = hall.supervision_department, local(now).year
    # Numbers have no gaps: one after the other, and whoever fails gives his back with the rest.
    await take_turn(session, f"bulletins:{department}/{year}")
    last = select(func.max(Bulletin.serial)).where(
        col(Bulletin.department) == department, col(Bulletin.year) == year
    )
    serial = ((await session.exec(last)).one() or 0) + 1
    serious = await seriousness(services, session, bulletin, now)
    bulletin.status, bulletin.decided_at, bulletin.decided_by = ISSUED, now, viewer.username
    bulletin.department, bulletin.year, bulletin.serial = department, year, serial
    bulletin.accountability = REFERRED if serious else None
    session.add(bulletin)
    await session.flush()
    return serious


async def _refer(
    services: Services, session: AsyncSession, bulletin: Bulletin, serious: Serious, now: datetime
) -> None:
    act = await _act(services, session, bulletin, now, REFERRED, SYSTEM, data={"because": serious.value})
    words = f"{bulletin.case_number} {number_of(bulletin)}情形严重，移送问责，请审定"
    await tell(session, bulletin, act.id, now, (REFERRED_NOTICE, words), await above(session, bulletin))
