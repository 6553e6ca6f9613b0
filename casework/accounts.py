"""Signing in and out: opaque tokens, stored by their hash, revocable, on the real clock."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from weakref import WeakValueDictionary

from sqlalchemy import bindparam, or_
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.access import record
from casework.errors import TooMany, Unauthenticated
from casework.lockout import forgive, take_attempt, take_back
from casework.passwords import check_password
from casework.second_factor import code_fault, opened
from casework.services import Services
from casework.texts import is_clean
from casework.viewer import Viewer
from models.access import AccessToken, Attempt
from models.access_log import append
from models.base import CODE
from models.codes import hash_token, new_token
from models.database import DatabaseUnavailable
from models.directory import User
from rules.case.vocabulary import Role

LIFETIME = timedelta(hours=12)  # a shift and its overtime; contract.md: at least 8 hours
KEPT = timedelta(days=7)  # how long the row of a token that is over stays
API, PAGE, BY_PROVIDER = "api", "page", "sso"  # kinds of tokens; the last is a session of the pages, too
SESSIONS = (PAGE, BY_PROVIDER)
# How coarse `last_used_at` is: a read must not cost a write each time. A session ends by it.
TOUCH, TOUCH_SESSION = timedelta(minutes=10), timedelta(minutes=1)

PASSWORD_OWED, FACTOR_OWED = "password-change-needed", "second-factor-needed"

LIVE = (
    col(AccessToken.revoked_at).is_(None),
    col(AccessToken.expires_at) > bindparam("now"),
    or_(col(AccessToken.kind) == API, col(AccessToken.last_used_at) > bindparam("idle_since")),
)
"""What holds for a token that is good: not ended, not over, and a session not left alone."""

# Made once: each request asks, and making a statement costs as much as running it.
_OF_ANYONE = (
    select(AccessToken, User)
    .join(User, col(User.username) == AccessToken.username)
    .where(col(AccessToken.hash) == bindparam("hash"), *LIVE, col(User.active).is_(True))
)
_OF_API = _OF_ANYONE.where(col(AccessToken.kind) == API)
_OF_PAGES = _OF_ANYONE.where(col(AccessToken.kind).in_(SESSIONS))

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


async def sign_in(
    services: Services,
    given: Credentials,
    address: str | None,
    kind: str = API,
    *,
    instead_of: str | None = None,
) -> SignedIn:
    """Return a new token; the attempt, good or bad, is on the access log.

    `instead_of` is the session that the browser had; it ends. A user who does not exist or is disabled
    costs the same time as a wrong password.
    Raises `Unauthenticated`, `TooMany` while locked out, DatabaseUnavailable.
    """
    if not _could_be_a_name(given.username):
        await _log_refusal(services, "sign_in_refused", None, address, "bad-credentials")
        raise Unauthenticated("bad-credentials")
    async with _turns.setdefault(given.username, asyncio.Lock()):
        try:
            return await _sign_in(services, given, address, kind, instead_of)
        except (Unauthenticated, TooMany) as refusal:
            await _log_refusal(services, "sign_in_refused", given.username, address, str(refusal))
            raise


def _could_be_a_name(username: str) -> bool:
    """Say whether a table could hold it at all; what none can is on the log without its name."""
    return 0 < len(username) <= CODE and is_clean(username)


async def confirm_password(services: Services, username: str, password: str, address: str | None) -> None:
    """Ask a signed-in user for the password again, under the same lock-out; a failure is logged.

    Raises `Unauthenticated`, `TooMany`, DatabaseUnavailable.
    """
    now = await services.wall.now()
    async with _turns.setdefault(username, asyncio.Lock()):
        try:
            checked = await _checked(services, username, password, address, now)
        except (Unauthenticated, TooMany) as refusal:
            await _log_refusal(services, "password_refused", username, address, str(refusal))
            raise
        async with services.database.begin() as session:
            await take_back(session, checked.taken)


async def let_in(
    services: Services, username: str, address: str | None, *, instead_of: str | None = None
) -> SignedIn:
    """Return a session for a user for whom the provider vouched.

    Raises `Unauthenticated` for somebody who is no active user.
    """
    now = await services.wall.now()
    async with services.database.begin() as session:
        user = await session.get(User, username) if _could_be_a_name(username) else None
        if user is not None and user.active:
            return await _signed_in(session, user, BY_PROVIDER, instead_of, address, now)
    raise Unauthenticated("single-sign-on-unknown")


@dataclass(frozen=True, repr=False)
class _Checked:
    user: User
    taken: Sequence[Attempt]
    renewed: str | None


async def _checked(
    services: Services, username: str, password: str, address: str | None, now: datetime
) -> _Checked:
    """Count an attempt and look at the password; the count stays until it is taken back."""
    async with services.database.begin() as session:
        user = await session.get(User, username)
        taken = await take_attempt(session, username, address, now)
    stored = user.password_hash if user and user.active else None
    fits, renewed = await check_password(password, stored)
    if user is None or not fits:
        raise Unauthenticated("bad-credentials")
    return _Checked(user, taken, renewed)


async def _sign_in(
    services: Services, given: Credentials, address: str | None, kind: str, instead_of: str | None
) -> SignedIn:
    now = await services.wall.now()
    checked = await _checked(services, given.username, given.password, address, now)
    user, taken = checked.user, checked.taken
    async with services.database.begin() as session:
        factor = await _factor_fault(session, services, user, given.otp, now)
        if factor == "otp-required":
            # No failure, but no reason either to forgive those before: else a known password would
            # buy any number of guesses at the code.
            await take_back(session, taken)
        elif factor is None:
            await forgive(session, user.username, taken, now)
            if checked.renewed:
                await _replace_hash(session, user, checked.renewed)
            return await _signed_in(session, user, kind, instead_of, address, now)
    raise Unauthenticated(factor)


async def _factor_fault(
    session: AsyncSession, services: Services, user: User, code: str | None, now: datetime
) -> str | None:
    """Return why the second factor does not hold, None where it does or the user has none."""
    if user.totp_secret is None:
        return None
    if not code:
        return "otp-required"
    fits = await code_fault(session, user.username, opened(services, user), code, now) is None
    return None if fits else "bad-credentials"


async def _signed_in(
    session: AsyncSession, user: User, kind: str, instead_of: str | None, address: str | None, now: datetime
) -> SignedIn:
    """Give a token and log it, in the caller's write transaction."""
    if instead_of:
        old = col(AccessToken.hash) == hash_token(instead_of), col(AccessToken.kind).in_(SESSIONS)
        await session.exec(update(AccessToken).where(*old).values(revoked_at=now))
    token = await _new_token(session, user.username, kind, now)
    by = "provider" if kind == BY_PROVIDER else None
    await append(session, at=now, action="sign_in", username=user.username, reason=by, address=address)
    return SignedIn(token, LIFETIME)


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


async def _log_refusal(
    services: Services, action: str, username: str | None, address: str | None, reason: str
) -> None:
    await record(services, action=action, username=username, reason=reason, address=address)


async def viewer_of(services: Services, token: str, kind: str = API, *, by_hand: bool = True) -> Viewer:
    """Return whose token this is; `owes` says what the user has to do before anything else.

    What a browser asks by itself (not `by_hand`) keeps no session alive.
    Raises `Unauthenticated` for one unknown, ended or over.
    """
    now = await services.wall.now()
    sent = {"hash": hash_token(token), **live_at(services, now)}
    wanted = _OF_API if kind == API else _OF_PAGES
    found = await services.database.look(lambda session: session.exec(wanted, params=sent).first())
    if found is None:
        raise Unauthenticated("bad-token")
    row, user = found
    if by_hand and now - row.last_used_at > (TOUCH if kind == API else TOUCH_SESSION):
        await _touch(services, row.hash, now)
    owes = _owed(services, user, row.kind)
    return Viewer(user.username, user.name, Role(user.role), user.hall, user.unit, owes)


def live_at(services: Services, now: datetime) -> dict[str, datetime]:
    """Return the values for `LIVE` at an instant of the real clock."""
    return {"now": now, "idle_since": now - services.sign_in.idle}


def _owed(services: Services, user: User, kind: str) -> str | None:
    if kind == BY_PROVIDER:  # password and second factor are the provider's
        return None
    if user.must_change_password:
        return PASSWORD_OWED
    if user.totp_secret is None and user.role in services.sign_in.second_factor:
        return FACTOR_OWED
    return None


async def _touch(services: Services, token_hash: str, now: datetime) -> None:
    # A use that can't be noted now is noted at the next one: nobody is refused for it.
    with suppress(DatabaseUnavailable):
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


async def revoke_all(session: AsyncSession, username: str, now: datetime, *, but: str | None = None) -> None:
    """End every token and session of a user (one token may stay), in the caller's write transaction.

    For a new password and for a user who is disabled. `now` is the real time.
    """
    ending = [col(AccessToken.username) == username, col(AccessToken.revoked_at).is_(None)]
    if but is not None:
        ending.append(col(AccessToken.hash) != hash_token(but))
    await session.exec(update(AccessToken).where(*ending).values(revoked_at=now))
