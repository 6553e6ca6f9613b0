"""Typical cases as everybody reads them: no number, no names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.errors import NotFound
from casework.services import Services
from casework.typical import PER_PAGE, PUBLISHED, names_of, number_of
from models.typical import TypicalCase


@dataclass(frozen=True)
class Published:
    """A typical case as everybody reads it: no number, no names."""

    id: int
    title: str
    matter: str | None
    hall: str
    unit: str | None
    problem: str
    done: str
    lesson: str
    published_at: datetime


async def published(services: Services, page: int) -> tuple[Sequence[Published], int]:
    """Return a page of what everybody may read, newest first, and how many there are."""
    public = col(TypicalCase.status) == PUBLISHED
    async with services.database.read() as session:
        total = (await session.exec(select(func.count()).select_from(TypicalCase).where(public))).one()
        newest = select(TypicalCase).where(public).order_by(col(TypicalCase.published_at).desc())
        newest = newest.order_by(col(TypicalCase.id).desc())
        rows = (await session.exec(newest.limit(PER_PAGE).offset((page - 1) * PER_PAGE))).all()
        return [await _public(session, row) for row in rows], total


async def published_one(services: Services, ref: str) -> Published:
    """Return one that everybody may read. Raises `NotFound`, also for one that was withdrawn."""
    async with services.database.read() as session:
        item = await session.get(TypicalCase, number) if (number := number_of(ref)) else None
        if item is None or item.status != PUBLISHED:
            raise NotFound("typical_case")
        return await _public(session, item)


async def _public(session: AsyncSession, item: TypicalCase) -> Published:
    hall, unit = await names_of(session, item)
    at = item.published_at
    assert at is not None
    texts = item.title, item.matter, hall, unit, item.problem, item.done, item.lesson
    return Published(item.id or 0, *texts, at)
