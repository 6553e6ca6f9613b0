"""Rights that need two people: who may ask, who may decide, and that there is no way round."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlmodel import col, select

from casework.accounts import Credentials, sign_in, viewer_of
from casework.errors import BadInput, NotFound, Unauthenticated
from casework.grants import approve, list_grants, reject, withdraw
from casework.rights import NEED_TWO, GrantRefused
from casework.services import Services
from casework.user_changes import Act, Outcome, add, change, disable, enable, renew_password
from casework.users import NewUser, add_user
from casework.viewer import Viewer
from models.access import AccessLog
from models.directory import User
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role
from tests.support.house import PASSWORD
from tests.support.office import Office

ADMIN = Viewer("admin", "演示·系统管理员", Role.ADMIN)
SECOND = Viewer("admin2", "第二管理员", Role.ADMIN)
AUDITOR = Viewer("auditor", "演示·纪检审计", Role.AUDITOR)
NEW = NewUser("new.supervisor", "甲演", Role.SUPERVISOR, "guilin")


async def with_second_admin(office: Office) -> Services:
    """The demonstration halls, and a second admin made on the command line."""
    await add_user(office.services, NewUser("admin2", "第二管理员", Role.ADMIN), "a password of length")
    return office.services


@pytest.fixture
async def services(sqlite_office: Office) -> Services:
    """On SQLite, for what has nothing to do with the dialect."""
    return await with_second_admin(sqlite_office)


@pytest.fixture
async def on_both(office: Office) -> Services:
    """On SQLite and on PostgreSQL: what happens at once, and what the tables hold."""
    return await with_second_admin(office)


def act(by: Viewer = ADMIN, key: str | None = None) -> Act:
    return Act(by, "工作需要", key or str(uuid4()), "10.0.0.7")


async def user(services: Services, username: str) -> User | None:
    async with services.database.read() as session:
        return await session.get(User, username)


async def log(services: Services) -> list[tuple[str, str | None, str | None]]:
    wanted = select(AccessLog.action, AccessLog.username, AccessLog.reason).order_by(col(AccessLog.id))
    async with services.database.read() as session:
        return list((await session.exec(wanted)).all())


async def asked(services: Services, new: NewUser = NEW) -> Outcome:
    done = await add(services, act(), new)
    assert done.grant is not None
    return done


async def decide(services: Services, done: Outcome, by: Viewer = AUDITOR) -> str:
    """Approve; return the password that both halves make."""
    assert done.grant is not None
    decided = await approve(services, by, done.grant.id, "已向本人核实", None)
    return f"{done.password}-{decided.half}"


async def refusal(doing: Awaitable[object]) -> str:
    with pytest.raises(GrantRefused) as refused:
        await doing
    return refused.value.rule


async def test_nothing_is_granted_before_a_second_person_approves(services: Services) -> None:
    for role in sorted(NEED_TWO):
        username = f"new.{role}"
        done = await asked(services, NewUser(username, "甲演", role, "guilin"))
        assert await user(services, username) is None
        password = await decide(services, done)
        made = await user(services, username)
        assert made is not None
        assert (made.role, made.hall, made.active, made.must_change_password) == (role, "guilin", True, True)
        assert await sign_in(services, Credentials(username, password), None)


async def test_each_of_the_two_knows_half_of_the_password(services: Services) -> None:
    done = await asked(services)
    password = await decide(services, done)
    for half in (str(done.password), password.removeprefix(f"{done.password}-")):
        with pytest.raises(Unauthenticated):
            await sign_in(services, Credentials("new.supervisor", half), None)


async def test_the_other_admin_may_approve_too(services: Services) -> None:
    await decide(services, await asked(services), SECOND)
    assert await user(services, "new.supervisor") is not None


async def test_nobody_approves_an_own_request(services: Services) -> None:
    done = await asked(services)
    assert await refusal(decide(services, done, ADMIN)) == "own_request"
    assert done.grant
    assert await refusal(reject(services, ADMIN, done.grant.id, "不", None)) == "own_request"
    assert await user(services, "new.supervisor") is None


async def test_nobody_decides_about_himself(services: Services) -> None:
    done = await renew_password(services, act(), "auditor")
    assert await refusal(decide(services, done, AUDITOR)) == "about_yourself"
    assert done.grant
    assert await refusal(reject(services, AUDITOR, done.grant.id, "不", None)) == "about_yourself"


async def test_other_roles_decide_nothing(services: Services) -> None:
    done = await asked(services)
    for username, role in (("guilin.clerk", Role.CLERK), ("guilin.supervisor", Role.SUPERVISOR)):
        with pytest.raises(Forbidden):
            await decide(services, done, Viewer(username, "某", role))
    # What a viewer says of himself does not count.
    with pytest.raises(Forbidden):
        await decide(services, done, Viewer("superior", "某", Role.ADMIN))


async def test_a_disabled_or_demoted_approver_cannot_approve(services: Services) -> None:
    """The session may be a moment old: the table counts."""
    done = await asked(services)
    await disable(services, act(), "admin2")
    with pytest.raises(Forbidden):
        await decide(services, done, SECOND)
    await change(services, act(), "auditor", NewUser("auditor", "甲演", Role.CLERK, "guilin"))
    with pytest.raises(Forbidden):
        await decide(services, done, AUDITOR)
    assert await user(services, "new.supervisor") is None


async def test_a_request_of_somebody_who_is_no_admin_any_more_lapses(services: Services) -> None:
    done = await asked(services)
    await disable(services, act(SECOND), "admin")
    assert await refusal(decide(services, done)) == "requester_gone"
    assert done.grant
    assert (await reject(services, AUDITOR, done.grant.id, "申请人已停用", None)).grant.status == "rejected"


async def test_two_approvals_at_once_are_one(on_both: Services) -> None:
    done = await asked(on_both)
    found = await asyncio.gather(
        decide(on_both, done, AUDITOR), decide(on_both, done, SECOND), return_exceptions=True
    )
    refused = [each for each in found if isinstance(each, GrantRefused)]
    assert [each.rule for each in refused] == ["decided"]
    approvals = [row for row in await log(on_both) if row[0] == "grant_approved"]
    assert len(approvals) == 1


async def test_a_double_click_is_one_act_with_one_answer(services: Services) -> None:
    once = act()
    first, again = await add(services, once, NEW), await add(services, once, NEW)
    assert first.grant and again.grant and first.grant.id == again.grant.id
    assert first.password == again.password
    assert await decide(services, first) == await decide(services, first)
    plain = NewUser("new.clerk", "甲演", Role.CLERK, "guilin")
    one = act()
    assert (await add(services, one, plain)).password == (await add(services, one, plain)).password
    with pytest.raises(BadInput) as refused:
        await add(services, act(), plain)
    assert refused.value.faults == {"username": "given_twice"}
    actions = [row[0] for row in await log(services)]
    assert [actions.count(a) for a in ("grant_requested", "grant_approved", "user_added")] == [1, 1, 2]


async def test_one_request_at_a_time_about_a_person(on_both: Services) -> None:
    await asked(on_both)
    assert await refusal(add(on_both, act(SECOND), NEW)) == "waiting_already"


async def test_what_was_decided_stays_decided(services: Services) -> None:
    done = await asked(services)
    assert done.grant
    await reject(services, AUDITOR, done.grant.id, "没有必要", None)
    assert await refusal(decide(services, done, SECOND)) == "decided"
    assert await refusal(decide(services, done, AUDITOR)) == "decided"
    assert await user(services, "new.supervisor") is None
    with pytest.raises(NotFound):
        await approve(services, AUDITOR, str(uuid4()), "好", None)


async def test_only_the_requester_takes_a_request_back(services: Services) -> None:
    done = await asked(services)
    assert done.grant
    with pytest.raises(Forbidden):
        await withdraw(services, SECOND, done.grant.id, None)
    await withdraw(services, ADMIN, done.grant.id, None)
    assert await refusal(decide(services, done)) == "decided"
    waiting, decided = await list_grants(services)
    assert (len(waiting), [grant.status for grant in decided]) == (0, ["withdrawn"])


async def test_a_decision_needs_a_reason(services: Services) -> None:
    done = await asked(services)
    assert done.grant
    for decision in (approve, reject):
        with pytest.raises(BadInput) as refused:
            await decision(services, AUDITOR, done.grant.id, "", None)
        assert refused.value.faults == {"reason": "string_too_short"}


@pytest.mark.parametrize("slip", [renew_password, enable])
async def test_one_admin_cannot_slip_into_an_auditors_account(
    services: Services, slip: Callable[[Services, Act, str], Awaitable[Outcome]]
) -> None:
    """A new password, or letting in again whose password one knows, is a grant like the first one."""
    token = (await sign_in(services, Credentials("auditor", PASSWORD), None)).token
    done = await slip(services, act(), "auditor")
    assert done.grant is not None
    await viewer_of(services, token)  # nothing has happened yet
    password = await decide(services, done, SECOND)
    with pytest.raises(Unauthenticated):
        await viewer_of(services, token)
    with pytest.raises(Unauthenticated):
        await sign_in(services, Credentials("auditor", PASSWORD), None)
    assert await sign_in(services, Credentials("auditor", password), None)


async def test_demoting_and_promoting_again_is_no_way_round_either(services: Services) -> None:
    """The admin knows the clerk's password; what is granted afterwards does not open with it."""
    await change(services, act(), "auditor", NewUser("auditor", "甲演", Role.CLERK, "guilin"))
    known = await renew_password(services, act(), "auditor")
    assert known.grant is None and known.password
    back = await change(services, act(), "auditor", NewUser("auditor", "甲演", Role.AUDITOR))
    await decide(services, back, SECOND)
    with pytest.raises(Unauthenticated):
        await sign_in(services, Credentials("auditor", known.password), None)


async def test_another_hall_for_a_supervisor_is_a_grant_another_name_is_not(services: Services) -> None:
    named = await change(services, act(), "guilin.supervisor", NewUser("", "乙演", Role.SUPERVISOR, "guilin"))
    moved = await change(
        services, act(), "guilin.supervisor", NewUser("", "乙演", Role.SUPERVISOR, "chengzhong")
    )
    assert named.grant is None and moved.grant is not None
    known = await user(services, "guilin.supervisor")
    assert known and (known.name, known.hall) == ("乙演", "guilin")
    await decide(services, moved)
    known = await user(services, "guilin.supervisor")
    assert known and known.hall == "chengzhong"


async def test_a_request_about_somebody_who_changed_meanwhile_is_void(services: Services) -> None:
    done = await change(services, act(), "guilin.lead", NewUser("", "乙演", Role.SUPERVISOR, "guilin"))
    await disable(services, act(SECOND), "guilin.lead")
    assert await refusal(decide(services, done)) == "changed_meanwhile"
    taken = await asked(services)
    await add_user(services, NewUser("new.supervisor", "甲演", Role.CLERK, "guilin"), "a password of length")
    assert await refusal(decide(services, taken)) == "changed_meanwhile"


async def test_the_last_active_admin_stays(services: Services) -> None:
    await disable(services, act(), "admin2")
    assert await refusal(disable(services, act(), "admin")) == "last_admin"
    clerk = NewUser("admin", "甲演", Role.CLERK, "guilin")
    assert await refusal(change(services, act(), "admin", clerk)) == "last_admin"
    as_auditor = await change(services, act(), "admin", NewUser("admin", "甲演", Role.AUDITOR))
    assert await refusal(decide(services, as_auditor)) == "last_admin"


async def test_two_admins_cannot_disable_each_other(on_both: Services) -> None:
    found = await asyncio.gather(
        disable(on_both, act(ADMIN), "admin2"),
        disable(on_both, act(SECOND), "admin"),
        return_exceptions=True,
    )
    assert sum(isinstance(each, Outcome) for each in found) == 1
    active = [await user(on_both, name) for name in ("admin", "admin2")]
    assert sum(each is not None and each.active for each in active) == 1


async def test_disabling_ends_every_sign_in_and_needs_no_second_person(services: Services) -> None:
    token = (await sign_in(services, Credentials("auditor", PASSWORD), None)).token
    await disable(services, act(), "auditor")
    with pytest.raises(Unauthenticated):
        await viewer_of(services, token)


async def test_everything_stands_on_the_access_log_with_its_reasons(on_both: Services) -> None:
    await decide(on_both, await asked(on_both))
    await disable(on_both, act(), "guilin.lead")
    await enable(on_both, act(), "guilin.lead")
    await renew_password(on_both, act(), "guilin.lead")
    await change(on_both, act(), "guilin.lead", NewUser("", "乙演", Role.CLERK, "guilin"))
    rows = [row for row in await log(on_both) if row[1] != "operator"]
    assert [(action, username) for action, username, _ in rows] == [
        ("grant_requested", "admin"),
        ("grant_approved", "auditor"),
        ("user_disabled", "admin"),
        ("user_enabled", "admin"),
        ("password_set", "admin"),
        ("user_changed", "admin"),
    ]
    reasons = [reason or "" for _, _, reason in rows]
    assert reasons[0] == "new.supervisor: add supervisor at guilin: 工作需要"
    assert "requested by admin: 已向本人核实" in reasons[1]
    assert all(reason.endswith("工作需要") for reason in reasons[2:])
