"""What a decision is about stands beside its form: who said what when, with the files, from the events."""

import re

from tests.support.case_pages import (
    CLERK,
    CONTACT,
    LEAD,
    LEADER,
    ODD,
    PDF,
    SUPERVISOR,
    Case,
    dispatched,
    texts,
)
from tests.support.house import NOTICE, House, triage
from tests.support.visiting import visit


async def beside(house: House, by: str, case: Case, command: str) -> str:
    """The markup between the summary of a command and its form."""
    async with visit(house, by) as person:
        page = (await person.get(f"/cases/{case['number']}")).text
    found = re.search(rf'</summary>((?:(?!</summary>).)*)<form[^>]* id="{command}"', page, re.DOTALL)
    assert found, f"no form of {command}"
    return found[1]


async def test_the_reply_to_be_checked_stands_beside_the_check_with_its_files(house: House) -> None:
    case = await house.handled()
    files = f"/api/cases/{case['id']}/attachments"
    await house.request("POST", files, by=CLERK, files={"file": ("window.pdf", PDF)})
    await house.request("POST", files, by=CONTACT, files={"file": ("proof.pdf", PDF + b"\n")})
    await house.act(case, "reply", CONTACT, text=ODD, resolved=True)
    shown = await beside(house, LEAD, case, "check_reply")
    said = texts(shown)
    assert ODD in said
    assert "<script>alert" not in shown
    assert "演示·市场监管局联系人" in said
    assert "已解决" in said
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", said)
    assert "proof.pdf" in said
    assert "window.pdf" not in said


async def test_a_refused_reply_tells_its_reason_beside_the_next_one(sqlite_house: House) -> None:
    house = sqlite_house
    case = await house.handled()
    await house.act(case, "reply", CONTACT, text="第一次的答复", resolved=True)
    await house.act(case, "check_reply", LEAD, accept=False, reason="没有写明办理结果")
    assert "没有写明办理结果" in await beside(house, CONTACT, case, "reply")
    await house.act(case, "reply", CONTACT, text="第二次的答复", resolved=True)
    shown = await beside(house, LEAD, case, "check_reply")
    assert "第二次的答复" in shown
    assert "第一次的答复" not in shown


async def test_an_extension_shows_days_reason_and_both_due_dates(sqlite_house: House) -> None:
    house = sqlite_house
    case = await house.handled(kind="commitment")
    await house.act(case, "request_extension", LEADER, working_days=2, reason="等待档案馆回函")
    said = texts(await beside(house, LEAD, case, "decide_extension"))
    assert "等待档案馆回函" in said
    assert re.search(r"延长的工作日\s+2\s", said)
    after = await house.act(case, "decide_extension", LEAD, accept=True)
    for due in (case["due_at"], after["due_at"]):
        assert due[:16].replace("T", " ") in said
    assert after["due_at"] > case["due_at"]


async def test_a_return_shows_its_reason_and_not_that_of_an_earlier_one(sqlite_house: House) -> None:
    house = sqlite_house
    case = await dispatched(house)
    await house.act(case, "return_order", CONTACT, reason="不归市场监管局管")
    assert "不归市场监管局管" in await beside(house, LEAD, case, "decide_return")
    await house.act(case, "decide_return", LEAD, accept=True, unit="civil")
    await house.act(case, "return_order", "guilin.civil.contact", reason="民政局也管不了")
    shown = await beside(house, "guilin.centre", case, "decide_return")
    assert "民政局也管不了" in shown
    assert "不归市场监管局管" not in shown


async def test_an_unsolvable_shows_its_basis_and_what_confirming_does_to_the_due_date(
    sqlite_house: House,
) -> None:
    house = sqlite_house
    case = await house.handled()
    await house.act(case, "declare_unsolvable", LEADER, basis="土地权属争议未决")
    said = texts(await beside(house, LEAD, case, "confirm_unsolvable"))
    assert "土地权属争议未决" in said
    after = await house.act(case, "confirm_unsolvable", LEAD, accept=True)
    moved = after["due_at"] != case["due_at"]
    assert ("同意后的时限" in said) is moved


async def test_a_judgement_shows_reply_revisit_and_what_the_citizen_wrote(sqlite_house: House) -> None:
    house = sqlite_house
    case = await house.file()
    pair = {"query_code": case["query_code"], "phone_tail": "0001"}
    await house.act(case, "triage", CLERK, **triage())
    await house.act(case, "sign", CONTACT)
    await house.act(case, "reply", CONTACT, text="请到三楼办理", resolved=True)
    await house.act(case, "check_reply", LEAD, accept=True)
    assert "请到三楼办理" in await beside(house, CLERK, case, "revisit")
    await house.act(case, "revisit", CLERK, reached=True, rating=5, resolved=True)
    answer = await house.post("public/object", pair | {"reason": "三楼还是不给办"}, by=None)
    assert answer.status_code == 200, answer.text
    said = texts(await beside(house, LEAD, case, "judge_revisit"))
    for expected in ("请到三楼办理", "三楼还是不给办", "非常满意"):
        assert expected in said
    await house.act(case, "judge_revisit", LEAD, reopen=True, reason="三楼窗口没有接到通知")
    said = texts(await beside(house, CONTACT, case, "reply"))
    assert "三楼窗口没有接到通知" in said
    assert "请到三楼办理" not in said


async def test_a_limit_to_be_set_shows_why_it_was_asked_for(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    await sqlite_house.act(case, "report_complex", LEAD, reason="涉及三个部门的历史档案")
    assert "涉及三个部门的历史档案" in await beside(sqlite_house, SUPERVISOR, case, "set_limit")


async def test_an_order_shows_its_text_and_due_time_beside_the_answer(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    after = await sqlite_house.act(case, "order", SUPERVISOR, text="请说明为何两周没有进展")
    said = texts(await beside(sqlite_house, LEADER, case, "answer_order"))
    assert "请说明为何两周没有进展" in said
    assert after["orders"][0]["due_at"][:16].replace("T", " ") in said
    assert "演示·监督管理" in said


async def test_a_joint_consultation_shows_place_and_time_to_the_co_unit(sqlite_house: House) -> None:
    case = await sqlite_house.handled(kind="commitment")
    await sqlite_house.act(
        case, "convene", LEAD, co_units=["social"], at="2031-01-09T09:30:00+08:00", place="二楼会商室"
    )
    said = texts(await beside(sqlite_house, "guilin.social.contact", case, "opine"))
    assert "二楼会商室" in said
    assert "2031-01-09 09:30" in said
    assert "人社局" in said


async def test_the_leader_sees_why_the_contact_is_unable_until_he_has_coordinated(
    sqlite_house: House,
) -> None:
    case = await sqlite_house.handled()
    await sqlite_house.act(case, "mark_unable", CONTACT, reason="系统没有权限")
    assert "系统没有权限" in await beside(sqlite_house, LEADER, case, "coordinate")
    await sqlite_house.act(case, "coordinate", LEADER, text="已请信息科开通")
    assert "系统没有权限" not in await beside(sqlite_house, LEADER, case, "coordinate")


async def test_a_unit_sees_the_dispatch_with_its_one_time_notice_beside_signing(sqlite_house: House) -> None:
    case = await dispatched(sqlite_house)
    shown = texts(await beside(sqlite_house, CONTACT, case, "sign"))
    assert NOTICE["window"] in shown
    assert "演示·窗口A岗" in shown


async def test_a_command_that_decides_nothing_has_nothing_beside_it(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    assert texts(await beside(sqlite_house, CONTACT, case, "progress")).strip() == ""


async def test_the_history_names_the_clerk_who_filed(house: House) -> None:
    case = await house.file()
    events = (await house.get(f"cases/{case['id']}/events", by="auditor")).json()
    first = events["items"][0]
    assert first["actor"] == {"role": "system"}
    assert first["data"]["filed_by"] == {
        "username": CLERK,
        "name": "演示·窗口A岗",
        "role": "clerk",
        "unit": None,
    }
    assert events["verified"]
    async with visit(house, "auditor") as person:
        page = (await person.get(f"/cases/{case['number']}")).text
    entry = re.search(r'id="event-1">.*?</li>', page, re.DOTALL)
    assert entry
    assert "演示·窗口A岗" in entry[0]
    assert "系统" not in entry[0]


async def test_the_next_alarm_is_worded_as_what_will_happen(sqlite_house: House) -> None:
    case = await dispatched(sqlite_house)
    async with visit(sqlite_house, CONTACT) as person:
        said = texts((await person.get(f"/cases/{case['number']}")).text)
    assert re.search(r"若仍未签收，将于 \d+月\d+日 周. \d\d:\d\d 提醒备用联系人", said)
    assert "逾时未签收，请备用联系人签收" not in said
