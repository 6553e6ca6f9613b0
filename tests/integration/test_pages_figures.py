"""/figures and lost points: what stands on them, for whom, and that nothing on them needs a loose policy."""

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest

from pages.charts import bars, lines
from pages.figure_filters import presets
from pages.figure_words import amount, percent, points
from pages.holding_bar import segments
from tests.support.cases import day, t
from tests.support.figuring import kept
from tests.support.house import House
from tests.support.office import Office, SetClock, open_office, services_at
from tests.support.visiting import _session, visiting
from tests.unit.test_worked_cases import ALL

TABLES = (
    "趋势",
    "承办单位评分",
    "持有最久的",
    "各成因的工作小时",
    "全部指标",
    "按承办单位",
    "按类别",
    "按成因",
)


@pytest.fixture(scope="module")
def worked_file(furnished_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the twelve worked cases, to be copied."""
    path = tmp_path_factory.mktemp("worked") / "worked.db"
    shutil.copy(furnished_sqlite, path)
    stories = sorted((case() for case in ALL), key=lambda story: story.state.received_at)
    asyncio.run(kept(f"sqlite+aiosqlite:///{path}", stories, matters=["学历<认证>&函"] * 12))
    return path


@pytest.fixture
async def worked(worked_file: Path, tmp_path: Path) -> AsyncIterator[Office]:
    """The application over the twelve worked cases, at the end of their year."""
    url = f"sqlite+aiosqlite:///{shutil.copy(worked_file, tmp_path / 'worked.db')}"
    async with open_office(services_at(url, tmp_path, clock=SetClock(t("2026-12-31 12:00")))) as opened:
        yield opened


async def seen(office: Office, path: str, username: str) -> httpx.Response:
    """What somebody sees at a page."""
    cookie = f"bancheng_session={await _session(office.services, username)}"
    return await office.http.get(path, headers={"cookie": cookie})


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


async def test_the_page_shows_the_expected_figures_of_the_worked_cases(worked: Office) -> None:
    page = (await seen(worked, "/figures", "auditor")).text
    said = words(page)
    for figure in ("12 登记", "10 办理件", "90.0% 按时率", "90.0% 解决率", "90.0% 满意率(最终)"):
        assert figure in said, figure
    assert "全部 10 11.5 8.0" in said  # mean and median in working days
    assert "不含复杂、上报 8 5.9" in said
    assert "退单率 9.1%" in said
    captions = [words(caption) for caption in re.findall(r"<caption.*?</caption>", page)]
    assert set(TABLES) <= set(captions)


async def test_every_chart_has_its_table_and_no_style_of_its_own(worked: Office) -> None:
    page = (await seen(worked, "/figures", "auditor")).text
    charts = re.findall(r'<figure class="chart" role="img" aria-label="([^"]+)">(.*?)</figure>', page, re.S)
    assert len(charts) == 3  # no unit has cases enough to be ranked
    assert all("<svg" in drawn for _, drawn in charts)
    assert not re.search(r"<style|<script(?! type=\"module\" src=)|\sstyle=|\son\w+=", page)


async def test_a_matter_is_shown_as_it_was_typed(worked: Office) -> None:
    page = (await seen(worked, "/figures", "auditor")).text
    assert "学历&lt;认证&gt;&amp;函" in page
    assert "学历<认证>" not in page


async def test_units_with_few_cases_are_not_ranked_and_say_so(worked: Office) -> None:
    said = words((await seen(worked, "/figures?hall=guilin", "guilin.supervisor")).text)
    assert "样本不足 人社局" in said
    assert "1 件评价不满意，失" in said


async def test_filters_come_back_as_they_were_chosen(worked: Office) -> None:
    path = "/figures?unit=social&kind=simple&from=2026-02-01&to=2026-02-28&step=week"
    page = (await seen(worked, path, "guilin.centre")).text
    assert '<option value="social" selected>' in page
    assert 'value="2026-02-01"' in page
    assert "1 办理件" in words(page)
    assert "2026-02-09" in page


@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("from=31.01.2026", "应为日期"),
        ("from=2026-03-01&to=2026-02-01", "结束日期早于开始日期"),
    ],
)
async def test_a_wrong_date_is_said_beside_its_field_and_counts_for_nothing(
    worked: Office, query: str, fault: str
) -> None:
    answer = await seen(worked, f"/figures?{query}", "auditor")
    assert answer.status_code == 200
    assert fault in answer.text
    assert "12 登记" in words(answer.text)


async def test_figures_and_bottlenecks_lead_to_each_other_with_period_and_hall(worked: Office) -> None:
    page = (await seen(worked, "/figures?hall=guilin&from=2026-02-01&to=2026-02-28", "auditor")).text
    (there,) = re.findall(r'href="(/bottlenecks[^"]*)"[^>]*>按事项', page)
    assert unescape(there) == "/bottlenecks?since=2026-02-01&until=2026-02-28&hall=guilin"
    page = (await seen(worked, unescape(there), "auditor")).text
    (back,) = re.findall(r'href="(/figures\?[^"]*)"', page)
    assert unescape(back) == "/figures?from=2026-02-01&to=2026-02-28&hall=guilin"


async def test_a_hall_of_others_is_not_there(worked: Office) -> None:
    assert (await seen(worked, "/figures?hall=chengzhong", "guilin.centre")).status_code == 404
    assert (await seen(worked, "/figures/chengzhong/market", "guilin.supervisor")).status_code == 404
    assert (await seen(worked, "/figures/guilin/nowhere", "guilin.supervisor")).status_code == 404


async def test_lost_points_lead_to_the_cases(worked: Office) -> None:
    said = words((await seen(worked, "/figures/guilin/housing", "guilin.supervisor")).text)
    assert "住建局失分的办件" in said
    assert "答复超期 不满意 未及时回应 督办单 1 次" in said
    other = words((await seen(worked, "/figures/guilin/social", "guilin.supervisor")).text)
    assert other.count("未解决") == 1
    assert "没有失分的办件" in words((await seen(worked, "/figures/guilin/education", "auditor")).text)


async def test_a_hall_without_cases_has_dashes_and_no_charts(sqlite_office: Office) -> None:
    page = (await seen(sqlite_office, "/figures", "auditor")).text
    assert "<svg" not in page
    assert "— 按时率" in words(page)
    assert "这段时间没有办件" in page


async def test_the_case_page_shows_as_a_bar_who_held_the_case(sqlite_house: House) -> None:
    case = await sqlite_house.told()
    for username, shown in (("guilin.lead", True), ("guilin.market.contact", False)):
        async with visiting(sqlite_house.app, sqlite_house.services, username) as visitor:
            page = (await visitor.get(f"/cases/{case['number']}")).text
        assert ('id="holding"' in page) is shown


def test_the_segments_of_the_bar_fill_it() -> None:
    holding = {
        "total_working_hours": 8.0,
        "items": [
            {"holder": "window", "unit": None, "working_hours": 2.0},
            {"holder": "contact", "unit": "market", "working_hours": 0.0},
            {"holder": "deputy_leader", "unit": "market", "working_hours": 6.0},
        ],
    }
    assert [(s.holder, s.start, s.width) for s in segments(holding)] == [
        ("window", 0.0, 25.0),
        ("deputy_leader", 25.0, 75.0),
    ]
    assert segments(None) == segments({"total_working_hours": 0, "items": []}) == []


def test_usual_periods_end_where_they_should() -> None:
    assert presets(day("03-04")) == [
        ("本周", "2026-03-02", "2026-03-04"),
        ("本月", "2026-03-01", "2026-03-04"),
        ("上月", "2026-02-01", "2026-02-28"),
        ("今年", "2026-01-01", "2026-03-04"),
    ]


def test_numbers_are_said_plainly() -> None:
    assert [percent(None), percent(0), percent(0.9625)] == ["—", "0.0%", "96.2%"]
    assert [amount(None), amount(1234.56)] == ["—", "1,234.6"]
    assert [points(None), points(27.5), points(30.0)] == ["—", "27.5", "30"]


async def test_a_chart_escapes_what_it_draws_and_draws_nothing_of_nothing() -> None:
    drawn = await bars([{"name": "<b>甲", "value": 3}], "name", "value")
    assert drawn is not None and "<b>" not in drawn and "&lt;b&gt;甲" in drawn
    assert await bars([{"name": "甲", "value": 0}], "name", "value") is None
    assert await lines([], "x", "count", {}) is None
