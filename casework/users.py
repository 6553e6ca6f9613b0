"""Users, as an operator keeps them from the command line: add, list, disable, set a password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.accounts import revoke_all
from casework.errors import BadInput, NotFound
from casework.passwords import hash_password, password_faults
from casework.services import Services
from casework.texts import is_clean, is_code, text_fault
from models.access_log import append
from models.base import NAME
from models.directory import Hall, Unit, User
from rules.case.vocabulary import Role

OPERATOR = "operator"  # who acts on the command line, on the access log

SIGNING_IN = tuple(role for role in Role if role not in (Role.CITIZEN, Role.SYSTEM))
OF_A_UNIT = frozenset({Role.CONTACT, Role.DEPUTY_LEADER})
OF_A_HALL = frozenset({Role.CLERK, Role.WINDOW_LEAD, Role.CENTRE, Role.SUPERVISOR}) | OF_A_UNIT


@dataclass(frozen=True)
class NewUser:
    """A user to add. ``hall`` and ``unit`` as the role needs them."""

    username: str
    name: str
    role: Role
    hall: str | None = None
    unit: str | None = None
    alternate: bool = False


async def add_user(services: Services, new: NewUser, password: str) -> None:
    """Add a user, who must choose another password at the first sign-in.

    Raises `BadInput` naming every fault, DatabaseUnavailable.
    """
    faults = user_faults(new) | password_faults(password)
    hashed = await hash_password(password) if not faults else ""
    now = await services.wall.now()
    async with services.database.begin() as session:
        faults |= await unknown_places(session, new)
        if await session.get(User, new.username) is not None:
            faults["username"] = "given_twice"
        if faults:
            raise BadInput(faults)
        session.add(made_user(new, hashed, now))
        await session.flush()
        await append(session, at=now, action="user_added", username=OPERATOR, reason=new.username)


def made_user(new: NewUser, hashed: str, now: datetime) -> User:
    """Return the row of a user, who must choose another password at the first sign-in."""
    return User(
        username=new.username,
        name=new.name,
        password_hash=hashed,
        role=new.role,
        hall=new.hall,
        unit=new.unit,
        alternate=new.alternate,
        must_change_password=True,
        created_at=now,
    )


async def list_users(services: Services) -> Sequence[User]:
    """Return all users by name of account. Raises DatabaseUnavailable."""
    async with services.database.read() as session:
        return (await session.exec(select(User).order_by(col(User.username)))).all()


async def disable_user(services: Services, username: str) -> None:
    """Bar a user from signing in and end every sign-in. Raises `NotFound`, DatabaseUnavailable."""
    now = await services.wall.now()
    async with services.database.begin() as session:
        user = await _user(session, username)
        user.active = False
        await revoke_all(session, username, now)
        await append(session, at=now, action="user_disabled", username=OPERATOR, reason=username)


async def set_password(services: Services, username: str, password: str) -> None:
    """Set a first password anew, let the user in again, and end every sign-in.

    Raises `NotFound`, `BadInput`, DatabaseUnavailable.
    """
    if faults := password_faults(password):
        raise BadInput(faults)
    hashed = await hash_password(password)
    now = await services.wall.now()
    async with services.database.begin() as session:
        user = await _user(session, username)
        user.password_hash, user.active, user.must_change_password = hashed, True, not user.demo
        await revoke_all(session, username, now)
        await append(session, at=now, action="password_set", username=OPERATOR, reason=username)


def role_named(text: str) -> Role:
    """Return a role by its name. Raises `BadInput`."""
    if text not in SIGNING_IN:
        raise BadInput({"role": "enum"})
    return Role(text)


def user_faults(new: NewUser) -> dict[str, str]:
    """Return what is wrong with a user's values, as far as it shows without looking anything up."""
    faults = {}
    if not is_code(new.username):
        faults["username"] = "string_pattern_mismatch"
    if (fault := text_fault(new.name.strip(), NAME)) or not is_clean(new.name):
        faults["name"] = fault or "control_characters"
    if new.role not in SIGNING_IN:
        faults["role"] = "enum"
    if new.role in OF_A_HALL and new.hall is None:
        faults["hall"] = "missing"
    if new.role in OF_A_UNIT and new.unit is None:
        faults["unit"] = "missing"
    if new.role not in OF_A_UNIT and new.unit is not None:
        faults["unit"] = "extra_forbidden"
    if new.alternate and new.role is not Role.CONTACT:
        faults["alternate"] = "extra_forbidden"
    return faults


async def unknown_places(session: AsyncSession, new: NewUser) -> dict[str, str]:
    """Return what names a hall or a unit that is not there."""
    faults = {}
    if new.hall is not None and await session.get(Hall, new.hall) is None:
        faults["hall"] = "unknown_hall"
    elif new.hall and new.unit and await session.get(Unit, (new.hall, new.unit)) is None:
        faults["unit"] = "unknown_unit"
    return faults


async def _user(session: AsyncSession, username: str) -> User:
    user = await session.get(User, username)
    if user is None:
        raise NotFound("user")
    return user
