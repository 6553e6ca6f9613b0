"""The triage opens with the notice that the hall gave before for the same matter: unit by unit."""

import re
from html import unescape

from tests.support.case_pages import (
    CLERK,
    ODD,
    part,
    types,
)
from tests.support.house import NOTICE, House, triage
from tests.support.visiting import visit

PLACE = {"window": "5 号窗口", "person": "王某", "contact": "0773-2800000"}


def value(page: str, name: str) -> str:
    """What stands in a field of a page."""
    area = re.search(rf'<textarea[^>]* name="{re.escape(name)}"[^>]*>\n([^<]*)</textarea>', page)
    line = re.search(rf'<input[^>]* name="{re.escape(name)}"[^>]* value="([^"]*)"', page)
    found = area or line
    assert found, name
    return unescape(found[1])


def chosen(page: str, name: str) -> str | None:
    select = re.search(rf'<select[^>]* name="{name}".*?</select>', page, re.DOTALL)
    assert select
    found = re.search(r'value="([^"]*)" selected', select[0])
    return found[1] if found else None


async def opened(house: House, number: str, by: str = CLERK, **query: str) -> str:
    async with visit(house, by) as person:
        page = await person.get(f"/counter/triage/{number}", **query)
    assert page.status_code == 200
    return page.text


async def test_the_same_matter_opens_with_the_notice_of_before(house: House) -> None:
    before = await house.file()
    await house.act(before, "triage", CLERK, **triage(one_time_notice={"materials": ODD, **PLACE}))
    page = await opened(house, (await house.file())["number"])
    assert value(page, "one_time_notice.materials") == ODD
    assert value(page, "one_time_notice.window") == "5 号窗口"
    assert value(page, "one_time_notice.contact") == "0773-2800000"
    assert chosen(page, "unit") == "market"
    assert chosen(page, "kind") is None
    assert before["number"] in page
    assert "<script>alert" not in page


async def test_the_newest_notice_counts_and_another_units_can_be_taken(sqlite_house: House) -> None:
    house = sqlite_house
    for unit, window in (("market", "一号"), ("social", "二号"), ("market", "三号")):
        notice = {"materials": "身份证", **PLACE, "window": window}
        await house.act(await house.file(), "triage", CLERK, **triage(unit=unit, one_time_notice=notice))
    number = (await house.file())["number"]
    page = await opened(house, number)
    assert value(page, "one_time_notice.window") == "三号"
    assert '?unit=social"' in page
    page = await opened(house, number, unit="social")
    assert (chosen(page, "unit"), value(page, "one_time_notice.window")) == ("social", "二号")
    page = await opened(house, number, unit="civil")
    assert value(page, "one_time_notice.window") == ""


async def test_another_matter_or_hall_knows_nothing_of_it(sqlite_house: House) -> None:
    house = sqlite_house
    await house.act(await house.file(), "triage", CLERK, **triage())
    other = await house.file(matter="居住证办理")
    assert value(await opened(house, other["number"]), "one_time_notice.window") == ""
    elsewhere = await house.file(by="chengzhong.clerk")
    page = await opened(house, elsewhere["number"], by="chengzhong.clerk")
    assert value(page, "one_time_notice.window") == ""


async def test_the_case_page_opens_its_triage_alike(sqlite_house: House) -> None:
    before = await sqlite_house.file()
    await sqlite_house.act(before, "triage", CLERK, **triage())
    case = await sqlite_house.file()
    async with visit(sqlite_house, CLERK) as person:
        shown = part((await person.get(f"/cases/{case['number']}")).text, "triage")
    assert value(shown, "one_time_notice.window") == NOTICE["window"]
    assert value(shown, "matter") == case["matter"]
    assert before["number"] in shown


async def test_what_was_prefilled_is_not_sent_with_another_kind(sqlite_house: House) -> None:
    """Without scripts the fields of other kinds come along; a consultation has no unit."""
    case = await sqlite_house.file()
    form = {"kind": "consultation", "answer": "到 3 号窗口", "unit": "market"}
    form |= {f"one_time_notice.{name}": said for name, said in ({"materials": "身份证"} | PLACE).items()}
    async with visit(sqlite_house, CLERK) as person:
        assert (await person.post(f"/counter/triage/{case['number']}", form)).status_code == 303
    assert (await types(sqlite_house, case))[-1] == "triage"
    events = (await sqlite_house.get(f"cases/{case['id']}/events", by="auditor")).json()["items"]
    assert "unit" not in events[-1]["data"]
    assert "one_time_notice" not in events[-1]["data"]


async def test_a_faulty_triage_keeps_what_was_typed_instead(sqlite_house: House) -> None:
    await sqlite_house.act(await sqlite_house.file(), "triage", CLERK, **triage())
    case = await sqlite_house.file()
    async with visit(sqlite_house, CLERK) as person:
        form = {"kind": "simple", "one_time_notice.window": "改过的窗口"}
        answer = await person.post(f"/counter/triage/{case['number']}", form)
    assert answer.status_code == 422
    assert value(answer.text, "one_time_notice.window") == "改过的窗口"
    assert value(answer.text, "one_time_notice.materials") == ""
