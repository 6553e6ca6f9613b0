"""Cases from the counter to the archive, over HTTP, with a real engine, on both databases."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.calendar import SHANGHAI
from tests.support.house import NOTICE, PHONE, House, triage

_FIELDS = """id number hall channel kind status level light round outcome unit unit_signed matter problem
cause petitioner received_at registered_at due_at due_provisional original_due_at replied_at told_at
closed_at on_time excused rounds rating resolved extensions returns co_units orders pending next_alarm
allowed policy"""
FIELDS = _FIELDS.split()


def next_working_days(count: int) -> str:
    """A date that is a working day in any calendar of a test: far from holidays, no weekend."""
    day = datetime.now(SHANGHAI).date() + timedelta(days=count)
    while day.weekday() > 4 or day.month in (1, 2, 4, 5, 6, 9, 10):
        day += timedelta(days=1)
    return day.isoformat()


async def test_a_case_goes_from_the_counter_to_the_archive(house: House) -> None:
    case = await house.file(cause="mechanical_application")
    assert list(case) == [*FIELDS, "query_code"]
    assert re.fullmatch(r"guilin-\d{8}-0001", case["number"])
    assert case["received_at"].endswith("+08:00")
    assert case["petitioner"]["name"] == "周*" and case["petitioner"]["phone"] == "138********"
    assert case["status"] == "registered" and case["light"] == "grey" and case["due_at"] is None
    assert case["next_alarm"]["name"] == "triage_late"
    assert "triage" in case["allowed"] and "sign" not in case["allowed"]

    case = await house.act(case, "triage", "guilin.clerk", **triage(cause=None))
    assert list(case) == FIELDS
    assert case["status"] == "dispatched" and case["unit"] == "market" and case["light"] == "green"
    assert case["due_at"] == case["original_due_at"] and case["due_at"].endswith("T17:30:00+08:00")

    case = await house.act(case, "sign", "guilin.market.contact")
    assert case["unit_signed"] and case["status"] == "handling"
    await house.act(case, "inform", "guilin.market.contact", means="phone", text="正在办理")
    await house.act(case, "progress", "guilin.market.contact", text="已调取共享证件")
    await house.act(case, "remind", "guilin.lead", text="请抓紧")
    case = await house.act(case, "order", "guilin.supervisor", text="请书面说明")
    assert case["orders"][0]["id"] == "1" and case["orders"][0]["text"] == "请书面说明"
    case = await house.act(case, "answer_order", "guilin.market.leader", order="1", text="已说明")
    assert case["orders"][0]["answered_at"] is not None
    case = await house.act(case, "reply", "guilin.market.contact", text="已注销完毕。", resolved=True)
    assert case["status"] == "replied" and case["replied_at"] is None and case["on_time"] is None
    case = await house.act(case, "check_reply", "guilin.lead", accept=True)
    assert case["on_time"] is True and case["told_at"] and case["replied_at"] and case["resolved"] is True
    case = await house.act(case, "revisit", "guilin.clerk", reached=True, rating=5, resolved=True)
    assert case["status"] == "closed" and case["outcome"] == "solved" and case["rating"] == 5
    case = await house.act(case, "archive", "guilin.lead", lesson="共享证件不再索要")
    assert case["status"] == "archived" and case["allowed"] == [] and case["next_alarm"] is None
    assert case["rounds"][0]["rating"] == 5

    await _ledger_tells_it_all(house, case)
    await _row_of_the_ledger(house, case)
    await _holding(house, case)


async def _ledger_tells_it_all(house: House, case: dict[str, Any]) -> None:
    ledger = (await house.get(f"cases/{case['number']}/events", by="auditor")).json()
    types = [event["type"] for event in ledger["items"]]
    assert " ".join(types) == (
        "registered triage sign inform progress remind order answer_order reply check_reply revisit archive"
    )
    assert ledger["verified"] is True
    assert [event["seq"] for event in ledger["items"]] == list(range(1, len(types) + 1))
    hashes = ["0" * 64] + [event["hash"] for event in ledger["items"]]
    assert [event["prev_hash"] for event in ledger["items"]] == hashes[:-1]
    events = {event["type"]: event for event in ledger["items"]}
    assert events["registered"]["actor"] == {"role": "system"}
    assert events["registered"]["data"]["problem"] == "窗口要求重复提交已经共享的证件。"
    assert events["triage"]["actor"]["username"] == "guilin.clerk"
    assert events["triage"]["data"]["one_time_notice"]["materials"] == "身份证、户口簿"
    assert events["triage"]["data"]["due_at"] == case["due_at"]
    assert events["triage"]["data"]["previous_due_at"] is None
    assert events["triage"]["data"]["changes"]["status"] == "dispatched"
    assert events["sign"]["actor"] == {
        "username": "guilin.market.contact",
        "name": events["sign"]["actor"]["name"],
        "role": "contact",
        "unit": "market",
    }
    assert events["reply"]["data"]["text"] == "已注销完毕。"
    assert PHONE not in str(ledger)


async def _row_of_the_ledger(house: House, case: dict[str, Any]) -> None:
    row = (await house.get(f"cases/{case['id']}/ledger")).json()
    assert row["number"] == case["number"] and row["subject"] == "个体户注销"
    assert row["unit"] == "market" and row["unit_name"] == "市场监管局" and row["person"]
    assert row["dispatched_at"] and row["signed_at"] and row["due_at"] == case["due_at"]
    assert [line["text"] for line in row["progress"]] == ["已调取共享证件"]
    assert (row["reminders"], row["returns"], row["extensions"]) == (1, 0, 0)
    assert row["orders"][0]["answer"] == "已说明"
    assert row["reply"] == "已注销完毕。" and row["explanation"] is None
    assert row["revisit"]["rating"] == row["rating"] == 5
    assert row["closed_at"] == case["closed_at"] and row["light"] == case["light"]


async def _holding(house: House, case: dict[str, Any]) -> None:
    held = (await house.get(f"cases/{case['id']}/holding", by="guilin.centre")).json()
    holders = [(item["holder"], item["unit"]) for item in held["items"]]
    assert holders == [("window", None), ("contact", "market"), ("window", None)]
    assert held["items"][0]["from"] == case["received_at"]
    assert held["items"][-1]["to"] == case["closed_at"]
    total = sum(item["working_hours"] for item in held["items"])
    assert held["total_working_hours"] == pytest.approx(total, abs=0.001)


async def test_what_can_be_answered_at_once_is_closed_at_triage(house: House) -> None:
    asked = await house.file()
    answered = await house.act(
        asked, "triage", "guilin.clerk", kind="consultation", answer="凭身份证到 3 号窗口办理。"
    )
    assert (answered["status"], answered["outcome"]) == ("closed", "consulted")
    elsewhere = await house.file()
    guidance = {"unit": "社区居委会", "address": "中山路 1 号", "phone": "12345"}
    sent = await house.act(elsewhere, "triage", "guilin.clerk", kind="out_of_scope", guidance=guidance)
    assert (sent["status"], sent["outcome"]) == ("closed", "informed")


async def test_a_return_goes_to_another_unit_and_the_clock_runs_on(house: House) -> None:
    case = await house.file()
    sent = await house.act(case, "triage", "guilin.clerk", **triage())
    case = await house.act(case, "return_order", "guilin.market.contact", reason="属住建")
    assert case["status"] == "return_review" and case["returns"] == 1
    assert "decide_return" not in case["allowed"]
    lead = (await house.get(f"cases/{case['id']}", by="guilin.lead")).json()
    assert "decide_return" in lead["allowed"]
    case = await house.act(case, "decide_return", "guilin.lead", accept=True, unit="housing")
    assert (case["unit"], case["status"], case["due_at"]) == ("housing", "dispatched", sent["due_at"])
    gone = await house.get(f"cases/{case['id']}", by="guilin.market.contact")
    assert gone.status_code == 404
    assert (await house.get(f"cases/{case['id']}", by="guilin.housing.contact")).status_code == 200


async def test_a_complex_case_gets_its_limit_and_is_referred_up(house: House) -> None:
    case = await house.file(cause="legacy")
    case = await house.act(case, "triage", "guilin.clerk", **triage(kind="complex", unit="resources"))
    assert case["status"] == "limit_pending"
    far = next_working_days(20)
    case = await house.act(case, "set_limit", "guilin.supervisor", due_on=far, reason="原开发商已注销")
    assert case["status"] == "dispatched" and case["due_at"] == f"{far}T17:30:00+08:00"
    assert (await house.get(f"cases/{case['id']}", by="superior")).status_code == 404
    await house.act(case, "sign", "guilin.resources.alternate")
    farther = next_working_days(40)
    case = await house.act(
        case, "refer_up", "guilin.supervisor", to="自治区自然资源厅", reason="权限在上级", due_on=farther
    )
    assert case["status"] == "referred" and case["original_due_at"] != case["due_at"]
    seen = (await house.get(f"cases/{case['number']}", by="superior")).json()
    assert "referral_reply" in seen["allowed"]
    case = await house.act(case, "referral_reply", "superior", text="同意按历史遗留办理")
    assert case["status"] == "handling"


async def test_units_are_heard_together(house: House) -> None:
    case = await house.handled(kind="commitment")
    hidden = await house.get(f"cases/{case['id']}", by="guilin.civil.leader")
    assert hidden.status_code == 404
    case = await house.act(
        case,
        "convene",
        "guilin.centre",
        co_units=["civil", "housing"],
        at="2030-03-11T09:00:00+08:00",
        place="二楼会议室",
    )
    assert case["co_units"] == ["civil", "housing"]
    seen = (await house.get(f"cases/{case['id']}", by="guilin.civil.leader")).json()
    assert seen["allowed"] == ["attach", "opine"]
    case = await house.act(case, "opine", "guilin.civil.leader", text="同意")
    assert "opine" not in case["allowed"]
    listed = (await house.get("cases", by="guilin.housing.contact")).json()
    assert [item["id"] for item in listed["items"]] == [case["id"]]


async def test_an_extension_moves_the_due_date_once_it_is_granted(house: House) -> None:
    case = await house.handled(kind="commitment")
    before = case["due_at"]
    body = {"working_days": 3, "reason": "需外省函证"}
    case = await house.act(case, "request_extension", "guilin.market.leader", **body)
    assert case["pending"] == "extension" and case["due_at"] == before
    case = await house.act(case, "decide_extension", "guilin.lead", accept=True)
    assert case["extensions"] == 1 and case["due_at"] > before == case["original_due_at"]
    case = await house.act(case, "suspend", "guilin.lead", reason="等反映人补交证明")
    assert (case["status"], case["next_alarm"]["name"]) == ("suspended", "auto_resume")
    case = await house.act(case, "resume", "guilin.lead")
    assert case["status"] == "handling"
    case = await house.act(case, "reclassify", "guilin.lead", kind="simple", reason="其实简单")
    assert case["kind"] == "simple"


async def test_what_cannot_be_solved_is_explained(house: House) -> None:
    case = await house.handled()
    case = await house.act(case, "mark_unable", "guilin.market.contact", reason="法规不允许")
    assert case["level"] == "deputy_leader"
    await house.act(case, "coordinate", "guilin.market.leader", text="已与法制科研究")
    case = await house.act(case, "declare_unsolvable", "guilin.market.leader", basis="社会保险法")
    assert case["pending"] == "unsolvable"
    case = await house.act(case, "confirm_unsolvable", "guilin.lead", accept=True)
    assert case["status"] == "explaining"
    await house.act(case, "reply", "guilin.market.leader", text="法规不允许补缴。", resolved=False)
    case = await house.act(case, "check_reply", "guilin.lead", accept=False, reason="请写明条款")
    assert case["status"] == "explaining"
    await house.act(case, "reply", "guilin.market.leader", text="依第十二条不能补缴。", resolved=False)
    case = await house.act(case, "check_reply", "guilin.lead", accept=True)
    case = await house.act(case, "revisit", "guilin.clerk2", reached=True, rating=3)
    assert (case["status"], case["outcome"], case["resolved"]) == ("closed", "explained", False)
    row = (await house.get(f"cases/{case['id']}/ledger")).json()
    assert row["explanation"] == "依第十二条不能补缴。" and row["reply"] is None


async def test_a_dissatisfied_citizen_opens_a_second_round(house: House) -> None:
    case = await house.told()
    case = await house.act(case, "revisit", "guilin.clerk", reached=True, rating=1, resolved=False)
    assert case["status"] == "revisiting"
    case = await house.act(case, "judge_revisit", "guilin.lead", reopen=True, reason="确未解决")
    assert (case["round"], case["status"], case["on_time"]) == (2, "handling", True)
    assert case["rating"] is None and case["rounds"][0]["rating"] == 1
    await house.act(case, "reply", "guilin.market.contact", text="已上门办结。", resolved=True)
    await house.act(case, "check_reply", "guilin.lead", accept=True)
    case = await house.act(case, "revisit", "guilin.clerk", reached=True, rating=4, resolved=True)
    assert [each["rating"] for each in case["rounds"]] == [1, 4]


async def test_a_case_moves_to_the_hall_in_charge_with_its_t0(house: House) -> None:
    case = await house.file()
    moved = await house.act(case, "transfer", "guilin.lead", hall="chengzhong", reason="属地")
    assert (moved["hall"], moved["policy"]["id"]) == ("chengzhong", "chengzhong")
    assert moved["received_at"] == case["received_at"] and moved["number"] == case["number"]
    assert moved["allowed"] == [], "it is out of the sender's sight"
    assert (await house.get(f"cases/{case['id']}", by="guilin.lead")).status_code == 404
    theirs = (await house.get(f"cases/{case['id']}", by="chengzhong.clerk")).json()
    assert "triage" in theirs["allowed"]
    case = await house.act(case, "triage", "chengzhong.clerk", **triage(kind="commitment"))
    assert case["unit"] == "market"


async def test_a_case_is_merged_into_an_older_one(house: House) -> None:
    older, younger = await house.file(), await house.file()
    merged = await house.act(younger, "merge", "guilin.lead", into=older["number"], reason="同一事项")
    assert (merged["status"], merged["outcome"]) == ("closed", "merged")
    withdrawn = await house.act(older, "withdraw", "guilin.clerk2", reason="反映人撤回")
    assert withdrawn["outcome"] == "withdrawn"


async def test_a_reassigned_case_starts_with_the_contact_again(house: House) -> None:
    case = await house.handled()
    await house.act(case, "mark_unable", "guilin.market.contact", reason="无权限")
    case = await house.act(case, "reassign", "guilin.lead", unit="housing", reason="应由住建办理")
    assert (case["unit"], case["level"], case["unit_signed"]) == ("housing", "contact", False)
    case = await house.act(case, "report_complex", "guilin.centre", reason="涉及多部门")
    assert (case["status"], case["kind"]) == ("limit_pending", "complex")


async def test_the_notice_goes_with_the_dispatch_as_a_list_or_a_text(house: House) -> None:
    case = await house.file()
    notice = NOTICE | {"materials": "身份证"}
    await house.act(case, "triage", "guilin.clerk", **triage(one_time_notice=notice))
    events = (await house.get(f"cases/{case['id']}/events")).json()["items"]
    assert events[-1]["data"]["one_time_notice"]["materials"] == "身份证"


async def test_a_supervisor_above_the_hall_is_told_as_the_halls_own_is(house: House) -> None:
    """Domain.md, section 1: a supervisor oversees the halls under his own; others hear nothing."""
    case = await house.file(by="lingui.clerk", hall="lingui")
    await house.act(case, "triage", "lingui.clerk", **triage(kind="complex"))
    heard = {}
    for user in ("lingui.supervisor", "guilin.supervisor", "chengzhong.supervisor", "guilin.lead"):
        lines = (await house.get("notifications", by=user)).json()["items"]
        heard[user] = [line["kind"] for line in lines if line["case_id"] == case["id"]]
    assert heard == {
        "lingui.supervisor": ["triage"],
        "guilin.supervisor": ["triage"],
        "chengzhong.supervisor": [],
        "guilin.lead": [],
    }
