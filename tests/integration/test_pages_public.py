"""The pages that need no sign-in: following a case, rating, objecting, help; and the tour's card."""

import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import segno
from structlog.testing import capture_logs

from casework.online_filing import MOST
from casework.throttle import WRONG_PAIRS
from models.policies import policy_texts
from pages import guide
from pages.hand_cards import FOLDER, card
from pages.navigation import PLACES
from pages.policy_words import POLICY
from pages.public_words import RULES, STATUS, THANKS
from rules.case.commands import COMMANDS
from rules.case.permits import PERMITS
from rules.case.vocabulary import Role, Status
from rules.policy import HallOffer, policy_sources
from tests.support.house import PASSWORD, PHONE, House, form, triage
from tests.support.office import Office

WRONG = {"query_code": "AAAA-BBBB-CCCC-DDDD", "phone_tail": "0001"}
# Markup, a formula, right-to-left letters, a letter of four bytes.
STRANGE = "<script>alert(1)</script> =1+1 שלום 𠮷 & \"'\n第二行"


def pair(case: dict[str, Any], **more: Any) -> dict[str, str]:
    return {"query_code": case["query_code"], "phone_tail": "0001"} | more


async def send(http: httpx.AsyncClient, path: str, values: dict[str, str], at: str = "/public") -> Any:
    """Post a form of ours, with the token of its page."""
    page = await http.get(at)
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token, page.text
    return await http.post(path, data=values | {"csrf": token[1]})


async def sign_in(http: httpx.AsyncClient, username: str) -> None:
    values = {"username": username, "password": PASSWORD}
    assert (await send(http, "/sign-in", values, at="/sign-in")).status_code == 303


def text_of(answer: Any) -> str:
    """What a reader sees, roughly: without tags."""
    return html.unescape(re.sub(r"<[^>]+>", " ", answer.text))


async def test_a_citizen_follows_the_case_without_names_of_staff(house: House) -> None:
    case = await house.file(matter=STRANGE)
    seen = await send(house.http, "/public/track", pair(case))
    assert seen.status_code == 200 and "已登记" in text_of(seen) and case["number"] in seen.text
    assert STRANGE in html.unescape(seen.text)
    assert "<script>alert" not in seen.text
    sent = await house.act(case, "triage", "guilin.clerk", **triage())
    await house.act(case, "sign", "guilin.market.contact")
    await house.act(case, "order", "guilin.supervisor", text="内部督办")
    await house.act(case, "reply", "guilin.market.contact", text=STRANGE, resolved=True)
    checking = await send(house.http, "/public/track", pair(case))
    assert "答复审核中" in text_of(checking) and "第二行" in text_of(checking).split("受理窗口")[0]
    assert checking.text.count("第二行") == 1, "not told before it was checked"
    await house.act(case, "check_reply", "guilin.lead", accept=True)
    told = await send(house.http, "/public/track", pair(case))
    assert told.text.count("第二行") == 2 and "住建局" not in told.text and "市场监管局" in told.text
    assert sent["due_at"][:10] in told.text
    for name in ("演示", "联系人", "内部", PHONE, "周小明"):
        assert name not in text_of(told).replace("(演示)", ""), name


async def test_the_pair_stands_in_no_address(house: House) -> None:
    case = await house.file()
    code = case["query_code"]
    with capture_logs() as written:
        seen = await send(house.http, "/public/track", pair(case))
        await send(house.http, "/public/rate", pair(case, rating="5"))
        await send(house.http, "/public/track", pair(case, phone_tail="9999"))
    assert [line["path"] for line in written if line.get("method") == "POST"] == [
        *("/public/track", "/public/rate", "/public/track")
    ]
    assert code not in str(written) and PHONE not in str(written) and "9999" not in str(written)
    assert all(code not in link for link in re.findall(r'(?:href|action|src)="([^"]*)"', seen.text))
    assert seen.headers["Referrer-Policy"] == "no-referrer" and seen.headers["Cache-Control"] == "no-store"
    for path in ("track", "rate", "object"):
        asked = await house.http.get(f"/public/{path}")
        assert (asked.status_code, asked.headers["location"]) == (303, "/public")


async def test_a_wrong_pair_is_a_page_that_says_so_and_guessing_ends_at_429(house: House) -> None:
    case = await house.file()
    page = await house.http.get("/public")
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token
    answers = [
        await house.http.post("/public/track", data=WRONG | {"query_code": f"AAAA{n}", "csrf": token[1]})
        for n in range(30)
    ]
    assert [answer.status_code for answer in answers[:10]] == [404] * 10
    assert "没有找到" in text_of(answers[0]) and "AAAA0" in answers[0].text, "what was typed is kept"
    assert answers[29].status_code == 429 and 1 <= int(answers[29].headers["Retry-After"]) <= 60
    assert "秒后再试" in text_of(answers[29])
    right = await house.http.post("/public/track", data=pair(case, csrf=token[1]))
    assert right.status_code == 429, "the same limit for right pairs, and for the API"
    assert (await house.post("public/track", pair(case), by=None)).status_code == 429
    log = (await house.get("access-log", by="auditor")).json()["items"]
    refused = [item for item in log if item["action"] == "refused_429"]
    assert len(refused) == 1 and refused[0]["address"], "once for a series"


async def test_right_pairs_after_some_wrong_ones_pass(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    for _ in range(WRONG_PAIRS - 1):
        await send(sqlite_house.http, "/public/track", WRONG)
    assert (await send(sqlite_house.http, "/public/track", pair(case))).status_code == 200


async def test_a_post_without_the_page_s_token_is_refused(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    assert (await sqlite_house.http.post("/public/track", data=pair(case))).status_code == 403


async def test_a_citizen_rates_once_and_everything_typed_is_kept(house: House) -> None:
    case = await house.told()
    code = (await house.post(f"cases/{case['id']}/query-code")).json()
    first = await send(house.http, "/public/track", pair(code))
    assert "请您评价" in text_of(first) and "不同意办理结果" not in text_of(first)
    missing = await send(house.http, "/public/rate", pair(code, note=STRANGE))
    assert missing.status_code == 422 and "请选择一项" in text_of(missing)
    assert STRANGE in html.unescape(missing.text), "the note is still there"
    done = await send(house.http, "/public/rate", pair(code, rating="5", note=STRANGE))
    assert done.status_code == 200 and "谢谢您的评价" in text_of(done) and "请您评价" not in text_of(done)
    event = (await house.get(f"cases/{case['id']}/events")).json()["items"][-1]
    assert event["actor"] == {"role": "citizen"} and event["data"]["note"] == STRANGE
    again = await send(house.http, "/public/rate", pair(code, rating="1"))
    assert again.status_code == 409 and "已经评价过" in text_of(again)


async def test_a_citizen_objects_to_a_closing(house: House) -> None:
    case = await house.closed()
    code = (await house.post(f"cases/{case['id']}/query-code")).json()
    assert "不同意办理结果" in text_of(await send(house.http, "/public/track", pair(code)))
    empty = await send(house.http, "/public/object", pair(code, reason="  "))
    assert empty.status_code == 422 and "必填" in text_of(empty)
    done = await send(house.http, "/public/object", pair(code, reason="没有办"))
    assert done.status_code == 200 and "您的异议已经收到" in text_of(done)
    assert (await house.get(f"cases/{case['id']}")).json()["status"] == "revisiting"
    again = await send(house.http, "/public/object", pair(code, reason="没有办"))
    assert again.status_code == 409 and "不能这样办理" in text_of(again)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({}, "必填"),
        ({"query_code": "A", "phone_tail": "12"}, "四位数字"),
        ({"query_code": "\x00", "phone_tail": "1234"}, "控制字符"),
    ],
)
async def test_bad_input_is_told_beside_its_field(
    sqlite_office: Office, typed: dict[str, str], words: str
) -> None:
    answer = await send(sqlite_office.http, "/public/track", typed)
    assert answer.status_code == 422 and words in text_of(answer)
    assert "aria-invalid" in answer.text


async def test_a_filing_without_a_number_is_shown_too(house: House) -> None:
    async with house.down():
        kept = await house.post("cases", form())
        seen = await send(house.http, "/public/track", pair(kept.json()))
    assert seen.status_code == 200 and "正在编号" in text_of(seen)


FILING = {
    "hall": "guilin",
    "petitioner.kind": "person",
    "petitioner.name": "周小明",
    "petitioner.phone": PHONE,
    "matter": "个体户注销",
    "problem": STRANGE,
    "key": "5a3c0e0e-5f0e-4a55-9b55-6a2f0f0c6c11",
}


def offering(house: House) -> Any:
    """The house, with filing by citizens at Guilin's hall."""
    return house.changed(online_filing=frozenset({"guilin", "nowhere"}))


async def test_citizens_file_only_where_a_hall_offers_it(house: House) -> None:
    assert (await house.http.get("/public/file")).status_code == 404
    assert (await send(house.http, "/public/file", FILING)).status_code == 404
    assert "/public/file" not in (await house.http.get("/public")).text
    with offering(house):
        assert "/public/file" in (await house.http.get("/public")).text
        page = await house.http.get("/public/file")
        assert page.status_code == 200 and "桂林" in page.text and "城中" not in page.text
        elsewhere = await send(house.http, "/public/file", FILING | {"hall": "chengzhong"})
        assert elsewhere.status_code == 422


async def test_a_policy_opens_the_page_and_the_setting_closes_it_everywhere(sqlite_house: House) -> None:
    house = sqlite_house
    by_policy = {"guilin": HallOffer("offered"), "chengzhong": HallOffer()}
    with house.changed(offers=by_policy):
        page = text_of(await house.http.get("/public/file"))
        # Every hall that works by it, the ones below included.
        assert "桂林市" in page and "临桂区" in page and "城中区" not in page
        filed = await send(house.http, "/public/file", FILING)
        assert filed.status_code == 200
        elsewhere = await send(house.http, "/public/file", FILING | {"hall": "chengzhong", "key": "k2"})
        assert elsewhere.status_code == 422
        with house.changed(online_filing=frozenset({"chengzhong"})):  # a trial there, too
            assert "城中区" in text_of(await house.http.get("/public/file"))
    with house.changed(offers=by_policy, online_filing=frozenset({"off", "guilin"})):
        assert (await house.http.get("/public/file")).status_code == 404
        assert (await send(house.http, "/public/file", FILING)).status_code == 404
        assert "/public/file" not in (await house.http.get("/public")).text


async def test_a_citizen_files_and_follows_the_own_case(house: House) -> None:
    with offering(house):
        filed = await send(house.http, "/public/file", FILING)
        again = await send(house.http, "/public/file", FILING)
    found = re.search(r'class="code">([^<]+)<', filed.text)
    assert filed.status_code == 200 and found, filed.text
    assert found[1] in again.text, "a double click files once"
    listed = (await house.get("cases")).json()["items"]
    assert [(case["channel"], case["problem"]) for case in listed] == [("online", STRANGE)]
    seen = await send(house.http, "/public/track", {"query_code": found[1], "phone_tail": PHONE[-4:]})
    assert listed[0]["number"] in seen.text and listed[0]["number"] in filed.text
    triaged = await house.act(listed[0], "triage", "guilin.clerk", **triage())
    assert triaged["status"] == "dispatched"


async def test_a_forged_host_gets_into_no_receipt_of_a_citizen(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    links: list[str] = []
    make = segno.make
    monkeypatch.setattr("segno.make", lambda link, **how: (links.append(link), make(link, **how))[1])
    with offering(sqlite_house), sqlite_house.changed(public_url="https://window.example.cn"):
        sqlite_house.http.headers["Host"] = "forged.example.cn"
        filed = await send(sqlite_house.http, "/public/file", FILING)
    assert filed.status_code == 200 and "forged" not in filed.text
    assert [link.partition("=")[0] for link in links] == ["https://window.example.cn/public#code"]


async def test_a_faulty_filing_of_a_citizen_keeps_what_was_typed(house: House) -> None:
    with offering(house):
        faulty = await send(house.http, "/public/file", FILING | {"petitioner.phone": "12", "matter": ""})
    assert faulty.status_code == 422 and STRANGE in html.unescape(faulty.text)
    assert faulty.text.count("aria-invalid") == 2
    assert (await house.get("cases")).json()["items"] == []


async def test_filings_of_an_address_are_limited(sqlite_house: House) -> None:
    with offering(sqlite_house):
        answers = [
            await send(sqlite_house.http, "/public/file", FILING | {"key": f"{FILING['key']}-{n}"})
            for n in range(MOST + 1)
        ]
    assert [answer.status_code for answer in answers] == [200] * MOST + [429]
    assert int(answers[-1].headers["Retry-After"]) > 60 and STRANGE in html.unescape(answers[-1].text)


def test_every_status_and_refusal_has_its_words() -> None:
    assert STATUS.keys() == {*Status}
    assert RULES.keys() >= {"status", "rated", "objection_period_over"}
    citizens = {name for name, permit in PERMITS.items() if Role.CITIZEN in permit.roles}
    assert THANKS.keys() == citizens


async def test_help_is_there_for_everybody_and_shows_the_limits_in_force(sqlite_office: Office) -> None:
    page = await sqlite_office.http.get("/help")
    seen = text_of(page)
    assert page.status_code == 200 and "反映问题的群众" in seen
    for policy in sqlite_office.services.policies.values():
        assert policy.title in seen
    assert "3 个工作日" in seen and "「" in seen and "建议值" in seen
    assert "[P]" not in seen and "proposal" not in seen
    await sign_in(sqlite_office.http, "guilin.market.contact")
    own = await sqlite_office.http.get("/help")
    assert re.findall(r'<details id="(\w+)"( open)?>', own.text)[0] == ("contact", " open")


def test_every_value_of_a_policy_has_its_name() -> None:
    for text in policy_texts(None).values():
        assert policy_sources(text).keys() <= POLICY.keys()


async def test_the_tour_stands_on_the_start_page_until_it_was_read(sqlite_office: Office) -> None:
    http = sqlite_office.http
    await sign_in(http, "guilin.clerk")
    start = PLACES[Role.CLERK][0].path
    assert "第一次使用" not in (await http.get("/help")).text.split("<details")[0]
    assert 'id="tour-title"' in (await http.get(start)).text
    gone = await send(http, "/help/tour/dismiss", {}, at=start)
    assert (gone.status_code, gone.headers["location"]) == (303, start)
    assert "HttpOnly" in gone.headers["set-cookie"]
    assert 'id="tour-title"' not in (await http.get(start)).text


def test_a_tour_and_a_day_are_written_for_every_role() -> None:
    staff = {*Role} - {Role.CITIZEN, Role.SYSTEM}
    assert {*guide.STEPS} == {*guide.DAY} == {*guide.DUTY} == {*PLACES} == staff
    given = {name for name, permit in PERMITS.items() if permit.roles & staff}
    assert guide.HINT.keys() == given and given <= {*COMMANDS, "attach"}


def test_what_a_tour_names_stands_on_the_pages() -> None:
    folder = Path(guide.__file__).parent
    about = {"tour.py", "guide.py"}
    sources = [*folder.glob("templates/**/*.html"), *(p for p in folder.glob("*.py") if p.name not in about)]
    written = "".join(path.read_text(encoding="utf-8") for path in sources)
    named = {name for steps in guide.STEPS.values() for step in steps for name in re.findall("“(.+?)”", step)}
    assert len(named) > 5 and [name for name in sorted(named) if name not in written] == []


@pytest.mark.parametrize("role", guide.STAFF)
def test_the_hand_card_is_the_one_of_today(role: Role) -> None:
    """`make hand-cards` writes them anew: every command that the rules let a role give is named."""
    path: Path = FOLDER / f"{role}.md"
    assert path.read_text(encoding="utf-8") == card(role)
    for name, _ in guide.commands_of(role):
        assert f"| {name} |" in card(role)
    assert len(card(role).splitlines()) <= 55, "one page"


async def test_a_house_that_is_no_rehearsal_has_no_bar_and_no_way_to_move_time(sqlite_office: Office) -> None:
    http = sqlite_office.http
    for path in ("/public", "/help", "/sign-in"):
        assert "/rehearsal/advance" not in (await http.get(path)).text
    answer = await send(http, "/rehearsal/advance", {"working_hours": "1"})
    assert answer.status_code == 404
