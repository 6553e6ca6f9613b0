"""The database is gone: 503 with Retry-After, nothing half done; running cases wait and go on."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlmodel import func, select

from models.filing import Filing
from tests.support.house import form, furnish
from tests.support.onlooker import Onlooker, at_work, work_every_day
from tests.support.plant import Plant, eventually
from tests.support.postgres import URL_VARIABLE, PostgresServer, postgres_server

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.skipif(URL_VARIABLE in os.environ, reason="a given server is not ours to kill"),
]
CONTACT = "guilin.market.contact"
PROGRESS = {"text": "已联系反映人"}


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    """A server that this test may kill."""
    with postgres_server() as server:
        yield server


@pytest.fixture
async def seen(postgres: PostgresServer, tmp_path: Path) -> AsyncIterator[Onlooker]:
    """A plant on that server."""
    url = postgres.create_database()
    await furnish(url, tmp_path)
    await work_every_day(url)
    async with at_work(Plant(tmp_path, url)) as seen:
        yield seen


def refused(answer: httpx.Response) -> bool:
    """Whether an answer says that the database is gone, and when to come again."""
    assert answer.status_code == 503, answer.text
    assert answer.json()["type"] == "database-unavailable"
    return int(answer.headers["Retry-After"]) > 0


async def filings(seen: Onlooker) -> int:
    """How many filings there are."""
    async with seen.database.read() as session:
        return (await session.exec(select(func.count()).select_from(Filing))).one()


async def test_cases_wait_for_the_database_and_go_on(seen: Onlooker, postgres: PostgresServer) -> None:
    closing = await seen.close_at(timedelta(seconds=6))
    held, alarmed = [await seen.due_case(closing) for _ in range(2)]
    before = await filings(seen)
    gate = seen.plant.hold(held, "progress", "before")
    act = asyncio.create_task(seen.insist(f"cases/{held}/progress", PROGRESS, by=CONTACT, key="held"))
    await eventually(lambda: gate.holds)
    postgres.kill()
    gate.open()  # the workflow is about to write, and finds nobody there
    answers = await asyncio.gather(
        seen.post("cases", form(), by="guilin.clerk", key="lost"),
        seen.post(f"cases/{alarmed}/progress", PROGRESS, by=CONTACT, key="in-vain"),
        seen.http.get("/api/cases", headers={"Authorization": "Bearer token-of-guilin.clerk"}),
    )
    assert all(map(refused, answers))
    assert (await seen.http.get("/readyz")).status_code == 503
    assert (await seen.http.get("/healthz")).status_code == 200
    await asyncio.sleep(2)  # the alarm of both comes due meanwhile
    postgres.start()
    assert (await act).status_code == 200
    for case_id, acts in [(held, 1), (alarmed, 0)]:
        await seen.happened(case_id, "overdue_1")
        await seen.whole(case_id)
        types = await seen.types(case_id)
        assert (types.count("overdue_1"), types.count("progress")) == (1, acts)
        (alarm,) = [row for row in await seen.ledger(case_id) if row.type == "overdue_1"]
        assert alarm.at >= closing + timedelta(seconds=1)
    assert await filings(seen) == before
    again = await seen.insist("cases", form(), by="guilin.clerk", key="lost")
    assert again.status_code == 201
    assert await filings(seen) == before + 1
