"""Requests for rights that need a second person: asking, approving, rejecting, taking back.

Never the requester and never the person concerned decides; who decides is an active admin or auditor
at that moment. An approved request ends every sign-in and sets a new password in two halves: a password
that somebody knew from before must not open what was granted. Only where the second factor alone is taken
away does the password stay: it is what shows that the person is the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.accounts import revoke_all
from casework.errors import BadInput, NotFound
from casework.first_passwords import joined, second_half
from casework.grant_notices import tell_deciders, tell_of_decision
from casework.passwords import hash_password
from casework.rights import (
    DECIDERS,
    TURN,
    GrantRefused,
    check_acts_as,
    check_admin_remains,
    snapshot,
)
from casework.services import Services
from casework.texts import text_fault
from casework.turns import take_turn
from casework.users import NewUser
from casework.viewer import Viewer
from models.access_log import append
from models.directory import User
from models.grants import WAITING, Grant
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role

REASON = 2000  # characters
SHOWN = 100  # decided requests in the list
FACTOR = "second_factor"  # the act that leaves the password as it is
APPROVED, REJECTED, WITHDRAWN = "approved", "rejected", "withdrawn"


@dataclass(frozen=True, repr=False)
class Decided:
    """A request after its decision; `half` is the approver's half of the first password, if there is one."""

    grant: Grant
    half: str | None


async def list_grants(services: Services) -> tuple[Sequence[Grant], Sequence[Grant]]:
    """Return the requests that wait, oldest first, and the latest that were decided."""
    waiting = select(Grant).where(Grant.status == WAITING).order_by(col(Grant.requested_at))
    decided = select(Grant).where(Grant.status != WAITING).order_by(col(Grant.decided_at).desc())
    async with services.database.read() as session:
        return (await session.exec(waiting)).all(), (await session.exec(decided.limit(SHOWN))).all()


async def ask(
    session: AsyncSession, by: Viewer, act: str, wanted: NewUser, user: User | None, **more: Any
) -> Grant:
    """Add a request, in the caller's transaction, who took the turn. Raises `GrantRefused`.

    `more` is `id`, `reason` and `at`. The same id once more is the same request.
    """
    known = await session.get(Grant, more["id"])
    if known is not None and known.requested_by == by.username and known.username == wanted.username:
        return known
    pending = select(Grant.id).where(Grant.username == wanted.username, Grant.status == WAITING)
    if known is not None or (await session.exec(pending)).first():
        raise GrantRefused("waiting_already")
    grant = Grant(
        id=more["id"],
        act=act,
        username=wanted.username,
        wanted={
            "name": wanted.name,
            "role": str(wanted.role),
            "hall": wanted.hall,
            "unit": wanted.unit,
            "alternate": wanted.alternate,
        },
        before=snapshot(user) if user else None,
        reason=more["reason"],
        requested_by=by.username,
        requested_at=more["at"],
    )
    session.add(grant)
    await session.flush()
    await tell_deciders(session, grant)
    return grant


async def approve(services: Services, by: Viewer, grant_id: str, reason: str, address: str | None) -> Decided:
    """Let a request take effect; the same approver once more gets the same answer.

    Raises `NotFound`, `BadInput` without a reason, `Forbidden`, `GrantRefused`, DatabaseUnavailable.
    """
    _check_reason(reason)
    hashed = await hash_password(joined(services, grant_id))  # slow: before anybody waits for the turn
    now = await services.wall.now()
    async with services.database.begin() as session:
        await take_turn(session, TURN)
        grant = await _grant(session, grant_id)
        await _check_decider(session, by, grant)
        if grant.status != WAITING:
            if (grant.status, grant.decided_by) != (APPROVED, by.username):
                raise GrantRefused("decided")
            return Decided(grant, _half(services, grant))
        requester = await session.get(User, grant.requested_by)
        if requester is None or not requester.active or requester.role != Role.ADMIN:
            raise GrantRefused("requester_gone")
        await _apply(session, grant, hashed, now)
        await _close(session, grant, by, APPROVED, reason, now, address)
    return Decided(grant, _half(services, grant))


def _half(services: Services, grant: Grant) -> str | None:
    return None if grant.act == FACTOR else second_half(services, grant.id)


async def reject(services: Services, by: Viewer, grant_id: str, reason: str, address: str | None) -> Decided:
    """Refuse a request. Raises as `approve`."""
    _check_reason(reason)
    now = await services.wall.now()
    async with services.database.begin() as session:
        await take_turn(session, TURN)
        grant = await _grant(session, grant_id)
        await _check_decider(session, by, grant)
        if grant.status == WAITING:
            await _close(session, grant, by, REJECTED, reason, now, address)
        elif (grant.status, grant.decided_by) != (REJECTED, by.username):
            raise GrantRefused("decided")
    return Decided(grant, None)


async def withdraw(services: Services, by: Viewer, grant_id: str, address: str | None) -> None:
    """Take one's own request back. Raises `NotFound`, `Forbidden`, `GrantRefused`."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        await take_turn(session, TURN)
        grant = await _grant(session, grant_id)
        await check_acts_as(session, by, Role.ADMIN)
        if grant.requested_by != by.username:
            raise Forbidden("withdraw_grant", by.role)
        if grant.status == WAITING:
            await _close(session, grant, by, WITHDRAWN, None, now, address)
        elif grant.status != WITHDRAWN:
            raise GrantRefused("decided")


def _check_reason(reason: str) -> None:
    if fault := text_fault(reason, REASON):
        raise BadInput({"reason": fault})


async def _grant(session: AsyncSession, grant_id: str) -> Grant:
    grant = await session.get(Grant, grant_id, populate_existing=True)
    if grant is None:
        raise NotFound("grant")
    return grant


async def _check_decider(session: AsyncSession, by: Viewer, grant: Grant) -> None:
    await check_acts_as(session, by, *DECIDERS)
    if by.username == grant.requested_by:
        raise GrantRefused("own_request")
    if by.username == grant.username:
        raise GrantRefused("about_yourself")


async def _apply(session: AsyncSession, grant: Grant, hashed: str, now: datetime) -> None:
    user = await session.get(User, grant.username, populate_existing=True)
    if (snapshot(user) if user else None) != grant.before:
        raise GrantRefused("changed_meanwhile")
    wanted = grant.wanted
    if user is None:
        user = User(username=grant.username, **wanted, password_hash=hashed, created_at=now)
    elif grant.act == "change":
        if wanted["role"] != Role.ADMIN:
            await check_admin_remains(session, user)
        for part, value in wanted.items():
            setattr(user, part, value)
    elif grant.act == "enable":
        user.active = True
    elif grant.act in ("password", FACTOR):
        user.totp_secret = None  # who lost the telephone, too
    if grant.act != FACTOR:
        user.password_hash, user.must_change_password = hashed, True
    session.add(user)
    await session.flush()
    await revoke_all(session, grant.username, now)


async def _close(
    session: AsyncSession,
    grant: Grant,
    by: Viewer,
    status: str,
    reason: str | None,
    now: datetime,
    address: str | None,
) -> None:
    grant.status, grant.decided_by, grant.decided_at = status, by.username, now
    grant.decision_reason = reason
    session.add(grant)
    await session.flush()
    await tell_of_decision(session, grant, now)
    said = f"{said_of(grant)}; requested by {grant.requested_by}" + (f": {reason}" if reason else "")
    action = f"grant_{status}"
    await append(session, at=now, action=action, username=by.username, reason=said, address=address)


def said_of(grant: Grant) -> str:
    """Return what a request is about, for the access log."""
    place = "/".join(filter(None, (grant.wanted["hall"], grant.wanted["unit"])))
    return f"{grant.username}: {grant.act} {grant.wanted['role']}" + (f" at {place}" if place else "")
