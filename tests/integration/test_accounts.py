"""Signing in: the lock-out, the second factor, and what the access log says of it."""

import asyncio
import base64
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from casework.lockout import PER_ADDRESS, PER_USER, Limit
from casework.passwords import new_totp_secret, totp_step
from models.access import Attempt
from models.access_log import append
from tests.support.house import PASSWORD
from tests.support.office import ADDRESS, Office, ahead, change_user, faults, freeze, log_of, slug

UNITS = ("market", "social", "medical", "civil")


async def fail(office: Office, whose: str, times: int) -> None:
    """Count failures without the work of checking a password each time."""
    now = await office.services.wall.now()
    async with office.services.database.begin() as session:
        session.add_all(Attempt(key=f"sign-in:{whose}", at=now) for _ in range(times))


async def test_a_wrong_password_and_an_unknown_user_look_the_same(sqlite_office: Office) -> None:
    wrong = await sqlite_office.sign_in("guilin.clerk", "wrong")
    unknown = await sqlite_office.sign_in("nobody", "wrong")
    assert slug(wrong) == slug(unknown) == (401, "bad-credentials")
    assert wrong.json() == unknown.json()


async def test_an_unknown_user_costs_the_same_as_a_wrong_password(sqlite_office: Office) -> None:
    async def cost(username: str) -> float:
        begin = process_time()  # of all threads: what others do on this machine doesn't count
        await sqlite_office.sign_in(username, "wrong")
        return process_time() - begin

    pairs = [(await cost(f"guilin.{unit}.contact"), await cost(f"no.{unit}")) for unit in UNITS]
    known, unknown = map(median, zip(*pairs, strict=True))
    assert 0.5 < unknown / known < 2


@pytest.mark.parametrize(
    ("whose", "limit"),
    [("user:guilin.clerk", PER_USER), (f"address:{ADDRESS}", PER_ADDRESS)],
    ids=["user", "address"],
)
async def test_after_the_free_failures_each_next_attempt_waits_longer(
    office: Office, whose: str, limit: Limit
) -> None:
    wall = office.services.wall
    now = freeze(wall)
    await fail(office, whose, limit.free - 1)
    assert slug(await office.sign_in("guilin.clerk", "wrong")) == (401, "bad-credentials")
    waits = []
    for _ in range(8):
        locked = await office.sign_in("guilin.clerk")
        assert slug(locked) == (429, "sign-in-locked")
        waits.append(int(locked.headers["retry-after"]))
        now = freeze(wall, now + timedelta(seconds=waits[-1]))
        await fail(office, whose, 1)
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900]
    freeze(wall, now + timedelta(minutes=15))
    assert (await office.sign_in("guilin.clerk")).status_code == 200
    assert slug(await office.sign_in("guilin.clerk", "wrong")) == (401, "bad-credentials")


async def test_a_locked_user_locks_nobody_else(office: Office) -> None:
    await fail(office, "user:guilin.clerk", PER_USER.free)
    assert slug(await office.sign_in("guilin.clerk")) == (429, "sign-in-locked")
    assert (await office.sign_in("guilin.clerk2")).status_code == 200


async def test_an_address_is_locked_whatever_names_it_tries(office: Office) -> None:
    await fail(office, f"address:{ADDRESS}", PER_ADDRESS.free - 1)
    assert slug(await office.sign_in("nobody", "wrong")) == (401, "bad-credentials")
    assert slug(await office.sign_in("guilin.clerk")) == (429, "sign-in-locked")
    assert await log_of(office) == [
        ("sign_in_refused", "nobody", "bad-credentials", ADDRESS),
        ("sign_in_refused", "guilin.clerk", "sign-in-locked", ADDRESS),
    ]


async def test_failures_are_forgotten_after_their_window(office: Office) -> None:
    await fail(office, f"address:{ADDRESS}", PER_ADDRESS.free + 9)
    await fail(office, "user:guilin.clerk", PER_USER.free + 9)
    ahead(office.services.wall, timedelta(hours=23))
    assert (await office.sign_in("guilin.clerk2")).status_code == 200
    assert slug(await office.sign_in("guilin.clerk", "wrong")) == (401, "bad-credentials")
    assert slug(await office.sign_in("guilin.clerk")) == (429, "sign-in-locked")
    ahead(office.services.wall, timedelta(hours=48))
    assert (await office.sign_in("guilin.clerk")).status_code == 200


async def test_guesses_at_once_are_counted_one_by_one(office: Office) -> None:
    answers = await asyncio.gather(*(office.sign_in("guilin.clerk", "wrong") for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [401] * PER_USER.free + [429] * 3
    reasons = sorted(str(reason) for _, _, reason, _ in await log_of(office))
    assert reasons == ["bad-credentials"] * PER_USER.free + ["sign-in-locked"] * 3


async def test_every_sign_in_and_refusal_is_on_the_access_log(office: Office) -> None:
    await office.sign_in("guilin.clerk", "wrong")
    await office.sign_in("nobody", "wrong")
    await office.sign_in("guilin.clerk")
    assert await log_of(office) == [
        ("sign_in_refused", "guilin.clerk", "bad-credentials", ADDRESS),
        ("sign_in_refused", "nobody", "bad-credentials", ADDRESS),
        ("sign_in", "guilin.clerk", None, ADDRESS),
    ]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({}, {"username": "missing", "password": "missing"}),
        ({"username": "a\0b", "password": "x"}, {"username": "control_characters"}),
        ({"username": "a\u202eb", "password": "x"}, {"username": "control_characters"}),
        (
            {"username": "a" * 65, "password": "x" * 257},
            {"username": "string_too_long", "password": "string_too_long"},
        ),
        ({"username": "a", "password": "x", "pin": "1"}, {"pin": "extra_forbidden"}),
        ({"username": ["a", "b"], "password": "x"}, {"username": "given_twice"}),
        (
            {"username": "a", "password": "x", "grant_type": "implicit"},
            {"grant_type": "string_pattern_mismatch"},
        ),
    ],
)
async def test_a_bad_sign_in_form_names_every_field(
    sqlite_office: Office, form: dict[str, str], expected: dict[str, str]
) -> None:
    assert faults(await sqlite_office.http.post("/api/token", data=form)) == expected


async def test_an_unreadable_form_is_422(sqlite_office: Office) -> None:
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for raw in (b"username=%ff&password=x", "username=管&password=x".encode(), b"&".join([b"a=1"] * 100)):
        answer = await sqlite_office.http.post("/api/token", content=raw, headers=kind)
        assert answer.status_code == 422, raw
    huge = await sqlite_office.http.post("/api/token", content=b"a" * 100_000, headers=kind)
    assert slug(huge) == (413, "too-large")


def code_of(secret: str, at: datetime) -> str:
    return TOTP(base64.b32decode(secret), 6, SHA1(), 30).generate(int(at.timestamp())).decode()


async def with_second_factor(office: Office, username: str) -> str:
    secret = new_totp_secret()
    sealed = office.services.keyring.seal_text(secret, f"totp:{username}")
    await change_user(office, username, totp_secret=sealed)
    return secret


async def test_a_second_factor_is_asked_for_after_the_password(office: Office) -> None:
    secret = await with_second_factor(office, "auditor")
    now = freeze(office.services.wall)
    assert slug(await office.sign_in("auditor")) == (401, "otp-required")
    assert slug(await office.sign_in("auditor", "wrong")) == (401, "bad-credentials")
    assert slug(await office.sign_in("auditor", otp="000 00")) == (401, "bad-credentials")
    assert (await office.sign_in("auditor", otp=code_of(secret, now))).status_code == 200


async def test_a_one_time_code_is_good_once(office: Office) -> None:
    secret = await with_second_factor(office, "auditor")
    now = freeze(office.services.wall)
    code = code_of(secret, now)
    answers = await asyncio.gather(*(office.sign_in("auditor", otp=code) for _ in range(3)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]


async def test_a_known_password_buys_no_guesses_at_the_code(office: Office) -> None:
    await with_second_factor(office, "auditor")
    await fail(office, "user:auditor", PER_USER.free - 1)
    assert slug(await office.sign_in("auditor")) == (401, "otp-required")
    assert slug(await office.sign_in("auditor", otp="abcdef")) == (401, "bad-credentials")
    assert slug(await office.sign_in("auditor", otp="abcdef")) == (429, "sign-in-locked")


def test_a_one_time_code_holds_a_step_before_and_after() -> None:
    secret, at = new_totp_secret(), datetime(2026, 3, 2, 1, 0, 10, tzinfo=UTC)
    code = code_of(secret, at)
    step = int(at.timestamp()) // 30
    for seconds, found in ((-70, None), (-30, step), (0, step), (30, step), (70, None)):
        assert totp_step(secret, code, at + timedelta(seconds=seconds)) == found


def test_one_time_codes_follow_rfc_6238() -> None:
    # The RFC's vectors have eight digits; six-digit codes are their last six.
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    for seconds, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
        assert totp_step(secret, code, datetime.fromtimestamp(seconds, UTC)) == seconds // 30


async def test_the_auditor_reads_the_whole_log_a_supervisor_that_of_the_own_halls(office: Office) -> None:
    await office.sign_in("guilin.clerk", "wrong")
    await office.sign_in("chengzhong.clerk", "wrong")
    await office.sign_in("nobody", "wrong")
    async with office.services.database.begin() as session:
        now = await office.services.wall.now()
        await append(session, at=now, action="unmask", username="auditor", case_id="no-such-case")
    mine = (await office.get("access-log", "guilin.supervisor")).json()["items"]
    assert [item["username"] for item in mine] == ["guilin.clerk"]
    assert mine[0] | {"at": ""} == {
        "at": "",
        "username": "guilin.clerk",
        "action": "sign_in_refused",
        "case_id": None,
        "reason": "bad-credentials",
        "address": ADDRESS,
    }
    everything = (await office.get("access-log", "auditor", per_page=3)).json()["items"]
    assert [item["username"] for item in everything] == ["auditor", "nobody", "chengzhong.clerk"]
    second = (await office.get("access-log", "auditor", per_page=3, page=2)).json()["items"]
    assert [item["username"] for item in second] == ["guilin.clerk"]


async def test_a_refused_role_is_403_and_on_the_log(office: Office) -> None:
    assert slug(await office.get("access-log", "guilin.clerk")) == (403, "forbidden")
    assert (await log_of(office))[-1] == ("refused_403", "guilin.clerk", "GET /api/access-log", ADDRESS)


async def test_a_password_is_never_in_an_answer_or_on_the_log(sqlite_office: Office) -> None:
    secret = "geheim-geheim"
    answer = await sqlite_office.sign_in("guilin.clerk", secret)
    assert secret not in answer.text and PASSWORD not in answer.text
    assert secret not in str(await log_of(sqlite_office))
