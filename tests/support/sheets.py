"""Cases for exports, and an Excel sheet taken apart: what stands above its rows, the rows, no formula."""

import io
import re
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook

from casework.services import Services
from tests.support.cases import Story, handled, t, told, triage
from tests.support.office import freeze, services_at
from tests.support.recorded import record
from tests.support.served import served
from tests.support.visiting import Visitor, visiting

MONDAY = "03-09 09:20"
NOW = "03-18 10:00"
CLERK, CONTACT, LEAD = "guilin.clerk", "guilin.market.contact", "guilin.lead"
HOSTILE = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1+1", '=HYPERLINK("http://x")', "http://x.example/")


def stories() -> list[Story]:
    """With everything that a row of 附件3 tells of; the last ones stand elsewhere."""
    full = handled(MONDAY, unit="market").give("progress", text="已联系 =1+1").give("progress", "03-10 10:00")
    full.give("remind", "03-11 10:00").give("order", "03-12 10:00", text="请说明")
    full = told(full.give("answer_order", "03-13 10:00", order="1"), "03-16 10:00")
    full.give("revisit", "03-17 10:00", rating=5)
    overdue = handled(MONDAY, unit="market").until(NOW)
    explained = handled(MONDAY, unit="market").give("declare_unsolvable", "03-10 10:00")
    explained = told(explained.give("confirm_unsolvable"), "03-11 10:00", resolved=False)
    explained.give("revisit", "03-12 10:00", reached=False)
    returned = Story(MONDAY).give(triage("commitment", "market")).give("return_order")
    returned.give("decide_return", "03-10 10:00", unit="housing")
    far = handled(MONDAY, "commitment", "market", "chengzhong")
    return [full, overdue, explained, returned, Story(MONDAY), far]


@asynccontextmanager
async def recorded(url: str, folder: Path) -> AsyncIterator[Services]:
    """Services over a furnished database with the stories in it, on the day after the last one."""
    given = services_at(url, folder)
    freeze(given.clock, t(NOW))
    for number, story in enumerate(stories(), 1):
        await record(given, story.until(NOW), f"{story.state.hall}-20260309-{number:04}")
    yield given
    await given.database.close()


@asynccontextmanager
async def visit(services: Services, username: str) -> AsyncIterator[Visitor]:
    """Open a browser as a user."""
    with served(services) as app:
        async with visiting(app, services, username) as browser:
            yield browser


def rows_of(content: bytes) -> list[list[Any]]:
    """Every row of the only sheet; nothing in it is a formula or a link."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for name in book.namelist():
            text = book.read(name).decode() if name.endswith((".xml", ".rels")) else ""
            assert not re.search(r"<f[ />]|<hyperlink", text), name
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    assert len(book.sheet_names) == 1
    return book.get_sheet_by_name(book.sheet_names[0]).to_python(skip_empty_area=False)


def facts(rows: Sequence[Sequence[Any]]) -> dict[str, str]:
    """What stands above the rows."""
    return {row[0]: row[1] for row in rows[: rows.index([""] * len(rows[0]))]}


def table(rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """The rows below the columns' names."""
    start = rows.index([""] * len(rows[0])) + 1
    return [dict(zip(rows[start], row, strict=True)) for row in rows[start + 1 :]]
