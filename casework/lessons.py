"""Lessons learnt (经验): written when a case is archived, searched, suggested with similar cases.

Source: S1, 经验.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.scope import scope_of
from casework.services import Services
from casework.texts import is_clean
from casework.viewer import Viewer
from models.case import Case
from rules.case.vocabulary import Cause
from rules.repeats import plain_matter

SUGGESTED = 5
LOOKED_AT = 200  # the newest lessons among which the closest are chosen
PER_PAGE = 30
SHORTEST_MATTER = 2  # characters: one alone is in every second matter


@dataclass(frozen=True)
class Lesson:
    """A lesson with the case that taught it. ``same_matter``: as that of the case it is suggested for."""

    number: str
    hall: str
    unit: str | None
    matter: str | None
    cause: str | None
    text: str
    closed_at: datetime | None
    same_matter: bool = False


@dataclass(frozen=True)
class Lessons:
    """A page of lessons; `more`: there is another one behind it."""

    items: Sequence[Lesson]
    more: bool


# Word for word the condition of the partial index.
_LEARNT = col(Case.lesson).is_not(None)


async def lessons_like(
    services: Services, viewer: Viewer, matter: str | None, cause: str | None, besides: str | None = None
) -> list[Lesson]:
    """Return lessons of cases that the viewer sees: of the same matter, then of the same cause."""
    matter = (matter or "").strip()
    likes: list[ColumnElement[bool]] = []
    if len(matter) >= SHORTEST_MATTER and is_clean(matter):
        likes.append(col(Case.matter).icontains(matter, autoescape=True))
        # Where the wording differs a little, the cause or what both share brings them together.
        likes.append(col(Case.matter).icontains(plain_matter(matter), autoescape=True))
    if cause and cause != Cause.OTHER:  # "other" is no likeness
        likes.append(col(Case.cause) == cause)
    if not likes:
        return []
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        wanted = select(Case).where(scope.cases, _LEARNT, or_(*likes), col(Case.id) != (besides or ""))
        rows = (await session.exec(wanted.order_by(col(Case.id).desc()).limit(LOOKED_AT))).all()
    same = plain_matter(matter)
    found = [_lesson(row, bool(same) and same in plain_matter(row.matter)) for row in rows]
    return sorted(found, key=lambda each: not each.same_matter)[:SUGGESTED]


async def search_lessons(
    services: Services, viewer: Viewer, typed: str, cause: str | None, page: int
) -> Lessons:
    """Return a page of the lessons that the viewer sees, newest first; `typed` is looked for in all texts."""
    async with services.database.read() as session:
        wanted = await lessons_wanted(session, viewer, typed, cause)
        start = (page - 1) * PER_PAGE
        rows = (await session.exec(wanted.offset(start).limit(PER_PAGE + 1))).all()
    return Lessons([_lesson(row) for row in rows[:PER_PAGE]], len(rows) > PER_PAGE)


async def lessons_wanted(session: AsyncSession, viewer: Viewer, typed: str, cause: str | None) -> Any:
    """Return the query for cases with the lessons that the viewer sees, newest first."""
    conditions: list[ColumnElement[bool]] = [_LEARNT]
    if typed:
        texts = (col(Case.lesson), col(Case.matter), col(Case.number))
        conditions.append(or_(*(text.icontains(typed, autoescape=True) for text in texts)))
    if cause:
        conditions.append(col(Case.cause) == cause)
    scope = await scope_of(session, viewer)
    return select(Case).where(and_(scope.cases, *conditions)).order_by(col(Case.id).desc())


def _lesson(row: Case, same_matter: bool = False) -> Lesson:
    return Lesson(
        row.number or "",
        row.hall,
        row.unit,
        row.matter,
        row.cause,
        row.lesson or "",
        row.closed_at,
        same_matter,
    )
