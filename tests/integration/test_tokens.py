"""Tokens: what opens the API, until when, and whose end is a word on the access log."""

import asyncio
from datetime import datetime, timedelta

import pytest
from httpx import Response
from sqlmodel import select

from models.access import AccessToken
from models.codes import hash_token
from tests.support.house import token_of
from tests.support.office import ADDRESS, Office, ahead, change_user, log_of, slug


async def test_a_token_opens_the_api_until_it_is_ended(office: Office) -> None:
    granted = await office.sign_in("guilin.market.contact")
    assert granted.status_code == 200
    answer = granted.json()
    assert answer["token_type"] == "bearer" and answer["expires_in"] >= 8 * 3600
    assert granted.headers["cache-control"] == "no-store"
    headers = {"Authorization": f"Bearer {answer['access_token']}"}
    me = await office.call("GET", "me", headers=headers)
    assert me.json() == {
        "username": "guilin.market.contact",
        "name": "演示·市场监管局联系人",
        "role": "contact",
        "hall": "guilin",
        "unit": "market",
    }
    assert (await office.call("DELETE", "token", headers=headers)).status_code == 204
    refused = await office.call("GET", "me", headers=headers)
    assert slug(refused) == (401, "bad-token")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert await log_of(office) == [
        ("sign_in", "guilin.market.contact", None, ADDRESS),
        ("sign_out", "guilin.market.contact", None, ADDRESS),
        ("refused_401", "guilin.market.contact", "token-ended", ADDRESS),
    ]


async def test_an_ended_token_that_comes_back_is_logged_once_an_hour_and_an_unknown_one_never(
    office: Office,
) -> None:
    token = (await office.sign_in("guilin.clerk")).json()["access_token"]
    ended = {"Authorization": f"Bearer {token}"}
    await office.call("DELETE", "token", headers=ended)
    answers = await asyncio.gather(*(office.call("GET", "me", headers=ended) for _ in range(8)))
    answers.append(await office.call("GET", "me", headers={"Authorization": "Bearer made-up"}))
    assert {slug(answer) for answer in answers} == {(401, "bad-token")}
    again = ("refused_401", "guilin.clerk", "token-ended", ADDRESS)
    assert (await log_of(office))[2:] == [again]
    ahead(office.services.wall, timedelta(minutes=61))
    await office.call("GET", "me", headers=ended)
    assert (await log_of(office))[2:] == [again] * 2


async def test_a_token_that_ran_out_is_no_reason_for_a_word(office: Office) -> None:
    token = (await office.sign_in("guilin.clerk")).json()["access_token"]
    ahead(office.services.wall, timedelta(hours=13))
    late = await office.call("GET", "me", headers={"Authorization": f"Bearer {token}"})
    assert slug(late) == (401, "bad-token")
    assert [action for action, *_ in await log_of(office)] == ["sign_in"]


async def test_a_token_is_stored_by_its_hash_only(office: Office) -> None:
    token = (await office.sign_in("guilin.clerk")).json()["access_token"]
    async with office.services.database.read() as session:
        rows = (await session.exec(select(AccessToken))).all()
    assert hash_token(token) in {row.hash for row in rows}
    assert token not in repr(rows)


async def test_a_token_ends_by_the_real_clock(office: Office) -> None:
    token = (await office.sign_in("guilin.clerk")).json()["access_token"]

    async def me() -> Response:
        return await office.call("GET", "me", headers={"Authorization": f"Bearer {token}"})

    ahead(office.services.clock, timedelta(days=365))
    assert (await me()).status_code == 200
    ahead(office.services.wall, timedelta(hours=8))
    assert (await me()).status_code == 200
    ahead(office.services.wall, timedelta(hours=13))
    assert slug(await me()) == (401, "bad-token")


async def test_the_last_use_of_a_token_is_kept_coarsely(office: Office) -> None:
    async def last_used() -> datetime:
        async with office.services.database.read() as session:
            return (await session.get_one(AccessToken, hash_token(token_of("guilin.clerk")))).last_used_at

    await office.get("me", "guilin.clerk")  # the token may be as old as the whole run of tests
    begin = await last_used()
    await office.get("me", "guilin.clerk")
    assert await last_used() == begin
    ahead(office.services.wall, timedelta(hours=1))
    await office.get("me", "guilin.clerk")
    assert await last_used() - begin >= timedelta(hours=1)


async def test_a_disabled_user_is_signed_out_and_stays_out(office: Office) -> None:
    assert (await office.get("me", "guilin.clerk")).status_code == 200
    await change_user(office, "guilin.clerk", active=False)
    assert slug(await office.get("me", "guilin.clerk")) == (401, "bad-token")
    assert slug(await office.sign_in("guilin.clerk")) == (401, "bad-credentials")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic Zzpn", "Bearer \xff\xfe"])
async def test_without_a_token_that_holds_everything_is_401(sqlite_office: Office, header: str) -> None:
    answer = await sqlite_office.call("GET", "me", headers={"Authorization": header.encode("latin-1")})  # type: ignore[dict-item]
    assert slug(answer)[0] == 401


async def test_a_person_may_sign_in_at_many_screens_at_once(office: Office) -> None:
    answers = await asyncio.gather(*(office.sign_in("guilin.clerk") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["access_token"] for answer in answers}) == 8
