"""Who oversees a hall: the supervisors of it and of every hall above it.

One set of conditions for all who are told of something in a hall. Who may see and decide is the other
direction of the same tree (`casework.scope.halls_under`).
"""

from typing import Any

from sqlalchemy import Select, and_, literal, or_, select
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col

from models.directory import Hall, User
from rules.case.vocabulary import Role


def halls_over(hall: str | ColumnElement[str]) -> Select[Any]:
    """Return the query for a hall and every hall above it; a ring in the directory ends."""
    given = literal(hall) if isinstance(hall, str) else hall
    line = select(given.label("code")).cte("halls_over", recursive=True)
    above = select(col(Hall.parent)).where(col(Hall.code) == line.c.code, col(Hall.parent).is_not(None))
    line = line.union(above)
    return select(line.c.code)


def supervisors_over(hall: str) -> ColumnElement[bool]:
    """Return the condition on `User`: an active supervisor of this hall or of one above it."""
    return and_(
        col(User.active).is_(True),
        col(User.role) == Role.SUPERVISOR.value,
        col(User.hall).in_(halls_over(hall)),
    )


def superiors_over(hall: str) -> ColumnElement[bool]:
    """Return the condition on `User`: an active superior of no hall, of this one or of one above it."""
    reached = or_(col(User.hall).is_(None), col(User.hall).in_(halls_over(hall)))
    return and_(col(User.active).is_(True), col(User.role) == Role.SUPERIOR.value, reached)
