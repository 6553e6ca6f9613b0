"""`/account/notifications` and `/admin/deliveries` over HTTP: choices, faults, the record, sending again."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import col, select

from api import create_app
from casework.delivery_choices import TRIAL, Choice, choice_of
from casework.delivery_record import drop
from casework.gauges import read_gauges
from casework.services import Services
from models.access import AccessLog
from models.inbox import Delivery, Notification
from models.outside import DEFAULT, DeliveryChoice, PersonalDelivery
from rules.delivering import Digest, Means
from tests.support.house import House
from tests.support.office import services_at
from tests.support.visiting import Visitor, visiting

PATH, ADMIN = "/account/notifications", "/admin/deliveries"
CONTACT = "guilin.market.contact"
ALL = tuple(Means)
OWN = {"own": "yes", "means": ["email"], "digest": "daily", "quiet": "yes"}
MAIL = "zhou@hall.example"
UUID = "693a91f6-7ac0-4bc4-97a0-0ec251fa5aaa"


@asynccontextmanager
async def at(
    services: Services, username: str | None, means: tuple[Means, ...] = ALL
) -> AsyncIterator[Visitor]:
    """A browser at an installation that offers these means."""
    app = _app()
    app.state.services = replace(services, means=means)
    async with visiting(app, services, username) as visitor:
        visitor.http.headers["accept"] = "text/html"
        yield visitor


@cache
def _app() -> FastAPI:
    """One application for all tests here: making one takes a while."""
    return create_app()


@pytest.fixture
async def services(furnished_sqlite_url: str, tmp_path: Path) -> AsyncIterator[Services]:
    made = replace(services_at(furnished_sqlite_url, tmp_path), means=ALL)
    yield made
    await made.database.close()


@pytest.fixture
async def visitor(services: Services) -> AsyncIterator[Visitor]:
    async with at(services, CONTACT) as visitor:
        yield visitor


async def actions(services: Services) -> list[str]:
    async with services.database.read() as session:
        rows = await session.exec(select(AccessLog.action).order_by(col(AccessLog.id)))
        return list(rows.all())


async def test_a_choice_is_kept_sealed_and_shown_masked(visitor: Visitor, services: Services) -> None:
    saved = await visitor.post(PATH, {**OWN, "address_email": f" {MAIL} ", "address_sms": "138 0013 0001"})
    assert (saved.status_code, saved.headers["location"]) == (303, f"{PATH}?done=saved")
    choice = await choice_of(services, CONTACT)
    assert choice == Choice(
        True,
        frozenset({Means.EMAIL}),
        Digest.DAILY,
        True,
        {Means.EMAIL: MAIL, Means.SMS: "13800130001"},
    )
    page = (await visitor.get(PATH)).text
    assert "z***@hall.example" in page and "138********" in page
    assert MAIL not in page and "13800130001" not in page
    async with services.database.read() as session:
        row = await session.get_one(DeliveryChoice, CONTACT)
    assert row.addresses is not None and "zhou" not in row.addresses
    assert "delivery_chosen" in await actions(services)


async def test_an_address_left_empty_stays_and_one_that_is_ticked_goes(
    visitor: Visitor, services: Services
) -> None:
    await visitor.post(PATH, {**OWN, "address_email": MAIL, "address_wecom": UUID})
    await visitor.post(PATH, {**OWN, "address_email": "", "forget": ["wecom"]})
    assert (await choice_of(services, CONTACT)).addresses == {Means.EMAIL: MAIL}


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ({**OWN}, {"address_email"}),
        ({**OWN, "address_email": "nobody"}, {"address_email"}),
        ({**OWN, "address_email": "a@b.cn\r\nBcc: c@d.cn"}, {"address_email"}),
        ({**OWN, "address_email": MAIL, "address_sms": "1234"}, {"address_sms"}),
        ({**OWN, "address_email": MAIL, "address_wecom": "http://10.0.0.1/"}, {"address_wecom"}),
        ({**OWN, "means": ["telepathy"]}, {"means"}),
        ({**OWN, "address_email": MAIL, "digest": "yearly"}, {"digest"}),
        ({"own": "yes", "means": ["email", "sms"], "digest": ""}, {"address_email", "address_sms", "digest"}),
        ({}, {"digest"}),
    ],
)
async def test_every_fault_is_named_and_nothing_is_kept(
    visitor: Visitor, services: Services, form: dict[str, Any], faults: set[str]
) -> None:
    refused = await visitor.post(PATH, form)
    assert refused.status_code == 422
    assert set(re.findall(r'<li><a href="#(\w+)">', refused.text)) == faults
    assert await choice_of(services, CONTACT) == Choice()


async def test_what_was_typed_wrongly_stands_in_the_form_again(visitor: Visitor) -> None:
    refused = await visitor.post(PATH, {**OWN, "address_email": '"><script>x'})
    assert "<script>x" not in refused.text
    assert "&gt;&lt;script&gt;x" in refused.text


async def test_a_means_that_is_not_offered_cannot_be_chosen(services: Services) -> None:
    async with at(services, CONTACT, (Means.EMAIL,)) as visitor:
        refused = await visitor.post(PATH, {**OWN, "means": ["sms"], "address_sms": "13800130001"})
        assert refused.status_code == 422
        assert "短信" not in (await visitor.get(PATH)).text
    async with at(services, CONTACT, ()) as visitor:
        assert "尚未开通" in (await visitor.get(PATH)).text


async def test_the_default_is_an_admins_and_counts_for_who_chose_nothing(
    visitor: Visitor, services: Services
) -> None:
    async with at(services, "admin") as admin:
        saved = await admin.post(f"{ADMIN}/default", {"means": ["email", "sms"], "digest": "hourly"})
        assert saved.headers["location"] == f"{ADMIN}?done=saved"
        refused = await admin.post(f"{ADMIN}/default", {"means": ["x"], "digest": "hourly"})
        assert refused.status_code == 422
    assert await choice_of(services, DEFAULT) == Choice(
        True, frozenset({Means.EMAIL, Means.SMS}), Digest.HOURLY, False, {}
    )
    await visitor.post(PATH, {"own": "no", "digest": "none", "address_email": MAIL})
    page = (await visitor.get(PATH)).text
    assert re.search(r"生效的方式</dt><dd>电子邮件 .*z\*\*\*@hall\.example", page)
    assert "短信 <span" not in page, "there is no number to send it to"


async def test_a_trial_goes_the_way_of_all_messages_and_not_twice_a_minute(
    visitor: Visitor, services: Services
) -> None:
    await visitor.post(PATH, {**OWN, "address_email": MAIL})
    assert "发送一条测试消息" in (await visitor.get(PATH)).text
    tried = await visitor.post(f"{PATH}/try", {})
    assert tried.headers["location"] == f"{PATH}?done=tried"
    assert (await visitor.post(f"{PATH}/try", {})).status_code == 429
    async with services.database.read() as session:
        [line] = (await session.exec(select(Notification).where(Notification.kind == TRIAL))).all()
    assert (line.username, line.path) == (CONTACT, PATH)
    assert f'href="{PATH}"' in (await visitor.get("/inbox")).text


# The record


async def fill(services: Services) -> None:
    """Three deliveries to people, and three to the webhook of which two were given up."""
    now = datetime.now(UTC)
    common = {"username": CONTACT, "means": "email", "due_at": now, "laid_at": now}
    async with services.database.begin() as session:
        session.add_all(
            [
                PersonalDelivery(**common, notification=1, status="sent", attempts=1, sent_at=now),
                PersonalDelivery(**common, notification=2, status="dead", attempts=30, last_error="503 <b>"),
                PersonalDelivery(**common, notification=3, attempts=2, last_error="451"),
            ]
        )
        for seq, (status, age) in enumerate((("dead", 1), ("pending", 30), ("failed", 2), ("sent", 99)), 1):
            at = now - timedelta(hours=age)
            target = "https://gateway.example/"
            session.add(
                Delivery(
                    case_id="a-case",
                    seq=seq,
                    channel="webhook",
                    target=target,
                    text="t",
                    status=status,
                    at=at,
                )
            )


async def test_the_record_shows_who_when_how_often_and_why(services: Services) -> None:
    await fill(services)
    async with at(services, "admin") as admin:
        page = (await admin.get(ADMIN)).text
        assert re.findall(r"<strong>(\d+)</strong>", page)[:3] == ["3", "1", "1"]
        assert CONTACT in page and "503 &lt;b&gt;" in page and "gateway.example" not in page
        assert page.count('name="key" value="w-') == 2
        dead = (await admin.get(ADMIN, only="dead")).text
        assert "451" not in dead and 'value="p-2"' in dead
        assert (await admin.get(ADMIN, only="x", page="1")).status_code == 200
        assert "3 条外发通知未能送达" in (await admin.get("/admin")).text.replace("1 条", "3 条")


async def test_dead_letters_are_sent_again_one_or_all(house: House) -> None:
    services = house.services
    await fill(services)
    async with at(services, "admin") as admin:
        for nothing in ("p-1", "p-3", "p-999999999999999999999999", "w-4", "x", "p-²"):
            answer = await admin.post(f"{ADMIN}/again", {"key": nothing})
            assert answer.headers["location"] == f"{ADMIN}?done=none", nothing
        assert (await admin.post(f"{ADMIN}/again", {"key": "p-2"})).headers["location"].endswith("sent")
        answer = await admin.post(f"{ADMIN}/again", {"key": "all"})
        assert answer.headers["location"].endswith("done=sent")
    async with services.database.read() as session:
        rows = (await session.exec(select(PersonalDelivery).order_by(col(PersonalDelivery.id)))).all()
        webhook = (await session.exec(select(Delivery.status).order_by(col(Delivery.seq)))).all()
    assert [(row.status, row.attempts) for row in rows] == [("sent", 1), ("waiting", 0), ("waiting", 2)]
    # No webhook is set up in this house: the engine tries, and each attempt is noted.
    assert set(webhook[:2]) <= {"pending", "failed"} and list(webhook[2:]) == ["failed", "sent"]
    assert (await actions(services)).count("delivery_resent") == 2
    async with at(services, "admin") as admin:
        assert 'value="w-' not in (await admin.get(ADMIN)).text, "they are under way again"


async def test_dead_letters_are_let_go_one_or_all(services: Services) -> None:
    await fill(services)
    async with at(services, "admin") as admin:
        page = (await admin.get(ADMIN)).text
        assert page.count('formaction="/admin/deliveries/drop"') == 3
        for nothing in ("p-1", "p-3", "w-4", "x"):
            answer = await admin.post(f"{ADMIN}/drop", {"key": nothing})
            assert answer.headers["location"] == f"{ADMIN}?done=none", nothing
        assert (await admin.post(f"{ADMIN}/drop", {"key": "p-2"})).headers["location"].endswith("dropped")
        assert await drop(services, None, None) == 2, "the operator lets go of both of the webhook's"
        assert await drop(services, None, None) == 0
        page = (await admin.get(ADMIN)).text
        assert "已取消" in page and 'name="key"' not in page
    async with services.database.read() as session:
        rows = (await session.exec(select(PersonalDelivery).order_by(col(PersonalDelivery.id)))).all()
        webhook = (await session.exec(select(Delivery.status).order_by(col(Delivery.seq)))).all()
    assert [(row.status, row.last_error) for row in rows] == [
        ("sent", None),
        ("dropped", "503 <b>"),
        ("waiting", "451"),
    ]
    assert list(webhook) == ["dropped", "dropped", "failed", "sent"]
    assert (await actions(services)).count("delivery_dropped") == 2
    now = datetime.now(UTC)
    samples = await services.database.look(lambda session: read_gauges(session, now, now, ()))
    unsent = [each.labels for each in samples if each.name == "bancheng_notifications_unsent"]
    assert sorted(unsent) == [("email", "failed"), ("webhook", "failed")]


async def test_without_an_engine_the_webhooks_stay_where_they_can_be_seen(services: Services) -> None:
    await fill(services)
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(at(services, "admin"))
        assert (await admin.post(f"{ADMIN}/again", {"key": "all"})).status_code == 503
        page = (await admin.get(ADMIN)).text
        assert 'value="w-2"' in page
