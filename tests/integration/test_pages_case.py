"""The case page over HTTP: facts and history for those who see it and nobody else; its files."""

import asyncio
import re
from datetime import datetime

import pytest

from pages.rendering import moment
from tests.support.case_pages import (
    CLERK,
    CONTACT,
    LEAD,
    LEADER,
    ODD,
    PDF,
    SUPERVISOR,
    Case,
    actions,
    texts,
    types,
)
from tests.support.house import House, form, triage
from tests.support.visiting import visit

WITHIN = 30.0  # seconds
TEXT = {"text": "内容如上"}


async def test_the_page_shows_facts_clock_and_history_to_all_who_see_the_case(house: House) -> None:
    case = await house.handled(kind="commitment")
    for username in (CLERK, LEAD, "guilin.centre", CONTACT, LEADER, SUPERVISOR, "auditor"):
        async with visit(house, username) as person:
            page = await person.get(f"/cases/{case['number']}")
            assert page.status_code == 200, username
            assert "周*" in page.text
            assert "周小明" not in page.text
            assert "第 5 日" in texts(page.text)
            assert "台账校验通过" in page.text
            holds = username in {LEAD, "guilin.centre", SUPERVISOR, "auditor"}
            assert ("谁持有多久" in page.text) is holds
            assert len(page.content) < 300_000
    async with visit(house, CLERK) as person:
        assert (await person.get(f"/cases/{case['id']}")).status_code == 200


async def test_a_moved_due_date_is_shown_from_old_to_new(house: House) -> None:
    case = await house.handled(kind="commitment")
    await house.act(case, "request_extension", LEADER, working_days=1, reason="等待材料")
    extended = await house.act(case, "decide_extension", LEAD, accept=True)
    off = extended["due_at"][:10]
    year = {"off": [off], "work": [], "source": "本厅放假一日"}
    loaded = await house.request("PUT", f"/api/calendar/{off[:4]}?hall=guilin", by="admin", json=year)
    assert loaded.status_code == 202, loaded.text
    moved = await until_due_moves(house, extended)
    instants = [case["due_at"], extended["due_at"], moved["due_at"]]
    assert instants == sorted(set(instants))
    first, second, third = [moment(datetime.fromisoformat(each)) for each in instants]
    async with visit(house, LEAD) as person:
        page = (await person.get(f"/cases/{case['number']}")).text
    for section in ("history", "clock"):
        said = " ".join(texts(section_of(page, section)).split())
        assert f"{first} → {second}" in said, section
        assert f"{second} → {third}" in said, section


async def until_due_moves(house: House, case: Case) -> Case:
    """The case once its due date is another; cases are re-armed in the background."""
    async with asyncio.timeout(WITHIN):
        while True:
            now: Case = (await house.get(f"cases/{case['id']}", by=LEAD)).json()
            if now["due_at"] != case["due_at"]:
                return now
            await asyncio.sleep(0.05)


def section_of(page: str, name: str) -> str:
    """The section of a page that has this heading."""
    found = re.search(rf'aria-labelledby="{name}".*?</section>', page, re.DOTALL)
    assert found, name
    return found[0]


async def test_an_auditor_and_an_admin_give_no_command(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, "auditor") as person:
        page = await person.get(f"/cases/{case['number']}")
        assert "可以办理" not in page.text
        assert 'id="attach"' not in page.text
        answer = await person.post(f"/cases/{case['number']}/remind", TEXT)
        assert answer.status_code == 403
    async with visit(sqlite_house, "admin") as person:
        assert (await person.get(f"/cases/{case['number']}")).status_code == 404


@pytest.mark.parametrize(
    "by", ["guilin.social.contact", "chengzhong.lead", "chengzhong.market.leader", "admin"]
)
async def test_a_case_of_another_unit_or_hall_is_not_there(sqlite_house: House, by: str) -> None:
    house = sqlite_house
    case = await house.handled()
    added = await house.request(
        "POST", f"/api/cases/{case['id']}/attachments", files={"file": ("a.pdf", PDF)}
    )
    async with visit(house, by) as person:
        for path in ("", "/ledger", f"/attachments/{added.json()['id']}"):
            assert (await person.get(f"/cases/{case['number']}{path}")).status_code == 404, path
        for path in ("/remind", "/unmask", "/query-code"):
            assert (await person.post(f"/cases/{case['number']}{path}", TEXT)).status_code == 404, path
        sent = await person.post(f"/cases/{case['number']}/attachments", {}, {"file": ("a.pdf", PDF)})
        assert sent.status_code == 404


async def test_nobody_signed_in_is_led_to_the_sign_in(sqlite_house: House) -> None:
    async with visit(sqlite_house, None) as person:
        answer = await person.get("/cases/guilin-20260101-0001")
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")


async def test_whatever_is_typed_is_shown_as_typed(sqlite_house: House) -> None:
    house = sqlite_house
    attempts = [{"channel": "电话", "on": "2026-01-05", "where": ODD, "said": ODD}]
    answer = await house.post("cases", form(matter=ODD, problem=ODD, attempts=attempts))
    case = answer.json()
    await house.act(case, "triage", CLERK, **triage(kind="commitment"))
    await house.act(case, "sign", CONTACT)
    await house.act(case, "order", SUPERVISOR, text=ODD)
    await house.act(case, "request_extension", LEADER, working_days=1, reason=ODD)
    await house.act(case, "decide_extension", LEAD, accept=True)
    await house.act(case, "reply", CONTACT, text=ODD, resolved=True)
    async with visit(house, LEAD) as person:
        for path in ("", "/ledger"):
            page = (await person.get(f"/cases/{case['number']}{path}")).text
            assert "<script>alert" not in page
            assert f'class="typed">{ODD.replace("<", "&lt;").replace(">", "&gt;")}' in page


async def test_the_petitioner_in_clear_needs_a_reason_and_is_on_the_log(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, CONTACT) as person:
        path = f"/cases/{case['number']}/unmask"
        for empty in ("", "  "):
            refused = await person.post(path, {"reason": empty})
            assert refused.status_code == 422
            assert "周小明" not in refused.text
            assert 'id="unmask-reason-fault"' in refused.text
        assert "unmask" not in await actions(sqlite_house)
        answer = await person.post(path, {"reason": "电话核实材料"})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert "周小明" in answer.text
        assert "13800130001" in answer.text
        assert "unmask" in await actions(sqlite_house)
        assert "周小明" not in (await person.get(f"/cases/{case['number']}")).text
    async with visit(sqlite_house, "guilin.centre") as person:
        assert (await person.post(path, {"reason": "看看"})).status_code == 403
        assert 'id="unmask"' not in (await person.get(f"/cases/{case['number']}")).text


async def test_a_new_query_code_is_shown_once_and_ends_the_old_one(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    async with visit(sqlite_house, CLERK) as person:
        answer = await person.post(f"/cases/{case['number']}/query-code", {})
        code = re.search(r'class="new-code number">([^<]+)<', answer.text)
        assert code
        assert code[1] not in (await person.get(f"/cases/{case['number']}")).text
    for used, status in ((code[1], 200), (case["query_code"], 404)):
        pair = {"query_code": used, "phone_tail": "0001"}
        assert (await sqlite_house.post("public/track", pair, by=None)).status_code == status


async def test_files_are_added_and_downloaded_at_the_page(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}/attachments"
    async with visit(sqlite_house, CONTACT) as person:
        name = "证明<b>.pdf"
        answer = await person.post(path, {}, {"file": (name, PDF)})
        assert answer.status_code == 303, texts(answer.text)
        page = (await person.get(f"/cases/{case['number']}", done="attach")).text
        assert "证明&lt;b&gt;.pdf" in page
        link = re.search(rf'href="({path}/[^"]+)"', page)
        assert link
        file = await person.get(link[1])
        assert file.content == PDF
        assert file.headers["content-disposition"].startswith("attachment")
        assert file.headers["x-content-type-options"] == "nosniff"
        unfit = await person.post(path, {}, {"file": ("a.pdf", b"MZ not a pdf")})
        assert (unfit.status_code, "只接受 PDF" in unfit.text) == (415, True)
        none = await person.post(path, {}, {"file": ("", b"")})
        assert (none.status_code, "请先选择文件" in none.text) == (422, True)
        big = await person.post(path, {}, {"file": ("a.pdf", PDF + b"0" * 21 * 1024 * 1024)})
        assert (big.status_code, "超过 20 MB" in big.text) == (413, True)
        for number in range(9):
            for _ in range(2 if number == 0 else 1):  # one double click among them
                again = {"key": f"key-{number}"}
                await person.post(path, again, {"file": (f"{number}.pdf", PDF + b"%d" % number)})
        full = await person.post(path, {}, {"file": ("11.pdf", PDF + b"more")})
        assert (full.status_code, "每个办件最多 10 个附件" in full.text) == (409, True)
    assert (await types(sqlite_house, case)).count("attach") == 10


async def test_a_file_without_the_token_of_the_form_is_refused(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    async with visit(sqlite_house, CONTACT) as person:
        sent = await person.http.post(f"/cases/{case['number']}/attachments", files={"file": ("a.pdf", PDF)})
        assert sent.status_code == 403
    assert "attach" not in await types(sqlite_house, case)


async def test_a_filing_that_waits_for_its_number_has_a_page(sqlite_house: House) -> None:
    async with sqlite_house.down():
        filed = (await sqlite_house.post("cases", form())).json()
        assert filed["number"] is None
        async with visit(sqlite_house, CLERK) as person:
            page = await person.get(f"/cases/{filed['id']}")
            assert page.status_code == 200
            assert "待编号" in page.text
            assert "可以办理" not in page.text


async def test_the_page_of_a_long_case_stays_light(sqlite_house: House) -> None:
    case = await sqlite_house.handled(kind="commitment")
    for number in range(20):
        await sqlite_house.act(case, "progress", CONTACT, text=f"第 {number} 次核实材料，已联系当事人。")
    async with visit(sqlite_house, LEADER) as person:
        answer = await person.get(f"/cases/{case['number']}")
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) <= 30 * 1024
