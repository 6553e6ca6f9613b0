"""Sessions of the pages, one's own account, the forced password change, and who guesses."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from casework.accounts import LIFETIME
from casework.lockout import PER_ADDRESS, PER_USER
from models.access import AccessToken, Attempt
from models.codes import hash_token
from pages.sessions import SESSION
from rules.case.vocabulary import Role
from tests.support.house import PASSWORD
from tests.support.office import ADDRESS, Office, ahead, change_user, freeze, slug
from tests.support.office_browser import Browser, another, app_of, logged, needing, opens

NEW = "a password of my own"


@pytest.fixture
async def browser(sqlite_office: Office) -> AsyncIterator[Browser]:
    async with another(sqlite_office) as made:
        yield made


@pytest.fixture
def office(sqlite_office: Office) -> Office:
    return sqlite_office


async def test_signing_in_and_out(office: Office, browser: Browser) -> None:
    entered = await browser.sign_in("guilin.clerk", next="/account?x=1")
    assert (entered.status_code, entered.headers["location"]) == (303, "/account?x=1")
    assert await opens(browser)
    left = await browser.post("/sign-out", form="/account")
    assert (left.status_code, left.headers["location"]) == (303, "/sign-in")
    assert SESSION not in browser.http.cookies
    assert await logged(office) == [("sign_in", "guilin.clerk", None), ("sign_out", "guilin.clerk", None)]


async def test_a_session_that_was_ended_opens_nothing_any_more(office: Office, browser: Browser) -> None:
    await browser.sign_in("guilin.clerk")
    stolen = browser.session
    await browser.post("/sign-out", form="/account")
    browser.http.cookies.set(SESSION, stolen)
    for _ in range(3):
        assert not await opens(browser)
    assert (await browser.get("/inbox")).headers["location"].startswith("/sign-in")
    # Whose it was, and once: a browser that does not know yet goes on asking.
    assert (await logged(office))[2:] == [("refused_401", "guilin.clerk", "token-ended")]


async def test_each_sign_in_gives_a_new_session_and_ends_the_old_one(
    office: Office, browser: Browser
) -> None:
    """Session fixation: a cookie that somebody planted is worth nothing after the sign-in."""
    browser.http.cookies.set(SESSION, "planted")
    await browser.sign_in("guilin.clerk")
    browser.http.cookies.delete(SESSION, domain="", path="/")
    first = browser.session
    assert first != "planted"
    await browser.sign_in("guilin.lead")
    assert browser.session != first
    async with another(office) as thief:
        for old in ("planted", first):
            thief.http.cookies.set(SESSION, old)
            assert not await opens(thief)
    assert await opens(browser)
    assert await logged(office) == [
        ("sign_in", "guilin.clerk", None),
        ("sign_in", "guilin.lead", None),
        ("refused_401", "guilin.clerk", "token-ended"),  # the one that was planted is nobody's
    ]


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(browser: Browser, scheme: str) -> None:
    browser.http.base_url = f"{scheme}://office"  # type: ignore[assignment]
    entered = await browser.sign_in("guilin.clerk")
    (cookie,) = [each for each in entered.headers.get_list("set-cookie") if each.startswith(SESSION)]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/" in cookie
    assert ("Secure" in cookie) is (scheme == "https")
    assert "Max-Age" not in cookie and "expires" not in cookie


async def test_a_session_is_stored_by_its_hash_and_opens_no_api(office: Office, browser: Browser) -> None:
    await browser.sign_in("guilin.clerk")
    async with office.services.database.read() as session:
        row = await session.get_one(AccessToken, hash_token(browser.session))
    assert row.kind == "page" and browser.session not in str(row)
    bearer = {"Authorization": f"Bearer {browser.session}"}
    assert slug(await office.call("GET", "me", headers=bearer)) == (401, "bad-token")


async def test_an_api_token_opens_no_page(office: Office, browser: Browser) -> None:
    token = (await office.sign_in("guilin.clerk")).json()["access_token"]
    browser.http.cookies.set(SESSION, token)
    assert not await opens(browser)


async def test_a_session_that_rests_is_over(office: Office, browser: Browser) -> None:
    freeze(office.services.wall)
    await browser.sign_in("guilin.clerk")
    for minutes in (50, 100, 150):  # used in between, it goes on
        ahead(office.services.wall, timedelta(minutes=minutes))
        assert await opens(browser)
    ahead(office.services.wall, timedelta(minutes=211))
    assert not await opens(browser)


@pytest.mark.parametrize("path", ["/account", "/counter/preview"])
async def test_what_a_page_asks_by_itself_keeps_no_session_alive(
    office: Office, browser: Browser, path: str
) -> None:
    await browser.sign_in("guilin.clerk")
    for minutes in (30, 58):
        ahead(office.services.wall, timedelta(minutes=minutes))
        answer = await browser.get(path, **{"X-Requested-With": "refresh"})
        assert answer.status_code == 200
    ahead(office.services.wall, timedelta(minutes=61))
    assert not await opens(browser)


async def test_a_session_ends_after_a_shift_however_busy(office: Office, browser: Browser) -> None:
    await browser.sign_in("guilin.clerk")
    for minutes in range(30, int(LIFETIME.total_seconds()) // 60, 30):
        ahead(office.services.wall, timedelta(minutes=minutes))
        assert await opens(browser), minutes
    ahead(office.services.wall, LIFETIME + timedelta(seconds=5))
    assert not await opens(browser)


async def test_a_disabled_user_is_out_at_once(office: Office, browser: Browser) -> None:
    await browser.sign_in("guilin.clerk")
    await change_user(office, "guilin.clerk", active=False)
    assert not await opens(browser)


async def test_the_account_shows_every_sign_in_and_ends_them_all(office: Office, browser: Browser) -> None:
    token = (await office.sign_in("guilin.clerk2")).json()["access_token"]
    await browser.sign_in("guilin.clerk2")
    async with another(office) as elsewhere:
        await elsewhere.sign_in("guilin.clerk2")
        page = (await browser.get("/account")).text
        assert "演示·" in page and "窗口工作人员" in page and "guilin.clerk2" in page
        rows = re.findall(r"<tr><td>(.*?)</td>", page)
        kinds = sorted(re.sub(r" <span.*?</span>", "*", row) for row in rows)
        # The furnished token of the house is the second one of the API.
        assert kinds == sorted(["网页*", "网页", "接口令牌", "接口令牌"])
        ended = await browser.post("/account/sign-out-everywhere", form="/account")
        assert (ended.status_code, ended.headers["location"]) == (303, "/sign-in")
        assert not await opens(elsewhere)
    assert not await opens(browser)
    bearer = {"Authorization": f"Bearer {token}"}
    assert slug(await office.call("GET", "me", headers=bearer)) == (401, "bad-token")
    # The other session and the token of the API were tried again, above.
    again = ("refused_401", "guilin.clerk2", "token-ended")
    assert (await logged(office))[-3:] == [("sign_out_everywhere", "guilin.clerk2", None), again, again]


async def test_changing_the_password_ends_the_other_sign_ins(office: Office, browser: Browser) -> None:
    await browser.sign_in("guilin.clerk")
    async with another(office) as elsewhere:
        await elsewhere.sign_in("guilin.clerk")
        changed = await browser.post("/account/password", old=PASSWORD, new=NEW, again=NEW)
        assert (changed.status_code, changed.headers["location"]) == (303, "/account?done=password")
        assert "密码已修改" in (await browser.get("/account?done=password")).text
        assert not await opens(elsewhere)
        assert (await elsewhere.sign_in("guilin.clerk")).status_code == 401
        assert (await elsewhere.sign_in("guilin.clerk", NEW)).status_code == 303
    assert slug(await office.get("me", "guilin.clerk")) == (401, "bad-token")
    assert ("password_changed", "guilin.clerk", None) in await logged(office)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"old": "wrong", "new": "short", "again": "x"}, ["密码不正确", "至少 12 个字符", "两次输入不一致"]),
        ({"new": "eleven char"}, ["至少 12 个字符"]),
        ({"new": PASSWORD}, ["不能与原密码相同"]),
        ({"new": "my guilin.clerk pass"}, ["不能包含用户名"]),
        ({"new": "aaaaaaaaaabb"}, ["至少用 4 个不同的字符"]),
        ({"new": "x" * 257}, ["超过长度限制"]),
        ({"new": "nul\x00 in the middle"}, ["控制字符"]),
    ],
)
async def test_every_fault_of_a_new_password_is_named_at_once(
    browser: Browser, typed: dict[str, str], said: list[str]
) -> None:
    await browser.sign_in("guilin.clerk")
    form = {"old": PASSWORD, **typed}
    answer = await browser.post("/account/password", **{"again": form["new"], **form})
    assert answer.status_code == 422
    for words in said:
        assert answer.text.count(words) >= 2, words  # beside its field, and in the summary
    assert all(secret not in answer.text for secret in form.values() if len(secret) > 5)


async def test_the_old_password_cannot_be_guessed_there(office: Office, browser: Browser) -> None:
    await browser.sign_in("guilin.clerk")
    for _ in range(PER_USER.free):
        await browser.post("/account/password", old="wrong", new=NEW, again=NEW)
    locked = await browser.post("/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert locked.status_code == 429 and int(locked.headers["retry-after"]) > 0
    assert (await logged(office))[-1] == ("password_refused", "guilin.clerk", "sign-in-locked")


async def test_a_first_password_must_be_changed_before_anything_else(
    office: Office, browser: Browser
) -> None:
    await change_user(office, "guilin.clerk", must_change_password=True)
    await browser.sign_in("guilin.clerk", next="/account")
    for path in ("/", "/account", "/inbox", "/counter", "/account/second-factor"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account/password"), path
    posted = await browser.post("/account/sign-out-everywhere", form="/account/password")
    assert posted.headers["location"] == "/account/password"
    assert "初始密码" in (await browser.get("/account/password")).text
    changed = await browser.post("/account/password", old=PASSWORD, new=NEW, again=NEW)
    assert changed.headers["location"] == "/"
    assert await opens(browser)


async def test_who_owes_a_password_may_sign_out(office: Office, browser: Browser) -> None:
    await change_user(office, "guilin.clerk", must_change_password=True)
    await browser.sign_in("guilin.clerk")
    left = await browser.post("/sign-out", form="/account/password")
    assert left.headers["location"] == "/sign-in"


@pytest.mark.parametrize("owed", ["password-change-needed", "second-factor-needed"])
async def test_the_api_waits_for_what_is_owed(office: Office, owed: str) -> None:
    if owed == "password-change-needed":
        await change_user(office, "guilin.lead", must_change_password=True)
        given = office.services
    else:
        given = needing(office, Role.WINDOW_LEAD)
    app_of(office).state.services = given
    token = (await office.sign_in("guilin.lead")).json()["access_token"]
    mine = {"Authorization": f"Bearer {token}"}
    assert (await office.call("GET", "me", headers=mine)).status_code == 200
    for method, path in (("GET", "cases"), ("GET", "notifications"), ("POST", "cases"), ("GET", "cases/x")):
        assert slug(await office.call(method, path, headers=mine, json={})) == (403, owed), path
    assert (await logged(office))[-1] == ("refused_403", "guilin.lead", owed)
    assert (await office.call("DELETE", "token", headers=mine)).status_code == 204


async def test_guessing_is_locked_out_with_the_api_and_logged(office: Office, browser: Browser) -> None:
    for _ in range(PER_USER.free):
        assert (await browser.sign_in("guilin.clerk", "wrong")).status_code == 401
    locked = await browser.sign_in("guilin.clerk")
    assert locked.status_code == 429 and 0 < int(locked.headers["retry-after"]) <= 15
    assert "登录失败次数过多" in locked.text and 'value="guilin.clerk"' in locked.text
    assert slug(await office.sign_in("guilin.clerk")) == (429, "sign-in-locked")
    assert (await logged(office))[-2:] == [("sign_in_refused", "guilin.clerk", "sign-in-locked")] * 2


async def test_an_address_that_guesses_is_locked_out_of_every_account(
    office: Office, browser: Browser
) -> None:
    now = await office.services.wall.now()
    async with office.services.database.begin() as session:
        key = f"sign-in:address:{ADDRESS}"
        session.add_all(Attempt(key=key, at=now) for _ in range(PER_ADDRESS.free - 1))
    assert (await browser.sign_in("guilin.lead", "wrong")).status_code == 401
    locked = await browser.sign_in("guilin.clerk")
    assert locked.status_code == 429 and int(locked.headers["retry-after"]) > 0
    assert await logged(office) == [
        ("sign_in_refused", "guilin.lead", "bad-credentials"),
        ("sign_in_refused", "guilin.clerk", "sign-in-locked"),
    ]


@pytest.mark.parametrize(
    "next",
    ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", "\t//evil.example"],
)
async def test_the_way_after_a_sign_in_leads_nowhere_else(browser: Browser, next: str) -> None:
    page = await browser.http.get("/sign-in", params={"next": next})
    assert "evil" not in page.text and "javascript" not in page.text
    assert (await browser.sign_in("guilin.clerk", next=next)).headers["location"] == "/"


@pytest.mark.parametrize("username", ["", "   ", "a" * 65, "nul\x00", "a\u202eb"])
async def test_a_name_that_nobody_can_have_is_refused_and_logged_like_any_other(
    office: Office, browser: Browser, username: str
) -> None:
    answer = await browser.sign_in(username)
    assert answer.status_code == 401 and "不正确" in answer.text
    # Without the name: no table could hold it.
    assert await logged(office) == [("sign_in_refused", None, "bad-credentials")]
