"""The second factor on its pages: enrolled, asked for, removed, needed by a role."""

import base64
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from models.directory import User
from rules.case.vocabulary import Role
from tests.support.house import PASSWORD
from tests.support.office import Office, ahead, freeze
from tests.support.office_browser import Browser, another, app_of, logged, needing, opens
from tests.support.visiting import hidden


@pytest.fixture
async def browser(sqlite_office: Office) -> AsyncIterator[Browser]:
    async with another(sqlite_office) as made:
        yield made


@pytest.fixture
def office(sqlite_office: Office) -> Office:
    return sqlite_office


def code_of(secret: str, at: datetime) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(at.timestamp())).decode()


async def enrol(office: Office, browser: Browser) -> str:
    """Enrol an app; return its secret."""
    page = (await browser.get("/account/second-factor")).text
    secret = re.search(r'<code class="typed">([A-Z2-7 ]+)</code>', page)
    assert secret is not None
    plain = secret[1].replace(" ", "")
    code = code_of(plain, await office.services.wall.now())
    done = await browser.http.post(
        "/account/second-factor",
        data={"csrf": hidden(page, "csrf"), "enrolment": hidden(page, "enrolment"), "code": code},
    )
    assert done.status_code == 303, done.text
    return plain


async def test_a_second_factor_is_enrolled_used_and_removed(office: Office, browser: Browser) -> None:
    now = freeze(office.services.wall)
    await browser.sign_in("auditor")
    secret = await enrol(office, browser)
    assert "已启用" in (await browser.get("/account")).text
    async with office.services.database.read() as session:
        user = await session.get_one(User, "auditor")
    assert user.totp_secret is not None and secret not in user.totp_secret
    async with another(office) as elsewhere:
        assert (await elsewhere.sign_in("auditor")).status_code == 401
        # The code that enrolled was used up by that.
        assert (await elsewhere.sign_in("auditor", otp=code_of(secret, now))).status_code == 401
        freeze(office.services.wall, now + timedelta(seconds=60))
        later = code_of(secret, now + timedelta(seconds=60))
        assert (await elsewhere.sign_in("auditor", otp=later)).status_code == 303
    freeze(office.services.wall, now + timedelta(seconds=120))
    code = code_of(secret, now + timedelta(seconds=120))
    path = "/account/second-factor/remove"
    refused = await browser.post(path, password="wrong", code=code)
    assert refused.status_code == 422 and "密码不正确" in refused.text
    refused = await browser.post(path, password=PASSWORD, code="000000")
    assert refused.status_code == 422 and "动态口令不正确" in refused.text
    removed = await browser.post(path, password=PASSWORD, code=code)
    assert removed.headers["location"] == "/account?done=removed"
    actions = [action for action, _, _ in await logged(office)]
    assert "second_factor_set" in actions and actions[-1] == "second_factor_removed"


async def test_the_secret_of_an_enrolment_travels_sealed_and_for_a_while(
    office: Office, browser: Browser
) -> None:
    await browser.sign_in("auditor")
    answer = await browser.get("/account/second-factor")
    sealed, csrf = hidden(answer.text, "enrolment"), hidden(answer.text, "csrf")
    secret = office.services.keyring.open_text(sealed, "enrolment:auditor")[2:34]
    assert secret not in sealed and secret not in str(answer.headers)
    assert '<img src="data:image/svg+xml' in answer.text
    wrong = {"csrf": csrf, "enrolment": sealed, "code": "12345x"}
    refused = await browser.http.post("/account/second-factor", data=wrong)
    assert refused.status_code == 422 and hidden(refused.text, "enrolment") == sealed
    ahead(office.services.wall, timedelta(minutes=16))
    code = code_of(secret, await office.services.wall.now())
    late = await browser.http.post("/account/second-factor", data={**wrong, "code": code})
    assert late.status_code == 409 and hidden(late.text, "enrolment") != sealed


async def test_nobody_enrols_with_a_secret_that_another_was_shown(office: Office, browser: Browser) -> None:
    await browser.sign_in("auditor")
    sealed = hidden((await browser.get("/account/second-factor")).text, "enrolment")
    async with another(office) as victim:
        await victim.sign_in("guilin.lead")
        answer = await victim.post("/account/second-factor", enrolment=sealed, code="123456")
        assert answer.status_code == 409


async def test_a_factor_in_force_is_not_replaced(office: Office, browser: Browser) -> None:
    await browser.sign_in("auditor")
    await enrol(office, browser)
    assert (await browser.get("/account/second-factor")).status_code == 409


async def test_a_role_that_needs_a_second_factor_is_led_to_enrol(office: Office, browser: Browser) -> None:
    app_of(office).state.services = needing(office, Role.AUDITOR)
    await browser.sign_in("auditor")
    for path in ("/", "/account", "/account/password", "/inbox"):
        assert (await browser.get(path)).headers["location"] == "/account/second-factor", path
    await enrol(office, browser)
    assert await opens(browser)
    async with another(office) as elsewhere:  # other roles are not asked
        await elsewhere.sign_in("guilin.clerk")
        assert await opens(elsewhere)
