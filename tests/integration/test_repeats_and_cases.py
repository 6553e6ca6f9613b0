"""Point by point what happens to a case's experience: repeats, clusters, lessons, typical cases."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import col, select, update

from activities.tables import FACTS
from casework import bottlenecks, lessons
from casework.facts_filling import fill_facts
from casework.repeats import Repeats, repeats_of
from casework.viewer import Viewer
from models.act import Act
from models.case import Case
from models.chain import ACT_CHAIN, verify_chain
from models.directory import ContactEntry, User
from models.typical import TypicalCase
from rules.case.vocabulary import Role
from tests.support.house import House, triage
from tests.support.visiting import shown, visit

CLERK, LEAD, CENTRE, SUPERVISOR = "guilin.clerk", "guilin.lead", "guilin.centre", "guilin.supervisor"
OTHER = {"kind": "person", "name": "钱大伟", "phone": "13800130077"}
NONE_OF_BOTH = Repeats(False, None, [])
WRITE_UP = {
    "title": "一次讲清，注销不再难",
    "problem": "某市民三次到窗口，每次都被要求补材料。",
    "done": "窗口与单位当场核对共享信息，免去重复提交。",
    "lesson": "凡能共享的证件不再要求提交。",
}


async def older(house: House, case: Mapping[str, Any], days: float) -> None:
    """Let a case have been received so many days ago."""
    await fill_facts(house.services)
    async with house.services.database.begin() as session:
        row = await session.get_one(Case, case["id"])
        row.received_at -= timedelta(days=days)
        session.add(row)
        moved = update(FACTS).where(FACTS.c.case_id == case["id"]).values(received_at=row.received_at)
        await (await session.connection()).execute(moved)


async def repeats(house: House, case: Mapping[str, Any], by: str = CLERK) -> Repeats:
    viewer = Viewer(by, by, Role.CLERK, by.partition(".")[0])
    return await repeats_of(house.services, viewer, case["id"])


async def archived(house: House, lesson: str, **changed: Any) -> dict[str, Any]:
    case = await house.closed() if not changed else await closed(house, **changed)
    return await house.act(case, "archive", LEAD, lesson=lesson)


async def closed(house: House, unit: str = "market", **changed: Any) -> dict[str, Any]:
    case = await house.file(**changed)
    await house.act(case, "triage", CLERK, **triage(unit=unit))
    await house.act(case, "sign", f"guilin.{unit}.contact")
    await house.act(case, "reply", f"guilin.{unit}.contact", text="已办结。", resolved=True)
    await house.act(case, "check_reply", LEAD, accept=True)
    return await house.act(case, "revisit", CLERK, reached=True, rating=5, resolved=True)


# Repeats and clusters


async def test_the_same_person_with_the_same_matter_is_marked_everywhere(house: House) -> None:
    first = await house.file()
    again = await house.file(matter="个体户 注销。")
    other_person = await house.file(petitioner=OTHER)
    other_matter = await house.file(matter="个体户开业")
    found = [await repeats(house, case) for case in (first, again, other_person, other_matter)]
    assert found == [
        Repeats(False, None, [again["number"]]),
        Repeats(True, first["number"], []),
        NONE_OF_BOTH,
        NONE_OF_BOTH,
    ]
    page = await shown(house, CLERK, f"/cases/{again['number']}")
    assert "重复反映" in page and f'href="/cases/{first["number"]}"' in page
    assert f'href="/cases/{again["number"]}"' in await shown(house, CLERK, f"/cases/{first['number']}")
    assert "重复反映" not in await shown(house, CLERK, f"/cases/{other_person['number']}")
    assert "重复反映" in await shown(house, CLERK, f"/counter/receipt/{again['id']}")
    assert "重复反映" not in await shown(house, CLERK, f"/counter/receipt/{first['id']}")
    assert (await shown(house, CLERK, "/cases")).count("重复反映") == 1


async def test_what_is_older_than_ninety_days_is_not_repeated(house: House) -> None:
    first = await house.file()
    await older(house, first, 90.5)
    second = await house.file()
    for case in (first, second):
        await older(house, case, 89)
    third = await house.file()
    found = [await repeats(house, case) for case in (first, second, third)]
    assert found == [
        NONE_OF_BOTH,
        Repeats(False, None, [third["number"]]),
        Repeats(True, second["number"], []),
    ]


async def test_the_mark_follows_a_matter_typed_anew_at_triage(house: House) -> None:
    first = await house.file()
    away, there = await house.file(), await house.file(matter="居住证办理")
    assert [(await repeats(house, case)).is_repeat for case in (away, there)] == [True, False]
    for case, matter in ((away, "居住证签注"), (there, "个体户,注销")):
        await house.act(case, "triage", CLERK, **triage(matter=matter))
    assert await repeats(house, away) == NONE_OF_BOTH
    assert await repeats(house, there) == Repeats(True, first["number"], [])
    assert "重复反映" not in await shown(house, CLERK, f"/cases/{away['number']}")
    assert (await shown(house, CLERK, "/cases")).count("重复反映") == 1


async def test_a_case_of_another_hall_is_repeated_but_not_named(sqlite_house: House) -> None:
    house = sqlite_house
    there = await house.file(by="chengzhong.clerk")
    here = await house.file()
    assert await repeats(house, here) == Repeats(True, None, [])
    assert (await repeats(house, there, "chengzhong.clerk")) == NONE_OF_BOTH
    page = await shown(house, CLERK, f"/cases/{here['number']}")
    assert "重复反映" in page and there["number"] not in page


async def test_clusters_count_cases_by_matter_and_cause_within_scope(house: House) -> None:
    for unit in ("market", "market", "social"):
        case = await house.file()
        await house.act(case, "triage", CLERK, **triage(unit=unit))
    alone = await house.file(matter="居住证办理", petitioner=OTHER)
    there = await house.file(by="chengzhong.clerk")
    page = await shown(house, SUPERVISOR, "/bottlenecks")
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert body.count("<tr>") == 1 and "个体户注销" in body and "机械执行不愿办" in body
    assert "市场监管局 2" in body and "人社局 1" in body
    tiles = page.partition('<ul class="tiles">')[2].partition("</ul>")[0]
    assert "<strong>4</strong>受理办件" in tiles and "<strong>2</strong>重复反映" in tiles
    assert "50.0%" in tiles
    listed = await shown(house, SUPERVISOR, f"/bottlenecks/{case['number']}")
    assert listed.count('class="tag status-dispatched"') == 3 and alone["number"] not in listed
    assert there["number"] not in listed
    async with visit(house, SUPERVISOR) as browser:
        assert (await browser.get(f"/bottlenecks/{there['number']}")).status_code == 404
        assert (await browser.get("/bottlenecks?since=2026-99-99")).status_code == 422
        early = (await browser.get("/bottlenecks?since=2020-01-01&until=2020-12-31")).text
        assert "没有两件以上" in early and "<strong>—</strong>" in early
    assert "<strong>4</strong>受理办件" in await shown(house, CENTRE, "/bottlenecks")
    assert "<strong>5</strong>受理办件" in await shown(house, "auditor", "/bottlenecks")


async def test_wordings_that_differ_in_punctuation_only_are_one_cluster(house: House) -> None:
    await house.file(matter="个体户注销")
    await house.file(matter="个体户 注销。", petitioner=OTHER)
    last = await house.file(matter="《个体户》注销", petitioner=OTHER | {"phone": "13800130078"})
    page = await shown(house, SUPERVISOR, "/bottlenecks")
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert body.count("<tr>") == 1 and f"/bottlenecks/{last['number']}" in body and "《个体户》注销" in body
    assert '<td class="right">3</td>' in body
    assert (await shown(house, SUPERVISOR, f"/bottlenecks/{last['number']}")).count("个体户") >= 3


async def test_a_cluster_says_how_many_are_open_and_late(house: House) -> None:
    await house.closed()
    late = await house.file(petitioner=OTHER)
    await house.act(late, "triage", CLERK, **triage())
    async with house.services.database.begin() as session:
        (await session.get_one(Case, late["id"])).light = "red"
    page = await shown(house, SUPERVISOR, "/bottlenecks")
    body = page.partition("<tbody>")[2].partition("</tbody>")[0]
    assert [int(n) for n in re.findall(r'<td class="right(?: late)?">(\d+)</td>', body)] == [2, 0, 1, 1]


async def test_a_large_cluster_has_pages(sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bottlenecks, "PER_PAGE", 1)
    older, newer = await sqlite_house.file(), await sqlite_house.file(petitioner=OTHER)
    path = f"/bottlenecks/{older['number']}"
    first = await shown(sqlite_house, SUPERVISOR, path)
    second = await shown(sqlite_house, SUPERVISOR, f"{path}?page=2")
    assert newer["number"] in first and 'rel="next"' in first and 'rel="prev"' not in first
    assert f'href="/cases/{older["number"]}"' in second and 'rel="next"' not in second


# Lessons


async def test_a_lesson_is_kept_found_and_suggested_where_it_helps(house: House) -> None:
    lesson = "共享的证件<不再>要求提交"
    learnt = await archived(house, lesson)
    text = "共享的证件&lt;不再&gt;要求提交"
    case = await house.file(petitioner=OTHER)
    await house.act(case, "triage", CLERK, **triage())
    for username in (CLERK, LEAD, "guilin.market.contact", SUPERVISOR):
        page = await shown(house, username, f"/cases/{case['number']}")
        assert text in page and learnt["number"] in page, username
    unlike = await house.file(matter="不动产登记", petitioner=OTHER, cause="legacy")
    assert text not in await shown(house, CLERK, f"/cases/{unlike['number']}")
    untriaged = await house.file(petitioner=OTHER | {"phone": "13800130078"})
    assert text in await shown(house, CLERK, f"/counter/triage/{untriaged['number']}")
    async with visit(house, CLERK) as browser:
        panel = await browser.post("/counter/similar", {"phone": "", "matter": "个体户注销"})
        assert text in panel.text and "同一事项" in panel.text
        by_cause = {"phone": "", "matter": "", "cause": "mechanical_application"}
        assert "同一成因" in (await browser.post("/counter/similar", by_cause)).text
        found = await browser.post("/lessons/search", {"q": "共享", "cause": ""})
        assert text in found.text
        assert "没有找到" in (await browser.post("/lessons/search", {"q": "没有这个词"})).text
        assert text not in (await browser.post("/lessons/search", {"q": "", "cause": "legacy"})).text
    assert text in await shown(house, CLERK, "/lessons")


async def test_a_search_reads_the_newest_lessons_and_goes_on_where_asked(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "WINDOW", 1)
    old = await archived(house, "先问清再收件", matter="个体户注销")
    await archived(house, "别的事情", matter="居住证办理", petitioner=OTHER)
    async with visit(house, CLERK) as browser:
        found = (await browser.post("/lessons/search", {"q": "先问清"})).text
        assert "先问清再收件" not in found and "更早的还没有查" in found
        before = re.findall(r'name="before" value="([^"]+)"', found)
        again = (await browser.post("/lessons/search", {"q": "先问清", "before": before[0]})).text
        assert "先问清再收件" in again
        assert "先问清再收件" in (await browser.post("/lessons/search", {"q": old["number"]})).text
        # The same matter is suggested from beyond the window too, punctuation aside.
        panel = await browser.post("/counter/similar", {"phone": "", "matter": "个体户,注销"})
        assert "先问清再收件" in panel.text


@pytest.mark.parametrize("stranger", ["chengzhong.clerk", "guilin.social.contact", "superior"])
async def test_a_lesson_of_others_is_not_there(sqlite_house: House, stranger: str) -> None:
    learnt = await archived(sqlite_house, "只在本厅")
    page = await shown(sqlite_house, stranger, "/lessons")
    assert "只在本厅" not in page and learnt["number"] not in page


# Typical cases


async def write(house: House, username: str, case: Mapping[str, Any], **changed: str) -> Any:
    async with visit(house, username) as browser:
        return await browser.post(f"/typical/write/{case['number']}", WRITE_UP | changed)


async def written(house: House, case: Mapping[str, Any], **changed: str) -> str:
    answer = await write(house, LEAD, case, **changed)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"]).partition("?")[0]


async def give(house: House, username: str, path: str, **form: str) -> Any:
    async with visit(house, username) as browser:
        return await browser.post(path, form)


async def test_a_typical_case_goes_from_the_write_up_to_the_public_and_back(house: House) -> None:
    case = await house.closed()
    assert f"/typical/write/{case['number']}" in await shown(house, LEAD, f"/cases/{case['number']}")
    path = await written(house, case)
    public = path.replace("/typical/", "/public/cases/")
    assert (await write(house, CENTRE, case)).status_code == 409
    assert WRITE_UP["title"] in await shown(house, SUPERVISOR, "/typical")
    assert f'href="{path}"' in await shown(house, SUPERVISOR, "/inbox")
    await shown(house, None, public, 404)
    assert (await give(house, SUPERVISOR, f"{path}/review", publish="no", reason="")).status_code == 422
    back = await give(house, SUPERVISOR, f"{path}/review", publish="no", reason="写得再细些")
    assert back.status_code == 303
    assert "写得再细些" in await shown(house, LEAD, path)
    assert "被退回修改" in await shown(house, LEAD, "/inbox")
    assert WRITE_UP["done"] in await shown(house, LEAD, f"/typical/write/{case['number']}")
    assert await written(house, case, done="当场核对，半小时办成。") == path
    assert (await give(house, LEAD, f"{path}/review", publish="yes")).status_code == 403
    assert (await give(house, SUPERVISOR, f"{path}/review", publish="yes")).status_code == 303
    assert (await give(house, SUPERVISOR, f"{path}/review", publish="yes")).status_code == 409
    page = await shown(house, None, public)
    assert "半小时办成" in page and case["number"] not in page and "周小明" not in page
    assert WRITE_UP["title"] in await shown(house, None, "/public/cases")
    assert (await give(house, CENTRE, f"{path}/withdraw", reason="")).status_code == 422
    assert (await give(house, CENTRE, f"{path}/withdraw", reason="当事人要求")).status_code == 303
    await shown(house, None, public, 404)
    assert WRITE_UP["title"] not in await shown(house, None, "/public/cases")
    await _has_record(house, ["submitted", "returned", "submitted", "published", "withdrawn"])


async def _has_record(house: House, types: list[str]) -> None:
    async with house.services.database.read() as session:
        rows = (await session.exec(select(Act).order_by(col(Act.seq)))).all()
    assert [row.type for row in rows] == types
    assert verify_chain(rows, len(types), ACT_CHAIN) is None
    assert "半小时" not in "".join(str(row.model_dump()) for row in rows)


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("title", "周小明的注销", "姓名或名称"),
        ("problem", "周 小 明来过三次", "姓名或名称"),
        ("done", "电话 138 0013 0001 告知", "电话或证件号码"),
        ("lesson", "请联系 13900001111", "手机号或身份证号"),
        ("done", "", "必填"),
    ],
)
async def test_what_gives_somebody_away_is_refused_beside_its_field(
    sqlite_house: House, field: str, text: str, words: str
) -> None:
    case = await sqlite_house.closed()
    answer = await write(sqlite_house, LEAD, case, **{field: text})
    assert answer.status_code == 422
    assert words in answer.text and WRITE_UP["lesson" if field != "lesson" else "done"] in answer.text


async def test_a_matter_that_names_the_petitioner_is_refused_too(sqlite_house: House) -> None:
    case = await sqlite_house.closed()
    async with sqlite_house.services.database.begin() as session:
        await session.exec(update(Case).where(col(Case.id) == case["id"]).values(matter="周小明注销"))
    answer = await write(sqlite_house, LEAD, case)
    assert answer.status_code == 422 and "会一并公开" in answer.text


@pytest.mark.parametrize("part", ["deputy_leader", "contact", "alternate"])
async def test_the_people_of_the_units_line_are_not_named(sqlite_house: House, part: str) -> None:
    """Also who stood in it once, and whoever else is a contact may be named: of another unit."""
    house = sqlite_house
    case = await house.closed()
    async with house.services.database.begin() as session:
        of_guilin = col(ContactEntry.hall) == "guilin"
        entries = await session.exec(select(ContactEntry).where(of_guilin))
        for entry in entries.all():
            name = {"market": "陈建国", "social": "黎明华"}.get(entry.unit, "演示")
            setattr(entry, part, {"name": name, "post": "科员", "phone": "0773-2800001"})
            session.add(entry)
    assert (await write(house, LEAD, case, done="黎明华路口的窗口已办好。")).status_code == 303
    await given_back(house, case)
    answer = await write(house, LEAD, case, done="陈 建国当场核对。")
    assert answer.status_code == 422 and "工作人员" in answer.text


async def given_back(house: House, case: Mapping[str, Any]) -> None:
    """Return what was handed in, so that it can be written anew."""
    async with house.services.database.begin() as session:
        mine = col(TypicalCase.case_id) == case["id"]
        await session.exec(update(TypicalCase).where(mine).values(status="returned"))


async def test_who_filed_and_who_acted_is_not_named(sqlite_house: House) -> None:
    house = sqlite_house
    names = {CLERK: "唐小琴", "guilin.market.contact": "罗志强", CENTRE: "秦卫东"}
    async with house.services.database.begin() as session:
        for username, name in names.items():
            await session.exec(update(User).where(col(User.username) == username).values(name=name))
    case = await house.closed()
    async with house.services.database.begin() as session:
        # Whoever acted stands in the ledger by the name of then.
        acted = col(User.username) == "guilin.market.contact"
        await session.exec(update(User).where(acted).values(name="新名字"))
    for name, field in (("唐小琴", "title"), ("罗志强", "problem")):
        answer = await write(house, LEAD, case, **{field: f"{name}与群众当面核对"})
        assert answer.status_code == 422 and "工作人员" in answer.text, name
    assert (await write(house, LEAD, case, done="秦卫东到场。")).status_code == 303  # had no part in it


async def test_the_review_checks_the_matter_that_is_published(sqlite_house: House) -> None:
    """What was stored with the write-up, not what the case says by now."""
    house = sqlite_house
    case = await house.closed()
    path = await written(house, case)
    async with house.services.database.begin() as session:
        await session.exec(update(TypicalCase).values(matter="周小明注销"))
    assert (await give(house, SUPERVISOR, f"{path}/review", publish="yes")).status_code == 422
    async with house.services.database.begin() as session:
        await session.exec(update(TypicalCase).values(matter="个体户注销"))
        await session.exec(update(Case).where(col(Case.id) == case["id"]).values(matter="周小明注销"))
    assert (await give(house, SUPERVISOR, f"{path}/review", publish="yes")).status_code == 303


async def test_only_closed_cases_of_the_own_hall_are_written_up(sqlite_house: House) -> None:
    house = sqlite_house
    open_case, case = await house.handled(), await house.closed()
    assert (await write(house, LEAD, open_case)).status_code == 409
    for username, status in (("chengzhong.lead", 404), (CLERK, 403), (SUPERVISOR, 403), ("lingui.lead", 404)):
        assert (await write(house, username, case)).status_code == status, username
    path = await written(house, case)
    for username, status in (("chengzhong.lead", 404), ("chengzhong.supervisor", 404), (CLERK, 403)):
        await shown(house, username, path, status)
        assert (await give(house, username, f"{path}/review", publish="yes")).status_code == status


async def test_nobody_reviews_what_he_wrote_himself(sqlite_house: House) -> None:
    """Somebody who wrote it as a window lead and became a supervisor since."""
    house = sqlite_house
    path = await written(house, await house.closed())
    async with house.services.database.begin() as session:
        await session.exec(update(User).where(col(User.username) == LEAD).values(role="supervisor"))
    assert "同意发布" not in await shown(house, LEAD, path)
    assert (await give(house, LEAD, f"{path}/review", publish="yes")).status_code == 403
