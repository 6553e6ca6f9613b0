"""What-if over recorded cases: what changes, who sees it, that nothing is written; page and command."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import func, select

from api import create_app
from casework.drafts import Draft
from casework.errors import BadInput, NotFound
from casework.one_at_a_time import Busy, OneAtATime
from casework.services import Services
from casework.viewer import Viewer
from casework.whatif import Answer, Change, Question, TooManyCases, days_of, what_if
from models.base import Base
from models.policies import policy_texts
from pages.what_if import WORK
from rules.case.vocabulary import Role
from rules.policy import Policy
from rules.whatif import Tally
from tests.support.cases import POLICIES, Story, handled, t, told, triage
from tests.support.office import freeze, services_at
from tests.support.recorded import record
from tests.support.running import bancheng
from tests.support.visiting import visiting

GUILIN, CHENGZHONG = POLICIES["guilin"], POLICIES["chengzhong"]
MONDAY = "03-09 09:20"
PERIOD = days_of(date(2026, 3, 9), date(2026, 3, 9))
NOW = "04-15 10:00"
FORM = {"received_from": "2026-03-09", "received_to": "2026-03-09"}


def stories() -> list[Story]:
    """In guilin: on time, late with an order, extended, withdrawn, answered at once; one in chengzhong."""
    quick = told(handled(MONDAY, unit="market"), "03-12 10:00")
    late = told(handled(MONDAY).until("03-19 09:00"), "03-19 10:00")
    extended = handled(MONDAY).give("request_extension", "03-11 10:00", working_days=2)
    extended = told(extended.give("decide_extension"), "03-17 10:00")
    withdrawn = handled(MONDAY, unit="market").give("withdraw", "03-10 10:00")
    asked = Story(MONDAY).give(triage("consultation"))
    far = told(handled(MONDAY, "commitment", "market", "chengzhong"), "03-20 10:00")
    return [quick, late, extended, withdrawn, asked, far]


@asynccontextmanager
async def recorded(url: str, folder: Path) -> AsyncIterator[Services]:
    """A month later, over a database that holds the stories and a case of another day."""
    given = services_at(url, folder)
    freeze(given.clock, t(NOW))
    for story in (*stories(), handled("03-10 09:20")):
        await record(given, story.until(NOW))
    yield given
    await given.database.close()


@pytest.fixture
async def services(furnished_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """On SQLite and on PostgreSQL."""
    async with recorded(furnished_url, tmp_path) as given:
        yield given


@pytest.fixture
async def sqlite_services(furnished_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """On SQLite, for what has nothing to do with the dialect."""
    async with recorded(furnished_sqlite_url, tmp_path) as given:
        yield given


async def answer_of(services: Services, policy: Policy, viewer: Viewer | None = None, **more: Any) -> Answer:
    return await what_if(services, viewer, Question(policy, *PERIOD, **more))


def viewer(role: Role, hall: str | None) -> Viewer:
    return Viewer("somebody", "某人", role, hall)


async def test_under_its_own_policy_nothing_changes(services: Services) -> None:
    answer = await answer_of(services, GUILIN, hall="guilin")
    assert {key: change.before for key, change in answer.units.items()} == {
        key: change.after for key, change in answer.units.items()
    }
    assert (answer.not_applicable, answer.unreadable) == ({}, 0)
    before = answer.total.before
    assert (before.cases, before.handled, before.on_time) == (5, 3, 2)
    assert (before.orders, before.escalated) == (1, 1)


async def test_another_policy_shows_by_unit_what_it_would_change(services: Services) -> None:
    strict = replace(GUILIN, version="strict", commitment=2, extensions=0)
    answer = await answer_of(services, strict)
    assert answer.units.keys() == {
        ("chengzhong", "market"),
        ("guilin", None),
        ("guilin", "housing"),
        ("guilin", "market"),
    }
    market, housing = answer.units["guilin", "market"], answer.units["guilin", "housing"]
    assert (market.before.on_time, market.after.on_time) == (1, 0)
    assert (housing.before.on_time, housing.after.on_time) == (1, 0)
    assert housing.after.escalated == 2 and housing.after.orders == 2
    assert answer.not_applicable == {
        ("request_extension", "extensions_used_up"): 1,
        ("decide_extension", "no_extension_pending"): 1,
    }
    assert answer.total.after.not_applicable == 2


async def test_judging_replies_by_another_hall_s_policy(services: Services) -> None:
    """Ten working days instead of five: what was late in guilin would have been on time."""
    answer = await answer_of(services, CHENGZHONG, hall="guilin")
    change = answer.units["guilin", "housing"]
    assert (change.before.on_time, change.after.on_time, change.after.orders) == (1, 2, 0)


async def test_a_notice_counts_from_the_beginning(services: Services) -> None:
    """With three more days off the late case was in time."""
    days = frozenset({date(2026, 3, 11), date(2026, 3, 12), date(2026, 3, 13)})
    new_year = frozenset({date(2026, 1, 1)})
    draft = Draft(2026, None, days | new_year, frozenset(), "试算")
    answer = await answer_of(services, GUILIN, hall="guilin", draft=draft)
    assert answer.total.after.on_time == 3
    with pytest.raises(BadInput):
        await answer_of(services, GUILIN, draft=replace(draft, off=days | {date(2031, 1, 1)}))


async def test_everybody_asks_about_the_cases_they_see(services: Services) -> None:
    async def cases(role: Role, hall: str | None) -> int:
        return (await answer_of(services, GUILIN, viewer(role, hall))).total.before.cases

    assert await cases(Role.AUDITOR, None) == 6
    assert await cases(Role.SUPERVISOR, "guilin") == 5
    assert await cases(Role.CENTRE, "chengzhong") == 1
    assert await cases(Role.SUPERVISOR, "lingui") == 0
    assert await cases(Role.ADMIN, None) == 0
    with pytest.raises(NotFound):
        await answer_of(services, GUILIN, viewer(Role.CENTRE, "chengzhong"), hall="guilin")
    with pytest.raises(NotFound):
        await answer_of(services, GUILIN, hall="nowhere")


async def test_pages_of_cases_add_up(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await answer_of(services, CHENGZHONG)
    monkeypatch.setattr("casework.whatif.PAGE", 2)
    assert await answer_of(services, CHENGZHONG) == whole


async def rows(services: Services) -> dict[str, int]:
    async with services.database.read() as session:
        return {
            table.name: (await session.exec(select(func.count()).select_from(table))).one()
            for table in Base.metadata.sorted_tables
        }


async def test_it_writes_nothing(services: Services, tmp_path: Path) -> None:
    def bytes_on_disk() -> dict[str, str]:
        files = tmp_path.glob("house.db*")
        return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files if f.suffix != ".db-shm"}

    there, stored = await rows(services), bytes_on_disk()
    await answer_of(services, replace(CHENGZHONG, version="never seen"))
    assert (await rows(services), bytes_on_disk()) == (there, stored)
    assert there["events"] > 20


async def test_more_cases_than_a_run_may_take_are_named(services: Services) -> None:
    with pytest.raises(TooManyCases) as refused:
        await what_if(services, None, Question(GUILIN, *PERIOD), most=5)
    assert (refused.value.cases, refused.value.most) == (6, 5)


async def test_the_loop_goes_on_meanwhile(services: Services) -> None:
    """While cases are decided again, others are answered."""
    run = asyncio.create_task(answer_of(services, CHENGZHONG))
    turns = 0
    while not run.done():
        await asyncio.sleep(0)
        turns += 1
    assert (await run).total.before.cases == 6 and turns > 20


def test_one_at_a_time_for_each_user() -> None:
    turns = OneAtATime()
    with turns.turn("x", "a"), turns.turn("y", "a"), turns.turn("x", "b"):
        with pytest.raises(Busy), turns.turn("x", "a"):
            pass
        with pytest.raises(Busy), turns.turn("x", "a"):  # the refused one has not freed it
            pass
    with turns.turn("x", "a"):
        pass


def test_a_period_has_its_days_in_order() -> None:
    assert days_of(date(2026, 3, 9), date(2026, 3, 9)) == (t("03-09 00:00"), t("03-10 00:00"))
    with pytest.raises(BadInput):
        days_of(date(2026, 3, 10), date(2026, 3, 9))


def test_changes_add_up() -> None:
    one = Change(Tally(cases=1, on_time=1), Tally(cases=1))
    assert one + one == Change(Tally(cases=2, on_time=2), Tally(cases=2))
    assert Answer().total == Change()


# --- the page


async def asked(
    services: Services, username: str, form: dict[str, str], files: Any = None
) -> tuple[int, str]:
    app = create_app(services=services)
    app.state.services = services
    async with visiting(app, services, username) as browser:
        answer = await browser.post("/what-if", form, files)
        return answer.status_code, answer.text


async def test_the_page_shows_before_and_after(sqlite_services: Services) -> None:
    form = FORM | {"policy": "chengzhong", "hall": "guilin"}
    status, page = await asked(sqlite_services, "guilin.centre", form)
    assert status == 200
    assert "66.7% → 100.0%" in page and "+33.3 个百分点" in page
    assert "住建局" in page and "未分派" in page
    status, page = await asked(sqlite_services, "guilin.centre", FORM | {"policy": "guilin"})
    assert status == 200 and "66.7% → 66.7%" in page


async def test_a_policy_is_pasted_or_sent_as_a_file(sqlite_services: Services) -> None:
    text = policy_texts(None)["guilin"].replace('version = "1"', 'version = "试行"')
    assert "试行" in text
    for form, files in ((FORM | {"text": text}, None), (FORM, {"file": ("p.toml", text.encode())})):
        status, page = await asked(sqlite_services, "auditor", form, files)
        assert status == 200 and "(试行)" in page


async def test_every_fault_of_a_policy_is_named(sqlite_services: Services) -> None:
    text = 'id = "x"\nversion = "1"\ntitle = "<b>x</b>"\n[limits]\n'
    text += 'simple = { value = 0, unit = "days", source = "" }\n'
    status, page = await asked(sqlite_services, "guilin.supervisor", FORM | {"text": text + 'odd = "x"\n'})
    assert status == 422
    for words in (
        "没有这样的值:odd",
        "即办件办结(simple):0 不是 1 到 400 的整数",
        "即办件办结(simple):单位须为 working days",
        "即办件办结(simple):须写明来源",
        "承诺件办结(commitment)",
    ):
        assert words in page, words
    assert "&lt;b&gt;x&lt;/b&gt;" in page and "<b>x</b>" not in page  # what was typed comes back


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x" * 64_001, "超过 64 KB"),
        (b"\xff\xfe", "UTF-8"),
        (b"[[[", "TOML"),
        (b"a = " + b"[" * 60_000, "TOML"),
        (b"a = " + b"9" * 5_000, "TOML"),
    ],
    ids=["large", "encoding", "syntax", "deep", "number"],
)
async def test_what_is_no_policy_is_refused(sqlite_services: Services, content: bytes, words: str) -> None:
    status, page = await asked(sqlite_services, "auditor", FORM, {"file": ("p.toml", content)})
    assert status == 422 and words in page


async def test_the_form_names_what_is_missing_or_wrong(sqlite_services: Services) -> None:
    status, page = await asked(sqlite_services, "auditor", {})
    assert status == 422 and page.count("必填") > 2 and "请选择一个政策" in page
    form = {"received_from": "2026-03-10", "received_to": "2026-03-01", "policy": "guilin"}
    status, page = await asked(sqlite_services, "auditor", form)
    assert status == 422 and "不能早于开始日期" in page
    status, page = await asked(
        sqlite_services, "guilin.centre", FORM | {"policy": "guilin", "hall": "chengzhong"}
    )
    assert status == 422 and "没有这个大厅" in page
    status, page = await asked(
        sqlite_services, "auditor", FORM | {"policy": "guilin"}, {"notice": ("n.json", b"{}")}
    )
    assert status == 422 and "须为 JSON 文件" in page
    bad = b'{"off": ["2026-03-11"], "work": ["2026-03-11"], "source": "x"}'
    status, page = await asked(
        sqlite_services, "auditor", FORM | {"policy": "guilin"}, {"notice": ("n.json", bad)}
    )
    assert status == 422 and "off" in page


async def test_a_second_run_of_the_same_user_waits_for_the_first(sqlite_services: Services) -> None:
    with sqlite_services.heavy.turn(WORK, "auditor"):
        status, page = await asked(sqlite_services, "auditor", FORM | {"policy": "guilin"})
        assert status == 409 and "上一次推演还没有结束" in page
        assert (await asked(sqlite_services, "guilin.centre", FORM | {"policy": "guilin"}))[0] == 200
    assert (await asked(sqlite_services, "auditor", FORM | {"policy": "guilin"}))[0] == 200


async def test_a_run_over_too_many_cases_is_refused(
    sqlite_services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pages.what_if.MOST", 5)
    status, page = await asked(sqlite_services, "auditor", FORM | {"policy": "guilin"})
    assert status == 422 and "有 6 件，超过一次推演的上限 5 件" in page


# --- the command


def test_the_command_shows_the_change_and_its_exit_codes(tmp_path: Path) -> None:
    assert bancheng(tmp_path, "demo")[0] == 0
    policy = tmp_path / "p.toml"
    policy.write_text(policy_texts(None)["guilin"], encoding="utf-8")
    run = ["whatif", "--policy", str(policy), "--from", "2026-03-09", "--to"]
    code, said = bancheng(tmp_path, *run, "2026-03-10")
    assert code == 0 and "合计" in said and "没有办件" in said
    assert bancheng(tmp_path, *run, "2026-03-08")[0] == 2
    assert bancheng(tmp_path, *run, "tomorrow")[0] == 2
    assert bancheng(tmp_path, *run, "2026-03-10", "--hall", "nowhere")[0] == 1
    policy.write_text('id = "x"', encoding="utf-8")
    code, said = bancheng(tmp_path, *run, "2026-03-10")
    assert code == 2 and "缺少" in said
