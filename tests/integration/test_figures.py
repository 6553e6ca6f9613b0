"""Who sees which figures, and how they are said (contract.md)."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import select as select_row

from models.case import Bulletin
from tests.support.cases import Story, handled, t, told
from tests.support.figuring import close_one, kept
from tests.support.office import Office, SetClock, faults, open_office, services_at, slug
from tests.unit.test_worked_cases import case_9, case_12

PHONE, MATTER = "13800130001", "食品经营许可证变更"


@pytest.fixture(scope="module")
def hall_file(furnished_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with five cases of two halls, to be copied."""
    path = tmp_path_factory.mktemp("hall") / "hall.db"
    shutil.copy(furnished_sqlite, path)
    stories = [close_one(), case_9(), case_12(), case_5_of("chengzhong"), Story("04-01 09:20", "guilin")]
    asyncio.run(kept(f"sqlite+aiosqlite:///{path}", stories, [PHONE] * 5, [MATTER] * 5))
    return path


@pytest.fixture
async def hall(hall_file: Path, tmp_path: Path) -> AsyncIterator[Office]:
    """The API over those cases, looked at from the end of their year."""
    url = f"sqlite+aiosqlite:///{shutil.copy(hall_file, tmp_path / 'hall.db')}"
    async with open_office(services_at(url, tmp_path, clock=SetClock(t("2026-12-01 10:00")))) as opened:
        yield opened


def case_5_of(hall: str) -> Story:
    return told(handled("04-29 15:00", "commitment", "market", hall), "05-14 11:00")


@pytest.mark.parametrize(
    ("username", "handled"),
    [("auditor", 4), ("guilin.supervisor", 3), ("guilin.centre", 3), ("chengzhong.centre", 1)],
)
async def test_figures_are_of_the_halls_that_somebody_oversees(
    hall: Office, username: str, handled: int
) -> None:
    answer = await hall.get("figures", username)
    assert answer.status_code == 200, answer.text
    assert answer.json()["handled"] == handled
    page = await hall.get("figures", username, hall="chengzhong")
    expected = 200 if handled in (4, 1) else 404
    assert page.status_code == expected


@pytest.mark.parametrize("username", ["guilin.clerk", "guilin.lead", "superior", "admin"])
async def test_figures_are_for_those_who_answer_for_halls(hall: Office, username: str) -> None:
    assert slug(await hall.get("figures", username)) == (403, "forbidden")


async def test_a_hall_of_others_looks_like_one_that_is_not_there(hall: Office) -> None:
    for code in ("chengzhong", "nowhere"):
        assert slug(await hall.get("figures", "guilin.supervisor", hall=code)) == (404, "not-found")


async def test_the_answer_names_its_period_its_groups_and_the_ranking(hall: Office) -> None:
    found = (await hall.get("figures", "auditor", **{"from": "2026-03-01", "to": "2026-05-31"})).json()
    assert (found["from"], found["to"]) == ("2026-03-01T00:00:00+08:00", "2026-06-01T00:00:00+08:00")
    assert [(g["hall"], g["handled"]) for g in found["by_hall"]] == [("chengzhong", 1), ("guilin", 1)]
    assert [(g["hall"], g["unit"]) for g in found["by_unit"]] == [
        ("chengzhong", "market"),
        ("guilin", "market"),
        ("guilin", None),
    ]
    assert [(i["from"], i["handled"]) for i in found["trend"]["items"]] == [
        ("2026-03-01", 1),
        ("2026-04-01", 0),
        ("2026-05-01", 1),
    ]
    assert {(s["rank"], s["enough"]) for s in found["ranking"]} == {(None, False)}
    assert found["repeat_rate"] == 1  # there was a like case before each, in February before the first


async def test_filters_narrow_the_figures_and_leave_the_ranking_whole(hall: Office) -> None:
    found = (await hall.get("figures", "auditor", unit="social", kind="simple", step="week")).json()
    assert (found["handled"], found["handling"]["all"]["cases"]) == (1, 1)
    assert [item["from"] for item in found["trend"]["items"]] == ["2026-02-09"]
    assert len(found["ranking"]) == 4


async def test_an_empty_period_has_no_rates(hall: Office) -> None:
    found = (await hall.get("figures", "auditor", **{"from": "2020-01-01", "to": "2020-02-01"})).json()
    assert (found["registered"], found["handled"], found["on_time_rate"]) == (0, 0, None)
    assert found["handling"]["all"]["working_days"] == {"mean": None, "median": None, "p90": None}


async def test_a_period_that_ends_before_it_begins_is_refused(hall: Office) -> None:
    answer = await hall.get("figures", "auditor", **{"from": "2026-05-01", "to": "2026-04-01"})
    assert faults(answer) == {"to": "out_of_range"}


async def test_an_issued_bulletin_costs_the_unit_five_points(hall: Office) -> None:
    async with hall.services.database.begin() as session:
        draft = (await session.exec(select_row(Bulletin))).one()
        draft.status, draft.decided_at = "issued", t("2026-10-20 10:00")
        session.add(draft)
    found = (await hall.get("figures", "auditor")).json()
    lost = {
        s["unit"]: [d["lost"] for d in s["deductions"] if d["deduction"] == "bulletin"]
        for s in found["ranking"]
        if s["hall"] == "guilin"
    }
    assert lost == {"housing": [5], "market": [0], "social": [0]}
    (cause,) = [c for c in found["bottlenecks"]["causes"] if c["cause"] == "system_barrier"]
    assert cause["handled"] == 1
