"""Users as an operator keeps them: every change is on the access log and ends old sign-ins."""

import pytest
from sqlmodel import col, select

from casework.accounts import Credentials, sign_in, viewer_of
from casework.errors import BadInput, NotFound, Unauthenticated
from casework.services import Services
from casework.users import NewUser, add_user, disable_user, list_users, role_named, set_password
from models.access import AccessLog
from models.directory import User
from rules.case.vocabulary import Role
from tests.support.office import Office

PASSWORD = "a password of length"


@pytest.fixture
def services(office: Office) -> Services:
    """The demonstration halls."""
    return office.services


async def signed_in(services: Services, username: str, password: str = PASSWORD) -> str:
    return (await sign_in(services, Credentials(username, password), None)).token


async def logged(services: Services) -> list[tuple[str, str | None]]:
    wanted = select(AccessLog.action, AccessLog.reason).where(AccessLog.username == "operator")
    async with services.database.read() as session:
        return list((await session.exec(wanted.order_by(col(AccessLog.id)))).all())


async def test_a_new_user_must_choose_a_password(services: Services) -> None:
    await add_user(services, NewUser("new.lead", "甲演", Role.WINDOW_LEAD, "guilin"), PASSWORD)
    async with services.database.read() as session:
        user = await session.get_one(User, "new.lead")
    assert (user.role, user.hall, user.demo, user.must_change_password) == (
        "window_lead",
        "guilin",
        False,
        True,
    )
    viewer = await viewer_of(services, await signed_in(services, "new.lead"))
    assert viewer.role is Role.WINDOW_LEAD
    assert await logged(services) == [("user_added", "new.lead")]


@pytest.mark.parametrize(
    ("new", "faults"),
    [
        (NewUser("guilin.clerk", "甲演", Role.CLERK, "guilin"), {"username": "given_twice"}),
        (
            NewUser("-x", "", Role.CLERK),
            {
                "username": "string_pattern_mismatch",
                "name": "string_too_short",
                "hall": "missing",
            },
        ),
        (NewUser("new", "甲演", Role.CONTACT, "guilin"), {"unit": "missing"}),
        (NewUser("new", "甲演", Role.CONTACT, "guilin", "nowhere"), {"unit": "unknown_unit"}),
        (NewUser("new", "甲演", Role.CLERK, "nowhere"), {"hall": "unknown_hall"}),
        (
            NewUser("new", "甲演", Role.CLERK, "guilin", "market", True),
            {
                "unit": "extra_forbidden",
                "alternate": "extra_forbidden",
            },
        ),
    ],
)
async def test_faults_are_named_all_at_once(services: Services, new: NewUser, faults: dict[str, str]) -> None:
    with pytest.raises(BadInput) as refused:
        await add_user(services, new, PASSWORD)
    assert refused.value.faults == faults


@pytest.mark.parametrize("password", ["short", "x" * 300, "nul\x00 in the middle"])
async def test_a_password_must_be_long_enough_and_typable(services: Services, password: str) -> None:
    with pytest.raises(BadInput) as refused:
        await set_password(services, "guilin.lead", password)
    assert list(refused.value.faults) == ["password"]


@pytest.mark.parametrize("role", ["citizen", "system", "boss", ""])
def test_nobody_is_a_citizen_or_the_system(role: str) -> None:
    with pytest.raises(BadInput):
        role_named(role)


async def test_a_disabled_user_is_out_at_once_until_a_new_password(services: Services) -> None:
    await set_password(services, "guilin.lead", PASSWORD)
    token = await signed_in(services, "guilin.lead")
    await disable_user(services, "guilin.lead")
    with pytest.raises(Unauthenticated):
        await viewer_of(services, token)
    with pytest.raises(Unauthenticated):
        await signed_in(services, "guilin.lead")
    assert not next(user for user in await list_users(services) if user.username == "guilin.lead").active

    await set_password(services, "guilin.lead", "another password")
    assert await signed_in(services, "guilin.lead", "another password")
    assert [action for action, _ in await logged(services)] == [
        "password_set",
        "user_disabled",
        "password_set",
    ]


async def test_who_is_not_there_cannot_be_changed(services: Services) -> None:
    with pytest.raises(NotFound):
        await disable_user(services, "nobody")
    with pytest.raises(NotFound):
        await set_password(services, "nobody", PASSWORD)
