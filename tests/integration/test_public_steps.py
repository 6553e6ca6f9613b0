"""The citizen's page says where the case stands after a dissatisfied revisit, an objection, a reopening."""

import html
import re
from typing import Any

import pytest

from pages.public_words import AGAIN, JUDGEMENT, STATUS, status_words
from rules.case.vocabulary import Status
from tests.support.case_pages import (
    CLERK,
    CONTACT,
    LEAD,
    Case,
)
from tests.support.house import House, triage
from tests.support.visiting import visit


async def heading(house: House, case: Case) -> tuple[str, str]:
    """The heading of the citizen's page, and the whole of what it says."""
    async with visit(house, None) as citizen:
        page = await citizen.post("/public/track", pair(case))
    assert page.status_code == 200, page.text
    found = re.search(r"<h1>([^<]+)</h1>", page.text)
    assert found
    return found[1], html.unescape(re.sub(r"<[^>]+>", " ", page.text))


def pair(case: Case) -> dict[str, str]:
    return {"query_code": case["query_code"], "phone_tail": "0001"}


async def replied(house: House, case: Case, text: str) -> None:
    await house.act(case, "reply", CONTACT, text=text, resolved=True)


async def test_after_a_dissatisfied_revisit_each_step_is_worded_for_itself(house: House) -> None:
    case = await house.file()
    await house.act(case, "triage", CLERK, **triage())
    await house.act(case, "sign", CONTACT)
    await replied(house, case, "第一次的答复")
    await house.act(case, "check_reply", LEAD, accept=True)
    assert (await heading(house, case))[0] == STATUS["revisiting"][0]
    await house.act(case, "revisit", CLERK, reached=True, rating=1, resolved=False)
    name, said = await heading(house, case)
    assert name == JUDGEMENT["dissatisfaction"][0]
    assert "等待回访" not in said
    await house.act(case, "judge_revisit", LEAD, reopen=True, reason="确实没有解决")
    name, said = await heading(house, case)
    assert name == AGAIN["handling"][0]
    assert "再次答复您" in said
    await replied(house, case, "第二次的答复")
    assert (await heading(house, case))[0] == AGAIN["replied"][0]
    await house.act(case, "check_reply", LEAD, accept=True)
    assert (await heading(house, case))[0] == AGAIN["revisiting"][0]
    await house.act(case, "revisit", CLERK, reached=True, rating=5, resolved=True)
    assert (await heading(house, case))[0] == AGAIN["closed"][0]


async def test_an_objection_is_being_judged_and_then_upheld(sqlite_house: House) -> None:
    house = sqlite_house
    case = await house.file()
    await house.act(case, "triage", CLERK, **triage())
    await house.act(case, "sign", CONTACT)
    await replied(house, case, "答复")
    await house.act(case, "check_reply", LEAD, accept=True)
    await house.act(case, "revisit", CLERK, reached=True, rating=4, resolved=True)
    await house.post("public/object", pair(case) | {"reason": "并没有办好"}, by=None)
    name, said = await heading(house, case)
    assert name == JUDGEMENT["objection"][0]
    assert "回访" not in said.partition("办理经过")[0]
    await house.act(case, "judge_revisit", LEAD, reopen=False, reason="已核实办好")
    name, said = await heading(house, case)
    assert name == JUDGEMENT["upheld"][0]
    assert "不需要重新办理" in said
    assert "经研究，维持办结" in said


async def test_a_bad_rating_before_the_revisit_is_judged_too(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    await sqlite_house.act(case, "triage", CLERK, **triage())
    await sqlite_house.act(case, "sign", CONTACT)
    await replied(sqlite_house, case, "答复")
    await sqlite_house.act(case, "check_reply", LEAD, accept=True)
    answer = await sqlite_house.post("public/rate", pair(case) | {"rating": 1}, by=None)
    assert answer.json()["judgement"] == "dissatisfaction"
    assert (await heading(sqlite_house, case))[0] == JUDGEMENT["dissatisfaction"][0]


async def test_an_objection_to_an_answer_at_the_counter_leads_to_a_new_dispatch(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    await sqlite_house.act(case, "triage", CLERK, kind="consultation", answer="到 3 号窗口")
    await sqlite_house.post("public/object", pair(case) | {"reason": "3 号窗口不办"}, by=None)
    assert (await heading(sqlite_house, case))[0] == JUDGEMENT["objection"][0]
    await sqlite_house.act(case, "judge_revisit", LEAD, reopen=True, reason="应当受理")
    assert (await heading(sqlite_house, case))[0] == AGAIN["registered"][0]


def view(**more: Any) -> dict[str, Any]:
    return {"status": "handling", "round": 1, "judgement": None, "allowed": []} | more


@pytest.mark.parametrize("status", [*Status])
def test_every_status_has_words_in_every_round(status: Status) -> None:
    for number in (1, 2, 5):
        name, meaning = status_words(view(status=status, round=number))
        assert name and meaning.endswith("。")


def test_an_objection_is_offered_in_words_only_where_it_is_possible() -> None:
    for judged in (None, "upheld"):
        for number in (1, 2):
            closed = view(status="closed", round=number, judgement=judged)
            assert "异议" not in status_words(closed)[1]
            assert "异议" in status_words(closed | {"allowed": ["object"]})[1]
