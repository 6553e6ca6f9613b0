"""The counter's pages over HTTP: registering, the receipt, the queue, triage."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
import segno

from casework import similar
from casework.engine import CaseNotRunning
from casework.errors import BadInput
from casework.queue import read_queue
from casework.viewer import Viewer
from models.database import DatabaseUnavailable
from rules.case.errors import Illegal, Invalid
from rules.case.vocabulary import Role
from tests.support.house import PASSWORD, PHONE, House

STRANGE = "<script>alert(1)</script>\n=1+1 שלום 𠮷😀"
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;\n=1+1 שלום 𠮷😀"
PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF"
FIELDS = {
    "petitioner.kind": "person",
    "petitioner.name": "周小明",
    "petitioner.phone": PHONE,
    "matter": "个体户注销",
    "problem": STRANGE,
    "channel": "counter",
    "key": "form-1",
}
TRIAGE = {
    "kind": "simple",
    "cause": "other",
    "unit": "market",
    "one_time_notice.materials": "身份证\r\n户口簿",
    "one_time_notice.window": "3 号窗口",
    "one_time_notice.person": "李某",
    "one_time_notice.contact": "12345",
    "key": "triage-1",
}
Files = Sequence[tuple[str, tuple[str, bytes]]]


class Counter:
    """A clerk at a browser: keeps the session and sends the token of the last page along."""

    def __init__(self, house: House, username: str) -> None:
        transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://house", timeout=60)
        self.username = username

    async def __aenter__(self) -> "Counter":
        await self.get("/sign-in")
        answer = await self.post("/sign-in", {"username": self.username, "password": PASSWORD})
        assert answer.status_code == 303
        await self.get("/counter")
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.http.aclose()

    async def get(self, path: str) -> httpx.Response:
        answer = await self.http.get(path)
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text):
            self.token = found[1]
        return answer

    async def post(self, path: str, fields: Mapping[str, str], files: Files = ()) -> httpx.Response:
        return await self.http.post(path, data={"csrf": self.token, **fields}, files=list(files) or None)

    async def file(self, files: Files = (), **changed: str) -> str:
        """Send the form; return the path of the receipt."""
        answer = await self.post("/counter", FIELDS | changed, files)
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


def faulty(page: httpx.Response) -> dict[str, str]:
    """The faults beside their fields: id → words."""
    assert page.status_code == 422, page.text
    return dict(re.findall(r'<p class="fault" id="([^"]+)-fault">([^<]+)</p>', page.text))


def code_of(page: httpx.Response) -> str | None:
    found = re.search(r"data-code>([^<]+)<", page.text)
    return found[1] if found else None


async def test_a_case_is_filed_and_its_receipt_holds_code_and_texts_as_typed(house: House) -> None:
    """On both databases, through to the queue."""
    async with Counter(house, "guilin.clerk") as counter:
        receipt = await counter.file(
            **{
                "attempts.1.channel": "线下",
                "attempts.1.on": "2025-03-04",
                "attempts.1.where": "3 号窗口",
                "attempts.1.said": "回去等通知",
            }
        )
        page = await counter.get(receipt)
        assert page.headers["cache-control"] == "no-store"
        assert SHOWN in page.text and "<script>alert" not in page.text
        number = re.search(r"guilin-\d{8}-\d{4}", page.text)
        assert number and "以分派后的类别为准" in page.text and "即办件" in page.text
        code = code_of(page)
        assert code and (await tracked(house, code)).status_code == 200
        assert code not in receipt and 'src="data:image/svg+xml' in page.text

        queue = await counter.get("/counter/queue")
        assert f'href="/counter/triage/{number[0]}"' in queue.text
        sent = await counter.post(f"/counter/triage/{number[0]}", TRIAGE)
        back = f"/counter/queue?done={number[0]}&case={receipt.rpartition('/')[2]}"
        assert sent.status_code == 303 and sent.headers["location"] == back
        queue = await counter.get(sent.headers["location"])
        assert f"已分派 {number[0]}" in queue.text and f'href="{receipt}">打印回执' in queue.text
        assert f'href="{receipt}">打印回执' in (await counter.get(f"/cases/{number[0]}")).text
        untriaged, _, untold = queue.text.partition('id="untold-title"')
        assert f'/triage/{number[0]}"' not in untriaged and number[0] in untold
        page = await counter.get(receipt)
        assert "身份证\n户口簿" in page.text and "以分派后的类别为准" not in page.text


async def tracked(house: House, code: str) -> httpx.Response:
    return await house.http.post("/api/public/track", json={"query_code": code, "phone_tail": PHONE[-4:]})


async def test_every_fault_is_shown_beside_its_field_and_nothing_typed_is_lost(sqlite_house: House) -> None:
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        page = await counter.post(
            "/counter",
            FIELDS
            | {
                "petitioner.name": " ",
                "petitioner.phone": "1380013",
                "petitioner.id_number": "110101199001011234",
                "petitioner.uscc": "91110000600007000X",
                "matter": "",
                "attempts.0.on": "昨天",
                "attempts.1.channel": "线上",
                "attempts.1.on": "2999-01-01",
                "attempts.1.where": "网厅",
                "attempts.1.said": "系统报错",
                "cause": "boredom",
            },
        )
        assert faulty(page) == {
            "petitioner.name": "必填",
            "petitioner.phone": "应为 11 位手机号，或带区号的固定电话(0773-2800000)",
            "petitioner.id_number": "校验位不正确",
            "petitioner.uscc": "校验位不正确",
            "matter": "必填",
            "attempts.0.channel": "必填",
            "attempts.0.on": "应为日期(YYYY-MM-DD)",
            "attempts.0.where": "必填",
            "attempts.0.said": "必填",
            "attempts.1.on": "不能晚于现在",
            "cause": "不在可选范围内",
        }
        for kept in ("1380013", "110101199001011234", SHOWN, "昨天", "网厅", 'name="key" value="form-1"'):
            assert kept in page.text
        assert "有 11 处需要更正" in page.text
    assert (await sqlite_house.get("cases")).json()["total"] == 0


async def test_a_double_click_files_once_and_attaches_once(sqlite_house: House) -> None:
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        files = [("files", ("一.pdf", PDF))]
        first, second = await asyncio.gather(counter.file(files), counter.file(files))
        assert first == second
        assert code_of(await counter.get(first))
        case = first.rpartition("/")[2]
        assert len((await sqlite_house.get(f"cases/{case}/attachments")).json()["items"]) == 1
        changed = await counter.post("/counter", FIELDS | {"matter": "另一件"})
        assert changed.status_code == 422 and "没有重复登记" in changed.text
        assert "form-1" not in changed.text and "另一件" in changed.text
    assert (await sqlite_house.get("cases")).json()["total"] == 1


async def test_a_refused_file_is_named_and_costs_neither_the_case_nor_the_others(sqlite_house: House) -> None:
    files = [
        ("files", ("身份证.pdf", PDF)),
        ("files", ("<b>表.txt", b"plain text")),
        ("files", ("big.pdf", PDF + b"\0" * (20 * 1024 * 1024))),
    ]
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        page = await counter.get(await counter.file(files))
        assert "身份证.pdf" in page.text and "&lt;b&gt;表.txt" in page.text
        assert "只接受 PDF" in page.text and "超过 20 MB" in page.text


async def test_the_code_leaves_with_its_cookie_and_a_new_one_ends_the_old(sqlite_house: House) -> None:
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        receipt = await counter.file()
        (cookie,) = (each for each in counter.http.cookies.jar if each.name.startswith("bancheng_receipt"))
        assert cookie.path == "/counter/receipt" and cookie.has_nonstandard_attr("HttpOnly")
        code = code_of(await counter.get(receipt))
        assert code and code not in str(cookie.value)
        pdf = await counter.get(f"{receipt}.pdf")
        assert pdf.headers["content-type"] == "application/pdf" and pdf.content.startswith(b"%PDF-")

        async with Counter(sqlite_house, "guilin.clerk2") as other:
            other.http.cookies.set(cookie.name, cookie.value, domain="house.local", path="/counter/receipt")
            assert code_of(await other.get(receipt)) is None

        counter.http.cookies.jar.clear(cookie.domain, cookie.path, cookie.name)
        page = await counter.get(receipt)
        assert code_of(page) is None and "换发查询码" in page.text
        renewed = await counter.post(f"{receipt}/code", {})
        assert renewed.status_code == 303 and renewed.headers["location"] == receipt
        new = code_of(await counter.get(receipt))
        assert new and new != code
        assert (await tracked(sqlite_house, code)).status_code == 404
        assert (await tracked(sqlite_house, new)).status_code == 200


async def test_the_code_is_forgotten_after_ten_minutes(sqlite_house: House) -> None:
    class Later:
        async def now(self) -> Any:
            return await there.now() + timedelta(minutes=11)

    there = sqlite_house.services.wall
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        receipt = await counter.file()
        with sqlite_house.changed(wall=Later()):
            assert code_of(await counter.get(receipt)) is None


async def test_a_filing_without_the_engine_has_a_receipt_and_waits_in_the_queue(sqlite_house: House) -> None:
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        async with sqlite_house.down():
            receipt = await counter.file([("files", ("一.pdf", PDF))])
            page = await counter.get(receipt)
        assert "待编号" in page.text and code_of(page) and "编号后到办件页补传" in page.text
        assert (await counter.get(f"{receipt}.pdf")).status_code == 200
        queue = await counter.get("/counter/queue")
        assert f'href="{receipt}"' in queue.text and "待编号" in queue.text


async def test_checking_shows_similar_cases_and_files_nothing(sqlite_house: House) -> None:
    case = await sqlite_house.file(matter="食品经营许可证延续")
    elsewhere = await sqlite_house.file(by="chengzhong.clerk")
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        page = await counter.post("/counter/check", FIELDS | {"matter": "许可证"})
        assert page.status_code == 200 and "尚未登记" in page.text
        assert case["number"] in page.text and elsewhere["number"] not in page.text
        page = await counter.post("/counter/check", FIELDS | {"matter": ""})
        assert faulty(page) == {"matter": "必填"} and case["number"] in page.text
    assert (await sqlite_house.get("cases")).json()["total"] == 1


async def test_a_matter_is_looked_for_in_the_newest_open_cases_and_a_phone_in_all(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "LOOKED_THROUGH", 1)
    other = {"kind": "person", "name": "周小演", "phone": "13800130099"}
    old = await sqlite_house.file()
    new = await sqlite_house.file(petitioner=other)
    clerk = Viewer("guilin.clerk", "窗口A岗", Role.CLERK, "guilin")
    found = await similar.similar_cases(sqlite_house.services, clerk, "", "注销")
    assert [each.number for each in found] == [new["number"]]
    found = await similar.similar_cases(sqlite_house.services, clerk, PHONE, "注销")
    assert [(each.number, each.same_phone) for each in found] == [
        (old["number"], True),
        (new["number"], False),
    ]


async def test_similar_cases_are_asked_for_by_post_with_a_token(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    async with Counter(sqlite_house, "guilin.clerk2") as counter:
        asked = {"phone": PHONE, "matter": ""}
        assert (await counter.http.post("/counter/similar", data=asked)).status_code == 403
        headers = {"X-CSRF-Token": counter.token}
        answer = await counter.http.post("/counter/similar", data=asked, headers=headers)
        assert case["number"] in answer.text and "同一电话" in answer.text and PHONE not in answer.text
        for nothing in ({"phone": "138", "matter": "个"}, {"phone": "13800139999", "matter": "%"}):
            answer = await counter.http.post("/counter/similar", data=nothing, headers=headers)
            assert "没有相似的在办件" in answer.text
    await sqlite_house.act(case, "withdraw", "guilin.clerk", reason="反映人要求")
    async with Counter(sqlite_house, "guilin.clerk2") as counter:
        headers = {"X-CSRF-Token": counter.token}
        answer = await counter.http.post("/counter/similar", data=asked, headers=headers)
        assert "没有相似的在办件" in answer.text


async def test_the_preview_is_what_the_calendar_says(sqlite_house: House) -> None:
    now = await sqlite_house.services.clock.now()
    asked = {"hall": "guilin", "start": now.isoformat(), "working_days": 3}
    due = await sqlite_house.get("calendar/due", **asked)
    day = due.json()["due_at"][:10].split("-")
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        part = await counter.get("/counter/preview?kind=simple")
        assert f"{int(day[1])}月{int(day[2])}日" in part.text and "承诺件" not in part.text
        part = await counter.get("/counter/preview")
        assert "承诺件" in part.text and "由监督管理部门确定" in part.text


async def test_a_faulty_triage_keeps_what_was_typed(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    async with Counter(sqlite_house, "guilin.clerk2") as counter:
        at = f"/counter/triage/{case['number']}"
        assert "个体户注销" in (await counter.get(at)).text
        page = await counter.post(at, {"kind": "simple", "one_time_notice.person": STRANGE})
        assert {"unit", "cause", "one_time_notice.materials"} <= faulty(page).keys()
        assert page.text.count("&lt;script&gt;") == 1 and 'value="simple" selected' in page.text
        async with sqlite_house.down():
            page = await counter.post(at, TRIAGE)
        assert page.status_code == 503 and "户口簿" in page.text
        first, second = await asyncio.gather(counter.post(at, TRIAGE), counter.post(at, TRIAGE))
        assert {first.status_code, second.status_code} == {303}
        # B岗 clicked the same case in a queue that was a moment old.
        late = await counter.get(at)
        assert "这件已经分派" in late.text and 'name="kind"' not in late.text
    events = (await sqlite_house.get(f"cases/{case['id']}/events")).json()["items"]
    assert [event["type"] for event in events].count("triage") == 1


async def test_who_triages_second_sees_why_and_keeps_the_text(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    at = f"/counter/triage/{case['number']}"
    async with (
        Counter(sqlite_house, "guilin.clerk") as first,
        Counter(sqlite_house, "guilin.clerk2") as second,
    ):
        for clerk in (first, second):
            assert 'name="kind"' in (await clerk.get(at)).text
        assert (await first.post(at, TRIAGE)).status_code == 303
        typed = TRIAGE | {"key": "triage-2", "one_time_notice.materials": STRANGE}
        page = await second.post(at, typed)
    assert page.status_code == 409 and 'name="kind"' not in page.text
    assert "未能“分派”：办件目前的状态不允许此操作。" in page.text and "这件已经分派" in page.text
    assert SHOWN in page.text and "3 号窗口" in page.text and "<script>alert" not in page.text
    for link in (f"/cases/{case['number']}", "/counter/queue"):
        assert f'<a class="button" href="{link}">' in page.text
    events = (await sqlite_house.get(f"cases/{case['id']}/events")).json()["items"]
    assert [event["type"] for event in events].count("triage") == 1


@pytest.mark.parametrize(
    ("refusal", "status", "reason"),
    [
        (Illegal("triage", "registered"), 409, "办件目前的状态不允许此操作。"),
        (Invalid({"unit": "unknown"}), 422, 'id="unit-fault"'),
        (BadInput({"Idempotency-Key": "reused"}), 422, "此前已提交过一次"),
        (CaseNotRunning(), 503, "流程引擎暂时无法连接"),
        (DatabaseUnavailable(), 503, "数据库暂时无法连接"),
    ],
)
async def test_a_refused_triage_brings_its_form_back(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch, refusal: Exception, status: int, reason: str
) -> None:
    async def refuse(*_: object) -> None:
        raise refusal

    case = await sqlite_house.file()
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        monkeypatch.setattr("pages.counter_queue.send", refuse)
        page = await counter.post(f"/counter/triage/{case['number']}", TRIAGE)
    assert page.status_code == status and reason in page.text
    assert "户口簿" in page.text and 'value="simple" selected' in page.text
    assert ("retry-after" in page.headers) == (status == 503)
    kept = 'name="key" value="triage-1"' in page.text
    assert kept == ("提交过" not in reason), "a key that was used for other values is given up"


async def test_a_forged_host_gets_into_no_receipt(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    links: list[str] = []
    make = segno.make
    monkeypatch.setattr("segno.make", lambda link, **how: (links.append(link), make(link, **how))[1])
    async with Counter(sqlite_house, "guilin.clerk") as counter:
        receipt = await counter.file()
        forged = {"Host": "forged.example.cn"}
        with sqlite_house.changed(public_url="https://window.example.cn"):
            code = code_of(page := await counter.http.get(receipt, headers=forged))
            pdf = await counter.http.get(f"{receipt}.pdf", headers=forged)
        assert page.status_code == pdf.status_code == 200 and code
        assert "forged" not in page.text and "打开 https://window.example.cn/public" in page.text
        assert links == [f"https://window.example.cn/public#code={code}"] * 2
        assert "打开 http://house/public" in (await counter.get(receipt)).text


async def test_the_queue_shows_whom_to_revisit_and_leaves_other_halls_out(sqlite_house: House) -> None:
    told = await sqlite_house.told()
    elsewhere = await sqlite_house.file(by="chengzhong.clerk")
    async with Counter(sqlite_house, "guilin.lead") as counter:
        queue = await counter.get("/counter/queue")
        assert f'href="/cases/{told["number"]}#revisit"' in queue.text
        assert elsewhere["number"] not in queue.text
        assert (await counter.get(f"/counter/triage/{elsewhere['number']}")).status_code == 404
        assert (await counter.get(f"/counter/receipt/{elsewhere['id']}")).status_code == 404
        assert (await counter.get(f"/counter/receipt/{elsewhere['id']}.pdf")).status_code == 404
        assert (await counter.post(f"/counter/receipt/{elsewhere['id']}/code", {})).status_code == 404


async def test_cases_that_wait_for_a_judgement_hide_no_revisit(
    sqlite_house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casework.queue.MOST", 1)
    unhappy = await sqlite_house.told()
    await sqlite_house.act(unhappy, "revisit", "guilin.clerk", reached=True, rating=1, resolved=False)
    due = await sqlite_house.told()
    viewer = Viewer("guilin.clerk", "A岗", Role.CLERK, "guilin")
    queue = await read_queue(sqlite_house.services, viewer)
    assert [entry.number for entry in queue.revisits.entries] == [due["number"]]
    assert not queue.revisits.more


async def test_only_the_counter_may(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    paths = ("/counter", "/counter/queue", "/counter/preview", f"/counter/triage/{case['number']}")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sqlite_house.app), base_url="http://house"
    ) as http:
        for path in paths:
            answer = await http.get(path)
            assert answer.status_code == 303 and answer.headers["location"].startswith("/sign-in"), path
    for username in ("guilin.market.contact", "auditor", "admin"):
        contact = Counter(sqlite_house, username)
        await contact.get("/sign-in")
        await contact.post("/sign-in", {"username": username, "password": PASSWORD})
        for path in (*paths, f"/counter/receipt/{case['id']}", f"/counter/receipt/{case['id']}.pdf"):
            assert (await contact.get(path)).status_code == 403, (username, path)
        await contact.http.aclose()


def test_a_blank_row_between_earlier_attempts_is_closed_up() -> None:
    from starlette.datastructures import FormData

    from pages.counter_form import body_of, rows_of, typed

    fields = typed(FormData([("attempts.0.where", " "), ("attempts.3.on", "2025-01-02")]))
    assert fields["attempts.0.on"] == "2025-01-02" and rows_of(fields) == 2
    assert b'"attempts": [{"on": "2025-01-02"}]' in body_of(fields, "guilin")
