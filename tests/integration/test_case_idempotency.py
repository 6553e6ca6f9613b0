"""The same Idempotency-Key twice, also at the same instant: one case, one act."""

import asyncio
from typing import Any

import pytest
from sqlmodel import select

from casework import commanding, filing
from casework.delivery import deliver
from casework.engine import EngineUnavailable
from models.command import SentCommand
from models.database import DatabaseUnavailable
from rules.case.errors import Illegal
from tests.support.house import House, form, triage
from tests.support.lost_answers import lose_answers


async def types_of(house: House, case: dict[str, Any], by: str = "auditor") -> list[str]:
    ledger = (await house.get(f"cases/{case['id']}/events", by=by)).json()
    assert ledger["verified"] is True
    return [event["type"] for event in ledger["items"]]


async def test_the_same_filing_twice_is_one_case(house: House) -> None:
    first = await house.post("cases", form(), key="k-1")
    again = await house.post("cases", form(), key="k-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json(), "the query code too"
    assert (await house.get("cases")).json()["total"] == 1


async def test_white_space_and_order_of_a_body_do_not_matter(house: House) -> None:
    first = await house.post("cases", form(), key="k")
    turned = dict(reversed(form(problem="  窗口要求重复提交已经共享的证件。 ").items()))
    again = await house.post("cases", turned, key="k")
    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


async def test_the_same_key_with_another_body_is_422(house: House) -> None:
    await house.post("cases", form(), key="k")
    other = await house.post("cases", form(matter="另一件事"), key="k")
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "Idempotency-Key"
    assert (await house.get("cases")).json()["total"] == 1


async def test_a_key_belongs_to_one_user(house: House) -> None:
    first = await house.post("cases", form(), key="k")
    other = await house.post("cases", form(), key="k", by="guilin.clerk2")
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json()["id"] != other.json()["id"]


async def test_filings_at_the_same_instant_are_one_case(house: House) -> None:
    answers = await asyncio.gather(*(house.post("cases", form(), key="same") for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.text for answer in answers}) == 1
    assert (await house.get("cases")).json()["total"] == 1


async def test_without_a_key_two_filings_are_two_cases(house: House) -> None:
    first, second = await house.file(), await house.file()
    assert first["id"] != second["id"] and first["query_code"] != second["query_code"]
    assert second["number"].endswith("-0002")


async def test_a_filing_repeated_after_an_outage_is_registered_then(house: House) -> None:
    async with house.down():
        kept = await house.post("cases", form(), key="k")
        still = await house.post("cases", form(), key="k")
    assert (kept.status_code, still.status_code) == (202, 202)
    assert kept.json()["number"] is None and kept.json()["query_code"]
    assert still.json() == kept.json()
    again = await house.post("cases", form(), key="k")
    assert again.status_code == 200 and again.json()["number"].endswith("-0001")
    for field in ("id", "query_code", "received_at"):
        assert again.json()[field] == kept.json()[field]


async def test_a_filing_repeated_later_is_the_case_as_it_is_by_then(house: House) -> None:
    first = (await house.post("cases", form(), key="k")).json()
    await house.act(first, "triage", "guilin.clerk", **triage())
    again = await house.post("cases", form(), key="k")
    assert (again.status_code, again.json()["status"]) == (200, "dispatched")
    assert again.json()["query_code"] == first["query_code"]


async def test_a_repeated_filing_shows_nothing_of_a_case_that_went_to_another_hall(house: House) -> None:
    first = (await house.post("cases", form(), key="k")).json()
    moved = await house.act(first, "transfer", "guilin.lead", hall="chengzhong", reason="属地")
    again = (await house.post("cases", form(), key="k")).json()
    assert (again["id"], again["number"], again["hall"]) == (first["id"], first["number"], "guilin")
    assert (again["status"], again["allowed"], again["unit"]) == ("registered", [], None)
    assert moved["hall"] == "chengzhong"
    assert (await house.get(f"cases/{first['id']}")).status_code == 404


async def test_a_query_code_that_was_replaced_is_not_told_again(house: House) -> None:
    first = (await house.post("cases", form(), key="k")).json()
    newer = (await house.post(f"cases/{first['id']}/query-code", {})).json()["query_code"]
    again = await house.post("cases", form(), key="k")
    assert again.status_code == 200 and "query_code" not in again.json()
    seen = await house.post("public/track", {"query_code": newer, "phone_tail": "0001"}, by=None)
    assert seen.json()["number"] == first["number"]


async def test_a_registered_filing_repeated_in_an_outage_is_no_filing_that_waits(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.post("cases", form(), key="k")

    async def away(*given: Any) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(filing, "get_case", away)
    assert (await house.post("cases", form(), key="k")).status_code == 503


async def test_a_command_is_answered_with_the_first_answer_again(house: House) -> None:
    case = await house.file()
    first = await house.post(f"cases/{case['id']}/triage", triage(), key="t")
    await house.act(case, "sign", "guilin.market.contact")
    again = await house.post(f"cases/{case['number']}/triage", triage(), key="t")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json() and again.json()["status"] == "dispatched"
    assert await types_of(house, case) == ["registered", "triage", "sign"]


async def test_a_command_key_with_another_body_or_name_is_422(house: House) -> None:
    case = await house.file()
    await house.post(f"cases/{case['id']}/triage", triage(), key="t")
    for name, body in (("triage", triage(unit="housing")), ("withdraw", {"reason": "r"})):
        other = await house.post(f"cases/{case['id']}/{name}", body, key="t")
        assert other.status_code == 422
        assert other.json()["errors"][0]["field"] == "Idempotency-Key"


async def test_commands_at_the_same_instant_are_one_act(house: House) -> None:
    case = await house.handled()
    path, body = f"cases/{case['id']}/progress", {"text": "已调取"}
    answers = await asyncio.gather(
        *(house.post(path, body, by="guilin.market.contact", key="p") for _ in range(8))
    )
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.text for answer in answers}) == 1
    assert (await types_of(house, case)).count("progress") == 1


async def test_an_act_that_ends_the_right_to_it_is_answered_again(house: House) -> None:
    case = await house.file()
    body = {"hall": "chengzhong", "reason": "属地"}
    first = await house.post(f"cases/{case['id']}/transfer", body, by="guilin.lead", key="t")
    again = await house.post(f"cases/{case['id']}/transfer", body, by="guilin.lead", key="t")
    assert again.status_code == 200 and again.json() == first.json()
    other = await house.post(
        f"cases/{case['id']}/transfer", body | {"reason": "x"}, by="guilin.lead", key="t"
    )
    assert other.status_code == 404, "the case is out of sight"


async def test_archiving_twice_with_a_key_is_answered_again(house: House) -> None:
    case = await house.closed()
    answers = await asyncio.gather(
        *(house.post(f"cases/{case['id']}/archive", {}, by="guilin.lead", key="a") for _ in range(4))
    )
    answers.append(await house.post(f"cases/{case['id']}/archive", {}, by="guilin.lead", key="a"))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert (await types_of(house, case)).count("archive") == 1


async def test_a_refusal_is_no_answer_to_keep(house: House) -> None:
    case = await house.file()
    path = f"cases/{case['id']}/sign"
    early = await house.post(path, {}, by="guilin.market.contact", key="s")
    assert early.status_code == 404, "the unit has no part in it yet"
    lead = f"cases/{case['id']}/suspend"
    assert (await house.post(lead, {"reason": "r"}, by="guilin.lead", key="s")).status_code == 409
    await house.act(case, "triage", "guilin.clerk", **triage(kind="commitment"))
    assert (await house.post(path, {}, by="guilin.market.contact", key="s")).status_code == 200
    assert (await house.post(lead, {"reason": "r"}, by="guilin.lead", key="s")).status_code == 200


async def test_a_key_is_free_again_for_another_body_after_a_refusal(house: House) -> None:
    case = await house.file()
    path = f"cases/{case['id']}/suspend"
    assert (await house.post(path, {"reason": "a"}, by="guilin.lead", key="s")).status_code == 409
    assert (await house.post(path, {"reason": "b"}, by="guilin.lead", key="s")).status_code == 409


async def test_a_command_whose_answer_was_lost_is_not_done_twice(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = await house.handled()
    path, body, by = f"cases/{case['id']}/reply", {"text": "办结", "resolved": True}, "guilin.market.contact"

    async def lost(*given: Any) -> None:
        await deliver(*given)
        raise DatabaseUnavailable("the connection broke")

    with monkeypatch.context() as patched:
        patched.setattr(commanding, "deliver", lost)
        assert (await house.post(path, body, by=by, key="r")).status_code == 503
    again = await house.post(path, body, by=by, key="r")
    assert (again.status_code, again.json()["status"]) == (200, "replied")
    assert (await types_of(house, case)).count("reply") == 1


@pytest.mark.parametrize("key", [None, "r"])
@pytest.mark.parametrize("failure", [EngineUnavailable("no answer in time"), Illegal("archive", "archived")])
async def test_an_act_that_is_in_the_ledger_was_done_whatever_the_engine_said(
    house: House, monkeypatch: pytest.MonkeyPatch, key: str | None, failure: Exception
) -> None:
    """An update that comes while the workflow ends is told of a failure, also the one that ended it."""
    case = await house.closed()

    lose_answers(monkeypatch, failure)
    answer = await house.post(f"cases/{case['id']}/archive", {}, by="guilin.lead", key=key)
    assert (answer.status_code, answer.json()["status"]) == (200, "archived")
    async with house.services.database.read() as session:
        sent = (await session.exec(select(SentCommand).where(SentCommand.scope == case["id"]))).all()
    assert [(row.key, row.answered) for row in sent] == ([] if key is None else [(key, True)])


async def test_answers_lie_sealed(house: House) -> None:
    filed = (await house.post("cases", form(), key="f")).json()
    await house.post(f"cases/{filed['id']}/triage", triage(), key="t")
    async with house.services.database.read() as session:
        rows = (await session.exec(select(SentCommand))).all()
    stored = str([row.answer for row in rows])
    assert len(rows) == 2 and filed["query_code"] not in stored and "窗口" not in stored


async def test_nothing_is_left_of_commands_without_a_key(house: House) -> None:
    await house.closed()
    async with house.services.database.read() as session:
        assert (await session.exec(select(SentCommand))).all() == []
