"""A house that was lost: what a restore is compared with."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from casework.services import Services
from models.database import Database
from models.dumping import tables_to_dump
from tests.support.signed import evidence_in


def elsewhere(services: Services, url: str, folder: Path) -> Services:
    """The services over an empty place."""
    return replace(
        services,
        database=Database(url),
        attachments=folder / "attachments",
        given_evidence=evidence_in(folder),
    )


async def rows_of(services: Services) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that is kept, in order, as Python has it."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    async with services.database.read() as session:
        connection: AsyncConnection = await session.connection()
        for table in tables_to_dump():
            wanted = select(table).order_by(*table.primary_key.columns)
            found[table.name] = sorted(map(tuple, (await connection.execute(wanted)).all()), key=repr)
    return found
