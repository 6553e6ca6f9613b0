"""The lists over HTTP: who sees which rows, in which order, and how much time is left."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, update

from casework.rows import left_until
from models.case import Case
from pages.list_words import left_words
from tests.support.calendars import CALENDAR_2026
from tests.support.house import PHONE, House, triage
from tests.support.visiting import Visitor, shown, visit

CONTACT, LEADER, LEAD = "guilin.market.contact", "guilin.market.leader", "guilin.lead"
CLERK, SUPERVISOR = "guilin.clerk", "guilin.supervisor"
ODD = "<b>x</b> =SUM(A1) שלום 𠮷"


def numbers(page: str) -> list[str]:
    """The cases in the table of a page, in order."""
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    return re.findall(r'href="/cases/([a-z]+-\d+-\d+)"', body)


def counts(page: str) -> dict[str, int]:
    """The counts of the tabs by their words."""
    tabs = re.findall(r'<li><a href="[^"]*"[^>]*>([^<]+) <span class="number">(\d+)</span>', page)
    return {words.strip(): int(count) for words, count in tabs}


async def dispatched(house: House, **changed: Any) -> dict[str, Any]:
    return await house.act(await house.file(), "triage", CLERK, **triage(**changed))


async def as_columns_say(house: House, case: Mapping[str, Any], **values: Any) -> None:
    """Let the projection say something that would take days to come about."""
    async with house.services.database.begin() as session:
        await session.exec(update(Case).where(col(Case.id) == case["id"]).values(**values))


async def test_a_unit_sees_its_own_cases_and_those_it_is_asked_about(house: House) -> None:
    mine = await dispatched(house)
    other = await dispatched(house, unit="housing")
    asked = await house.act(await dispatched(house, unit="housing"), "sign", "guilin.housing.contact")
    there = await house.file(by="chengzhong.clerk")
    await house.act(there, "triage", "chengzhong.clerk", **triage())
    meeting = {"co_units": ["market"], "at": "2098-03-03T15:00:00+08:00", "place": "二楼会议室"}
    await house.act(asked, "convene", LEAD, **meeting)
    page = await shown(house, CONTACT, "/department")
    assert set(numbers(page)) == {mine["number"], asked["number"]}
    assert other["number"] not in page and there["number"] not in page
    assert counts(page) == {
        "全部在办": 2,
        "待签收": 1,
        "办理中": 0,
        "待提会商意见": 1,
        "督办单待答复": 0,
        "升级到分管领导": 0,
        "等待他人": 0,
    }
    assert "协办" in page and "主办" in page
    assert numbers(await shown(house, CONTACT, "/department?queue=opine")) == [asked["number"]]
    await house.act(asked, "opine", CONTACT, text="无意见")
    assert counts(await shown(house, CONTACT, "/department"))["待提会商意见"] == 0


async def test_the_most_urgent_case_stands_first(house: House) -> None:
    green_late, green, grey, yellow, red = [await dispatched(house) for _ in range(5)]
    soon = datetime.now(UTC) + timedelta(days=1)
    await as_columns_say(house, red, light="red", due_at=soon + timedelta(days=9))
    await as_columns_say(house, yellow, light="yellow")
    await as_columns_say(house, grey, light="grey", due_at=None)
    await as_columns_say(house, green, due_at=soon)
    order = [case["number"] for case in (red, yellow, green, green_late, grey)]
    assert numbers(await shown(house, CONTACT, "/department")) == order
    assert numbers(await shown(house, CLERK, "/cases")) == order


async def test_a_leader_sees_first_what_climbed_and_what_must_be_answered(house: House) -> None:
    climbed = await house.handled(kind="commitment")
    await house.act(climbed, "mark_unable", CONTACT, reason="无权限")
    ordered = await house.handled()
    await house.act(ordered, "order", SUPERVISOR, text="请说明")
    page = await shown(house, LEADER, "/department")
    assert list(counts(page))[:2] == ["升级到分管领导", "督办单待答复"]
    assert numbers(page) == [climbed["number"]]
    owed = await shown(house, LEADER, "/department?queue=orders")
    assert numbers(owed) == [ordered["number"]] and "还剩" in owed
    case = (await house.get(f"cases/{ordered['id']}")).json()
    await house.act(ordered, "answer_order", LEADER, order=case["orders"][0]["id"], text="已说明")
    assert counts(await shown(house, LEADER, "/department"))["督办单待答复"] == 0


async def test_a_case_is_signed_for_from_the_list_and_twice_is_once(house: House) -> None:
    case = await dispatched(house)
    async with visit(house, CONTACT) as browser:
        page = (await browser.get("/department?queue=sign")).text
        key = re.search(r'name="key" value="([^"]+)"', page)
        assert key
        form = {"case": case["id"], "key": key[1], "queue": "sign"}
        for _ in range(2):
            answer = await browser.post("/department/sign", form)
            assert (answer.status_code, answer.headers["location"]) == (303, "/department?queue=sign")
    assert (await house.get(f"cases/{case['id']}")).json()["status"] == "handling"
    async with visit(house, "guilin.housing.contact") as stranger:
        assert (await stranger.post("/department/sign", form)).status_code == 404


async def test_a_window_lead_sees_the_board_and_what_waits_for_a_decision(house: House) -> None:
    returned = await dispatched(house)
    await house.act(returned, "return_order", CONTACT, reason="不属本单位职责")
    replied = await house.handled()
    await house.act(replied, "reply", CONTACT, text="已办", resolved=True)
    waiting = await house.handled(kind="commitment")
    await house.act(waiting, "request_extension", LEADER, working_days=1, reason="等待材料")
    await house.act(waiting, "remind", LEAD, text="请抓紧办理")
    await house.file()
    page = await shown(house, LEAD, "/lead")
    assert set(numbers(page)) == {case["number"] for case in (returned, replied, waiting)}
    found = counts(page)
    assert (found["待我决定"], found["退单待裁定"], found["延期待审批"], found["答复待审核"]) == (3, 1, 1, 1)
    assert (found["待分派"], found["待回访"]) == (1, 0)
    tiles = dict(re.findall(r'href="/cases\?status=(\w+)"><strong>(\d+)', page))
    assert (tiles["registered"], tiles["return_review"], tiles["handling"], tiles["replied"]) == (
        ("1", "1", "1", "1")
    )
    assert "请抓紧办理" not in page and waiting["number"] in page.partition("近两周的催办")[2]
    refused = await house.act(returned, "decide_return", LEAD, accept=False, reason="属本单位职责")
    assert refused["number"] not in numbers(await shown(house, LEAD, "/lead"))


async def test_the_second_return_waits_for_the_centre_alone(house: House) -> None:
    case = await dispatched(house)
    await house.act(case, "return_order", CONTACT, reason="不属本单位职责")
    await house.act(case, "decide_return", LEAD, accept=True, unit="housing")
    await house.act(case, "return_order", "guilin.housing.contact", reason="也不属")
    assert numbers(await shown(house, "guilin.centre", "/lead")) == [case["number"]]
    assert numbers(await shown(house, LEAD, "/lead")) == []


async def test_supervision_sees_its_halls_and_no_other(house: House) -> None:
    complex_one = await dispatched(house, kind="complex")
    below = await house.file(by="lingui.clerk")
    await house.act(below, "triage", "lingui.clerk", **triage(kind="complex"))
    there = await house.file(by="chengzhong.clerk")
    await house.act(there, "triage", "chengzhong.clerk", **triage(kind="complex"))
    page = await shown(house, SUPERVISOR, "/supervision?queue=limit")
    assert set(numbers(page)) == {complex_one["number"], below["number"]}
    assert counts(page)["待定时限"] == 2 and there["number"] not in page
    narrowed = await shown(house, SUPERVISOR, "/supervision?queue=limit&hall=lingui")
    assert numbers(narrowed) == [below["number"]] and counts(narrowed)["待定时限"] == 1
    assert numbers(await shown(house, SUPERVISOR, "/supervision?queue=limit&hall=chengzhong")) == []
    assert numbers(await shown(house, SUPERVISOR, "/supervision?queue=limit&unit=housing")) == []
    assert set(numbers(await shown(house, "auditor", "/supervision?queue=limit"))) == {
        case["number"] for case in (complex_one, below, there)
    }
    superior = await shown(house, "superior", "/supervision")
    assert numbers(superior) == [] and "通报批评草稿" not in superior


async def test_supervision_sees_what_climbs_from_the_first_step_up(house: House) -> None:
    level = {}
    for name in ("contact", "deputy_leader", "supervision"):
        level[name] = case = await house.handled(kind="commitment")
        if name != "contact":
            await house.act(case, "mark_unable", CONTACT, reason="无权限")
    await house.act(level["supervision"], "coordinate", LEADER, text="请协调", to="supervision")
    page = await shown(house, SUPERVISOR, "/supervision?queue=climbed")
    assert set(numbers(page)) == {level[name]["number"] for name in ("deputy_leader", "supervision")}
    assert (counts(page)["已升级"], counts(page)["升级到监督层级"]) == (2, 1)
    highest = await shown(house, SUPERVISOR, "/supervision?queue=supervision")
    assert numbers(highest) == [level["supervision"]["number"]]


async def test_the_superior_sees_what_was_referred(house: House) -> None:
    case = await house.handled(kind="commitment")
    await house.handled()
    asked = {"hall": "guilin", "start": datetime.now(UTC).isoformat(), "working_days": 9}
    due_at = (await house.get("calendar/due", by=SUPERVISOR, **asked)).json()["due_at"]
    await house.act(case, "refer_up", SUPERVISOR, to="自治区", reason="政策不明", due_on=due_at[:10])
    page = await shown(house, "superior", "/supervision")
    assert numbers(page) == [case["number"]] and counts(page)["全部在办"] == 1
    assert numbers(await shown(house, "superior", "/cases?status=all")) == [case["number"]]


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("/department", [CLERK, LEAD, SUPERVISOR, "auditor", "admin"]),
        ("/lead", [CLERK, CONTACT, SUPERVISOR, "auditor", "admin"]),
        ("/supervision", [CLERK, LEAD, CONTACT, LEADER, "guilin.centre", "admin"]),
        ("/cases", ["admin"]),
    ],
)
async def test_a_page_of_other_roles_is_refused(sqlite_house: House, path: str, refused: list[str]) -> None:
    for username in refused:
        async with visit(sqlite_house, username) as browser:
            assert (await browser.get(path)).status_code == 403, username


async def find(browser: Visitor, typed: str, **filters: str) -> str:
    answer = await browser.post("/cases/search", {"q": typed, "status": "all", **filters})
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_search_finds_by_number_person_and_text_within_scope(house: House) -> None:
    case = await house.file(matter="个体户注销 🙂", problem="缺少 100% 的证明")
    closed = await house.closed()
    there = await house.file(by="chengzhong.clerk", matter="个体户注销 🙂")
    for typed, expected in {
        str(case["number"]).upper(): {case["number"]},
        "🙂": {case["number"]},
        "100%": {case["number"]},
        "%": {case["number"]},
        "_": set(),
        "周小明": {case["number"], closed["number"]},
        "周小": set(),
        "138-0013-0001": {case["number"], closed["number"]},
        "1380013": set(),
        there["number"]: set(),
    }.items():
        async with visit(house, CLERK) as browser:
            page = await find(browser, typed)
            assert set(numbers(page)) == expected, typed
            assert f"查到 {len(expected)} 件" in page, typed
    async with visit(house, "guilin.housing.contact") as stranger:
        assert numbers(await find(stranger, str(case["number"]))) == []


async def test_what_is_searched_for_never_stands_in_an_address(
    sqlite_house: House, capfd: pytest.CaptureFixture[str]
) -> None:
    await sqlite_house.file()
    async with visit(sqlite_house, CLERK) as browser:
        found = await browser.post("/cases/search", {"q": PHONE, "status": "all"})
        assert found.status_code == 200 and "location" not in found.headers
        assert not re.search(rf'(?:href|action)="[^"]*{PHONE}', found.text)
        # An address that has it is not read: it finds all, and proposes nothing.
        assert PHONE not in (await browser.get(f"/cases?q={PHONE}")).text
        plain = await browser.post("/cases/search", {"q": " ", "status": "handling", "kind": "simple"})
        assert (plain.status_code, plain.headers["location"]) == (303, "/cases?status=handling&kind=simple")
        assert (await browser.get("/cases/search")).headers["location"] == "/cases"
    logged = capfd.readouterr()
    assert PHONE not in logged.out + logged.err


async def test_a_search_for_text_can_go_on_into_the_past(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.searching.WINDOW", 2)
    old, *_ = [await house.file(matter=f"事项 {n}") for n in range(4)]
    async with visit(house, CLERK) as browser:
        page = await find(browser, "事项 0")
        assert numbers(page) == [] and "继续查更早的" in page
        # Nobody may take it for the whole: how far it came, and what was looked through entirely.
        assert re.search(r"在最近受理的 \d+ 件中没有查到；更早的还没有查", page)
        assert "编号、姓名、电话已在全部办件中查过" in page
        assert "没有符合条件的办件" not in page
        until = re.search(r'name="received_to" value="(20[^"]+)"', page)
        assert until
        assert numbers(await find(browser, "事项 0", received_to=until[1])) == [old["number"]]
        # A number is found wherever it stands.
        assert numbers(await find(browser, str(old["number"]))) == [old["number"]]


async def test_faulty_dates_stand_beside_their_fields_and_nothing_typed_is_lost(
    sqlite_house: House,
) -> None:
    async with visit(sqlite_house, CLERK) as browser:
        form = {"q": "证件", "received_from": "昨天", "received_to": "2026-13-01", "kind": "simple"}
        answer = await browser.post("/cases/search", form)
    assert answer.status_code == 422
    for kept in (
        'value="证件"',
        'value="昨天"',
        'value="2026-13-01"',
        "received_from-fault",
        "received_to-fault",
    ):
        assert kept in answer.text
    assert re.search(r'value="simple" selected', answer.text)


async def test_filters_and_orders_of_all_cases(house: House) -> None:
    first = await house.file(matter="甲")
    second = await dispatched(house, kind="commitment", unit="housing")
    third = await house.closed()
    table: list[tuple[str, list[dict[str, Any]]]] = [
        ("", [second, first]),
        ("?status=all", [third, second, first]),
        ("?status=all&sort=oldest", [first, second, third]),
        ("?status=all&sort=due", [third, second, first]),
        ("?status=closed", [third]),
        ("?status=dispatched&unit=housing", [second]),
        ("?kind=commitment", [second]),
        ("?step=triage", [first]),
        ("?light=red", []),
        ("?status=nonsense&page=x&sort=y", [second, first]),
        ("?status=all&received_from=2098-01-01", []),
        ("?hall=chengzhong&status=all", []),
        ("?unit=%00&hall=%F0%9F%99%82&q=%00&received_from=%20", [second, first]),
    ]
    for query, expected in table:
        page = await shown(house, CLERK, f"/cases{query}")
        assert numbers(page) == [case["number"] for case in expected], query
        assert f"共 {len(expected)} 件" in page, query
    everywhere = await shown(house, "auditor", "/cases?status=all")
    assert numbers(everywhere) == [case["number"] for case in (third, second, first)]


async def test_pages_follow_each_other_and_counts_stop_where_they_cost(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.searching.PER_PAGE", 2)
    monkeypatch.setattr("casework.searching.COUNTED", 3)
    monkeypatch.setattr("pages.list_words.COUNTED", 3)
    monkeypatch.setattr("casework.worklists.PER_PAGE", 2)
    made = [(await dispatched(house))["number"] for _ in range(5)]
    found = []
    for number in (1, 2, 3):
        page = await shown(house, CLERK, f"/cases?status=all&sort=oldest&page={number}")
        found += numbers(page)
        assert "共 3+ 件" in page
        assert ("下一页" in page) == (number < 3) and ("上一页" in page) == (number > 1)
    assert found == made
    work = [numbers(await shown(house, CONTACT, f"/department?page={n}")) for n in (1, 2, 3, 4)]
    assert [number for page in work for number in page] == made and work[3] == []


async def test_a_matter_is_shown_as_typed(sqlite_house: House) -> None:
    case = await sqlite_house.file(matter=ODD)
    await sqlite_house.act(case, "triage", CLERK, **triage())
    for username, path in ((CONTACT, "/department"), (LEAD, "/cases"), (SUPERVISOR, "/cases")):
        page = await shown(sqlite_house, username, path)
        assert "&lt;b&gt;x&lt;/b&gt; =SUM(A1) שלום 𠮷" in page and "<b>x" not in page


# 20 September 2026 is a make-up Sunday and 25 September a holiday by the notice of 2026.
LEFT = [
    ("2026-09-16 10:00", "2026-09-16 17:30", "还剩 6 工作小时"),
    ("2026-09-16 12:30", "2026-09-16 17:30", "还剩 4 工作小时"),
    ("2026-09-16 17:20", "2026-09-16 17:30", "还剩 0.1 工作小时"),
    ("2026-09-16 17:25", "2026-09-16 17:30", "即将到期"),
    ("2026-09-16 17:30", "2026-09-16 17:30", "即将到期"),
    ("2026-09-16 17:31", "2026-09-16 17:30", "刚刚超期"),
    ("2026-09-17 09:10", "2026-09-16 17:30", "已超 0.2 工作小时"),
    ("2026-09-18 17:30", "2026-09-21 17:30", "还剩 14 工作小时"),
    ("2026-09-12 09:00", "2026-09-14 17:30", "还剩 7 工作小时"),
    ("2026-09-24 16:45", "2026-09-28 12:00", "还剩 3.7 工作小时"),
    ("2026-09-28 09:01", "2026-09-24 17:30", "刚刚超期"),
]


@pytest.mark.parametrize(("now", "due", "words"), LEFT)
def test_what_is_left_is_told_in_working_hours(now: str, due: str, words: str) -> None:
    at, until = (datetime.fromisoformat(f"{each}:00+08:00") for each in (now, due))
    assert left_words(left_until(until, at, CALENDAR_2026)) == words
