"""Work lists: the cases that a viewer sees, filtered, sorted, page by page."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import SQLColumnExpression, and_, cast, func, null, or_, true, union_all
from sqlalchemy.sql.elements import ColumnElement
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from casework.finding import opened
from casework.reading import filing_views, views_of
from casework.scope import Scope, scope_of
from casework.services import Services
from casework.viewer import Viewer
from models.case import Case
from models.crypto import Keyring
from models.filing import Filing, Petitioner
from models.petitioner import NAME_INDEX, PHONE_INDEX
from rules.case.vocabulary import Kind, Level, Light, Status

SortKey = Literal["received_at", "due_at", "number"]
PER_PAGE = 50


@dataclass(frozen=True)
class Listing:
    """What a list shows. Empty filters let everything through; the period is half-open, [from, to).

    ``page`` counts from 1. Ties are ordered by id, which grows with time: a list is stable while
    cases are added.
    """

    status: frozenset[Status] = frozenset()
    kind: frozenset[Kind] = frozenset()
    unit: frozenset[str] = frozenset()
    hall: frozenset[str] = frozenset()
    light: frozenset[Light] = frozenset()
    level: frozenset[Level] = frozenset()
    q: str | None = None
    received_from: datetime | None = None
    received_to: datetime | None = None
    sort: SortKey = "due_at"
    descending: bool = False
    page: int = 1
    per_page: int = field(default=PER_PAGE)

    @property
    def admits_filings(self) -> bool:
        """Whether a filing that waits for its number could be among what is asked for."""
        return (
            not self.kind
            and not self.unit
            and (not self.status or Status.REGISTERED in self.status)
            and (not self.light or Light.GREY in self.light)
            and (not self.level or Level.CONTACT in self.level)
        )


async def list_cases(services: Services, viewer: Viewer, listing: Listing) -> dict[str, Any]:
    """Return one page: `{items, total, page, per_page}`."""
    now = await services.clock.now()
    async with services.database.read() as session:
        scope = await scope_of(session, viewer)
        cases = and_(scope.cases, _asked_of_cases(listing, services.keyring))
        filings = _asked_of_filings(listing, scope, services.keyring)
        total = await _count(session, Case, cases)
        waiting = await _count(session, Filing, filings) if listing.admits_filings else 0
        wanted = _ids(listing, cases, filings if waiting else None)
        wanted = wanted.limit(listing.per_page).offset((listing.page - 1) * listing.per_page)
        ids = list((await session.exec(wanted)).all())
        items = await _items(services, session, viewer, ids, now)
    return {
        "items": items,
        "total": total + waiting,
        "page": listing.page,
        "per_page": listing.per_page,
    }


async def _items(
    services: Services, session: AsyncSession, viewer: Viewer, ids: list[str], now: datetime
) -> list[dict[str, Any]]:
    rows = (await session.exec(select(Case).where(col(Case.id).in_(ids)))).all()
    found = [await opened(services, session, case) for case in rows]
    views = await views_of(services, session, viewer, found, now)
    if missing := set(ids) - {case.id for case in rows}:
        waiting = select(Filing).where(col(Filing.case_id).in_(missing))
        views += await filing_views(services, session, (await session.exec(waiting)).all())
    return sorted(views, key=lambda view: ids.index(view["id"]))


async def _count(
    session: AsyncSession, table: type[Case] | type[Filing], condition: ColumnElement[bool]
) -> int:
    return (await session.exec(select(func.count()).select_from(table).where(condition))).one()


def _ids(
    listing: Listing, cases: ColumnElement[bool], filings: ColumnElement[bool] | None
) -> SelectOfScalar[str]:
    """Return the query for the ids in order; filings stand in it only where there are any.

    A plain query can walk an index, a union is sorted as a whole.
    """
    key: ColumnElement[Any] = getattr(Case, listing.sort)
    if filings is None:
        return select(Case.id).where(cases).order_by(*_order(key, col(Case.id), listing))
    of_filing = Filing.received_at if listing.sort == "received_at" else cast(null(), key.type)
    both = union_all(
        select(col(Case.id).label("id"), key.label("key")).where(cases),
        select(col(Filing.case_id).label("id"), of_filing.label("key")).where(filings),  # type: ignore[union-attr]
    ).subquery()
    return select(both.c.id).order_by(*_order(both.c.key, both.c.id, listing))


def _order(
    key: SQLColumnExpression[Any], ties: SQLColumnExpression[str], listing: Listing
) -> tuple[SQLColumnExpression[Any], SQLColumnExpression[str]]:
    if listing.sort == "received_at":  # never null: plain, as the index has it in both directions
        return (key.desc(), ties.desc()) if listing.descending else (key.asc(), ties.asc())
    if listing.descending:
        return key.desc().nulls_last(), ties.desc()
    return key.asc().nulls_last(), ties.asc()


def _asked_of_cases(listing: Listing, keyring: Keyring) -> ColumnElement[bool]:
    conditions = [
        getattr(Case, name).in_(sorted(getattr(listing, name)))
        for name in ("status", "kind", "unit", "hall", "light", "level")
        if getattr(listing, name)
    ]
    if listing.q:
        texts = (col(Case.number), col(Case.matter), col(Case.problem))
        contained = [text.icontains(listing.q, autoescape=True) for text in texts]
        known = (col(Case.reference) == listing.q, col(Case.id).in_(of_person(listing.q, keyring)))
        conditions.append(or_(*contained, *known))
    return and_(true(), *conditions, *_period(listing, col(Case.received_at)))


def _asked_of_filings(listing: Listing, scope: Scope, keyring: Keyring) -> ColumnElement[bool]:
    conditions = [scope.filings, col(Filing.registered_at).is_(None)]
    if listing.hall:
        conditions.append(col(Filing.hall).in_(sorted(listing.hall)))
    if listing.q:
        # Its texts are sealed: it is found by its petitioner only.
        conditions.append(col(Filing.case_id).in_(of_person(listing.q, keyring)))
    return and_(*conditions, *_period(listing, col(Filing.received_at)))


def _period(listing: Listing, received_at: SQLColumnExpression[datetime]) -> list[ColumnElement[bool]]:
    conditions = []
    if listing.received_from:
        conditions.append(received_at >= listing.received_from)
    if listing.received_to:
        conditions.append(received_at < listing.received_to)
    return conditions


def of_person(typed: str, keyring: Keyring) -> Any:
    """Return the query for the cases of a person with exactly this name or phone."""
    return select(Petitioner.case_id).where(
        or_(
            col(Petitioner.name_index).in_(keyring.blind_indexes(NAME_INDEX, typed)),
            col(Petitioner.phone_index).in_(keyring.blind_indexes(PHONE_INDEX, typed)),
        )
    )
