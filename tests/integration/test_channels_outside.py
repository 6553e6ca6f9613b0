"""Mail, short messages, robots and webhooks against real receivers: what goes out, what fails."""

import asyncio
import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlmodel import select
from temporalio.testing import ActivityEnvironment

from activities.notification import NotificationActivities, WebhookChannel
from activities.webhooks import Webhook
from casework import mail
from casework.mail import MailChannel, MailServer, Security
from casework.personal_channels import Message, NotDelivered, Refused
from casework.robots import RobotChannel
from casework.sms import SmsChannel, SmsGateway
from models.database import Database
from models.inbox import Delivery
from models.messages import DeliveryRequest
from rules.delivering import Means
from tests.support.office import SetClock
from tests.support.processes import free_port
from tests.support.receivers import (
    PASSWORD,
    USERNAME,
    Mailbox,
    Receiver,
    certified,
    http_receiver,
    mail_receiver,
)

ID = "5f0c1c1e-0000-4000-8000-000000000001"
TEXT = '桂林-20260309-0001 已超过办结时限 "&<>{}\\ 😀'
UUID = "693a91f6-7ac0-4bc4-97a0-0ec251fa5aaa"
TOKEN = "0123456789abcdef" * 4
SECRET = "a secret of the hall"


def message(to: str = "zhou@hall.example", *lines: str) -> Message:
    return Message(ID, to, TEXT, lines or (TEXT,))


# Mail


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    with mail_receiver(tmp_path) as running:
        yield running


def server_of(mailbox: Mailbox, **changed: Any) -> MailServer:
    given = MailServer(
        host=mailbox.host,
        port=mailbox.port,
        security=Security.STARTTLS,
        sender="no-reply@hall.example",
        username=USERNAME,
        password=PASSWORD,
        authority=mailbox.authority,
    )
    return replace(given, **changed)


async def test_a_mail_goes_over_starttls_with_its_id_and_in_chinese(mailbox: Mailbox) -> None:
    await MailChannel(server_of(mailbox)).send(message("zhou@hall.example", "第一行", TEXT))
    [taken] = mailbox.received
    assert mailbox.secured == [True]
    assert (taken["To"], taken["Message-ID"]) == ("zhou@hall.example", f"<{ID}@hall.example>")
    assert taken["From"] == "办不成事 <no-reply@hall.example>"
    assert taken["Subject"] == TEXT
    assert taken["Auto-Submitted"] == "auto-generated"
    body = taken.get_content().replace("\r\n", "\n")
    assert body.startswith(f"第一行\n{TEXT}\n") and mail.FOOTER in body


async def test_a_second_attempt_has_the_same_id(mailbox: Mailbox) -> None:
    channel = MailChannel(server_of(mailbox))
    await channel.send(message())
    await channel.send(message())
    assert len({taken["Message-ID"] for taken in mailbox.received}) == 1


async def test_a_line_break_in_a_subject_makes_no_header(mailbox: Mailbox) -> None:
    await MailChannel(server_of(mailbox)).send(replace(message(), subject="甲\r\nBcc: x@y.cn"))
    [taken] = mailbox.received
    assert (taken["Subject"], taken["Bcc"]) == ("甲 Bcc: x@y.cn", None)


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"authority": None}, "certificate"),  # the system's authorities do not know it
        ({"password": "wrong"}, "535"),
        ({"security": Security.TLS}, "SSL|SMTP"),  # the port speaks no TLS from the start
        ({"security": Security.NONE, "username": None, "password": None}, "STARTTLS"),
    ],
)
async def test_a_server_that_is_set_up_wrongly_gets_nothing(
    mailbox: Mailbox, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(NotDelivered, match=reason) as failure:
        await MailChannel(server_of(mailbox, **changed)).send(message())
    assert not isinstance(failure.value, Refused)
    assert mailbox.received == []
    assert PASSWORD not in str(failure.value)


async def test_a_certificate_of_another_machine_is_refused(tmp_path: Path, mailbox: Mailbox) -> None:
    other, _ = certified(tmp_path, "127.0.0.9")
    with pytest.raises(NotDelivered, match="certificate"):
        await MailChannel(server_of(mailbox, authority=other)).send(message())


async def test_nobody_there_is_a_failure_that_passes() -> None:
    closed = Mailbox("127.0.0.1", free_port(), Path())
    with pytest.raises(NotDelivered) as failure:
        await MailChannel(server_of(closed, authority=None)).send(message())
    assert not isinstance(failure.value, Refused)


@pytest.mark.parametrize(
    ("answer", "for_good"),
    [("550 no such user zhou@hall.example", True), ("452 mailbox full", False), ("451 try later", False)],
)
async def test_a_mailbox_that_does_not_exist_is_refused_for_good(
    mailbox: Mailbox, answer: str, for_good: bool
) -> None:
    mailbox.refuse["zhou@hall.example"] = answer
    with pytest.raises(NotDelivered, match=answer[:3]) as failure:
        await MailChannel(server_of(mailbox)).send(message())
    assert isinstance(failure.value, Refused) is for_good
    assert "zhou@hall.example" not in str(failure.value)


async def test_a_slow_server_is_not_waited_for(mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "WITHIN", 0.3)
    mailbox.delay = 1.0
    with pytest.raises(NotDelivered, match=r"Timeout|timed out"):
        await MailChannel(server_of(mailbox)).send(message())


# Receivers over HTTP


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with http_receiver() as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=1.0, follow_redirects=False) as opened:
        yield opened


# Short messages

FORM = {"Content-Type": "application/x-www-form-urlencoded", "Authorization": "Bearer s3cr3t"}
JSON = {"content-type": "application/json; charset=utf-8"}


async def test_a_form_is_filled_in_encoded(receiver: Receiver, client: httpx.AsyncClient) -> None:
    gateway = SmsGateway(
        f"{receiver.url}/send?k=1&msgid={{id}}", headers=FORM, body="to={phone}&text={text}", success="ok"
    )
    await SmsChannel(gateway, client).send(message("13800130001"))
    [asked] = receiver.asked
    assert asked.path == f"/send?k=1&msgid={ID}"
    assert parse_qs(asked.body.decode(), strict_parsing=True) == {"to": ["13800130001"], "text": [TEXT]}
    assert asked.headers["authorization"] == "Bearer s3cr3t"
    assert asked.headers["idempotency-key"] == ID


async def test_json_is_filled_in_encoded(receiver: Receiver, client: httpx.AsyncClient) -> None:
    body = '{"to": ["{phone}"], "params": {"t": "{text}"}, "sign": "办不成事"}'
    await SmsChannel(SmsGateway(receiver.url, headers=JSON, body=body), client).send(message("13800130001"))
    given = json.loads(receiver.asked[0].body)
    assert given == {"to": ["13800130001"], "params": {"t": TEXT}, "sign": "办不成事"}


async def test_an_address_is_filled_in_encoded(receiver: Receiver, client: httpx.AsyncClient) -> None:
    gateway = SmsGateway(f"{receiver.url}/s?p={{phone}}&t={{text}}", method="GET")
    await SmsChannel(gateway, client).send(message("13800130001"))
    [asked] = receiver.asked
    assert (asked.method, asked.body) == ("GET", b"")
    assert parse_qs(urlsplit(asked.path).query) == {"p": ["13800130001"], "t": [TEXT]}


async def test_xml_is_filled_in_encoded(receiver: Receiver, client: httpx.AsyncClient) -> None:
    gateway = SmsGateway(
        receiver.url,
        headers={"Content-Type": "text/xml"},
        body='<m to="{phone}">{text}</m>',
    )
    await SmsChannel(gateway, client).send(message("13800130001"))
    assert "&lt;&gt;{}" in receiver.asked[0].body.decode()


async def test_a_placeholder_inside_a_text_stays_a_text(
    receiver: Receiver, client: httpx.AsyncClient
) -> None:
    gateway = SmsGateway(receiver.url, headers=JSON, body='{"p": "{phone}", "t": "{text}"}')
    await SmsChannel(gateway, client).send(replace(message("13800130001"), subject="{phone}"))
    assert json.loads(receiver.asked[0].body)["t"] == "{phone}"


@pytest.mark.parametrize(
    ("status", "answer", "reason"),
    [
        (500, b"", "500"),
        (302, b"", "302"),
        (200, b'{"code":"InvalidPhone 13800130001 s3cr3t"}', "refused"),
    ],
)
async def test_a_gateway_that_says_no_is_a_failure_without_phone_and_secret(
    receiver: Receiver, client: httpx.AsyncClient, status: int, answer: bytes, reason: str
) -> None:
    receiver.status, receiver.body = status, answer
    receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
    headers = FORM | {"X-Key": "s3cr3t"}
    gateway = SmsGateway(receiver.url, headers=headers, body="{phone}{text}", success='"code":"OK"')
    with pytest.raises(NotDelivered, match=reason) as failure:
        await SmsChannel(gateway, client).send(message("13800130001"))
    assert not re.search("13800130001|s3cr3t", str(failure.value))
    assert len(receiver.asked) == 1, "a redirect is not followed"


async def test_a_gateway_that_is_slow_or_gone_is_a_failure(
    receiver: Receiver, client: httpx.AsyncClient
) -> None:
    receiver.delay = 2.0
    template: dict[str, Any] = {"headers": FORM, "body": "{phone}{text}"}
    with pytest.raises(NotDelivered, match="ReadTimeout"):
        await SmsChannel(SmsGateway(receiver.url, **template), client).send(message("13800130001"))
    gone = SmsGateway(f"http://127.0.0.1:{free_port()}/", **template)
    with pytest.raises(NotDelivered, match="ConnectError"):
        await SmsChannel(gone, client).send(message("13800130001"))


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"method": "DELETE"}, "method"),
        ({"headers": {}}, "Content-Type"),
        ({"headers": {"Content-Type": "text/plain"}}, "Content-Type"),
        ({"body": "to={phone}"}, "text"),
        ({"url": "https://{phone}.example/", "body": "t={text}"}, "question mark"),
        ({"url": "https://sms.example/{phone}", "body": "t={text}"}, "question mark"),
        ({"headers": JSON, "body": '{"p": {phone}, "t": "{text}"}'}, "JSON"),
        ({"success": "("}, "pattern"),
    ],
)
def test_a_template_that_cannot_work_is_refused_at_the_start(changed: dict[str, Any], fault: str) -> None:
    right: dict[str, Any] = {
        "url": "https://sms.example/",
        "headers": FORM,
        "body": "to={phone}&text={text}",
    }
    SmsGateway(**right)
    with pytest.raises(ValueError, match=fault):
        SmsGateway(**right | changed)


# Robots

ROBOTS = {
    "wecom": (UUID, f"/cgi-bin/webhook/send?key={UUID}", {"msgtype": "text", "text": {"content": "甲\n乙"}}),
    "dingtalk": (
        TOKEN,
        f"/robot/send?access_token={TOKEN}",
        {
            "msgtype": "text",
            "at": {"atMobiles": [], "isAtAll": False},
            "text": {"content": "甲\n乙"},
        },
    ),
    "feishu": (
        UUID,
        f"/open-apis/bot/v2/hook/{UUID}/",
        {"msg_type": "text", "content": {"text": "甲\n乙"}},
    ),
}


@pytest.mark.parametrize("means", ROBOTS)
async def test_a_robot_gets_what_its_service_documents(receiver: Receiver, means: str) -> None:
    key, path, payload = ROBOTS[means]
    receiver.body = b'{"code":0}' if means == "feishu" else b'{"errcode":0,"errmsg":"ok"}'
    await RobotChannel(Means(means), receiver.url).send(message(key, "甲", "乙"))
    [asked] = receiver.asked
    assert (asked.method, asked.path) == ("POST", path)
    assert json.loads(asked.body) == payload


async def test_a_robot_of_dingtalk_with_a_secret_is_asked_with_a_signature(receiver: Receiver) -> None:
    secret = f"SEC{TOKEN}"
    await RobotChannel(Means.DINGTALK, receiver.url).send(message(f"{secret}@{TOKEN}"))
    asked = parse_qs(urlsplit(receiver.asked[0].path).query)
    assert asked["access_token"] == [TOKEN]
    assert asked["sign"] and asked["timestamp"]
    assert secret not in receiver.asked[0].path


@pytest.mark.parametrize("means", ROBOTS)
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (200, b'{"errcode":310000,"errmsg":"keywords not in content"}'),
        (200, b'{"code":9499,"msg":"Bad Request"}'),
        (200, b"<html>a proxy says hello</html>"),
        (500, b""),
        (302, b'{"errcode":0}'),
    ],
)
async def test_what_a_service_refuses_does_not_stand_as_sent(
    receiver: Receiver, means: str, status: int, answer: bytes
) -> None:
    """They refuse with 200 and a code; apprise by itself takes that for a yes at two of them."""
    receiver.status, receiver.body = status, answer
    receiver.headers = {"Location": f"{receiver.url}/elsewhere"}
    with pytest.raises(NotDelivered, match="the service"):
        await RobotChannel(Means(means), receiver.url).send(message(ROBOTS[means][0]))
    assert len(receiver.asked) == 1


async def test_robots_at_once_hear_their_own_answers(receiver: Receiver) -> None:
    with http_receiver() as refusing:
        refusing.body, receiver.delay = b'{"errcode":93000,"errmsg":"invalid"}', 0.2
        good, bad = RobotChannel(Means.WECOM, receiver.url), RobotChannel(Means.DINGTALK, refusing.url)
        outcomes = await asyncio.gather(
            *(each.send(message(to)) for each, to in ((good, UUID), (bad, TOKEN), (good, UUID))),
            return_exceptions=True,
        )
    assert [isinstance(outcome, NotDelivered) for outcome in outcomes] == [False, True, False]


async def test_a_robot_that_cannot_be_reached_is_a_failure() -> None:
    with pytest.raises(NotDelivered, match="reached"):
        await RobotChannel(Means.WECOM, f"http://127.0.0.1:{free_port()}").send(message(UUID))


async def test_more_than_a_robot_takes_is_counted_instead(receiver: Receiver) -> None:
    await RobotChannel(Means.WECOM, receiver.url).send(message(UUID, *["已超过办结时限" * 20] * 9))
    text = json.loads(receiver.asked[0].body)["text"]["content"]
    assert len(text.encode()) <= 2048
    assert re.search(r"还有 \d 条，请登录查看$", text)


# Webhooks


async def test_a_webhook_is_signed_over_time_and_body(receiver: Receiver, client: httpx.AsyncClient) -> None:
    at = datetime(2026, 3, 9, 1, 20, tzinfo=UTC)

    async def now() -> datetime:
        return at

    webhook = Webhook(f"{receiver.url}/hook?token=s3cr3t", client, SECRET, now)
    await webhook.post({"text": TEXT}, "case/1")
    at += timedelta(seconds=30)
    await webhook.post({"text": TEXT}, "case/1")
    first, second = receiver.asked
    for asked, seconds in ((first, "1773019200"), (second, "1773019230")):
        assert asked.headers["x-bancheng-timestamp"] == seconds
        expected = hmac.new(SECRET.encode(), f"{seconds}.".encode() + asked.body, hashlib.sha256)
        assert asked.headers["x-bancheng-signature"] == f"sha256={expected.hexdigest()}"
        assert asked.headers["idempotency-key"] == "case/1"
        assert json.loads(asked.body) == {"text": TEXT}


@pytest.mark.parametrize("status", [302, 401, 503])
async def test_a_receiver_that_says_no_is_a_failure_that_shows_no_address(
    receiver: Receiver, client: httpx.AsyncClient, status: int
) -> None:
    receiver.status, receiver.headers = status, {"Location": f"{receiver.url}/elsewhere"}

    async def now() -> datetime:
        return datetime.now(UTC)

    with pytest.raises(httpx.HTTPError, match=str(status)) as failure:
        await Webhook(f"{receiver.url}/?token=s3cr3t", client, SECRET, now).post({}, "case/1")
    assert "s3cr3t" not in str(failure.value)
    assert len(receiver.asked) == 1


@pytest.mark.parametrize(
    ("attempt", "spent", "status"),
    [
        (1, timedelta(), "failed"),
        (99, timedelta(hours=23), "failed"),
        (144, timedelta(hours=23, minutes=51), "dead"),
    ],
)
async def test_the_last_attempt_at_the_webhook_leaves_a_dead_letter(
    furnished_sqlite_url: str,
    receiver: Receiver,
    client: httpx.AsyncClient,
    attempt: int,
    spent: timedelta,
    status: str,
) -> None:
    receiver.status = 503
    begun = datetime(2026, 3, 9, 1, 20, tzinfo=UTC)
    channel = WebhookChannel(Webhook(receiver.url, client, SECRET, SetClock().now))
    database = Database(furnished_sqlite_url)
    async with database.begin() as session:
        told = {"case_id": "a-case", "seq": 1, "channel": "webhook", "target": receiver.url}
        session.add(Delivery(**told, text="t", at=begun))
    environment = ActivityEnvironment()
    environment.info = replace(
        environment.info,
        attempt=attempt,
        scheduled_time=begun,
        current_attempt_scheduled_time=begun + spent,
        schedule_to_close_timeout=timedelta(hours=24),
    )
    activities = NotificationActivities(database, {"webhook": channel})
    with pytest.raises(httpx.HTTPStatusError):
        await environment.run(activities.deliver, DeliveryRequest("a-case", 1))
    async with database.read() as session:
        [row] = (await session.exec(select(Delivery))).all()
    assert (row.status, row.attempts, row.last_error) == (status, attempt, "the receiver answered 503")
    await database.close()
