"""What users do with their own account: see their sessions, end them all, change the password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select

from casework.access import record
from casework.accounts import LIVE, confirm_password, live_at, revoke_all
from casework.errors import BadInput, Unauthenticated
from casework.lockout import take_attempt, take_back
from casework.passwords import hash_password, own_password_fault
from casework.second_factor import remove_factor
from casework.services import Services
from casework.viewer import Viewer
from models.access import AccessToken
from models.access_log import append
from models.codes import hash_token
from models.directory import User


@dataclass(frozen=True)
class OwnSession:
    """A sign-in that still holds; `kind` is one of `casework.accounts`."""

    kind: str
    since: datetime
    last_used: datetime
    current: bool


@dataclass(frozen=True, repr=False)
class NewPassword:
    """What somebody typed to change the password. It has no repr: logs must not show it."""

    old: str
    new: str
    again: str


async def own_sessions(services: Services, viewer: Viewer, token: str) -> Sequence[OwnSession]:
    """Return the sign-ins of a user, the last used first; `token` is the one that asks."""
    now = await services.wall.now()
    wanted = (
        select(AccessToken)
        .where(col(AccessToken.username) == viewer.username, *LIVE)
        .order_by(col(AccessToken.last_used_at).desc())
    )
    async with services.database.read() as session:
        rows = (await session.exec(wanted, params=live_at(services, now))).all()
    mine = hash_token(token)
    return [OwnSession(row.kind, row.created_at, row.last_used_at, row.hash == mine) for row in rows]


async def sign_out_everywhere(services: Services, viewer: Viewer, address: str | None) -> None:
    """End every session and every API token of a user, this one too."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        await revoke_all(session, viewer.username, now)
        await append(session, at=now, action="sign_out_everywhere", username=viewer.username, address=address)


async def change_password(
    services: Services, viewer: Viewer, typed: NewPassword, token: str, address: str | None
) -> None:
    """Put the new password in force and end every other sign-in; `token` stays.

    Raises `BadInput` naming every fault, `TooMany` while locked out.
    """
    faults = {}
    if fault := own_password_fault(viewer.username, typed.old, typed.new):
        faults["new"] = fault
    if typed.again != typed.new:
        faults["again"] = "not_the_same"
    await _confirm(services, viewer, typed.old, "old", address, faults)
    hashed = await hash_password(typed.new)
    now = await services.wall.now()
    async with services.database.begin() as session:
        user = await session.get_one(User, viewer.username)
        user.password_hash, user.must_change_password = hashed, False
        await revoke_all(session, viewer.username, now, but=token)
        await append(session, at=now, action="password_changed", username=viewer.username, address=address)


async def remove_second_factor(
    services: Services, viewer: Viewer, password: str, code: str, address: str | None
) -> None:
    """Take the second factor away. Raises `BadInput`, `TooMany` while locked out."""
    await _confirm(services, viewer, password, "password", address, {})
    now = await services.wall.now()
    # The code counts as an attempt of its own: whoever knows the password must not guess at it freely.
    async with services.database.begin() as session:
        taken = await take_attempt(session, viewer.username, address, now)
    try:
        await remove_factor(services, viewer, code, address)
    except BadInput:
        await record(
            services,
            action="second_factor_refused",
            username=viewer.username,
            reason="bad-credentials",
            address=address,
        )
        raise
    async with services.database.begin() as session:
        await take_back(session, taken)


async def _confirm(
    services: Services,
    viewer: Viewer,
    password: str,
    field: str,
    address: str | None,
    faults: dict[str, str],
) -> None:
    """Check the password in force; raise `BadInput` with what was wrong before and now."""
    try:
        await confirm_password(services, viewer.username, password, address)
    except Unauthenticated:
        faults = {field: "wrong_password", **faults}
    if faults:
        raise BadInput(faults)
