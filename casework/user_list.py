"""Users as an admin looks through them: no password, no secret, no case."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func
from sqlmodel import col, select

from casework.errors import NotFound
from casework.services import Services
from casework.texts import is_code
from models.directory import Hall, Unit, User

PER_PAGE = 50


@dataclass(frozen=True)
class Filter:
    """What a list of users is narrowed to; None: not narrowed. `q` is a part of a name."""

    hall: str | None = None
    unit: str | None = None
    role: str | None = None
    active: bool | None = None
    q: str | None = None


@dataclass(frozen=True)
class Users:
    """One page, counted from 1, and how many there are in all."""

    items: Sequence[User]
    total: int
    page: int
    per_page: int = PER_PAGE


@dataclass(frozen=True)
class Places:
    """The halls by code, and the units of each: for choosing from."""

    halls: Sequence[Hall]
    units: Sequence[Unit]

    @property
    def hall_names(self) -> dict[str, str]:
        """Return the name of each hall by its code."""
        return {hall.code: hall.name for hall in self.halls}

    @property
    def unit_names(self) -> dict[tuple[str, str], str]:
        """Return the name of each unit by the codes of hall and unit."""
        return {(unit.hall, unit.code): unit.name for unit in self.units}


async def find_users(services: Services, wanted: Filter, page: int) -> Users:
    """Return the users of a filter by name of account. Raises DatabaseUnavailable."""
    found = users_wanted(wanted)
    async with services.database.read() as session:
        counted = select(func.count()).select_from(found.order_by(None).subquery())
        total = (await session.exec(counted)).one()
        items = (await session.exec(found.limit(PER_PAGE).offset((page - 1) * PER_PAGE))).all()
    return Users(items, total, page)


def users_wanted(wanted: Filter) -> Any:
    """Return the query for the users of a filter, by name of account."""
    conditions = [
        *([col(User.hall) == wanted.hall] if wanted.hall else []),
        *([col(User.unit) == wanted.unit] if wanted.unit else []),
        *([col(User.role) == wanted.role] if wanted.role else []),
        *([col(User.active).is_(wanted.active)] if wanted.active is not None else []),
    ]
    if wanted.q:
        part = wanted.q.lower()
        username, name = func.lower(User.username), func.lower(User.name)
        conditions.append(username.contains(part, autoescape=True) | name.contains(part, autoescape=True))
    return select(User).where(*conditions).order_by(col(User.username))


async def get_user(services: Services, username: str) -> User:
    """Return a user. Raises `NotFound`."""
    async with services.database.read() as session:
        user = await session.get(User, username) if is_code(username) else None
    if user is None:
        raise NotFound("user")
    return user


async def read_places(services: Services) -> Places:
    """Return every hall and unit. Raises DatabaseUnavailable."""
    async with services.database.read() as session:
        halls = (await session.exec(select(Hall).order_by(col(Hall.code)))).all()
        units = (await session.exec(select(Unit).order_by(col(Unit.hall), col(Unit.code)))).all()
    return Places(halls, units)
