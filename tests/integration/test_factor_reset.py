"""Another user's second factor is taken away by an admin, or by two; requests reach their deciders' inbox."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select

from casework.accounts import PAGE, Credentials, sign_in, viewer_of
from casework.errors import BadInput, NotFound, Unauthenticated
from casework.grant_notices import ASKED, DECIDED
from casework.grants import approve, reject, withdraw
from casework.rights import GrantRefused
from casework.services import Services
from casework.user_changes import Act, Outcome, add, reset_factor
from casework.users import NewUser, add_user
from casework.viewer import Viewer
from models.access import AccessLog
from models.directory import User
from models.inbox import Notification
from rules.case.errors import Forbidden
from rules.case.vocabulary import Role
from tests.support.house import PASSWORD
from tests.support.office import Office
from tests.support.visiting import Visitor, visiting

ADMIN = Viewer("admin", "演示·系统管理员", Role.ADMIN)
SECOND = Viewer("admin2", "第二管理员", Role.ADMIN)
AUDITOR = Viewer("auditor", "演示·纪检审计", Role.AUDITOR)
CLERK, SUPERVISOR = "guilin.clerk", "guilin.supervisor"


def act(by: Viewer = ADMIN, reason: str = "手机遗失，已当面核实", key: str | None = None) -> Act:
    return Act(by, reason, key or str(uuid4()), "10.0.0.7")


async def with_factor(services: Services, username: str) -> str:
    """Give a user a second factor; return a session that is open."""
    signed_in = await sign_in(services, Credentials(username, PASSWORD), None, PAGE)
    async with services.database.begin() as session:
        user = await session.get_one(User, username)
        user.totp_secret = services.keyring.seal_text("JBSWY3DPEHPK3PXP", f"totp:{username}")
        session.add(user)
    return signed_in.token


async def has_factor(services: Services, username: str) -> bool:
    async with services.database.read() as session:
        return (await session.get_one(User, username)).totp_secret is not None


async def is_signed_in(services: Services, token: str) -> bool:
    try:
        await viewer_of(services, token, PAGE)
    except Unauthenticated:
        return False
    return True


async def log(services: Services, action: str) -> list[tuple[str | None, str | None]]:
    wanted = select(AccessLog.username, AccessLog.reason).where(AccessLog.action == action)
    async with services.database.read() as session:
        return list((await session.exec(wanted.order_by(col(AccessLog.id)))).all())


async def lines(services: Services, kind: str) -> dict[str, tuple[bool, str]]:
    """Who has a line of this kind, whether it was read, and what it says."""
    wanted = select(Notification).where(Notification.kind == kind)
    async with services.database.read() as session:
        return {row.username: (row.read, row.text) for row in (await session.exec(wanted)).all()}


async def test_a_clerks_factor_is_taken_away_at_once_and_logged(office: Office) -> None:
    services = office.services
    token = await with_factor(services, CLERK)
    with pytest.raises(Unauthenticated):
        await sign_in(services, Credentials(CLERK, PASSWORD), None)
    done = await reset_factor(services, act(), CLERK)
    assert (done.grant, done.password) == (None, None)
    assert not await has_factor(services, CLERK)
    assert not await is_signed_in(services, token)
    assert await sign_in(services, Credentials(CLERK, PASSWORD), None)
    assert await log(services, "second_factor_reset") == [("admin", f"{CLERK}: 手机遗失，已当面核实")]


async def test_twice_is_once_and_a_user_without_a_factor_is_left_alone(sqlite_office: Office) -> None:
    services = sqlite_office.services
    signed_in = await sign_in(services, Credentials(CLERK, PASSWORD), None, PAGE)
    await reset_factor(services, act(), CLERK)
    assert await is_signed_in(services, signed_in.token)
    assert await log(services, "second_factor_reset") == []


async def test_it_needs_a_reason_a_user_and_an_admin(sqlite_office: Office) -> None:
    services = sqlite_office.services
    await with_factor(services, CLERK)
    with pytest.raises(BadInput):
        await reset_factor(services, act(reason=""), CLERK)
    with pytest.raises(NotFound):
        await reset_factor(services, act(), "nobody")
    for by in (AUDITOR, Viewer("guilin.lead", "演示·窗口负责人", Role.WINDOW_LEAD)):
        with pytest.raises(Forbidden):
            await reset_factor(services, act(by), CLERK)
    assert await has_factor(services, CLERK)


@pytest.mark.parametrize("username", [SUPERVISOR, "superior", "auditor", "admin"])
async def test_a_role_of_two_people_waits_for_the_second_and_keeps_the_password(
    sqlite_office: Office, username: str
) -> None:
    services = sqlite_office.services
    await add_user(services, NewUser("admin2", "第二管理员", Role.ADMIN), "a password of length")
    token = await with_factor(services, username)
    done = await reset_factor(services, act(), username)
    assert done.grant is not None
    assert done.password is None
    assert await has_factor(services, username)
    assert await is_signed_in(services, token)
    refused = {"admin": "own_request", username: "about_yourself"}
    for who, rule in refused.items():
        viewer = {"admin": ADMIN, "auditor": AUDITOR}.get(who)
        if viewer:
            with pytest.raises(GrantRefused) as refusal:
                await approve(services, viewer, done.grant.id, "核实", None)
            assert refusal.value.rule in (rule, "own_request")
    decided = await approve(services, SECOND, done.grant.id, "已向本人核实", None)
    assert decided.half is None
    assert (await approve(services, SECOND, done.grant.id, "再点一次", None)).half is None
    assert not await has_factor(services, username)
    assert not await is_signed_in(services, token)
    assert await sign_in(services, Credentials(username, PASSWORD), None)
    assert len(await log(services, "grant_approved")) == 1


async def test_a_rejected_request_changes_nothing(sqlite_office: Office) -> None:
    services = sqlite_office.services
    token = await with_factor(services, SUPERVISOR)
    done = await reset_factor(services, act(), SUPERVISOR)
    assert done.grant is not None
    await reject(services, AUDITOR, done.grant.id, "本人没有遗失手机", None)
    assert await has_factor(services, SUPERVISOR)
    assert await is_signed_in(services, token)


async def asked(services: Services, key: str | None = None) -> Outcome:
    return await add(services, act(key=key), NewUser("new.supervisor", "甲演", Role.SUPERVISOR, "guilin"))


async def test_a_request_reaches_the_inbox_of_those_who_may_decide_it(office: Office) -> None:
    services = office.services
    await add_user(services, NewUser("admin2", "第二管理员", Role.ADMIN), "a password of length")
    key = str(uuid4())
    for _ in range(2):  # the same form once more tells nobody twice
        done = await asked(services, key)
    told = await lines(services, ASKED)
    assert told.keys() == {"admin2", "auditor"}
    for read, text in told.values():
        assert not read
        assert "待审批" in text and "new.supervisor" in text and "admin" in text
        assert "甲演" not in text
    assert done.grant is not None
    await approve(services, AUDITOR, done.grant.id, "已核实", None)
    assert all(read for read, _ in (await lines(services, ASKED)).values())
    assert (await lines(services, DECIDED))["admin"][1] == "授权申请已批准：新增用户 new.supervisor"


async def test_who_is_concerned_is_not_asked_to_decide(sqlite_office: Office) -> None:
    services = sqlite_office.services
    await add_user(services, NewUser("admin2", "第二管理员", Role.ADMIN), "a password of length")
    await with_factor(services, "auditor")
    await reset_factor(services, act(), "auditor")
    assert (await lines(services, ASKED)).keys() == {"admin2"}


async def test_a_request_taken_back_asks_nobody_any_more(sqlite_office: Office) -> None:
    services = sqlite_office.services
    done = await asked(services)
    assert done.grant is not None
    await withdraw(services, ADMIN, done.grant.id, None)
    assert all(read for read, _ in (await lines(services, ASKED)).values())
    assert await lines(services, DECIDED) == {}


@asynccontextmanager
async def at_the_pages(office: Office, username: str) -> AsyncIterator[Visitor]:
    app: Any = office.http._transport.app  # type: ignore[attr-defined]
    async with visiting(app, office.services, username) as visitor:
        yield visitor


async def test_the_pages_offer_it_and_the_inbox_leads_to_the_decision(sqlite_office: Office) -> None:
    await with_factor(sqlite_office.services, SUPERVISOR)
    path = f"/admin/users/{SUPERVISOR}"
    async with (
        at_the_pages(sqlite_office, "admin") as admin,
        at_the_pages(sqlite_office, "auditor") as auditor,
    ):
        assert "second-factor" not in (await admin.get(f"/admin/users/{CLERK}")).text
        assert f'action="{path}/second-factor"' in (await admin.get(path)).text
        assert (await admin.post(f"{path}/second-factor", {})).status_code == 422
        reason = {"reason_second-factor": "手机遗失"}
        answer = await admin.post(f"{path}/second-factor", reason)
        assert answer.status_code == 200
        assert "申请已提交" in answer.text
        assert "data-password" not in answer.text
        inbox = (await auditor.get("/inbox")).text
        assert re.search(r'href="/admin/grants">授权申请待审批：解除双重验证 guilin.supervisor', inbox)
        waiting = (await auditor.get("/admin/grants")).text
        assert "解除双重验证" in waiting
        [grant] = re.findall(r"/admin/grants/([^/\"]+)/approve", waiting)
        approved = await auditor.post(f"/admin/grants/{grant}/approve", {f"reason_{grant}": "已核实"})
        assert approved.status_code == 200
        assert "data-password" not in approved.text
        assert "双重验证已经解除" in approved.text
    shown = (await sqlite_office.get("notifications", "auditor")).json()["items"]
    assert [(note["kind"], note["case_id"], note["number"]) for note in shown] == [(ASKED, None, None)]
