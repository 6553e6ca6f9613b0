"""Commands on the case page: each one a form that can be sent; what comes back when it is refused."""

import re
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

import pytest

from casework.commanding import BY_NAME
from tests.support.case_pages import (
    CLERK,
    CONTACT,
    LEAD,
    LEADER,
    ODD,
    SUPERVISOR,
    Case,
    actions,
    dispatched,
    part,
    texts,
    types,
)
from tests.support.house import NOTICE, House
from tests.support.visiting import hidden, visit

Prepare = Callable[[House], Awaitable[Case]]


async def filed(house: House) -> Case:
    return await house.file()


async def handled(house: House) -> Case:
    return await house.handled(kind="commitment")


def after(prepare: Prepare, name: str, by: str, **body: Any) -> Prepare:
    """The situation after one more command."""

    async def made(house: House) -> Case:
        return await house.act(await prepare(house), name, by, **body)

    return made


async def due_in(house: House, days: int = 8) -> str:
    """A working day from now."""
    now = (await house.services.clock.now()).isoformat()
    answer = await house.get("calendar/due", hall="guilin", start=now, working_days=days)
    return str(answer.json()["due_at"])[:10]


async def told(house: House) -> Case:
    return await house.told()


async def closed(house: House) -> Case:
    return await house.closed()


async def younger(house: House) -> Case:
    await house.file()
    return await house.file()


async def with_limit_missing(house: House) -> Case:
    return await dispatched(house, kind="complex")


asked = after(handled, "request_extension", LEADER, working_days=2, reason="调档案")
convened = after(handled, "convene", LEAD, co_units=["social"], at="2098-01-05T09:00:00+08:00", place="三楼")
REASON = {"reason": "理由如上"}
TEXT = {"text": "内容如上"}

# What a person types; `due` stands for a working day to come, `older` for the first case of the hall.
SITUATIONS: dict[str, tuple[Prepare, str, dict[str, Any]]] = {
    "triage": (
        filed,
        CLERK,
        {"kind": "simple", "cause": "other", "unit": "market"}
        | {f"one_time_notice.{part}": "12345" for part in NOTICE},
    ),
    "transfer": (filed, LEAD, {"hall": "chengzhong", **REASON}),
    "sign": (dispatched, CONTACT, {"note": "马上办"}),
    "return_order": (dispatched, CONTACT, REASON),
    "decide_return": (
        after(dispatched, "return_order", CONTACT, reason="不属本单位"),
        LEAD,
        {"accept": "yes", "unit": "social"},
    ),
    "progress": (handled, CONTACT, TEXT),
    "inform": (handled, CONTACT, {"means": "phone", **TEXT}),
    "mark_unable": (handled, CONTACT, REASON),
    "coordinate": (handled, LEADER, {"to": "supervision", **TEXT}),
    "convene": (handled, LEAD, {"co_units": ["social", "civil"], "at": "2098-01-05 09:30", "place": "三楼"}),
    "opine": (convened, "guilin.social.contact", TEXT),
    "report_complex": (handled, LEAD, REASON),
    "set_limit": (with_limit_missing, SUPERVISOR, {"due_on": "due", **REASON}),
    "refer_up": (handled, SUPERVISOR, {"to": "自治区", "due_on": "due", **REASON}),
    "referral_reply": (handled, "superior", TEXT),
    "request_extension": (handled, LEADER, {"working_days": "3", **REASON}),
    "decide_extension": (asked, LEAD, {"accept": "no", **REASON}),
    "suspend": (handled, LEAD, REASON),
    "resume": (after(handled, "suspend", LEAD, reason="等材料"), LEAD, {}),
    "reclassify": (handled, LEAD, {"kind": "simple", **REASON}),
    "reassign": (handled, LEAD, {"unit": "civil", **REASON}),
    "declare_unsolvable": (handled, LEADER, {"basis": "某条例"}),
    "confirm_unsolvable": (
        after(handled, "declare_unsolvable", LEADER, basis="某条例"),
        LEAD,
        {"accept": "yes"},
    ),
    "reply": (handled, CONTACT, {"resolved": "yes", **TEXT}),
    "check_reply": (after(handled, "reply", CONTACT, text="已办", resolved=True), LEAD, {"accept": "yes"}),
    "revisit": (told, CLERK, {"reached": "yes", "rating": "5", "resolved": "yes"}),
    "judge_revisit": (
        after(told, "revisit", CLERK, reached=True, rating=1, resolved=False),
        LEAD,
        {"reopen": "yes", **REASON},
    ),
    "archive": (closed, LEAD, {"lesson": "提前核对材料"}),
    "withdraw": (handled, CLERK, REASON),
    "merge": (younger, LEAD, {"into": "older", **REASON}),
    "remind": (handled, LEAD, TEXT),
    "order": (handled, SUPERVISOR, TEXT),
    "answer_order": (after(handled, "order", SUPERVISOR, text="请说明"), LEADER, {"order": "1", **TEXT}),
}
PLAYED_ELSEWHERE = {"excuse"}  # needs lateness: tests/browser/test_case.py


def test_every_command_has_a_situation() -> None:
    assert SITUATIONS.keys() | PLAYED_ELSEWHERE == set(BY_NAME)


@pytest.mark.parametrize("name", SITUATIONS)
async def test_every_command_is_a_form_of_the_page_and_can_be_given_there(
    sqlite_house: House, name: str
) -> None:
    house = sqlite_house
    prepare, by, typed = SITUATIONS[name]
    case = await prepare(house)
    if name == "referral_reply":
        body = {"to": "自治区", "reason": "超出权限", "due_on": await due_in(house)}
        case = await house.act(case, "refer_up", SUPERVISOR, **body)
    filled = {field: await _value(house, case, value) for field, value in typed.items()}
    async with visit(house, by) as person:
        page = await person.get(f"/cases/{case['number']}")
        own = part(page.text, name)
        assert set(filled) <= set(re.findall(r' name="([^"]+)"', own))
        answer = await person.post(f"/cases/{case['number']}/{name}", {"key": hidden(own, "key"), **filled})
        assert answer.status_code == 303, texts(answer.text)
        assert answer.headers["location"] == f"/cases/{case['number']}?done={name}"
        done = await person.get(answer.headers["location"])
        assert done.status_code == 200
        assert "已完成" in done.text
    kept = (await house.get(f"cases/{case['id']}/events", by="auditor")).json()["items"]
    assert [event["type"] for event in kept].count(name) == 1


async def _value(house: House, case: Case, value: Any) -> Any:
    if value == "due":
        return await due_in(house)
    if value == "older":
        listed = (await house.get("cases", sort="received_at")).json()["items"]
        return listed[0]["number"]
    return value


@pytest.mark.parametrize("name", ["register", "rate", "object", "calendar_changed", "attach", "nonsense"])
async def test_what_is_no_command_of_a_user_is_not_there(sqlite_house: House, name: str) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, LEAD) as person:
        assert (await person.post(f"/cases/{case['number']}/{name}", TEXT)).status_code == 404


async def test_a_faulty_form_comes_back_open_with_what_was_typed_and_every_fault(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, LEAD) as person:
        typed = {"key": "one", "at": "明天上午", "note": ODD, "co_units": ["social"]}
        answer = await person.post(f"/cases/{case['number']}/convene", typed)
        assert answer.status_code == 422
        own = part(answer.text, "convene")
        assert '<details class="command" open>' in answer.text
        assert 'href="#convene-at"' in answer.text
        assert 'href="#convene-place"' in answer.text
        assert "请按 2026-11-22 09:30 的格式填写" in own
        assert 'value="明天上午"' in own
        assert re.search(r'value="social" checked', own)
        assert ODD in unescape(own)
        assert hidden(own, "key") == "one"
        assert 'aria-describedby="convene-at-fault' in own


async def test_a_missing_group_is_told_at_the_group(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    async with visit(sqlite_house, CLERK) as person:
        typed = {"kind": "simple", "guidance.phone": "abc"}
        answer = await person.post(f"/cases/{case['number']}/triage", typed)
        assert answer.status_code == 422
        own = part(answer.text, "triage")
        for field in ("unit", "cause", "one_time_notice", "guidance.address", "guidance.phone"):
            assert f'id="triage-{field}-fault"' in own, field


async def test_a_double_click_is_one_event(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, LEAD) as person:
        typed = {"key": "the-same", **TEXT}
        for _ in range(2):
            answer = await person.post(f"/cases/{case['number']}/remind", typed)
            assert answer.status_code == 303
        other = await person.post(f"/cases/{case['number']}/remind", {"key": "the-same", "text": "别的"})
        assert other.status_code == 422
        assert "此前已提交过" in other.text
        assert hidden(part(other.text, "remind"), "key") != "the-same"
    assert await types(sqlite_house, case) == ["registered", "triage", "sign", "remind"]


async def test_a_stale_form_gets_the_page_as_it_is_now_and_keeps_what_was_typed(sqlite_house: House) -> None:
    case = await dispatched(sqlite_house)
    async with visit(sqlite_house, CONTACT) as person:
        await sqlite_house.act(case, "sign", LEADER)
        answer = await person.post(f"/cases/{case['number']}/return_order", {"reason": ODD})
        assert answer.status_code == 409
        assert "办件目前的状态不允许此操作。" in answer.text
        assert "未提交的内容" in answer.text
        assert ODD in unescape(answer.text)
        assert part(answer.text, "reply")
        assert 'id="return_order"' not in answer.text
    logged = await actions(sqlite_house)
    assert "refused_409" in logged


async def test_an_outage_loses_nothing_that_was_typed(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, CONTACT) as person:
        async with sqlite_house.down():
            answer = await person.post(f"/cases/{case['number']}/progress", {"key": "k", "text": ODD})
        assert answer.status_code == 503
        assert "retry-after" in answer.headers
        own = part(answer.text, "progress")
        assert ODD in unescape(own)
        again = await person.post(
            f"/cases/{case['number']}/progress", {"key": hidden(own, "key"), "text": ODD}
        )
        assert again.status_code == 303


async def test_without_the_database_the_form_can_be_sent_again_as_it_was(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}/convene"
    async with visit(sqlite_house, LEAD) as person:
        csrf = hidden((await person.get(f"/cases/{case['number']}")).text, "csrf")
        typed = {"csrf": csrf, "key": "k", "co_units": ["social", "civil"], "at": "2098-01-05 09:30"}
        async with sqlite_house.without_database():
            answer = await person.http.post(path, data={**typed, "place": ODD})
        assert answer.status_code == 503
        assert "再次提交" in answer.text
        fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', answer.text, re.DOTALL)
        sent: dict[str, list[str]] = {}
        for name, value in fields:
            sent.setdefault(name, []).append(unescape(value))
        assert sent["place"] == [ODD]
        again = await person.http.post(path, data=sent)
        assert again.status_code == 303
        assert again.headers["location"] == f"/cases/{case['number']}?done=convene"
