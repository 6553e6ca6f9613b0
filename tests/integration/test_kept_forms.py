"""A session that ends while somebody types loses no text: sign-in, then the form as it was."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlmodel import select, update

from casework.kept_forms import KEPT, MOST_OF_A_USER
from casework.relay import forget_old
from models.access import AccessToken
from models.kept_form import KeptForm
from pages.kept_forms import page_of
from tests.support.case_pages import CLERK, CONTACT, LEAD, ODD, PDF, Case, part, texts, types
from tests.support.house import PASSWORD, House
from tests.support.office import SetClock, ahead
from tests.support.visiting import hidden


class Person:
    """Somebody at a browser without scripts, who signs in with a password."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def get(self, path: str) -> httpx.Response:
        return await self.http.get(path)

    async def post(self, at: str, path: str, **fields: Any) -> httpx.Response:
        files = fields.pop("files", None)
        token = hidden((await self.http.get(at)).text, "csrf")
        return await self.http.post(path, data={"csrf": token, **fields}, files=files)

    async def sign_in(self, username: str, to: str = "/") -> httpx.Response:
        where = f"/sign-in?next={to}" if to == "/" else to
        page = (await self.http.get(where)).text
        form = {"username": username, "password": PASSWORD}
        form |= {"csrf": hidden(page, "csrf"), "next": hidden(page, "next")}
        return await self.http.post("/sign-in", data=form)


@asynccontextmanager
async def browser(house: House) -> AsyncIterator[Person]:
    transport = httpx.ASGITransport(house.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://house", timeout=60) as http:
        yield Person(http)


async def end_sessions(house: House, username: str) -> None:
    async with house.services.database.begin() as session:
        mine = AccessToken.username == username, AccessToken.kind == "page"
        await session.exec(
            update(AccessToken).where(*mine).values(revoked_at=await house.services.wall.now())
        )


async def kept(house: House) -> list[KeptForm]:
    async with house.services.database.read() as session:
        return list((await session.exec(select(KeptForm))).all())


async def send_late(house: House, person: Person, username: str, at: str, path: str, **fields: Any) -> str:
    """Open a form, let the session end, send it; return where the sign-in is."""
    await person.sign_in(username)
    token = hidden((await person.get(at)).text, "csrf")
    await end_sessions(house, username)
    files = fields.pop("files", None)
    answer = await person.http.post(path, data={"csrf": token, **fields}, files=files)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_reply_comes_back_after_the_sign_in_and_is_sent_once(house: House) -> None:
    case = await house.handled()
    path = f"/cases/{case['number']}"
    async with browser(house) as person:
        files = [("files", ("proof.pdf", PDF))]
        to = await send_late(
            house, person, CONTACT, path, f"{path}/reply", text=ODD, resolved="yes", key="k1", files=files
        )
        assert to.startswith("/sign-in?next=")
        assert "您填写的内容已经保留" in (await person.get(to)).text
        rows = await kept(house)
        assert [row.username for row in rows] == [CONTACT]
        assert ODD not in rows[0].fields
        back = await person.sign_in(CONTACT, to)
        assert back.headers["location"].startswith(f"{path}?kept=")
        page = (await person.get(back.headers["location"])).text
        form = part(page, "reply")
        assert ODD in unescape(form)
        assert re.search(r'value="yes" checked', form)
        assert "还没有提交" in texts(page)
        assert "reply" not in await types(house, case)
        sent = await person.post(
            path, f"{path}/reply", text=ODD, resolved="yes", key="k1", kept=hidden(form, "kept")
        )
        assert sent.headers["location"] == f"{path}?done=reply"
    assert await kept(house) == []
    assert (await types(house, case)).count("reply") == 1


async def test_nobody_else_who_signs_in_at_that_browser_sees_it(sqlite_house: House) -> None:
    house = sqlite_house
    case = await house.handled()
    path = f"/cases/{case['number']}"
    async with browser(house) as person:
        to = await send_late(house, person, CONTACT, path, f"{path}/progress", text="只给本人看的草稿")
        back = await person.sign_in("guilin.market.leader", to)
        page = await person.get(back.headers["location"])
        assert page.status_code == 200
        assert "只给本人看的草稿" not in page.text
    async with browser(house) as person:  # and the one who wrote it, at another desk
        back = await person.sign_in(CONTACT, to)
        assert "只给本人看的草稿" in (await person.get(back.headers["location"])).text


async def test_a_registration_comes_back_whole(sqlite_house: House) -> None:
    fields: dict[str, Any] = {"petitioner.kind": "person", "petitioner.name": "周小明"}
    fields |= {"matter": "个体户注销", "problem": ODD, "channel": "counter", "key": "registration-1"}
    async with browser(sqlite_house) as person:
        to = await send_late(
            sqlite_house, person, CLERK, "/counter", "/counter", files=[("files", ("", b""))], **fields
        )
        back = await person.sign_in(CLERK, to)
        page = (await person.get(back.headers["location"])).text
    assert ODD in unescape(page)
    assert 'value="周小明"' in page
    assert 'value="registration-1"' in page
    assert "data-fresh" not in page
    assert (await sqlite_house.get("cases")).json()["items"] == []


async def test_a_triage_comes_back(sqlite_house: House) -> None:
    case = await sqlite_house.file()
    path = f"/counter/triage/{case['number']}"
    async with browser(sqlite_house) as person:
        to = await send_late(sqlite_house, person, CLERK, path, path, kind="consultation", answer=ODD)
        back = await person.sign_in(CLERK, to)
        page = (await person.get(back.headers["location"])).text
        assert ODD in unescape(page)
        sent = await person.post(
            path, path, kind="consultation", answer=ODD, key="t", kept=hidden(page, "kept")
        )
        assert sent.status_code == 303
    assert await kept(sqlite_house) == []


async def test_a_refusal_after_the_sign_in_still_keeps_it(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}"
    async with browser(sqlite_house) as person:
        to = await send_late(sqlite_house, person, CONTACT, path, f"{path}/reply", text="缺一个选择")
        form_id = parse_qs(urlsplit(parse_qs(urlsplit(to).query)["next"][0]).query)["kept"][0]
        await person.sign_in(CONTACT, to)
        answer = await person.post(path, f"{path}/reply", text="缺一个选择", kept=form_id)
        assert answer.status_code == 422
        assert hidden(part(answer.text, "reply"), "kept") == form_id
    assert len(await kept(sqlite_house)) == 1


async def test_what_the_case_does_not_allow_any_more_can_be_copied(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}"
    async with browser(sqlite_house) as person:
        to = await send_late(
            sqlite_house, person, CONTACT, path, f"{path}/reply", text="写好了", resolved="yes"
        )
        await sqlite_house.act(case, "reply", "guilin.market.leader", text="领导先答复了", resolved=True)
        back = await person.sign_in(CONTACT, to)
        page = texts((await person.get(back.headers["location"])).text)
    assert "未提交的内容" in page
    assert "写好了" in page


async def test_signing_out_forgets_it(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}"
    async with browser(sqlite_house) as person:
        to = await send_late(sqlite_house, person, CONTACT, path, f"{path}/progress", text="草稿")
        back = await person.sign_in(CONTACT, to)
        await person.post(path, "/sign-out")
        assert await kept(sqlite_house) == []
        await person.sign_in(CONTACT)
        assert "草稿" not in texts((await person.get(back.headers["location"])).text)


async def test_it_is_over_after_two_hours_and_the_relay_drops_it(sqlite_house: House) -> None:
    wall = SetClock()
    with sqlite_house.changed(wall=wall):
        case: Case = await sqlite_house.handled()
        path = f"/cases/{case['number']}"
        async with browser(sqlite_house) as person:
            to = await send_late(sqlite_house, person, CONTACT, path, f"{path}/progress", text="旧草稿")
            back = (await person.sign_in(CONTACT, to)).headers["location"]
            assert "旧草稿" in (await person.get(back)).text
            ahead(wall, KEPT * 2)
            await person.sign_in(CONTACT)
            assert "旧草稿" not in (await person.get(back)).text
        await forget_old(sqlite_house.services)
        assert await kept(sqlite_house) == []


async def test_without_a_former_session_or_our_own_form_nothing_is_kept(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}/progress"
    async with browser(sqlite_house) as person:
        answer = await person.http.post(path, data={"text": "陌生人"})
        assert answer.headers["location"] == "/sign-in"
        await person.sign_in(CONTACT)
        await end_sessions(sqlite_house, CONTACT)
        forged = await person.http.post(path, data={"text": "别的网站", "csrf": "x"})
        assert forged.headers["location"] == "/sign-in"
        person.http.cookies.clear()
        person.http.cookies["bancheng_session"] = "never-given"
        forged = await person.http.post(path, data={"text": "猜的会话", "csrf": "x"})
        assert forged.headers["location"] == "/sign-in"
    assert await kept(sqlite_house) == []


async def test_a_user_has_one_form_a_path_and_a_few_in_all(sqlite_house: House) -> None:
    case = await sqlite_house.handled()
    path = f"/cases/{case['number']}"
    async with browser(sqlite_house) as person:
        for text in ("第一稿", "第二稿"):
            to = await send_late(sqlite_house, person, CONTACT, path, f"{path}/progress", text=text)
        assert len(await kept(sqlite_house)) == 1
        token = hidden((await person.get(to)).text, "csrf")
        for number in range(MOST_OF_A_USER + 5):
            late = f"/cases/guilin-20260101-{number:04d}/progress"
            await person.http.post(late, data={"text": "x", "csrf": token})
    assert len(await kept(sqlite_house)) == MOST_OF_A_USER


async def test_a_kept_form_of_one_case_is_not_shown_at_another(sqlite_house: House) -> None:
    case, other = await sqlite_house.handled(), await sqlite_house.handled()
    path = f"/cases/{case['number']}"
    async with browser(sqlite_house) as person:
        to = await send_late(sqlite_house, person, LEAD, path, f"{path}/remind", text="只属于第一件")
        back = (await person.sign_in(LEAD, to)).headers["location"]
        wrong = back.replace(case["number"], other["number"])
        assert "只属于第一件" in (await person.get(back)).text
        assert "只属于第一件" not in (await person.get(wrong)).text


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/cases/guilin-20260105-0001/reply", "/cases/guilin-20260105-0001"),
        ("/counter", "/counter"),
        ("/counter/check", "/counter"),
        ("/counter/triage/guilin-20260105-0001", "/counter/triage/guilin-20260105-0001"),
        ("/cases/guilin-20260105-0001/unmask", None),
        ("/cases/guilin-20260105-0001/attachments", None),
        ("/account/password", None),
        ("/admin/users", None),
        ("/counter/similar", None),
    ],
)
def test_forms_that_come_back_lead_to_their_page(path: str, page: str | None) -> None:
    assert page_of(path) == page
