"""What an admin does to users at the pages; what needs a second person becomes a request.

Every act gives its reason and stands on the access log. `key` is that of the form: sent twice, it is
one act with one answer.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from casework.accounts import revoke_all
from casework.errors import BadInput, NotFound
from casework.first_passwords import first_half, whole_password
from casework.grants import FACTOR, REASON, ask, said_of
from casework.passwords import check_password, hash_password
from casework.rights import TURN, check_acts_as, check_admin_remains, needs_two
from casework.services import Services
from casework.texts import is_code, text_fault
from casework.turns import take_turn
from casework.users import NewUser, made_user, unknown_places, user_faults
from casework.viewer import Viewer
from models.access_log import append
from models.directory import User
from models.grants import Grant
from rules.case.vocabulary import Role


@dataclass(frozen=True)
class Act:
    """Who acts from where, why, and the key of the form."""

    by: Viewer
    reason: str
    key: str
    address: str | None = None


@dataclass(frozen=True, repr=False)
class Outcome:
    """What came of it: done at once, or a request that waits.

    `password` is a new first password; of a request, the requester's half of it.
    """

    username: str
    password: str | None = None
    grant: Grant | None = None


async def add(services: Services, act: Act, new: NewUser) -> Outcome:
    """Add a user, or ask for it. Raises `BadInput` with every fault, `GrantRefused`."""
    new = replace(new, name=new.name.strip())
    faults = user_faults(new) | _reason_faults(act)
    password = whole_password(services, act.key, new.username)
    hashed = "" if faults or needs_two(None, new, "add") else await hash_password(password)
    now = await services.wall.now()
    async with services.database.begin() as session:
        await _begin(session, act)
        known = await session.get(User, new.username) if is_code(new.username) else None
        faults |= await unknown_places(session, new)
        if known is not None and not await _is_repeat(session, act, new, known, password):
            faults["username"] = "given_twice"
        if faults:
            raise BadInput(faults)
        if needs_two(None, new, "add"):
            return await _asked(services, session, act, "add", new, None, now)
        if known is None:
            session.add(made_user(new, hashed, now))
            await session.flush()
            await _log(session, act, now, "user_added", f"{new.username}: {new.role}")
    return Outcome(new.username, password)


async def change(services: Services, act: Act, username: str, new: NewUser) -> Outcome:
    """Change name, role, hall and unit, or ask for it. Raises `NotFound`, `BadInput`, `GrantRefused`."""
    new = replace(new, username=username, name=new.name.strip())
    faults = user_faults(new) | _reason_faults(act)
    now = await services.wall.now()
    async with services.database.begin() as session:
        await _begin(session, act)
        user = await _user(session, username)
        if faults := faults | await unknown_places(session, new):
            raise BadInput(faults)
        if needs_two(user, new, "change"):
            return await _asked(services, session, act, "change", new, user, now)
        if new.role is not Role.ADMIN:
            await check_admin_remains(session, user)
        was = f"{user.role}/{user.hall}/{user.unit}"
        user.name, user.role, user.hall, user.unit = new.name, str(new.role), new.hall, new.unit
        user.alternate = new.alternate
        session.add(user)
        await session.flush()
        said = f"{username}: {was} -> {user.role}/{user.hall}/{user.unit}"
        await _log(session, act, now, "user_changed", said)
    return Outcome(username)


async def disable(services: Services, act: Act, username: str) -> Outcome:
    """Bar a user from signing in and end every sign-in. Raises as `change`."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        await _begin(session, act)
        user = await _user(session, username)
        _refuse(_reason_faults(act))
        await check_admin_remains(session, user)
        if user.active:
            user.active = False
            session.add(user)
            await session.flush()
            await revoke_all(session, username, now)
            await _log(session, act, now, "user_disabled", username)
    return Outcome(username)


async def enable(services: Services, act: Act, username: str) -> Outcome:
    """Let a user sign in again, with the password of before, or ask for it. Raises as `change`."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        await _begin(session, act)
        user = await _user(session, username)
        _refuse(_reason_faults(act))
        if needs_two(user, same := _as_is(user), "enable"):
            return await _asked(services, session, act, "enable", same, user, now)
        if not user.active:
            user.active = True
            session.add(user)
            await session.flush()
            await _log(session, act, now, "user_enabled", username)
    return Outcome(username)


async def renew_password(services: Services, act: Act, username: str) -> Outcome:
    """Set a new first password, without a second factor, or ask for it. Raises as `change`."""
    password = whole_password(services, act.key, username)
    hashed = await hash_password(password)
    now = await services.wall.now()
    async with services.database.begin() as session:
        await _begin(session, act)
        user = await _user(session, username)
        _refuse(_reason_faults(act))
        if needs_two(user, same := _as_is(user), "password"):
            return await _asked(services, session, act, "password", same, user, now)
        user.password_hash, user.must_change_password, user.totp_secret = hashed, True, None
        session.add(user)
        await session.flush()
        await revoke_all(session, username, now)
        await _log(session, act, now, "password_set", username)
    return Outcome(username, password)


async def reset_factor(services: Services, act: Act, username: str) -> Outcome:
    """Take the second factor away and end every sign-in, or ask for it; the password stays.

    For who lost the telephone. Raises as `change`.
    """
    now = await services.wall.now()
    async with services.database.begin() as session:
        await _begin(session, act)
        user = await _user(session, username)
        _refuse(_reason_faults(act))
        if needs_two(user, same := _as_is(user), FACTOR):
            return await _asked(services, session, act, FACTOR, same, user, now)
        if user.totp_secret is not None:
            user.totp_secret = None
            session.add(user)
            await session.flush()
            await revoke_all(session, username, now)
            await _log(session, act, now, "second_factor_reset", username)
    return Outcome(username)


async def _begin(session: AsyncSession, act: Act) -> None:
    await take_turn(session, TURN)
    await check_acts_as(session, act.by, Role.ADMIN)


async def _asked(
    services: Services,
    session: AsyncSession,
    act: Act,
    name: str,
    wanted: NewUser,
    user: User | None,
    now: datetime,
) -> Outcome:
    grant = await ask(session, act.by, name, wanted, user, id=act.key, reason=act.reason, at=now)
    if grant.requested_at == now:
        await _log(session, act, now, "grant_requested", said_of(grant))
    half = None if name == FACTOR else first_half(services, grant.id)
    return Outcome(wanted.username, half, grant)


async def _is_repeat(session: AsyncSession, act: Act, new: NewUser, known: User, password: str) -> bool:
    """Whether this form added the user already: it made a request, or nobody else's password."""
    if needs_two(None, new, "add"):
        grant = await session.get(Grant, act.key)
        return grant is not None and grant.username == known.username
    return known.must_change_password and (await check_password(password, known.password_hash))[0]


async def _user(session: AsyncSession, username: str) -> User:
    user = await session.get(User, username) if is_code(username) else None
    if user is None:
        raise NotFound("user")
    return user


def _as_is(user: User) -> NewUser:
    return NewUser(user.username, user.name, Role(user.role), user.hall, user.unit, user.alternate)


def _reason_faults(act: Act) -> dict[str, str]:
    fault = text_fault(act.reason, REASON)
    return {"reason": fault} if fault else {}


def _refuse(faults: dict[str, str]) -> None:
    if faults:
        raise BadInput(faults)


async def _log(session: AsyncSession, act: Act, now: datetime, action: str, what: str) -> None:
    said = f"{what}: {act.reason}"
    await append(session, at=now, action=action, username=act.by.username, reason=said, address=act.address)
