"""Signing in through a provider: a real one, in a process of its own, that can also be made to lie."""

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest
from sqlmodel import col, select, update

from casework.sign_in_rules import CALLBACK, Provider, SignInRules
from models.access import AccessLog
from models.directory import User
from rules.case.vocabulary import Role
from tests.support.office import Office, ahead, open_office, services_at
from tests.support.processes import LOOPBACK, ServerProcess, answers, free_port
from tests.support.provider import CLIENT, SECRET

HOME = "https://office"
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The provider's address."""
    port = free_port()
    server = ServerProcess(
        ["env", "-C", ROOT, sys.executable, "-m", "tests.support.provider", str(port), HOME + CALLBACK],
        log=tmp_path_factory.mktemp("provider") / "log",
    )
    server.start(lambda: answers(port))
    yield f"http://{LOOPBACK}:{port}"
    server.stop()


@asynccontextmanager
async def opened(url: str, folder: Path, provider: Provider | None) -> AsyncIterator[Office]:
    rules = SignInRules(provider=provider, second_factor=frozenset({Role.AUDITOR}))
    async with open_office(replace(services_at(url, folder), sign_in=rules)) as office:
        office.http.base_url = httpx.URL(HOME)
        yield office


@pytest.fixture
async def office(furnished_sqlite_url: str, tmp_path: Path, issuer: str) -> AsyncIterator[Office]:
    """The office, with a provider."""
    provider = Provider(issuer, CLIENT, SECRET, "preferred_username", HOME + CALLBACK, "a signing key")
    async with opened(furnished_sqlite_url, tmp_path, provider) as made:
        yield made


async def to_provider(office: Office, **query: str) -> str:
    """Follow the link of the sign-in page; return the address at the provider."""
    answer = await office.http.get("/sign-in/oidc", params=query)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def at_provider(address: str, user: str, fault: str = "") -> str:
    """Say who is there; return where the provider sends the browser."""
    async with httpx.AsyncClient() as browser:
        assert "Who is there?" in (await browser.get(address)).text
        answer = await browser.post(address, data={"user": user, "fault": fault})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def signed_in(office: Office, user: str, fault: str = "", **query: str) -> httpx.Response:
    return await office.http.get(await at_provider(await to_provider(office, **query), user, fault))


async def last_logged(office: Office) -> tuple[str, str | None, str | None]:
    async with office.services.database.read() as session:
        row = (await session.exec(select(AccessLog).order_by(col(AccessLog.id).desc()))).first()
    assert row is not None
    return row.action, row.username, row.reason


async def test_the_provider_vouches_for_a_user(office: Office) -> None:
    assert "/sign-in/oidc?next=%2Finbox" in (await office.http.get("/sign-in?next=/inbox")).text
    answer = await signed_in(office, "guilin.clerk", next="/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    page = await office.http.get("/account")
    assert page.status_code == 200
    assert "演示·" in page.text and "统一身份认证" in page.text
    assert await last_logged(office) == ("sign_in", "guilin.clerk", "provider")


async def test_what_is_sent_to_the_provider_holds_nothing_to_be_used_twice(office: Office) -> None:
    first, second = [parse_qs(urlsplit(await to_provider(office)).query) for _ in range(2)]
    assert first["code_challenge_method"] == ["S256"]
    assert first["scope"] == ["openid profile"] and first["redirect_uri"] == [HOME + CALLBACK]
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name] and len(first[name][0]) >= 40
    cookie = (await office.http.get("/sign-in/oidc")).headers["set-cookie"]
    for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/sign-in/oidc", "Max-Age=600"):
        assert word in cookie


@pytest.mark.parametrize("fault", ["nonce", "issuer", "audience", "expired", "key", "secret"])
async def test_an_id_token_that_does_not_hold_is_refused_and_logged(office: Office, fault: str) -> None:
    answer = await signed_in(office, "guilin.clerk", fault)
    assert answer.status_code == 401 and "统一身份认证未通过" in answer.text
    assert "bancheng_session" not in answer.headers.get("set-cookie", "")
    assert await last_logged(office) == ("sign_in_refused", None, "single-sign-on-refused")


async def test_an_answer_to_somebody_elses_question_is_refused(office: Office) -> None:
    """An attacker's code, or a state that this browser never had, signs nobody in."""
    back = await at_provider(await to_provider(office), "guilin.lead")
    asked = parse_qs(urlsplit(back).query)
    for wrong in ({"state": "x" * 43}, {"state": ""}, {"code": "x"}, {"iss": "https://another.example"}):
        await to_provider(office)
        query = {name: values[0] for name, values in asked.items()} | wrong
        answer = await office.http.get(f"{CALLBACK}?{urlencode(query)}")
        assert answer.status_code == 401, wrong
    assert (await office.http.get(back)).status_code == 401  # by now it belongs to an older question
    assert (await office.http.get("/account")).status_code == 303


@pytest.mark.parametrize("change", ["nothing", "signature", "time"])
async def test_what_the_browser_brings_back_is_signed_and_short_lived(office: Office, change: str) -> None:
    back = await at_provider(await to_provider(office), "guilin.clerk")
    brought = office.http.cookies["bancheng_away"]
    office.http.cookies.clear()
    if change == "signature":
        content, _, signature = brought.partition(".")
        brought = f"{content[:-8]}AAAAAAAA.{signature}"
    if change == "time":
        ahead(office.services.wall, timedelta(minutes=11))
    cookies = {"Cookie": f"bancheng_away={brought}"}
    answer = await office.http.get(back, headers=cookies)
    assert answer.status_code == (303 if change == "nothing" else 401)


async def test_a_code_is_good_once(office: Office) -> None:
    back = await at_provider(await to_provider(office), "guilin.clerk")
    brought = {"Cookie": f"bancheng_away={office.http.cookies['bancheng_away']}"}
    office.http.cookies.clear()
    assert (await office.http.get(back, headers=brought)).status_code == 303
    assert (await office.http.get(back, headers=brought)).status_code == 401


@pytest.mark.parametrize("user", ["nobody.here", "guilin.clerk2"])
async def test_nobody_is_created_and_a_disabled_user_stays_out(office: Office, user: str) -> None:
    async with office.services.database.begin() as session:
        disabled = update(User).where(col(User.username) == "guilin.clerk2").values(active=False)
        await session.exec(disabled)
    answer = await signed_in(office, user)
    assert answer.status_code == 401 and "没有对应的在用账号" in answer.text
    assert await last_logged(office) == ("sign_in_refused", user, "single-sign-on-unknown")
    async with office.services.database.read() as session:
        assert await session.get(User, "nobody.here") is None


async def test_the_second_factor_is_then_the_providers(office: Office) -> None:
    await signed_in(office, "auditor")
    assert (await office.http.get("/account")).status_code == 200


async def test_the_session_that_the_browser_had_ends(office: Office) -> None:
    await signed_in(office, "guilin.clerk")
    old = office.http.cookies["bancheng_session"]
    await signed_in(office, "guilin.lead")
    assert office.http.cookies["bancheng_session"] != old
    office.http.cookies.clear()
    answer = await office.http.get("/account", headers={"Cookie": f"bancheng_session={old}"})
    assert answer.status_code == 303


@pytest.mark.parametrize("next", ["//evil.example", "/\\evil.example", "https://evil.example"])
async def test_the_way_back_leads_nowhere_else(office: Office, next: str) -> None:
    assert (await signed_in(office, "guilin.clerk", next=next)).headers["location"] == "/"


async def test_a_provider_that_is_away_is_said_to_be(furnished_sqlite_url: str, tmp_path: Path) -> None:
    gone = f"http://{LOOPBACK}:{free_port()}"
    provider = Provider(gone, CLIENT, SECRET, "preferred_username", HOME + CALLBACK, "a signing key")
    async with opened(furnished_sqlite_url, tmp_path, provider) as office:
        answer = await office.http.get("/sign-in/oidc")
    assert answer.status_code == 503 and "暂时无法连接" in answer.text


async def test_another_provider_than_the_one_named_is_refused(
    furnished_sqlite_url: str, tmp_path: Path, issuer: str
) -> None:
    named = issuer + "/"  # it calls itself by another name
    provider = Provider(named, CLIENT, SECRET, "preferred_username", HOME + CALLBACK, "a signing key")
    async with opened(furnished_sqlite_url, tmp_path, provider) as office:
        assert (await office.http.get("/sign-in/oidc")).status_code == 401


async def test_without_a_provider_there_is_no_such_page(sqlite_office: Office) -> None:
    assert "oidc" not in (await sqlite_office.http.get("/sign-in")).text
    for path in ("/sign-in/oidc", CALLBACK):
        assert (await sqlite_office.http.get(path)).status_code == 404
