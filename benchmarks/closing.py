"""Opening hours for benchmarks: a hall that is open all day, one that closes while we look on."""

import asyncio
from datetime import UTC, datetime, timedelta

from models.database import Database
from models.directory import Hall
from rules.calendar import local

OPEN_ALL_DAY = [["00:00:00", "23:59:59"]]
MIDNIGHT = timedelta(seconds=40)  # no hall closes so near to it


async def set_hours(url: str, hall: str, hours: list[list[str]]) -> None:
    """Set the opening hours of a hall."""
    database = Database(url)
    try:
        async with database.begin() as session:
            (await session.get_one(Hall, hall)).hours = hours
    finally:
        await database.close()


async def close_in(url: str, hall: str, after: timedelta) -> datetime:
    """Have a hall close so much from now, on every day; return that instant (UTC)."""
    closing = (datetime.now(UTC) + after).replace(microsecond=0)
    before, behind = local(closing - after - MIDNIGHT), local(closing + MIDNIGHT)
    if before.date() != behind.date():  # today must not end before the wave does
        await asyncio.sleep((after + 2 * MIDNIGHT).total_seconds())
        return await close_in(url, hall, after)
    await set_hours(url, hall, [["00:00:00", local(closing).time().isoformat()]])
    return closing
