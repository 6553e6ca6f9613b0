"""Lessons learnt (经验): written when a case is archived, searched, suggested with similar cases.

Source: S1, 经验.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import union_all
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import and_, col, false, func, or_, select, true
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.facts_filling import fill_facts
from casework.scope import scope_of
from casework.services import Services
from casework.texts import is_clean
from casework.viewer import Viewer
from models.case import Case
from models.directory import Hall
from models.facts import CASE_FACTS
from rules.case.vocabulary import Cause
from rules.repeats import matter_key, plain_matter

SUGGESTED = 5
WINDOW = 2000  # lessons whose texts one search reads
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
    """A page of lessons; `more`: there is another one behind it.

    ``searched_to``: a search for text came as far back as this case's id, and there are older lessons.
    """

    items: Sequence[Lesson]
    more: bool
    searched_to: str | None = None


# Word for word the condition of the partial index.
_LEARNT = col(Case.lesson).is_not(None)


async def lessons_like(
    services: Services, viewer: Viewer, matter: str | None, cause: str | None, besides: str | None = None
) -> list[Lesson]:
    """Return lessons of cases that the viewer sees: of the same matter, then of the same cause.

    A matter that is a part of another is looked for among the newest `WINDOW` lessons, the same one and
    the cause among all of them.
    """
    matter = (matter or "").strip()
    typed = matter if len(matter) >= SHORTEST_MATTER and is_clean(matter) else ""
    cause = cause if cause != Cause.OTHER else None  # "other" is no likeness
    if not typed and not cause:
        return []
    others = col(Case.id) != (besides or "")
    await fill_facts(services)
    async with services.database.read() as session:
        walk = await _walk_of(session, viewer)
        rows: list[Case] = []
        if typed:
            rows = await _first(session, walk.ids(WINDOW), and_(_is_about(typed), others))
        if typed and len(rows) < SUGGESTED:
            same: Any = select(CASE_FACTS.c.case_id).where(CASE_FACTS.c.matter_key == matter_key(typed))
            rows += await _first(
                session, None, and_(walk.learnt, col(Case.id).in_(same), _unlike(rows), others)
            )
        if cause and len(rows) < SUGGESTED:
            of_cause = walk.ids(SUGGESTED * 2, col(Case.cause) == cause, col(Case.id) != (besides or ""))
            rows += await _first(session, of_cause, _unlike(rows))
    plain = plain_matter(typed)
    found = [_lesson(row, bool(plain) and plain in plain_matter(row.matter)) for row in rows]
    return sorted(found, key=lambda each: not each.same_matter)[:SUGGESTED]


async def search_lessons(
    services: Services, viewer: Viewer, typed: str, cause: str | None, page: int, before: str | None = None
) -> Lessons:
    """Return a page of the lessons that the viewer sees, newest first; `typed` is looked for in all texts.

    A number is found among all lessons, a piece of text among the newest `WINDOW`, or among as many that
    are older than the case `before`.
    """
    start = (page - 1) * PER_PAGE
    async with services.database.read() as session:
        walk = await _walk_of(session, viewer)
        narrowed = [col(Case.cause) == cause] if cause else []
        if not typed:
            newest = walk.ids(start + PER_PAGE + 1, *narrowed).offset(start)
            rows = await _first(session, newest, true(), PER_PAGE + 1)
            return Lessons([_lesson(row) for row in rows[:PER_PAGE]], len(rows) > PER_PAGE)
        older = [col(Case.id) < before] if before else []
        window = walk.ids(WINDOW, *narrowed, *older)
        rows = await _first(session, window, _mentions(typed), PER_PAGE + 1)
        numbered = and_(walk.learnt, col(Case.number) == typed, *narrowed, *older, _unlike(rows))
        rows += await _first(session, None, numbered)
        read = window.subquery()
        count, end = (await session.exec(select(func.count(), func.min(read.c.id)))).one()
    rows, more = rows[:PER_PAGE], len(rows) > PER_PAGE
    if more:  # what was left off comes first when it goes on
        return Lessons([_lesson(row) for row in rows], more, rows[-1].id)
    return Lessons([_lesson(row) for row in rows], more, end if count == WINDOW else None)


@dataclass(frozen=True)
class _Walk:
    """The lessons in scope, newest first; of several halls each is walked by its own index."""

    learnt: ColumnElement[bool]
    halls: tuple[str, ...]

    def ids(self, most: int, *conditions: ColumnElement[bool]) -> Any:
        """Return the query for the ids of the newest ones that pass."""
        walks = [
            select(
                select(Case.id)
                .where(self.learnt, col(Case.hall) == hall, *conditions)
                .order_by(col(Case.id).desc())
                .limit(most)
                .subquery()
            )
            for hall in self.halls
        ]
        if not walks:
            return select(Case.id).where(false()).limit(most)
        read = union_all(*walks).subquery()
        return select(read.c.id).order_by(read.c.id.desc()).limit(most)


async def _walk_of(session: AsyncSession, viewer: Viewer) -> _Walk:
    scope = await scope_of(session, viewer)
    halls = scope.halls if scope.halls is not None else (await session.exec(select(Hall.code))).all()
    return _Walk(and_(scope.cases, _LEARNT), tuple(sorted(halls)))


async def _first(
    session: AsyncSession, ids: Any, condition: ColumnElement[bool], most: int = SUGGESTED
) -> list[Case]:
    """Return the newest of these cases that pass; `ids` None: of all."""
    wanted = select(Case).where(condition).order_by(col(Case.id).desc()).limit(most)
    if ids is not None:
        read = ids.subquery()
        wanted = wanted.join(read, read.c.id == col(Case.id))
    return list((await session.exec(wanted)).all())


def _is_about(matter: str) -> ColumnElement[bool]:
    # Where the wording differs a little, what both share brings them together.
    wordings = {matter, plain_matter(matter)} - {""}
    return or_(*(col(Case.matter).icontains(each, autoescape=True) for each in sorted(wordings)))


def _mentions(typed: str) -> ColumnElement[bool]:
    texts = (col(Case.lesson), col(Case.matter), col(Case.number))
    return or_(*(text.icontains(typed, autoescape=True) for text in texts))


def _unlike(rows: Sequence[Case]) -> ColumnElement[bool]:
    return col(Case.id).not_in([row.id for row in rows])


async def lessons_wanted(session: AsyncSession, viewer: Viewer, typed: str, cause: str | None) -> Any:
    """Return the query for cases with the lessons that the viewer sees, newest first: all, for a sheet."""
    scope = await scope_of(session, viewer)
    wanted = select(Case).where(and_(scope.cases, _LEARNT)).order_by(col(Case.id).desc())
    if typed:
        wanted = wanted.where(_mentions(typed))
    return wanted.where(col(Case.cause) == cause) if cause else wanted


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
