"""What a citizen may do without an account: follow, rate, object; guessing is limited."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from casework.engine import EngineUnavailable
from casework.throttle import WRONG_PAIRS
from models.access import Attempt
from rules.case.errors import Illegal
from tests.support.house import PHONE, House, form, triage
from tests.support.lost_answers import lose_answers

WRONG = {"query_code": "AAAA-BBBB-CCCC-DDDD", "phone_tail": "0001"}


def pair(case: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {"query_code": case["query_code"], "phone_tail": "0001"} | changed


async def track(house: House, body: Any) -> Any:
    return await house.post("public/track", body, by=None)


async def test_a_citizen_follows_the_case(house: House) -> None:
    case = await house.file()
    first = (await track(house, pair(case))).json()
    assert first["number"] == case["number"] and first["status"] == "registered"
    assert first["due_at"] is None and first["reply"] is None and first["unit"] is None
    assert [line["type"] for line in first["timeline"]] == ["registered"]
    sent = await house.act(case, "triage", "guilin.clerk", **triage())
    await house.act(case, "return_order", "guilin.market.contact", reason="内部理由")
    await house.act(case, "decide_return", "guilin.lead", accept=True, unit="housing")
    await house.act(case, "sign", "guilin.housing.contact")
    await house.act(case, "order", "guilin.supervisor", text="内部督办")
    await house.act(case, "reply", "guilin.housing.contact", text="第一稿", resolved=True)
    seen = (await track(house, pair(case))).json()
    assert seen["reply"] is None, "not told before it was checked"
    assert seen["due_at"] == sent["due_at"] and seen["unit"] == "housing" and seen["unit_name"] == "住建局"
    await house.act(case, "check_reply", "guilin.lead", accept=False, reason="内部意见")
    await house.act(case, "reply", "guilin.housing.contact", text="已补办完毕。", resolved=True)
    await house.act(case, "check_reply", "guilin.lead", accept=True)
    told = (await track(house, pair(case))).json()
    assert told["reply"] == "已补办完毕。" and told["allowed"] == ["rate"]
    types = [line["type"] for line in told["timeline"]]
    assert types == ["registered", "triage", "decide_return", "sign", "check_reply"]
    assert "内部" not in str(told) and "联系人" not in str(told) and PHONE not in str(told)


async def test_what_was_answered_at_triage_is_told_at_once(house: House) -> None:
    asked = await house.file()
    await house.act(asked, "triage", "guilin.clerk", kind="consultation", answer="到 3 号窗口")
    assert (await track(house, pair(asked))).json()["reply"] == "到 3 号窗口"
    elsewhere = await house.file()
    guidance = {"unit": "社区", "address": "中山路 1 号", "phone": "12345"}
    await house.act(elsewhere, "triage", "guilin.clerk", kind="out_of_scope", guidance=guidance)
    assert "中山路 1 号" in (await track(house, pair(elsewhere))).json()["reply"]


async def test_the_citizen_of_a_merged_case_gets_the_reply_of_the_other(house: House) -> None:
    older, younger = await house.file(), await house.file()
    await house.act(younger, "merge", "guilin.lead", into=older["id"], reason="同一事项")
    await house.act(older, "triage", "guilin.clerk", **triage())
    await house.act(older, "sign", "guilin.market.contact")
    await house.act(older, "reply", "guilin.market.contact", text="一并办结。", resolved=True)
    assert (await track(house, pair(younger))).json()["reply"] is None
    await house.act(older, "check_reply", "guilin.lead", accept=True)
    assert (await track(house, pair(younger))).json()["reply"] == "一并办结。"


async def test_who_was_merged_into_a_merged_case_is_told_too(house: House) -> None:
    first, second, third = [await house.file() for _ in range(3)]
    await house.act(third, "merge", "guilin.lead", into=second["id"], reason="同一事项")
    await house.act(second, "merge", "guilin.lead", into=first["id"], reason="同一事项")
    await house.act(first, "triage", "guilin.clerk", **triage())
    await house.act(first, "sign", "guilin.market.contact")
    await house.act(first, "reply", "guilin.market.contact", text="一并办结。", resolved=True)
    await house.act(first, "check_reply", "guilin.lead", accept=True)
    assert (await track(house, pair(third))).json()["reply"] == "一并办结。"
    inbox = (await house.get("notifications", by="guilin.clerk")).json()["items"]
    told = {line["case_id"] for line in inbox if line["kind"] == "merged_reply"}
    assert told >= {second["id"], third["id"]}


async def test_the_hall_of_a_merged_case_tells_its_citizen_though_the_other_case_moved_on(
    house: House,
) -> None:
    older, younger = await house.file(), await house.file()
    await house.act(younger, "merge", "guilin.lead", into=older["id"], reason="同一事项")
    await house.act(older, "transfer", "guilin.lead", hall="chengzhong", reason="属地办理")
    await house.act(older, "triage", "chengzhong.clerk", **triage())
    await house.act(older, "sign", "chengzhong.market.contact")
    await house.act(older, "reply", "chengzhong.market.contact", text="一并办结。", resolved=True)
    await house.act(older, "check_reply", "chengzhong.lead", accept=True)
    assert (await track(house, pair(younger))).json()["reply"] == "一并办结。"
    told = {}
    for clerk in ("guilin.clerk", "chengzhong.clerk"):
        inbox = (await house.get("notifications", by=clerk)).json()["items"]
        told[clerk] = [i["case_id"] for i in inbox if i["kind"] == "merged_reply"].count(younger["id"])
    assert told == {"guilin.clerk": 1, "chengzhong.clerk": 0}


async def test_what_is_answered_at_triage_is_told_the_citizen_of_a_merged_case_too(house: House) -> None:
    older, younger = await house.file(), await house.file()
    await house.act(younger, "merge", "guilin.lead", into=older["id"], reason="同一事项")
    await house.act(older, "triage", "guilin.clerk", kind="consultation", answer="到 3 号窗口")
    assert (await track(house, pair(younger))).json()["reply"] == "到 3 号窗口"
    inbox = (await house.get("notifications", by="guilin.clerk")).json()["items"]
    assert [i["case_id"] for i in inbox if i["kind"] == "merged_reply"].count(younger["id"]) == 1


async def test_a_merged_case_that_is_reopened_shows_no_reply_of_the_other(house: House) -> None:
    older, younger = await house.file(), await house.file()
    await house.act(older, "triage", "guilin.clerk", **triage())
    await house.act(younger, "triage", "guilin.clerk", **triage())
    await house.act(younger, "merge", "guilin.lead", into=older["id"], reason="同一事项")
    objected = await house.post("public/object", pair(younger, reason="不是同一件事"), by=None)
    assert objected.status_code == 200
    await house.act(younger, "judge_revisit", "guilin.lead", reopen=True, reason="确非同一事项")
    await house.act(older, "sign", "guilin.market.contact")
    await house.act(older, "reply", "guilin.market.contact", text="只答一件。", resolved=True)
    await house.act(older, "check_reply", "guilin.lead", accept=True)
    assert (await track(house, pair(younger))).json()["reply"] is None


async def test_a_filing_without_a_number_can_be_followed(house: House) -> None:
    async with house.down():
        kept = await house.post("cases", form())
        assert kept.status_code == 202
        seen = (await track(house, pair(kept.json()))).json()
        assert (seen["number"], seen["status"]) == (None, "registered")
        rated = await house.post("public/rate", pair(kept.json(), rating=5), by=None)
        assert rated.status_code == 503


async def test_how_a_code_is_typed_does_not_matter(house: House) -> None:
    case = await house.file()
    code = case["query_code"]
    for typed in (
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " "),
        f"  {code} ",
        code.replace("0", "o"),
    ):
        assert (await track(house, pair(case, query_code=typed))).status_code == 200, typed


@pytest.mark.parametrize("changed", [{"phone_tail": "0002"}, {"query_code": WRONG["query_code"]}])
async def test_a_wrong_pair_is_404(house: House, changed: dict[str, str]) -> None:
    case = await house.file()
    for path, more in (("track", {}), ("rate", {"rating": 5}), ("object", {"reason": "r"})):
        answer = await house.post(f"public/{path}", pair(case, **changed, **more), by=None)
        assert (answer.status_code, answer.json()["type"]) == (404, "not-found")


async def test_ten_wrong_pairs_a_minute_pass_and_the_thirtieth_does_not(house: House) -> None:
    case = await house.file()
    answers = [(await track(house, WRONG | {"query_code": f"AAAA{n}"})).status_code for n in range(30)]
    assert answers[:10] == [404] * 10 and answers[29] == 429
    blocked = await track(house, pair(case))
    assert blocked.status_code == 429 and 1 <= int(blocked.headers["Retry-After"]) <= 60
    log = (await house.get("access-log", by="auditor")).json()["items"]
    refused = [item for item in log if item["action"] == "refused_429"]
    assert len(refused) == 1 and refused[0]["address"], "once for a series"
    assert "AAAA" not in str(log)


async def test_wrong_pairs_at_the_same_instant_are_counted_each(house: House) -> None:
    await house.file()
    answers = await asyncio.gather(*(track(house, WRONG) for _ in range(60)))
    assert sorted(answer.status_code for answer in answers) == [404] * WRONG_PAIRS + [429] * (
        60 - WRONG_PAIRS
    )


async def test_wrong_pairs_are_counted_for_each_code_too(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    for _ in range(WRONG_PAIRS):
        await track(sqlite_house, pair(case, phone_tail="9999"))
    async with sqlite_house.services.database.begin() as session:
        for row in (await session.exec(select(Attempt))).all():
            if row.key.startswith("query:address:"):
                await session.delete(row)  # as if each had come from another address
    assert (await track(sqlite_house, pair(case))).status_code == 429
    other = await sqlite_house.file()
    assert (await track(sqlite_house, pair(other))).status_code == 200


async def test_the_limit_slides(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    for _ in range(WRONG_PAIRS + 5):
        await track(sqlite_house, WRONG)
    assert (await track(sqlite_house, pair(case))).status_code == 429
    async with sqlite_house.services.database.begin() as session:
        for row in (await session.exec(select(Attempt))).all():
            row.at -= timedelta(minutes=1)
            session.add(row)
    assert (await track(sqlite_house, pair(case))).status_code == 200


async def test_right_pairs_cost_nothing(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    for _ in range(40):
        assert (await track(sqlite_house, pair(case))).status_code == 200
    async with sqlite_house.services.database.read() as session:
        assert (await session.exec(select(Attempt))).all() == []


async def test_a_citizen_rates_once_a_round(house: House) -> None:
    case = await house.told()
    filed = (await house.post(f"cases/{case['id']}/query-code")).json()
    body = pair(filed, rating=5, note="很满意")
    first = await house.post("public/rate", body, by=None)
    assert first.status_code == 200 and "rate" not in first.json()["allowed"]
    again = await house.post("public/rate", body, by=None)
    assert (again.status_code, again.json()["rule"]) == (409, "rated")
    assert again.json()["case_status"] == "revisiting"
    seen = (await house.get(f"cases/{case['id']}")).json()
    assert seen["rating"] == 5
    event = (await house.get(f"cases/{case['id']}/events")).json()["items"][-1]
    assert event["actor"] == {"role": "citizen"} and event["data"]["note"] == "很满意"


@pytest.mark.parametrize("failure", [EngineUnavailable("no answer in time"), Illegal("object", "revisiting")])
async def test_an_objection_that_stands_was_made_whatever_the_engine_said(
    house: House, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    case = await house.closed()
    code = (await house.post(f"cases/{case['id']}/query-code")).json()
    lose_answers(monkeypatch, failure)
    objected = await house.post("public/object", pair(code, reason="没有办"), by=None)
    assert (objected.status_code, objected.json()["status"]) == (200, "revisiting")


async def test_a_bad_rating_or_an_objection_opens_a_closed_case(house: House) -> None:
    case = await house.closed()
    code = (await house.post(f"cases/{case['id']}/query-code")).json()
    objected = await house.post("public/object", pair(code, reason="没有办"), by=None)
    assert objected.status_code == 200 and objected.json()["status"] == "revisiting"
    again = await house.post("public/object", pair(code, reason="没有办"), by=None)
    assert again.status_code == 409
    lead = (await house.get(f"cases/{case['id']}", by="guilin.lead")).json()
    assert "judge_revisit" in lead["allowed"]


async def test_nothing_is_rated_before_it_was_answered(house: House) -> None:
    case = await house.file()
    answer = await house.post("public/rate", pair(case, rating=1), by=None)
    assert (answer.status_code, answer.json()["rule"]) == (409, "status")
    assert answer.json()["allowed"] == []


BAD_INPUT: list[tuple[str, Any, set[str]]] = [
    ("track", {}, {"query_code", "phone_tail"}),
    ("track", WRONG | {"phone_tail": "１２３４"}, {"phone_tail"}),
    ("track", WRONG | {"phone_tail": "123"}, {"phone_tail"}),
    ("track", WRONG | {"phone_tail": 1234}, {"phone_tail"}),
    ("track", WRONG | {"query_code": "\x00"}, {"query_code"}),
    ("track", WRONG | {"query_code": "x" * 65}, {"query_code"}),
    ("track", WRONG | {"rating": 5}, {"rating"}),
    ("rate", WRONG, {"rating"}),
    ("rate", WRONG | {"rating": 6}, {"rating"}),
    ("rate", WRONG | {"rating": "5"}, {"rating"}),
    ("rate", WRONG | {"rating": 5, "note": "a\x00"}, {"note"}),
    ("object", WRONG, {"reason"}),
    ("object", WRONG | {"reason": "字" * 2001}, {"reason"}),
]


async def test_bad_input_is_422_and_counts_as_no_guess(sqlite_house: House) -> None:
    for path, body, bad in BAD_INPUT:
        answer = await sqlite_house.post(f"public/{path}", body, by=None)
        assert answer.status_code == 422, (path, body)
        assert {fault["field"] for fault in answer.json()["errors"]} == bad, (path, body)
    async with sqlite_house.services.database.read() as session:
        assert (await session.exec(select(Attempt))).all() == []
