"""Filters and search over all cases that a viewer sees, at a cost that does not grow with them.

Filters walk an index in the order of the list. A search by name, phone or number asks an index for
exactly that; one for a piece of text reads the newest cases only, says how far back it came, and
can be asked to go on from there.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import and_, func, or_, true, union, union_all
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.listing import of_person
from casework.places import Places, places_of
from casework.rows import Row, by_urgency, count_up_to, read_rows
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.crypto import Keyring
from models.directory import Hall
from rules.case.vocabulary import OPEN, Kind, Level, Light, Status

Sort = Literal["urgency", "newest", "oldest", "due"]
Condition = ColumnElement[bool]

PER_PAGE = 50
LAST_PAGE = 40
COUNTED = 500  # beyond it a list says "500+"
WINDOW = 2000  # cases whose texts one search reads
FOUND = 100  # the most that one search shows

_NUMBER = re.compile(r"[A-Za-z0-9_-]+-[0-9]{8}-[0-9]{4}")


@dataclass(frozen=True)
class Wanted:
    """What is asked for; None lets everything through, and of statuses all open ones are the rule.

    ``status`` "open" or "all" stands for several. The period is half-open, [from, to).
    """

    status: Status | Literal["open", "all"] = "open"
    kind: Kind | None = None
    unit: str | None = None
    hall: str | None = None
    light: Light | None = None
    level: Level | None = None
    step: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    sort: Sort = "urgency"
    page: int = 1

    @property
    def of_open(self) -> bool:
        """Whether it asks for open cases only; what is closed is not urgent."""
        return self.status == "open" or self.status in OPEN


@dataclass(frozen=True)
class Results:
    """A page of what was found. ``total`` is exact up to `COUNTED`, one more stands for any more.

    ``searched_to``: a search for text read the cases received from there on, and there are older.
    """

    rows: list[Row]
    total: int
    page: int
    places: Places
    searched_to: datetime | None = None

    @property
    def has_more(self) -> bool:
        """Whether there is a next page that can be shown."""
        return self.total > self.page * PER_PAGE and self.page < LAST_PAGE


async def list_filtered(services: Services, viewer: Viewer, wanted: Wanted) -> Results:
    """Return a page of the cases that pass the filters."""
    now = await services.clock.now()
    start = (wanted.page - 1) * PER_PAGE
    async with services.database.read() as session:
        walk = await _walk(session, viewer, wanted)
        page = walk.ids(start + PER_PAGE).offset(start).limit(PER_PAGE)
        rows = await read_rows(services, session, page, walk.order, now)
        total = await count_up_to(session, select(Case.id).where(walk.cases), COUNTED + 1)
        if total > COUNTED:  # as far as the page shows, there may be a next one
            total = max(total, start + len(rows) + (len(rows) == PER_PAGE))
        return Results(rows, total, wanted.page, await places_of(session, walk.scope))


async def search(services: Services, viewer: Viewer, wanted: Wanted, typed: str) -> Results:
    """Return the newest cases that pass the filters and fit what was typed, on one page.

    A number, a name or a phone is found among all of them; a piece of the matter, the problem or
    the number among the newest `WINDOW`.
    """
    now = await services.clock.now()
    async with services.database.read() as session:
        walk = await _walk(session, viewer, replace(wanted, sort="newest"))
        exact = select(Case.id).where(walk.cases, _exactly(typed, services.keyring)).limit(FOUND)
        ids = set((await session.exec(exact)).all())
        searched_to = None
        if not _NUMBER.fullmatch(typed):
            read = walk.ids(WINDOW).subquery()
            texts: Any = select(read.c.id).join(Case, read.c.id == col(Case.id)).where(_contains(typed))
            ids |= set((await session.exec(texts.limit(FOUND))).all())
            searched_to = await _end_of(session, walk)
        chosen: Any = select(Case.id).where(col(Case.id).in_(ids)).order_by(*walk.order).limit(FOUND)
        rows = await read_rows(services, session, chosen, walk.order, now)
        return Results(rows, len(rows), 1, await places_of(session, walk.scope), searched_to)


async def condition_of(
    session: AsyncSession, viewer: Viewer, wanted: Wanted
) -> tuple[Scope, Condition, tuple[Any, ...]]:
    """Return what a viewer sees, the condition of a filtered list within it, and its order."""
    walk = await _walk(session, viewer, wanted)
    return walk.scope, walk.cases, walk.order


async def is_of_person(session: AsyncSession, typed: str, keyring: Keyring) -> bool:
    """Whether what was typed to search for is somebody's name or phone."""
    return (await session.exec(of_person(typed, keyring).limit(1))).first() is not None


@dataclass(frozen=True)
class _Walk:
    """The cases that pass, in order; where there are several halls, each is walked by itself.

    An index can give the order within a hall, and no index that of a set of halls.
    """

    scope: Scope
    cases: Condition
    key: ColumnElement[Any] | None
    order: tuple[Any, ...]
    halls: tuple[str, ...]
    descending: bool = False

    def ids(self, most: int) -> Any:
        """Return the query for the first ones: `id`, and `key` where there is one."""
        if self.key is None:
            return select(Case.id).where(self.cases).order_by(*self.order).limit(most)
        columns: tuple[Any, ...] = (col(Case.id).label("id"), self.key.label("key"))
        if len(self.halls) < 2:
            return select(*columns).where(self.cases).order_by(*self.order).limit(most)
        walked = [
            select(
                select(*columns)
                .where(self.cases, col(Case.hall) == hall)
                .order_by(*self.order)
                .limit(most)
                .subquery()
            )
            for hall in self.halls
        ]
        both = union_all(*walked).subquery()
        order: tuple[Any, ...] = both.c.key.asc().nulls_last(), both.c.id
        if self.descending:
            order = both.c.key.desc(), both.c.id.desc()
        return select(both.c.id, both.c.key).order_by(*order).limit(most)


async def _walk(session: AsyncSession, viewer: Viewer, wanted: Wanted) -> _Walk:
    scope = await scope_of(session, viewer)
    halls: tuple[str, ...] = ()
    if wanted.hall is None and not scope.referred_only:
        known = scope.halls if scope.halls is not None else (await session.exec(select(Hall.code))).all()
        halls = tuple(sorted(known))
    cases = and_(scope.cases, _filters(wanted))
    # Over the open cases one index answers everything: there is nothing to walk.
    if wanted.of_open and wanted.sort == "urgency":
        return _Walk(scope, cases, None, by_urgency(), halls)
    key, order = _order(wanted.sort)
    return _Walk(scope, cases, key, order, halls, descending=wanted.sort in ("newest", "urgency"))


async def _end_of(session: AsyncSession, walk: _Walk) -> datetime | None:
    """Return when the last case of the window was received; None if nothing lies beyond it."""
    read = walk.ids(WINDOW).subquery()
    count, end = (await session.exec(select(func.count(), func.min(read.c.key)))).one()
    return end if count == WINDOW else None


def _order(sort: Sort) -> tuple[ColumnElement[Any], tuple[Any, ...]]:
    received, ties = col(Case.received_at), col(Case.id)
    if sort == "due":
        return col(Case.due_at), (col(Case.due_at).asc().nulls_last(), ties)  # type: ignore[return-value]
    if sort == "oldest":
        return received, (received, ties)  # type: ignore[return-value]
    return received, (received.desc(), ties.desc())  # type: ignore[return-value]


def _filters(wanted: Wanted) -> Condition:
    equal = {
        Case.kind: wanted.kind,
        Case.unit: wanted.unit,
        Case.hall: wanted.hall,
        Case.light: wanted.light,
        Case.level: wanted.level,
        Case.step: wanted.step,
    }
    conditions: list[Any] = [column == value for column, value in equal.items() if value is not None]
    if wanted.of_open:  # said beside a status, too: it names the index
        conditions.append(col(Case.open))
    if wanted.status not in ("open", "all"):
        conditions.append(Case.status == wanted.status)
    if wanted.received_from:
        conditions.append(Case.received_at >= wanted.received_from)
    if wanted.received_to:
        conditions.append(Case.received_at < wanted.received_to)
    return and_(true(), *conditions)


def _exactly(typed: str, keyring: Keyring) -> Condition:
    """A number, in the case that it is written in; one of another system; the name or phone of a person."""
    numbered = select(Case.id).where(col(Case.number).in_({typed, typed.lower(), typed.upper()}))
    # A union, since "or" would try both on every case.
    elsewhere = select(Case.id).where(Case.reference == typed)
    return col(Case.id).in_(union(numbered, elsewhere, of_person(typed, keyring)))


def _contains(typed: str) -> Condition:
    texts = (col(Case.number), col(Case.matter), col(Case.problem))
    return or_(*(text.icontains(typed, autoescape=True) for text in texts))
