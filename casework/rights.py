"""Which acts on users one admin may do alone, and which need a second person (三员分立).

Supervisor, superior, auditor and admin are given by two. So is everything by which one admin could
slip into such a user: letting him in again, a new password, another hall. Taking a right away is
done at once. Source: domain.md, section 1, admin.
"""

from typing import Any

from sqlalchemy import func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import RequestRefused
from casework.users import NewUser
from casework.viewer import Viewer
from models.directory import User
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role

NEED_TWO = frozenset({Role.SUPERVISOR, Role.SUPERIOR, Role.AUDITOR, Role.ADMIN})
DECIDERS = frozenset({Role.ADMIN, Role.AUDITOR})

TURN = "users"
"""Changes of users take turns, so that two at once cannot leave nobody who may administer."""


class GrantRefused(RequestRefused):
    """The protocol of two people forbids it; `rule` says which part of it.

    own_request, about_yourself (this person may never), decided, requester_gone, changed_meanwhile,
    waiting_already, last_admin (not as things stand).
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


async def check_acts_as(session: AsyncSession, viewer: Viewer, *roles: Role) -> User:
    """Return the acting user as the table has him now. Raises `Forbidden`.

    A session of a moment ago is not enough: who was demoted or disabled meanwhile decides nothing.
    """
    user = await session.get(User, viewer.username)
    if user is None or not user.active or user.role not in roles:
        raise Forbidden("administration", viewer.role)
    return user


async def check_admin_remains(session: AsyncSession, user: User) -> None:
    """Raise `GrantRefused` where this user is the last active admin."""
    if user.role != Role.ADMIN or not user.active:
        return
    others = select(func.count()).where(
        User.role == Role.ADMIN, col(User.active).is_(True), User.username != user.username
    )
    if not (await session.exec(others)).one():
        raise GrantRefused("last_admin")


def needs_two(user: User | None, wanted: NewUser, act: str) -> bool:
    """Whether an act (add, change, enable, password, second_factor) needs a second person.

    A mere change of name does not.
    """
    if wanted.role not in NEED_TWO:
        return False
    return act != "change" or user is None or place_of(user) != place_of(wanted)


def place_of(user: User | NewUser) -> tuple[str, str | None, str | None]:
    """Return what a user's rights follow from."""
    return str(user.role), user.hall, user.unit


def snapshot(user: User) -> dict[str, Any]:
    """Return what a request was judged by, to tell whether it changed meanwhile."""
    return {"role": str(user.role), "hall": user.hall, "unit": user.unit, "active": user.active}
