"""Signing in and out: opaque tokens, stored by their hash, revocable, on the real clock."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.access import record
from casework.errors import TooMany, Unauthenticated
from casework.lockout import forgive, take_attempt, take_back
from casework.passwords import check_password, totp_step
from casework.services import Services
from casework.turns import take_turn
from casework.viewer import Viewer
from models.access import AccessToken, Attempt
from models.access_log import append
from models.crypto import hash_token, new_token
from models.directory import User
from rules.case.vocabulary import Role

LIFETIME = timedelta(hours=12)  # a shift and its overtime; contract.md: at least 8 hours
KEPT = timedelta(days=7)  # how long the row of a token that is over stays
TOUCH = timedelta(minutes=10)  # how coarse `last_used_at` is: a read must not cost a write each time

# One password of a user is checked at a time in this process: a person who signs in at several
# screens at once must not use up the free attempts. (A lock that nobody waits for disappears.)
_turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()


@dataclass(frozen=True, repr=False)
class Credentials:
    """What somebody typed to sign in. It has no repr: logs must not show it."""

    username: str
    password: str
    otp: str | None = None


@dataclass(frozen=True, repr=False)
class SignedIn:
    """A token in clear, told once, and how long it holds."""

    token: str
    expires_in: timedelta


async def sign_in(services: Services, given: Credentials, address: str | None, kind: str = "api") -> SignedIn:
    """Return a new token; the attempt, good or bad, is on the access log.

    A user who does not exist or is disabled costs the same time as a wrong password.
    Raises `Unauthenticated`, `TooMany` while locked out, DatabaseUnavailable.
    """
    async with _turns.setdefault(given.username, asyncio.Lock()):
        try:
            return await _sign_in(services, given, address, kind)
        except (Unauthenticated, TooMany) as refusal:
            await _log_refusal(services, given.username, address, str(refusal))
            raise


async def _sign_in(services: Services, given: Credentials, address: str | None, kind: str) -> SignedIn:
    now = await services.wall.now()
    async with services.database.begin() as session:
        user = await session.get(User, given.username)
        taken = await take_attempt(session, given.username, address, now)
    stored = user.password_hash if user and user.active else None
    fits, renewed = await check_password(given.password, stored)
    if user is None or not fits:
        raise Unauthenticated("bad-credentials")
    async with services.database.begin() as session:
        factor = await _second_factor(session, services, user, given.otp, now)
        if factor == "otp-required":
            # No failure, but no reason either to forgive those before: else a known password would
            # buy any number of guesses at the code.
            await take_back(session, taken)
        elif factor is None:
            await forgive(session, user.username, taken, now)
            if renewed:
                await _replace_hash(session, user, renewed)
            token = await _new_token(session, user.username, kind, now)
            await append(session, at=now, action="sign_in", username=user.username, address=address)
            return SignedIn(token, LIFETIME)
    raise Unauthenticated(factor)


async def _second_factor(
    session: AsyncSession, services: Services, user: User, code: str | None, now: datetime
) -> str | None:
    """Return why the second factor does not hold, None where it does or the user has none."""
    if user.totp_secret is None:
        return None
    if not code:
        return "otp-required"
    secret = services.keyring.open_text(user.totp_secret, f"totp:{user.username}")
    step = totp_step(secret, code, now)
    if step is None:
        return "bad-credentials"
    # A code is good once: who looks over a shoulder has half a minute otherwise.
    key = f"otp:{user.username}:{step}"
    await take_turn(session, key)
    if (await session.exec(select(Attempt.id).where(Attempt.key == key))).first():
        return "bad-credentials"
    session.add(Attempt(key=key, at=now))
    return None


async def _new_token(session: AsyncSession, username: str, kind: str, now: datetime) -> str:
    token = new_token()
    old = col(AccessToken.expires_at) < now - KEPT
    await session.exec(delete(AccessToken).where(col(AccessToken.username) == username, old))
    session.add(
        AccessToken(
            hash=hash_token(token),
            username=username,
            kind=kind,
            created_at=now,
            last_used_at=now,
            expires_at=now + LIFETIME,
        )
    )
    await session.flush()
    return token


async def _replace_hash(session: AsyncSession, user: User, renewed: str) -> None:
    """Store the newer kind of hash, unless the password was changed meanwhile."""
    same = col(User.username) == user.username, col(User.password_hash) == user.password_hash
    await session.exec(update(User).where(*same).values(password_hash=renewed))


async def _log_refusal(services: Services, username: str, address: str | None, reason: str) -> None:
    await record(services, action="sign_in_refused", username=username, reason=reason, address=address)


async def viewer_of(services: Services, token: str, kind: str = "api") -> Viewer:
    """Return whose token this is. Raises `Unauthenticated` for one unknown, ended or over."""
    now = await services.wall.now()
    wanted = (
        select(AccessToken, User)
        .join(User, col(User.username) == AccessToken.username)
        .where(AccessToken.hash == hash_token(token), AccessToken.kind == kind)
        .where(col(AccessToken.revoked_at).is_(None), col(AccessToken.expires_at) > now)
        .where(col(User.active).is_(True))
    )
    async with services.database.read() as session:
        found = (await session.exec(wanted)).first()
    if found is None:
        raise Unauthenticated("bad-token")
    row, user = found
    if now - row.last_used_at > TOUCH:
        await _touch(services, row.hash, now)
    return Viewer(user.username, user.name, Role(user.role), user.hall, user.unit)


async def _touch(services: Services, token_hash: str, now: datetime) -> None:
    async with services.database.begin() as session:
        mine = col(AccessToken.hash) == token_hash
        await session.exec(update(AccessToken).where(mine).values(last_used_at=now))


async def sign_out(services: Services, token: str, viewer: Viewer, address: str | None) -> None:
    """End a token at once."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        mine = col(AccessToken.hash) == hash_token(token)
        await session.exec(update(AccessToken).where(mine).values(revoked_at=now))
        await append(session, at=now, action="sign_out", username=viewer.username, address=address)


async def revoke_all(session: AsyncSession, username: str, now: datetime) -> None:
    """End every token and session of a user, in the caller's write transaction.

    For a new password and for a user who is disabled. `now` is the real time.
    """
    live = col(AccessToken.username) == username, col(AccessToken.revoked_at).is_(None)
    await session.exec(update(AccessToken).where(*live).values(revoked_at=now))
