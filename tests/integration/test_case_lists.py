"""Work lists: filters, order, pages."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from rules.calendar import SHANGHAI
from tests.support.house import House, form, triage


def numbers(answer: Any) -> list[int]:
    return [int(item["number"].rsplit("-", 1)[1]) for item in answer.json()["items"]]


@pytest.fixture
async def five(house: House) -> list[dict[str, Any]]:
    """Cases 1 to 5: untriaged, simple at work, commitment dispatched, closed, complex."""
    made = [await house.file(matter=f"事项 {n}") for n in range(1, 6)]
    await house.act(made[1], "triage", "guilin.clerk", **triage())
    await house.act(made[1], "sign", "guilin.market.contact")
    await house.act(made[2], "triage", "guilin.clerk", **triage(kind="commitment", unit="housing"))
    await house.act(made[3], "triage", "guilin.clerk", kind="consultation", answer="在 3 号窗口办理")
    await house.act(made[4], "triage", "guilin.clerk", **triage(kind="complex", unit="market"))
    await house.act(made[1], "mark_unable", "guilin.market.contact", reason="无权限")
    return made


async def test_filters(house: House, five: list[dict[str, Any]]) -> None:
    tomorrow = (datetime.now(SHANGHAI).date() + timedelta(days=1)).isoformat()
    today = datetime.now(SHANGHAI).date().isoformat()
    third = five[2]["received_at"]
    table: list[tuple[dict[str, Any], set[int]]] = [
        ({}, {1, 2, 3, 4, 5}),
        ({"status": "registered"}, {1}),
        ({"status": ["registered", "handling"]}, {1, 2}),
        ({"status": "archived"}, set()),
        ({"kind": "commitment"}, {3}),
        ({"kind": ["simple", "complex"]}, {2, 5}),
        ({"unit": "market"}, {2, 5}),
        ({"unit": ["market", "housing"]}, {2, 3, 5}),
        ({"unit": "nowhere"}, set()),
        ({"hall": "guilin"}, {1, 2, 3, 4, 5}),
        ({"hall": "chengzhong"}, set()),
        ({"light": "grey"}, {1, 4}),
        ({"light": "green", "unit": "market"}, {2, 5}),
        ({"level": "deputy_leader"}, {2}),
        ({"q": "事项 3"}, {3}),
        ({"q": "共享的证件"}, {1, 2, 3, 4, 5}),
        ({"q": five[3]["number"]}, {4}),
        ({"q": five[3]["number"].upper()}, {4}),
        ({"q": "%"}, set()),
        ({"q": "_"}, set()),
        ({"q": "周小明"}, {1, 2, 3, 4, 5}),
        ({"q": "周小"}, set()),
        ({"q": "138-0013-0001"}, {1, 2, 3, 4, 5}),
        ({"q": "1380013"}, set()),
        ({"received_from": third}, {3, 4, 5}),
        ({"received_to": third}, {1, 2}),
        ({"received_from": today, "received_to": today}, {1, 2, 3, 4, 5}),
        ({"received_from": tomorrow}, set()),
    ]
    for query, expected in table:
        answer = await house.get("cases", **query)
        assert answer.status_code == 200, (query, answer.text)
        assert set(numbers(answer)) == expected, query
        assert answer.json()["total"] == len(expected), query


async def test_orders(house: House, five: list[dict[str, Any]]) -> None:
    # Due soonest: 2 (simple), then 3 and 5 (the same instant); 1 and 4 have no due date: last.
    table = {
        None: [2, 3, 5, 1, 4],
        "due_at": [2, 3, 5, 1, 4],
        "-due_at": [5, 3, 2, 4, 1],
        "received_at": [1, 2, 3, 4, 5],
        "-received_at": [5, 4, 3, 2, 1],
        "number": [1, 2, 3, 4, 5],
        "-number": [5, 4, 3, 2, 1],
    }
    for sort, expected in table.items():
        answer = await house.get("cases", **({"sort": sort} if sort else {}))
        assert numbers(answer) == expected, sort


async def test_pages(house: House, five: list[dict[str, Any]]) -> None:
    for sort in ("due_at", "-due_at", "received_at"):
        whole = numbers(await house.get("cases", sort=sort))
        pages = [await house.get("cases", sort=sort, page=page, per_page=2) for page in (1, 2, 3, 4)]
        assert [n for page in pages for n in numbers(page)] == whole
        assert {page.json()["total"] for page in pages} == {5}
    last = pages[-1].json()
    assert last == {"items": [], "total": 5, "page": 4, "per_page": 2}
    assert (await house.get("cases")).json()["per_page"] == 50


async def test_a_list_is_stable_while_cases_are_added(house: House, five: list[dict[str, Any]]) -> None:
    for sort in ("due_at", "received_at", "number"):
        before = numbers(await house.get("cases", sort=sort, page=1, per_page=200))
        await asyncio.gather(*(house.file() for _ in range(3)))
        after = numbers(await house.get("cases", sort=sort, page=1, per_page=200))
        assert after[: len(before)] == before, sort


async def test_a_list_shows_cases_as_a_single_one_does(house: House, five: list[dict[str, Any]]) -> None:
    order = await house.act(five[1], "order", "guilin.supervisor", text="请说明")
    listed = (await house.get("cases", by="guilin.supervisor")).json()["items"]
    assert {item["id"] for item in listed} == {case["id"] for case in five}
    for item in listed:
        assert item == (await house.get(f"cases/{item['id']}", by="guilin.supervisor")).json()
    assert next(i for i in listed if i["id"] == order["id"])["orders"][0]["text"] == "请说明"


async def test_a_filing_without_a_number_is_listed_in_its_hall(
    house: House, five: list[dict[str, Any]]
) -> None:
    async with house.down():
        kept = (await house.post("cases", form(petitioner={**form()["petitioner"], "name": "吴某"}))).json()
        assert kept["number"] is None and kept["status"] == "registered" and kept["allowed"] == []
        shown = {field: value for field, value in kept.items() if field != "query_code"}
        assert (await house.get(f"cases/{kept['id']}")).json() == shown
        listed = (await house.get("cases")).json()
        assert listed["total"] == 6 and listed["items"][-1] == shown
        for sort in ("received_at", "-received_at", "number", "-number", "-due_at"):
            pages = [
                item["id"]
                for page in range(1, 5)
                for item in (await house.get("cases", sort=sort, page=page, per_page=2)).json()["items"]
            ]
            assert len(pages) == len(set(pages)) == 6, sort
        for query, found in (
            ({"status": "registered"}, True),
            ({"status": "handling"}, False),
            ({"q": "吴某"}, True),
            ({"q": "周小明"}, False),
            ({"kind": "simple"}, False),
            ({"light": "grey"}, True),
            ({"light": "red"}, False),
            ({"hall": "guilin"}, True),
            ({"received_from": "2090-01-01"}, False),
        ):
            ids = {item["id"] for item in (await house.get("cases", **query)).json()["items"]}
            assert (kept["id"] in ids) is found, query
        for by, status in (
            ("guilin.clerk2", 200),
            ("guilin.supervisor", 200),
            ("auditor", 200),
            ("chengzhong.clerk", 404),
            ("guilin.market.contact", 404),
            ("superior", 404),
            ("admin", 404),
        ):
            assert (await house.get(f"cases/{kept['id']}", by=by)).status_code == status, by
        command = await house.post(f"cases/{kept['id']}/triage", triage())
        assert command.status_code == 503 and command.headers["Retry-After"]
        assert (
            await house.post(f"cases/{kept['id']}/triage", triage(), by="chengzhong.clerk")
        ).status_code == 404
