"""What every page owes the browser: headers, nothing inline, posts of our own forms only, careful cookies.

The routes come from the application: a new page is under these tests without a line.
"""

import re
from collections.abc import AsyncIterator, Mapping
from ipaddress import ip_address
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from sqlmodel import col, select

from api import create_app
from models.access import AccessLog
from pages.csrf import HEADER
from pages.headers import HEADERS, POLICY
from pages.sessions import SESSION, VISITOR
from rules.case.vocabulary import Role
from tests.integration.test_role_matrix import USERS
from tests.support.house import PASSWORD, House
from tests.support.office import Office
from tests.support.permitted import ANYONE, PAGES, Roles
from tests.support.routing import page_routes
from tests.support.visiting import hidden, visiting

POSTS = [route for route in page_routes(create_app(rehearsal=True)) if route.startswith("POST ")]
EVIL = "evil.example"
INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\sstyle\s*=|\son[a-z]+\s*=|javascript:", re.IGNORECASE)


@pytest.fixture
def app(sqlite_office: Office) -> FastAPI:
    return sqlite_office.http._transport.app  # type: ignore[attr-defined, no-any-return]


@pytest.fixture
async def http(app: FastAPI) -> AsyncIterator[AsyncClient]:
    """Anyone at a browser."""
    transport = ASGITransport(app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://office") as opened:
        yield opened


FILLED = {"hall": "guilin", "code": "guilin", "unit": "market", "username": "guilin.clerk"}


def _path(route: str, filled: Mapping[str, str] = FILLED) -> str:
    return re.sub(r"{(\w+)}", lambda name: filled.get(name[1], "1"), route.split()[1])


def _faults(answer: Response, where: str, *, static: bool = False) -> list[str]:
    """What an answer fails to say, or says too much."""
    wanted = HEADERS | {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
    faults = [f"{where}: {name}" for name, value in wanted.items() if answer.headers.get(name) != value]
    if not static and answer.headers.get("cache-control") != "no-store":
        faults.append(f"{where}: kept by caches")
    for cookie in answer.headers.get_list("set-cookie"):
        if not ("HttpOnly" in cookie and re.search("SameSite=(lax|strict)", cookie)):
            faults.append(f"{where}: {cookie}")
    if "strict-transport-security" in answer.headers:
        faults.append(f"{where}: HSTS without TLS")
    if answer.headers.get("content-type", "").startswith("text/html"):
        faults += [f"{where}: {found[0]}" for found in INLINE.finditer(answer.text)]
    return faults


def test_the_policy_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    said = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert "unsafe" not in POLICY and "*" not in POLICY and "http" not in POLICY
    assert said["default-src"] == "'none'" and said["script-src"] == said["style-src"] == "'self'"
    assert said["form-action"] == "'self'"
    assert said["frame-ancestors"] == said["base-uri"] == "'none'"


async def test_every_page_says_all_of_it(app: FastAPI, sqlite_office: Office) -> None:
    faults, pages = [], 0
    for role, username in USERS.items():
        async with visiting(app, sqlite_office.services, username) as visitor:
            for route in page_routes(app):
                if route.startswith("GET ") and (role in _may(route) or role is Role.CLERK):
                    answer = await visitor.get(_path(route))
                    pages += answer.headers.get("content-type", "").startswith("text/html")
                    faults += _faults(answer, f"{route} as {role}: {answer.status_code}")
    assert pages > 50
    assert faults == []


async def test_every_error_page_says_it_too(http: AsyncClient, app: FastAPI, sqlite_office: Office) -> None:
    async def broken() -> None:
        raise RuntimeError("a secret of the inside")

    app.add_api_route("/broken", broken)
    app.add_api_route("/api/broken", broken)
    async with visiting(app, sqlite_office.services, "guilin.clerk") as clerk:
        answers = {
            303: await http.get("/account"),
            401: await http.post(
                "/sign-in", data={"username": "x", "password": "y"}, headers=await _token(http)
            ),
            403: await clerk.get("/admin"),
            404: await http.get("/nowhere"),
            405: await http.request("DELETE", "/sign-in"),
            422: await clerk.post("/account/password", {"old": "x" * 600}),
            500: await http.get("/broken"),
        }
    for status, answer in answers.items():
        assert answer.status_code == status
        assert _faults(answer, str(status)) == []
        assert "secret of the inside" not in answer.text
    api = await http.get("/api/broken")
    assert (api.status_code, api.headers["content-type"]) == (500, "application/problem+json")
    assert _faults(api, "api") == []


async def test_a_wrong_method_names_those_of_every_route_at_the_path(http: AsyncClient) -> None:
    for path, methods in (
        ("/cases/x", "GET"),
        ("/cases/x/attachments", "POST"),
        ("/public/file", "GET, POST"),
    ):
        assert (await http.request("DELETE", path)).headers["allow"] == methods


async def test_static_files_are_kept_and_say_it_too(http: AsyncClient) -> None:
    page = (await http.get("/sign-in")).text
    for address in set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page)):
        answer = await http.get(address)
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
        assert _faults(answer, address, static=True) == []
    assert (await http.get("/static/../settings.py")).status_code == 404
    assert (await http.get("/static/%2e%2e/__init__.py")).status_code == 404


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_tls_is_demanded_where_it_is_there(http: AsyncClient, scheme: str) -> None:
    for path in ("/sign-in", "/api/me", "/nowhere"):
        answer = await http.get(f"{scheme}://office{path}")
        said = answer.headers.get("strict-transport-security")
        assert said == ("max-age=31536000; includeSubDomains" if scheme == "https" else None), path
        assert all(
            ("Secure" in each) is (scheme == "https") for each in answer.headers.get_list("set-cookie")
        )


def test_what_a_proxy_says_is_taken_from_this_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else anybody could claim an address for the lock-out, or TLS that is not there."""
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    trusted = uvicorn.Config("api:app").forwarded_allow_ips
    assert isinstance(trusted, str)
    assert all(ip_address(each).is_loopback for each in trusted.split(","))


async def _token(http: AsyncClient, path: str = "/sign-in") -> dict[str, str]:
    return {HEADER: hidden((await http.get(path)).text, "csrf")}


def _who_may(route: str) -> str | None:
    """Somebody whose role is no reason to refuse."""
    order = [role for role in USERS if role in _may(route) and USERS[role]]
    return USERS[order[0]] if order else "guilin.clerk"


def _may(route: str) -> Roles:
    """Who may; a route without its line fails in the role matrix, and is everybody's here."""
    return PAGES.get(route, ANYONE)


@pytest.mark.timeout(300)
async def test_every_post_needs_the_token_of_its_own_session(sqlite_house: House) -> None:
    """Without one, with one that is no token, of another session, of another browser before a sign-in."""
    app, services = sqlite_house.app, sqlite_house.services
    case = await sqlite_house.handled()  # what looks for the case first must find it
    filled = FILLED | {"number": case["number"], "ref": case["number"], "id": case["id"]}
    posts = [route for route in page_routes(app) if route.startswith("POST ")]
    assert len(posts) > 10
    passed = []
    for route in posts:
        username = _who_may(route)
        async with (
            visiting(app, services, username) as own,
            visiting(app, services, username) as other,
            visiting(app, services, None) as nobody,
        ):
            before = hidden((await nobody.get("/sign-in")).text, "csrf")
            # A visitor's cookie that the browser still has makes its token no better.
            own.http.cookies.set(VISITOR, nobody.http.cookies[VISITOR])
            another = hidden((await other.get("/account")).text, "csrf")
            for what, token in {"none": "", "junk": "AAAA", "another's": another, "before": before}.items():
                form = {"csrf": token} if token else {}
                # As multipart: an upload is not looked at before its token.
                files = {"file": ("a.pdf", b"%PDF-1.7")}
                answer = await own.http.post(_path(route, filled), data=form, files=files)
                if answer.status_code != 403 or await _last_refusal(services) != "csrf":
                    passed.append(f"{route} by {username}, token {what}: {answer.status_code}")
    assert passed == []


async def _last_refusal(services: Any) -> str | None:
    async with services.database.read() as session:
        newest = select(AccessLog.reason).order_by(col(AccessLog.id).desc()).limit(1)
        return (await session.exec(newest)).first()  # type: ignore[no-any-return]


# (Time is moved in rehearsals only.)
OF_ANYONE = [r for r in POSTS if Role.CITIZEN in PAGES.get(r, ()) and "rehearsal" not in r]


@pytest.mark.parametrize("route", OF_ANYONE)
async def test_posts_without_a_sign_in_need_a_token_too(http: AsyncClient, route: str) -> None:
    for token in ("", "AAAA"):
        assert (await http.post(_path(route), data={"csrf": token})).status_code == 403
    async with AsyncClient(transport=http._transport, base_url="http://office") as other:
        theirs = await _token(other)
    assert (await http.post(_path(route), headers=theirs)).status_code == 403


async def test_a_token_of_before_the_sign_in_is_worth_nothing_after_it(http: AsyncClient) -> None:
    before = await _token(http)
    entered = await http.post(
        "/sign-in", data={"username": "guilin.clerk", "password": PASSWORD}, headers=before
    )
    assert entered.status_code == 303 and SESSION in http.cookies
    assert (await http.post("/sign-out", headers=before)).status_code == 403
    assert (await http.post("/sign-out", headers=await _token(http, "/account"))).status_code == 303


async def test_a_host_that_somebody_made_up_gets_nowhere(http: AsyncClient) -> None:
    """Neither a page nor a redirect repeats the name that the browser was sent to."""
    for path in ("/", "/sign-in", "/account", "/account/", "/nowhere", "/static", "/static/", "/public"):
        answer = await http.get(path, headers={"Host": EVIL, "X-Forwarded-Host": EVIL})
        assert EVIL not in answer.text, path
        assert EVIL not in answer.headers.get("location", ""), path
