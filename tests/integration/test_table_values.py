"""What a column gives back, and which rows hold one another, on both dialects."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import col, select

from models.chain import EVENT_CHAIN
from models.database import Database
from models.tables import (
    CalendarYear,
    CaseSecret,
    LedgerEvent,
    Notification,
    Petitioner,
    Unit,
)
from rules.calendar import SHANGHAI
from tests.support.rows import AT, add, event, filing, notification, write_events, write_rows


@pytest.mark.parametrize("zone", [UTC, SHANGHAI, timezone(-timedelta(hours=11, minutes=30))])
async def test_an_instant_comes_back_in_aware_utc(db: Database, zone: Any) -> None:
    await add(db, notification(1, at=AT.astimezone(zone)))
    async with db.read() as session:
        stored = (await session.exec(select(Notification.at))).one()
        found = await session.exec(select(Notification.id).where(Notification.at == AT.astimezone(zone)))
        assert len(found.all()) == 1
    assert stored == AT
    assert stored.tzinfo is UTC


async def test_a_naive_datetime_is_refused(db: Database) -> None:
    naive = datetime(2026, 9, 20, 17, 30)  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"):
        await add(db, notification(1, at=naive))
    with pytest.raises(StatementError, match="naive"):
        async with db.read() as session:
            await session.exec(select(Notification).where(Notification.at < naive))


async def test_chinese_inside_json_can_be_searched(db: Database) -> None:
    await write_events(db, 1)
    reason = col(LedgerEvent.data)["reason"].as_string()
    async with db.read() as session:
        for query in (reason == "材料不齐", reason.contains("不齐")):
            assert (await session.exec(select(LedgerEvent.seq).where(query))).all() == [1]


async def test_json_that_no_dialect_can_hold_is_refused(db: Database) -> None:
    row = EVENT_CHAIN.link([event(1)])[0] | {"data": {"n": float("nan")}}
    with pytest.raises(StatementError, match="JSON"):
        await write_rows(db, [row])


async def test_none_in_a_json_column_is_null(db: Database) -> None:
    year = CalendarYear(year=2027, version=1, source="国办发明电", loaded_by="admin", loaded_at=AT)
    await add(db, year)
    async with db.read() as session:
        stored = (await session.exec(select(CalendarYear))).one()
        assert (stored.off, stored.hall) == ([], None)


@pytest.mark.parametrize("hall", [None, "guilin"])
async def test_a_version_of_a_year_is_loaded_once(db: Database, hall: str | None) -> None:
    def notice() -> CalendarYear:
        return CalendarYear(
            hall=hall, year=2027, version=1, source="国办发明电", loaded_by="admin", loaded_at=AT
        )

    await add(db, notice())
    with pytest.raises(IntegrityError):
        await add(db, notice())


# Keys between tables


async def test_rows_of_one_filing_may_be_added_in_any_order(db: Database) -> None:
    async with db.begin() as session:
        session.add(Petitioner(case_id="case-1", kind="person"))
        session.add(CaseSecret(case_id="case-1", wrapped_key="x"))
        await session.flush()
        session.add(filing("case-1"))
    async with db.read() as session:
        assert await session.get(Petitioner, "case-1") is not None


async def test_a_unit_without_its_hall_is_refused_at_the_commit(db: Database) -> None:
    with pytest.raises(IntegrityError):
        async with db.begin() as session:
            session.add(Unit(hall="nowhere", code="market", name="市场监管局"))
            await session.flush()
