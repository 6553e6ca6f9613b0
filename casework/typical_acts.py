"""What is done to a typical case: written up, reviewed by another person, withdrawn.

Source: S1; domain.md, section 8. Every act is a row of the record (`acts`), kind `typical_case`.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.acts import actor_of, append
from casework.bulletin_notices import supervisors, tell
from casework.errors import BadInput, Conflict
from casework.finding import Found, find_case
from casework.petitioners import read_petitioners
from casework.services import Services
from casework.staff import staff_of_case
from casework.turns import take_turn
from casework.typical import PARTS, PUBLISHED, RETURNED, SUBMITTED, WITHDRAWN, WRITERS
from casework.viewer import Viewer
from models.act import TYPICAL_CASE, NewAct
from models.typical import TypicalCase
from rules.anonymity import identity_fault
from rules.case.errors import Forbidden
from rules.case.vocabulary import ENDED, Role, Status

NOT_CLOSED, THERE, NOT_NOW = "case-not-closed", "typical-case-there", "typical-case-decided"
NOTICE = "typical_case"  # the kind of its lines in inboxes


async def case_to_write_up(services: Services, viewer: Viewer, ref: str) -> tuple[Found, TypicalCase | None]:
    """Return a case and its write-up, if there is one.

    Raises `NotFound`, `Forbidden`; `Conflict` for a case that is open, or written up already.
    """
    found = await find_case(services, viewer, ref)
    if viewer.role not in WRITERS:
        raise Forbidden("typical_case_write", viewer.role)
    if Status(found.case.status) not in ENDED:
        raise Conflict(NOT_CLOSED)
    async with services.database.read() as session:
        item = await _of_case(session, found.case.id)
    _check_free(item)
    return found, item


async def write(services: Services, viewer: Viewer, found: Found, texts: Mapping[str, str]) -> TypicalCase:
    """Hand in a write-up, a returned or withdrawn one anew.

    Raises `BadInput` for what names petitioner, staff or anybody's number, `Conflict` where there is one.
    """
    now = await services.clock.now()
    case = found.case
    async with services.database.begin() as session:
        await take_turn(session, f"typical:{case.id}")
        await _check_anonymous(services, session, case.id, texts, case.matter)
        item = await _of_case(session, case.id)
        _check_free(item)
        given = {name: texts[name] for name in PARTS}
        if item is None:
            item = TypicalCase(
                case_id=case.id,
                case_number=case.number or "",
                hall=case.hall,
                status=SUBMITTED,
                written_by=viewer.username,
                written_at=now,
                last_hash="",
                title=given["title"],
                problem=given["problem"],
                done=given["done"],
                lesson=given["lesson"],
            )
        item.sqlmodel_update(
            given
            | {"status": SUBMITTED, "written_by": viewer.username, "written_at": now}
            | {"unit": case.unit, "matter": case.matter, "cause": case.cause, "published_at": None}
        )
        session.add(item)
        await session.flush()
        act = await _act(services, session, item, now, viewer, SUBMITTED, given)
        words = f"{item.case_number} 的典型案例待审核"
        await tell(session, item, act, now, (NOTICE, words), await supervisors(session, item))
    return item


def check_reviewer(viewer: Viewer, item: TypicalCase) -> None:
    """Let a supervisor through who is not the author. Raises `Forbidden`."""
    if viewer.role is not Role.SUPERVISOR or item.written_by == viewer.username:
        raise Forbidden("typical_case_review", viewer.role)


async def review(
    services: Services, viewer: Viewer, found: TypicalCase, publish: bool, reason: str | None
) -> TypicalCase:
    """Publish a write-up, or return it with a reason; never one's own.

    Raises `Forbidden`, `BadInput`, `Conflict`.
    """
    check_reviewer(viewer, found)
    if not publish and not reason:
        raise BadInput({"reason": "required"})
    now = await services.clock.now()
    async with services.database.begin() as session:
        item = await _locked(session, found)
        if item.status != SUBMITTED or item.written_at != found.written_at:
            raise Conflict(NOT_NOW)
        if publish:
            texts = {name: getattr(item, name) for name in PARTS}
            await _check_anonymous(services, session, item.case_id, texts, item.matter)
        item.status, item.published_at = (PUBLISHED, now) if publish else (RETURNED, None)
        act = await _act(services, session, item, now, viewer, item.status, {"text": reason})
        words = f"{item.case_number} 的典型案例{'已发布' if publish else '被退回修改'}"
        await tell(session, item, act, now, (NOTICE, words), [item.written_by])
    return item


def check_withdrawer(viewer: Viewer) -> None:
    """Let those through who may take a typical case back. Raises `Forbidden`."""
    if viewer.role not in WRITERS | {Role.SUPERVISOR}:
        raise Forbidden("typical_case_withdraw", viewer.role)


async def withdraw(services: Services, viewer: Viewer, found: TypicalCase, reason: str) -> TypicalCase:
    """Take a published one back from the public. Raises `Forbidden`, `Conflict`."""
    check_withdrawer(viewer)
    now = await services.clock.now()
    async with services.database.begin() as session:
        item = await _locked(session, found)
        if item.status != PUBLISHED:
            raise Conflict(NOT_NOW)
        item.status, item.published_at = WITHDRAWN, None
        await _act(services, session, item, now, viewer, WITHDRAWN, {"text": reason})
    return item


async def _of_case(session: AsyncSession, case_id: str) -> TypicalCase | None:
    wanted = select(TypicalCase).where(TypicalCase.case_id == case_id)
    return (await session.exec(wanted.order_by(col(TypicalCase.id).desc()))).first()


def _check_free(item: TypicalCase | None) -> None:
    if item is not None and item.status in (SUBMITTED, PUBLISHED):
        raise Conflict(THERE)


async def _locked(session: AsyncSession, found: TypicalCase) -> TypicalCase:
    wanted = select(TypicalCase).where(TypicalCase.id == found.id).with_for_update()
    return (await session.exec(wanted.execution_options(populate_existing=True))).one()


async def _check_anonymous(
    services: Services, session: AsyncSession, case_id: str, texts: Mapping[str, str], matter: str | None
) -> None:
    """Refuse texts that give somebody away; `matter`, typed at the counter, is published with them.

    Raises `BadInput`.
    """
    people = await read_petitioners(session, services.keyring, [case_id])
    _, person = people.get(case_id, (None, None))
    names = [person.name] if person else []
    numbers = [person.phone, person.id_number, person.uscc] if person else []
    staff = await staff_of_case(session, case_id)
    checked = {**{name: texts[name] for name in PARTS}, "matter": matter or ""}
    found = {name: identity_fault(text, names, numbers, staff) for name, text in checked.items()}
    if faults := {name: fault for name, fault in found.items() if fault}:
        raise BadInput(faults)


async def _act(
    services: Services,
    session: AsyncSession,
    item: TypicalCase,
    at: datetime,
    viewer: Viewer,
    kind: str,
    texts: Mapping[str, str | None],
) -> int:
    """Record what was done; return the number of its row."""
    new = NewAct(TYPICAL_CASE, item.id or 0, item.case_id, at, kind, actor_of(viewer))
    appended = await append(session, services.keyring, new, texts)
    item.last_hash = appended.hash
    session.add(item)
    await session.flush()
    return appended.id
