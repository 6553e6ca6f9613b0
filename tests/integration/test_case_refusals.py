"""Refusals come in one order: 401, 404, 403, 422, 409; and nothing is written by any of them."""

import asyncio
from typing import Any

import pytest
from sqlmodel import func, select

from models.access import AccessLog
from models.case import Case, LedgerEvent
from models.command import SentCommand
from models.database import DatabaseUnavailable
from models.filing import Filing
from tests.support.house import House, form, triage

NOWHERE = "01a20079-0000-7000-8000-000000000000"
BAD = {"reason": "\x00", "unknown": 1}


async def counted(house: House) -> tuple[int, ...]:
    """How many rows there are of what a command could write."""
    async with house.services.database.read() as session:
        tables = (Case, LedgerEvent, Filing, SentCommand)
        return tuple([(await session.exec(select(func.count()).select_from(t))).one() for t in tables])


async def refused(house: House, ref: str, name: str, body: Any, by: str | None) -> tuple[int, str]:
    before = await counted(house)
    answer = await house.post(f"cases/{ref}/{name}", body, by=by)
    assert answer.headers["content-type"] == "application/problem+json"
    assert await counted(house) == before
    problem = answer.json()
    assert problem["status"] == answer.status_code and problem["detail"]
    return answer.status_code, problem["type"]


async def test_refusals_come_in_their_order(house: House) -> None:
    case = await house.file()
    ref = case["id"]
    # Everything is wrong at first; one thing after the other is put right.
    assert (await refused(house, ref, "reassign", BAD, None))[0] == 401
    assert (await refused(house, NOWHERE, "reassign", BAD, "guilin.lead"))[0] == 404
    assert (await refused(house, ref, "reassign", BAD, "chengzhong.lead"))[0] == 404
    assert (await refused(house, ref, "reassign", BAD, "guilin.clerk"))[0] == 403
    assert (await refused(house, ref, "reassign", BAD, "guilin.lead"))[0] == 422
    unknown = {"unit": "nowhere", "reason": "另派"}
    assert (await refused(house, ref, "reassign", unknown, "guilin.lead"))[0] == 422
    wrong_status = {"unit": "housing", "reason": "另派"}
    assert await refused(house, ref, "reassign", wrong_status, "guilin.lead") == (409, "command-not-allowed")


async def test_a_bad_key_is_looked_at_after_scope_and_role(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    for ref, by, status in (
        (NOWHERE, "guilin.lead", 404),
        (case["id"], "guilin.clerk", 403),
        (case["id"], "guilin.lead", 422),
    ):
        answer = await sqlite_house.post(f"cases/{ref}/reassign", BAD, by=by, key="x" * 256)
        assert answer.status_code == status
    named = {fault["field"] for fault in answer.json()["errors"]}
    assert named == {"Idempotency-Key", "unit", "reason", "unknown"}
    answer = await sqlite_house.post("cases", {"hall": 1}, by="guilin.centre", key="")
    assert answer.status_code == 403


async def test_a_conflict_says_what_is_allowed_now(house: House) -> None:
    case = await house.file()
    answer = await house.post(f"cases/{case['id']}/withdraw", {"reason": "撤回"}, by="guilin.clerk")
    assert answer.status_code == 200
    answer = await house.post(f"cases/{case['id']}/triage", triage(), by="guilin.lead")
    problem = answer.json()
    assert (answer.status_code, problem["case_status"], problem["rule"]) == (409, "closed", "status")
    assert problem["allowed"] == []
    other = await house.handled()
    answer = await house.post(f"cases/{other['id']}/triage", triage(), by="guilin.lead")
    now = (await house.get(f"cases/{other['id']}", by="guilin.lead")).json()["allowed"]
    assert answer.json()["allowed"] == now and "suspend" in now


RULES: list[tuple[str, str, dict[str, Any], str]] = [
    (
        "request_extension",
        "guilin.market.leader",
        {"working_days": 6, "reason": "r"},
        "beyond_original_limit",
    ),
    ("reclassify", "guilin.lead", {"kind": "commitment", "reason": "r"}, "same_kind"),
    ("reassign", "guilin.lead", {"unit": "market", "reason": "r"}, "same_unit"),
    (
        "reply",
        "guilin.market.contact",
        {"text": "t", "resolved": False},
        "unresolved_only_from_explaining",
    ),
    ("decide_extension", "guilin.lead", {"accept": True}, "no_extension_pending"),
    ("answer_order", "guilin.market.leader", {"order": "1", "text": "t"}, "no_order_open"),
]


async def test_a_rule_of_the_table_is_named(sqlite_house: House) -> None:
    case = await sqlite_house.handled(kind="commitment")
    for name, by, body, rule in RULES:
        answer = await sqlite_house.post(f"cases/{case['id']}/{name}", body, by=by)
        assert (answer.status_code, answer.json()["rule"]) == (409, rule)


async def test_a_case_is_not_merged_into_a_younger_one(sqlite_house: House) -> None:
    older, younger = await sqlite_house.file(), await sqlite_house.file()
    body = {"into": younger["id"], "reason": "r"}
    answer = await sqlite_house.post(f"cases/{older['id']}/merge", body, by="guilin.lead")
    assert (answer.status_code, answer.json()["rule"]) == (409, "merge_into_younger")
    itself = body | {"into": older["number"]}
    answer = await sqlite_house.post(f"cases/{older['id']}/merge", itself, by="guilin.lead")
    assert answer.json()["rule"] == "merge_into_itself"


async def test_an_archived_case_refuses_without_its_workflow(house: House) -> None:
    case = await house.closed()
    await house.act(case, "archive", "guilin.lead")
    async with house.down():
        answer = await house.post(f"cases/{case['id']}/remind", {"text": "催"}, by="guilin.lead")
        assert (answer.status_code, answer.json()["case_status"]) == (409, "archived")
        faulty = await house.post(f"cases/{case['id']}/remind", {}, by="guilin.lead")
        assert faulty.status_code == 422


@pytest.mark.parametrize(
    "name", ["register", "rate", "object", "attach", "calendar_changed", "due_soon_1", "x"]
)
async def test_acts_of_system_and_citizen_are_no_commands(sqlite_house: House, name: str) -> None:
    case = await sqlite_house.file()
    answer = await sqlite_house.post(f"cases/{case['id']}/{name}", {"rating": 1}, by="guilin.lead")
    assert answer.status_code == 404


NOT_THEIRS: list[tuple[str, str, dict[str, Any]]] = [
    ("sign", "guilin.clerk", {}),
    ("sign", "guilin.lead", {}),
    ("set_limit", "guilin.centre", {"due_on": "2030-03-11", "reason": "r"}),
    ("order", "guilin.centre", {"text": "t"}),
    ("order", "auditor", {"text": "t"}),
    ("transfer", "guilin.clerk", {"hall": "chengzhong", "reason": "r"}),
    ("mark_unable", "guilin.market.leader", {"reason": "r"}),
    ("request_extension", "guilin.market.contact", {"working_days": 1, "reason": "r"}),
    ("check_reply", "guilin.supervisor", {"accept": True}),
    ("archive", "guilin.clerk", {}),
]


async def test_a_role_may_give_its_own_commands_only(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    for name, by, body in NOT_THEIRS:
        assert (await refused(sqlite_house, case["id"], name, body, by))[0] == 403, (name, by)


async def test_the_wrong_one_of_several_deciders_is_forbidden(sqlite_house: House) -> None:
    case = await sqlite_house.handled(kind="commitment")
    body = {"working_days": 1, "reason": "r"}
    await sqlite_house.act(case, "request_extension", "guilin.market.leader", **body)
    refusal = await refused(
        sqlite_house, case["id"], "decide_extension", {"accept": True}, "guilin.supervisor"
    )
    assert refusal[0] == 403
    await sqlite_house.act(case, "decide_extension", "guilin.lead", accept=True)


FILERS: list[tuple[str | None, int]] = [
    (None, 401),
    ("guilin.centre", 403),
    ("guilin.supervisor", 403),
    ("guilin.market.contact", 403),
    ("auditor", 403),
    ("admin", 403),
    ("guilin.lead", 422),
    ("guilin.clerk", 422),
]


async def test_only_the_window_files(sqlite_house: House) -> None:
    before = await counted(sqlite_house)
    for by, status in FILERS:
        answer = await sqlite_house.post("cases", {"bad": True}, by=by)
        assert answer.status_code == status, by
    assert await counted(sqlite_house) == before


async def test_the_loser_of_a_race_hears_what_is_allowed_now(house: House) -> None:
    case = await house.file()
    answers = await asyncio.gather(
        house.post(f"cases/{case['id']}/triage", triage(unit="market"), by="guilin.clerk"),
        house.post(f"cases/{case['id']}/triage", triage(unit="housing"), by="guilin.clerk2"),
    )
    lost, won = sorted(answers, key=lambda answer: -answer.status_code)
    assert (won.status_code, lost.status_code) == (200, 409)
    assert lost.json()["case_status"] == "dispatched"
    assert "inform" in lost.json()["allowed"] and "triage" not in lost.json()["allowed"]
    events = (await house.get(f"cases/{case['id']}/events")).json()["items"]
    assert [event["type"] for event in events] == ["registered", "triage"]


async def test_many_at_once_do_one_act(house: House) -> None:
    case = await house.file()
    answers = await asyncio.gather(
        *(house.post(f"cases/{case['id']}/triage", triage(), by="guilin.clerk") for _ in range(8))
    )
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [409] * 7


async def test_without_the_engine_nothing_is_half_done(house: House) -> None:
    case = await house.file()
    async with house.down():
        answer = await house.post(f"cases/{case['id']}/triage", triage(), by="guilin.clerk")
        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert (await house.get(f"cases/{case['id']}")).json()["status"] == "registered"
        assert (await house.get("cases")).json()["total"] == 1
    assert (await house.act(case, "triage", "guilin.clerk", **triage()))["status"] == "dispatched"


async def test_without_the_database_nothing_is_half_done(house: House) -> None:
    case = await house.file()
    pair = {"query_code": case["query_code"], "phone_tail": "0001"}
    async with house.without_database():
        for answer in (
            await house.post("cases", form()),
            await house.post(f"cases/{case['id']}/triage", triage()),
            await house.get("cases"),
            await house.post("public/track", pair, by=None),
        ):
            assert answer.status_code == 503 and answer.headers["Retry-After"], answer.text
    events = (await house.get(f"cases/{case['id']}/events")).json()["items"]
    assert len(events) == 1 and (await house.get("cases")).json()["total"] == 1


async def test_an_outage_before_a_command_is_noted_sends_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await house.file()

    async def fail(work: Any) -> Any:
        raise DatabaseUnavailable("gone")

    with monkeypatch.context() as patched:
        patched.setattr(house.services.database, "write", fail)
        answer = await house.post(f"cases/{case['id']}/withdraw", {"reason": "撤回"})
    assert answer.status_code == 503
    assert (await house.get(f"cases/{case['id']}")).json()["status"] == "registered"


async def test_refusals_are_on_the_access_log(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    await sqlite_house.post(f"cases/{case['id']}/order", {"text": "t"}, by="guilin.clerk")
    await sqlite_house.post(f"cases/{case['id']}/check_reply", {"accept": True}, by="guilin.lead")
    await sqlite_house.get(f"cases/{case['id']}/holding", by="guilin.clerk")
    async with sqlite_house.services.database.read() as session:
        rows = (await session.exec(select(AccessLog).order_by(AccessLog.id))).all()  # type: ignore[arg-type]
    seen = [(row.action, row.username, row.case_id) for row in rows]
    assert seen == [
        ("refused_403", "guilin.clerk", case["id"]),
        ("refused_409", "guilin.lead", case["id"]),
        ("refused_403", "guilin.clerk", case["id"]),
    ]


async def test_a_lost_workflow_goes_on_from_the_ledger(house: House) -> None:
    case = await house.handled()
    client = await house.services.engine.client()
    await client.get_workflow_handle(f"case-{case['id']}").terminate()
    case = await house.act(case, "progress", "guilin.market.contact", text="继续办理")
    events = (await house.get(f"cases/{case['id']}/events")).json()
    assert [event["type"] for event in events["items"]][-2:] == ["sign", "progress"]
    assert events["verified"] is True
