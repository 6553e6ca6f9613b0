"""A 通报 that was issued: the document, and the channel outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select
from temporalio.testing import ActivityEnvironment

from activities.issuing import IssuingActivities
from activities.notification import NotificationActivities
from casework.relay import relay_once
from models.case import Bulletin
from models.inbox import Delivery
from tests.support.bulletins import (
    CONTACT,
    SUPERVISOR,
    done,
    drafts,
    order,
    replies,
    returns,
    sent,
    since_long_ago,
    words,
)
from tests.support.cases import t
from tests.support.gateway import Gateway
from tests.support.house import House
from tests.support.office import Office, freeze


@dataclass(frozen=True)
class Expected:
    story: Any
    said: str
    ground: str


@pytest.mark.parametrize(
    "expected",
    [
        Expected(
            replies, "两次答复经审核均未通过，时间分别为2026年3月9日9时20分、2026年3月9日9时20分", "敷衍应付"
        ),
        Expected(returns, "先后两次退单，经裁定均不成立", "推诿扯皮"),
        Expected(order, "下达第1号督办单，要求于2026年3月11日17时30分前书面答复", "拒不配合"),
    ],
)
async def test_the_document_says_who_what_and_when(sqlite_office: Office, expected: Expected) -> None:
    office = sqlite_office
    await since_long_ago(office.services)
    (bulletin,) = await drafts(office.services, 1, story=expected.story)
    freeze(office.services.clock, t("11-26 10:00"))
    await done(office, bulletin, "approve", SUPERVISOR)
    answer = await office.get(f"bulletins/{bulletin}/file", CONTACT)
    assert answer.headers["content-type"] == "application/pdf"
    log = (await office.get("access-log", "auditor")).json()["items"][0]
    assert (log["username"], log["action"], log["reason"]) == (CONTACT, "download", f"bulletin {bulletin}")
    assert answer.headers["content-disposition"] == 'attachment; filename="bulletin-2026-1.pdf"'
    page = words(answer.content)
    for part in (
        "桂林市政务服务监督管理部门(演示)文件",
        "通报〔2026〕1号",
        f"关于市场监管局{expected.ground}问题的通报",
        "市场监管局：",
        "责任单位：市场监管局；责任人：演示",
        "2026年11月26日印发",
        "抄送：",
        "该单位未提交说明",
    ):
        assert part in page, part
    if expected.story is not replies:
        assert expected.said in page


async def test_the_document_stays_as_it_was_issued_whatever_the_directory_says_later(
    sqlite_office: Office,
) -> None:
    office = sqlite_office
    (bulletin,) = await drafts(office.services, 1)
    await done(office, bulletin, "approve", SUPERVISOR)
    before = words((await office.get(f"bulletins/{bulletin}/file", SUPERVISOR)).content)
    async with office.services.database.begin() as session:
        connection = await session.connection()
        await connection.execute(text("UPDATE units SET name = '改名局'"))
        await connection.execute(text("UPDATE halls SET supervision_department = '改名部门'"))
    assert words((await office.get(f"bulletins/{bulletin}/file", SUPERVISOR)).content) == before


@asynccontextmanager
async def _laid_out(office: Office, gateway: Gateway) -> AsyncIterator[tuple[IssuingActivities, int]]:
    """Issue a bulletin whose first sending a dead gateway refuses."""
    (bulletin,) = await drafts(office.services, 1)
    await done(office, bulletin, "approve", SUPERVISOR)
    async with gateway.channel() as channel:
        outside = NotificationActivities(office.services.database, {channel.name: channel})
        issuing = IssuingActivities(office.services.database, {channel.name: channel}, outside)
        with pytest.raises(Exception, match="503"):
            await ActivityEnvironment().run(issuing.send_bulletin, bulletin)
        yield issuing, bulletin


async def test_an_issued_one_reaches_the_channel_outside_once(office: Office) -> None:
    database, gateway = office.services.database, Gateway()
    async with _laid_out(office, gateway) as (issuing, bulletin):
        gateway.alive = True
        for _ in range(2):
            await ActivityEnvironment().run(issuing.send_bulletin, bulletin)
    assert [message["text"] for message in gateway.sent] == ["guilin-20260309-es-0 已发出通报〔2026〕1号"]
    async with database.read() as session:
        row = await session.get_one(Bulletin, bulletin)
        deliveries = (await session.exec(select(Delivery))).all()
    assert row.sent_at is not None
    assert [each.status for each in deliveries] == ["sent"]


async def test_one_that_was_laid_out_for_an_address_is_not_laid_out_again(office: Office) -> None:
    """The activity is tried again after an update: the row is of a time when it held the address."""
    database, gateway = office.services.database, Gateway()
    async with _laid_out(office, gateway) as (issuing, bulletin):
        async with database.begin() as session:
            for row in await session.exec(select(Delivery)):
                row.target = "http://gateway.invalid/"
        gateway.alive = True
        await ActivityEnvironment().run(issuing.send_bulletin, bulletin)
    assert len(gateway.sent) == 1


async def test_the_relay_sends_what_was_issued_while_the_engine_was_away(sqlite_house: House) -> None:
    house = sqlite_house
    (bulletin,) = await drafts(house.services, 1)
    async with house.down():
        answer = await house.post(f"bulletins/{bulletin}/approve", {}, by=SUPERVISOR)
        assert answer.status_code == 200, "a decision needs no engine"
    async with house.services.database.begin() as session:
        row = await session.get_one(Bulletin, bulletin)
        assert row.sent_at is None and row.decided_at is not None
        row.decided_at -= timedelta(minutes=1)
        session.add(row)
    assert await relay_once(house.services) == 1
    await sent(house, bulletin)
    assert await relay_once(house.services) == 0
