"""Short messages and webhooks against a real receiver: what goes out, what fails."""

import hashlib
import hmac
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlmodel import col, select
from temporalio.testing import ActivityEnvironment

from activities.notification import NotificationActivities, WebhookChannel
from activities.webhooks import Webhook
from casework.personal_channels import NotDelivered
from casework.sms import SmsChannel, SmsGateway
from models.database import Database
from models.inbox import Delivery
from models.messages import DeliveryRequest
from tests.support.cases import dispatched
from tests.support.ledgers import write_story
from tests.support.office import Office, SetClock
from tests.support.processes import free_port
from tests.support.receivers import ID, TEXT, Receiver, message

SECRET = "a secret of the hall"


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


async def test_a_long_address_stops_no_case_and_stands_in_no_row(
    office: Office, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    """The message is written with its event: a column too short for the address would stop every case."""
    path = f"/hook?token={'s' * 400}"
    channel = WebhookChannel(Webhook(receiver.url + path, client, SECRET, SetClock().now))
    case_id = await write_story(office.services, dispatched("03-09 09:20"), (channel,))
    database = office.services.database
    async with database.read() as session:
        rows = (await session.exec(select(Delivery).order_by(col(Delivery.seq)))).all()
    assert {row.target for row in rows} == {"webhook"}
    activities = NotificationActivities(database, {"webhook": channel})
    await ActivityEnvironment().run(activities.deliver, DeliveryRequest(case_id, rows[0].seq))
    [asked] = receiver.asked
    assert asked.path == path


async def test_what_was_let_go_is_not_posted(
    furnished_sqlite_url: str, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    channel = WebhookChannel(Webhook(receiver.url, client, SECRET, SetClock().now))
    database = Database(furnished_sqlite_url)
    async with database.begin() as session:
        session.add(_delivery("webhook", "dropped"))
    activities = NotificationActivities(database, {"webhook": channel})
    await ActivityEnvironment().run(activities.deliver, DeliveryRequest("a-case", 1))
    assert receiver.asked == []
    await database.close()


async def test_what_was_laid_out_for_an_address_goes_to_the_one_that_is_set_up(
    furnished_sqlite_url: str, receiver: Receiver, client: httpx.AsyncClient
) -> None:
    channel = WebhookChannel(Webhook(receiver.url, client, SECRET, SetClock().now))
    database = Database(furnished_sqlite_url)
    async with database.begin() as session:
        session.add(_delivery("http://old.invalid/", "pending"))
    activities = NotificationActivities(database, {"webhook": channel})
    await ActivityEnvironment().run(activities.deliver, DeliveryRequest("a-case", 1))
    async with database.read() as session:
        [row] = (await session.exec(select(Delivery))).all()
    assert (row.status, len(receiver.asked)) == ("sent", 1)
    await database.close()


def _delivery(target: str, status: str) -> Delivery:
    at = datetime(2026, 3, 9, 1, 20, tzinfo=UTC)
    told = {"case_id": "a-case", "seq": 1, "channel": "webhook", "text": "t"}
    return Delivery(**told, target=target, status=status, at=at)
