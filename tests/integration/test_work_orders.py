"""Work orders that a 12345 platform pushes: one case each, by a token that is good for nothing else."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlmodel import select

from casework.errors import BadInput, NotFound
from casework.integrations import add_integration, list_integrations, revoke_integration
from models.filing import Filing
from tests.support.house import House, token_of, triage


def order(**changed: Any) -> dict[str, Any]:
    made: dict[str, Any] = {
        "number": "20261120001",
        "called_at": (datetime.now(UTC) - timedelta(hours=30)).isoformat(),
        "caller": {"name": "周小明", "phone": "13800130001"},
        "content": "多次往返仍未办成",
        "title": "个体户注销",
        "unit": "市场监管局",
    }
    made |= changed
    return {name: value for name, value in made.items() if value is not None}


async def push(house: House, token: str, body: Any) -> httpx.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return await house.http.post("/api/work-orders", json=body, headers=headers)


async def test_a_work_order_becomes_one_case_however_often_it_is_pushed(house: House) -> None:
    token = await add_integration(house.services, "hotline", "guilin", "12345")
    sent = order()
    answers = await asyncio.gather(*(push(house, token, sent) for _ in range(5)))
    assert sorted(each.status_code for each in answers) == [200, 200, 200, 200, 201]
    first = next(each.json() for each in answers if each.status_code == 201)
    assert first["reference"] == {"source": "12345", "number": "20261120001"} and first["query_code"]
    assert (
        first["received_at"]
        == datetime.fromisoformat(sent["called_at"])
        .astimezone(datetime.fromisoformat(first["received_at"]).tzinfo)
        .isoformat()
    )
    again = (await push(house, token, sent)).json()
    assert again == first | {"query_code": None}
    case = (await house.get(f"cases/{first['number']}")).json()
    assert case["channel"] == "phone" and case["matter"] == "个体户注销"
    event = (await house.get(f"cases/{first['id']}/events")).json()["items"][0]["data"]
    assert event["source"] == "12345" and event["filed_by"]["username"] == "integration:hotline"
    assert event["attempts"][0]["said"] == "工单所列承办单位：市场监管局"
    other = await push(house, token, order(content="改了内容", called_at=sent["called_at"]))
    assert other.status_code == 422 and other.json()["errors"][0]["code"] == "reference_reused"
    async with house.services.database.read() as session:
        assert len((await session.exec(select(Filing))).all()) == 1


async def test_a_platform_asks_how_its_work_order_stands_and_hears_the_reply_once_it_is_told(
    sqlite_house: House,
) -> None:
    token = await add_integration(sqlite_house.services, "hotline", "guilin", "12345")
    other = await add_integration(sqlite_house.services, "other", "chengzhong", "12345")
    case = (await push(sqlite_house, token, order())).json()

    async def state(by: str = token, number: str = "20261120001") -> httpx.Response:
        headers = {"Authorization": f"Bearer {by}"}
        return await sqlite_house.http.get(f"/api/work-orders/{number}", headers=headers)

    await sqlite_house.act(case, "triage", "guilin.clerk", **triage())
    await sqlite_house.act(case, "sign", "guilin.market.contact")
    await sqlite_house.act(case, "reply", "guilin.market.contact", text="已补办完毕。", resolved=True)
    said = (await state()).json()
    assert (said["status"], said["reply"], said["id"]) == ("replied", None, case["id"])
    await sqlite_house.act(case, "check_reply", "guilin.lead", accept=True)
    assert (await state()).json()["reply"] == "已补办完毕。"
    for answer, status in (
        (await state(other), 404),
        (await state(number="no-such"), 404),
        (await state(token_of("guilin.clerk")), 403),
        (await state("nobody"), 401),
    ):
        assert answer.status_code == status


async def test_the_same_number_at_two_halls_is_two_cases(sqlite_house: House) -> None:
    tokens = [
        await add_integration(sqlite_house.services, hall, hall, "12345") for hall in ("guilin", "chengzhong")
    ]
    answers = [(await push(sqlite_house, token, order())).json() for token in tokens]
    assert [each["hall"] for each in answers] == ["guilin", "chengzhong"]


async def test_every_fault_of_a_work_order_is_named_where_it_stands(sqlite_house: House) -> None:
    token = await add_integration(sqlite_house.services, "hotline", "guilin", "12345")
    late = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    for body, fields in (
        ({}, {"number", "called_at", "caller", "content"}),
        (order(caller={"name": "", "phone": "12"}), {"caller.name", "caller.phone"}),
        (order(called_at=late), {"called_at"}),
        (order(called_at="2020-01-01T09:00:00+08:00"), {"called_at"}),
        (order(number="a\u202eb", hall="guilin"), {"number", "hall"}),
    ):
        answer = await push(sqlite_house, token, body)
        assert answer.status_code == 422, answer.text
        assert {each["field"] for each in answer.json()["errors"]} == fields


async def test_a_token_opens_this_door_only_and_none_once_it_is_revoked(sqlite_house: House) -> None:
    services = sqlite_house.services
    token = await add_integration(services, "hotline", "guilin", "12345")
    headers = {"Authorization": f"Bearer {token}"}
    for path in ("/api/cases", "/api/me", "/api/access-log"):
        assert (await sqlite_house.http.get(path, headers=headers)).status_code == 401
    assert (await push(sqlite_house, token_of("guilin.clerk"), order())).status_code == 403
    assert (await sqlite_house.http.post("/api/work-orders", json=order())).status_code == 401
    assert (await push(sqlite_house, "no-such-token", order())).status_code == 401
    assert (await push(sqlite_house, token, order())).status_code == 201
    (known,) = await list_integrations(services)
    assert known.last_used_at is not None and token not in repr(known)
    await revoke_integration(services, "hotline")
    assert (await push(sqlite_house, token, order())).status_code == 401
    with pytest.raises(NotFound):
        await revoke_integration(services, "hotline")
    with pytest.raises(BadInput, match="given_twice"):
        await add_integration(services, "hotline", "guilin", "12345")
    with pytest.raises(BadInput, match="name"):
        await add_integration(services, "热线", "guilin", "12345")
    with pytest.raises(NotFound):
        await add_integration(services, "new", "nowhere", "12345")


async def test_a_work_order_is_kept_while_the_engine_is_away(sqlite_house: House) -> None:
    token = await add_integration(sqlite_house.services, "hotline", "guilin", "12345")
    sent = order()
    async with sqlite_house.down():
        answer = await push(sqlite_house, token, sent)
        assert answer.status_code == 202 and answer.json()["number"] is None
        again = await push(sqlite_house, token, sent)
        assert again.status_code == 200 and again.json()["id"] == answer.json()["id"]
