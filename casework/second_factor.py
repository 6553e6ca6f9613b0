"""The second factor: a code from an authenticator app. Enrolling and removing it; using it once."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import BadInput, Conflict
from casework.passwords import new_totp_secret, totp_step
from casework.services import Services
from casework.turns import take_turn
from casework.viewer import Viewer
from models.access import Attempt
from models.access_log import append
from models.crypto import UnsealError
from models.directory import User

NAME = "办成"  # what the app shows
LONGEST = timedelta(minutes=15)  # how long an enrolment may take


@dataclass(frozen=True, repr=False)
class Enrolment:
    """A secret that is not in force yet: to be shown, and sealed, to come back with the form."""

    secret: str
    address: str  # otpauth://, for the QR code
    sealed: str


async def begin_enrolment(services: Services, viewer: Viewer) -> Enrolment:
    """Make a secret for an authenticator app. Raises `Conflict` for a user who has one in force."""
    await _refuse_second(services, viewer)
    now = await services.wall.now()
    secret = new_totp_secret()
    content = json.dumps([secret, (now + LONGEST).timestamp()])
    return _enrolment(viewer, secret, services.keyring.seal_text(content, _underway(viewer)))


async def enrolment_of(services: Services, viewer: Viewer, sealed: str) -> Enrolment:
    """Return the enrolment that `begin_enrolment` sealed for this user.

    Raises `Conflict` as there, and for one that is over or somebody else's.
    """
    await _refuse_second(services, viewer)
    try:
        secret, until = json.loads(services.keyring.open_text(sealed, _underway(viewer)))
    except UnsealError as error:
        raise Conflict("enrolment-over") from error
    if (await services.wall.now()).timestamp() > until:
        raise Conflict("enrolment-over")
    return _enrolment(viewer, secret, sealed)


async def confirm_enrolment(
    services: Services, viewer: Viewer, enrolment: Enrolment, code: str, address: str | None
) -> None:
    """Put the secret in force once its code was typed. Raises `BadInput`, `Conflict`."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        if fault := await code_fault(session, viewer.username, enrolment.secret, code, now):
            raise BadInput({"code": fault})
        user = await session.get_one(User, viewer.username, with_for_update=True)
        if user.totp_secret is not None:
            raise Conflict("second-factor-there")
        user.totp_secret = services.keyring.seal_text(enrolment.secret, f"totp:{user.username}")
        await session.flush()
        await append(session, at=now, action="second_factor_set", username=user.username, address=address)


async def remove_factor(services: Services, viewer: Viewer, code: str, address: str | None) -> None:
    """Take the factor away; the password was asked for before. Raises `BadInput` for a wrong code."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        user = await session.get_one(User, viewer.username, with_for_update=True)
        if user.totp_secret is None:
            return
        if fault := await code_fault(session, user.username, opened(services, user), code, now):
            raise BadInput({"code": fault})
        user.totp_secret = None
        await session.flush()
        await append(session, at=now, action="second_factor_removed", username=user.username, address=address)


async def has_factor(services: Services, viewer: Viewer) -> bool:
    """Say whether the user has a second factor in force."""
    wanted = select(User.totp_secret).where(col(User.username) == viewer.username)
    async with services.database.read() as session:
        return (await session.exec(wanted)).one() is not None


def opened(services: Services, user: User) -> str:
    """Return the secret in force in clear."""
    assert user.totp_secret is not None
    return services.keyring.open_text(user.totp_secret, f"totp:{user.username}")


async def code_fault(
    session: AsyncSession, username: str, secret: str, code: str, now: datetime
) -> str | None:
    """Return what is wrong with a code, None where it fits; in the caller's write transaction.

    A code is good once: who looks over a shoulder has half a minute otherwise.
    """
    step = totp_step(secret, code, now)
    if step is None:
        return "wrong_code"
    key = f"otp:{username}:{step}"
    await take_turn(session, key)
    if (await session.exec(select(Attempt.id).where(Attempt.key == key))).first():
        return "wrong_code"
    session.add(Attempt(key=key, at=now))
    return None


async def _refuse_second(services: Services, viewer: Viewer) -> None:
    """Who finds a screen unlocked must not put a factor of his own in place of the owner's."""
    if await has_factor(services, viewer):
        raise Conflict("second-factor-there")


def _enrolment(viewer: Viewer, secret: str, sealed: str) -> Enrolment:
    label = quote(f"{NAME}:{viewer.username}")
    return Enrolment(
        secret, f"otpauth://totp/{label}?{urlencode({'secret': secret, 'issuer': NAME})}", sealed
    )


def _underway(viewer: Viewer) -> str:
    return f"enrolment:{viewer.username}"
