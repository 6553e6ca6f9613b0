"""Passwords (argon2) and one-time codes (TOTP, RFC 6238). Slow work is done in a thread."""

import asyncio
import base64
import binascii
import hmac
import secrets
from datetime import datetime
from functools import cache

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from pwdlib import PasswordHash

from casework.texts import text_fault

SHORTEST = 12  # characters: OWASP ASVS 4.0, 2.1.1
LONGEST = 256  # characters; a longer password only costs time
FEWEST = 4  # different characters
STEP = 30  # seconds of a one-time code
DRIFT = 1  # steps that a telephone's clock may be off

_hasher = PasswordHash.recommended()


def password_faults(password: str) -> dict[str, str]:
    """Return what is wrong with a new password: its length, or characters nobody can type."""
    if fault := text_fault(password, LONGEST):
        return {"password": fault}
    return {"password": "password_too_short"} if len(password) < SHORTEST else {}


def own_password_fault(username: str, old: str, new: str) -> str | None:
    """Return what is wrong with the password that a user chose, None for nothing.

    Length counts for more than kinds of characters; what is guessed first is refused.
    """
    if faults := password_faults(new):
        return faults["password"]
    if new == old:
        return "password_unchanged"
    if username.casefold() in new.casefold():
        return "password_names_user"
    return "password_too_plain" if len(set(new)) < FEWEST else None


async def hash_password(password: str) -> str:
    """Return the hash to store."""
    return await asyncio.to_thread(_hasher.hash, password)


async def check_password(password: str, stored: str | None) -> tuple[bool, str | None]:
    """Say whether the password fits, and give a new hash where the stored one is of an old kind.

    Without a stored hash (no such user) it takes the same time and does not fit.
    """
    return await asyncio.to_thread(_check, password, stored)


def _check(password: str, stored: str | None) -> tuple[bool, str | None]:
    nobody = _nobody()  # made in both cases: the first caller must not be told apart either
    fits, renewed = _hasher.verify_and_update(password, stored or nobody)
    return (fits, renewed) if stored else (False, None)


@cache
def _nobody() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def new_totp_secret() -> str:
    """Return a new secret for an authenticator app, in base32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def totp_step(secret: str, code: str, at: datetime) -> int | None:
    """Return the time step that the code belongs to, None where it fits none.

    The caller keeps the step: a code is good for one sign-in. Raises ValueError for a secret that
    is no base32.
    """
    try:
        totp = TOTP(base64.b32decode(secret), 6, SHA1(), STEP, enforce_key_length=False)
    except binascii.Error as error:
        raise ValueError("not base32") from error
    now = int(at.timestamp()) // STEP
    fitting = [
        step
        for step in range(now - DRIFT, now + DRIFT + 1)
        if hmac.compare_digest(totp.generate(step * STEP), code.encode())
    ]
    return fitting[-1] if fitting else None


async def warm_up() -> None:
    """Make what the first sign-in of an unknown user would have to wait for."""
    await asyncio.to_thread(_nobody)
