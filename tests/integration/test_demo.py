"""The demonstration halls of contract.md: complete, visibly invented, and loaded once."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeVar

import pytest
from sqlmodel import select
from sqlmodel.sql.expression import SelectOfScalar

from casework.accounts import Credentials, sign_in
from casework.demo import has_demo, is_empty, load_demo, renew_password
from casework.errors import Unauthenticated
from casework.services import Services
from models.directory import ContactEntry, Hall, Unit, User
from models.migrate import upgrade
from tests.support.office import services_at

Row = TypeVar("Row")
UNITS = {"market", "social", "medical", "housing", "resources", "civil", "education"}
OF_A_HALL = {"clerk", "clerk2", "lead", "centre", "supervisor"}


@pytest.fixture
async def services(database_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    """An empty database."""
    await upgrade(database_url)
    given = services_at(database_url, tmp_path)
    yield given
    await given.database.close()


async def rows(services: Services, wanted: SelectOfScalar[Row]) -> list[Row]:
    async with services.database.read() as session:
        return list((await session.exec(wanted)).all())


async def may_sign_in(services: Services, username: str, password: str) -> bool:
    try:
        await sign_in(services, Credentials(username, password), "127.0.0.1")
    except Unauthenticated:
        return False
    return True


async def test_halls_units_and_people_are_those_of_the_contract(services: Services) -> None:
    assert await is_empty(services)
    await load_demo(services, "a given password")
    assert not await is_empty(services)
    halls = await rows(services, select(Hall))
    assert {(hall.code, hall.policy_id) for hall in halls} == {
        ("guilin", "guilin"),
        ("chengzhong", "chengzhong"),
    }
    units = await rows(services, select(Unit))
    assert {(unit.hall, unit.code) for unit in units} == {
        (hall.code, unit) for hall in halls for unit in UNITS
    }
    expected = {"superior", "auditor", "admin"}
    for hall in halls:
        expected |= {f"{hall.code}.{role}" for role in OF_A_HALL}
        expected |= {f"{hall.code}.{u}.{role}" for u in UNITS for role in ("contact", "alternate", "leader")}
    users = await rows(services, select(User))
    assert {user.username for user in users} == expected
    assert all(user.demo and not user.must_change_password for user in users)
    assert {user.username for user in users if user.alternate} == {
        n for n in expected if n.endswith(".alternate")
    }


async def test_names_and_telephone_numbers_are_visibly_invented(services: Services) -> None:
    await load_demo(services, None)
    entries = await rows(services, select(ContactEntry))
    people = [person for e in entries for person in (e.deputy_leader, e.contact, e.alternate) if person]
    assert len(people) == 2 * len(UNITS) * 3
    phones = {person["phone"] for person in people}
    assert len(phones) == len(people)
    assert all(re.fullmatch(r"1380013\d{4}", phone) for phone in phones)
    names = [user.name for user in await rows(services, select(User))] + [p["name"] for p in people]
    assert all("演示" in name for name in names)


async def test_loading_twice_changes_nothing_and_adds_what_is_missing(services: Services) -> None:
    await load_demo(services, "a given password")
    before = await rows(services, select(User))
    again = await load_demo(services, None)
    assert (again.users, again.password) == (0, None)
    assert await rows(services, select(User)) == before
    async with services.database.begin() as session:
        await session.delete(await session.get_one(User, "guilin.clerk2"))
    assert (await load_demo(services, "a given password")).users == 1
    assert len(await rows(services, select(ContactEntry))) == 2 * len(UNITS)


async def test_a_random_password_is_told_once_and_fits_everybody(services: Services) -> None:
    made = (await load_demo(services, None)).password
    assert made is not None
    assert await may_sign_in(services, "guilin.market.contact", made)
    assert await may_sign_in(services, "admin", made)


async def test_a_given_password_becomes_that_of_all(services: Services) -> None:
    first = (await load_demo(services, None)).password
    assert first is not None
    await renew_password(services, "another password")
    assert await may_sign_in(services, "chengzhong.lead", "another password")
    assert not await may_sign_in(services, "chengzhong.centre", first)


async def test_people_who_are_no_demonstration_keep_their_passwords(services: Services) -> None:
    assert not await has_demo(services)
    async with services.database.begin() as session:
        now = await services.wall.now()
        session.add(User(username="admin", name="真人", password_hash="kept", role="admin", created_at=now))
    await load_demo(services, "a given password")
    await renew_password(services, "another password")
    [admin] = await rows(services, select(User).where(User.username == "admin"))
    assert (admin.name, admin.password_hash, admin.demo) == ("真人", "kept", False)
