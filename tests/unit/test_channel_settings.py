"""Settings of channels outside: faults are named and never shown; a rehearsal reaches nobody by itself."""

import hashlib
import hmac
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from activities.archiving import FileOutlet
from activities.webhooks import signed
from assembly import build_services
from casework.mail import Security
from casework.services import Clock
from casework.sms import SmsChannel
from channels import outside
from rules.delivering import Means
from serving import rehearsal_settings
from settings import Settings
from tests.support.office import SetClock

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "notifications.md"
MAIL = {"smtp_host": "mail.hall.example", "smtp_sender": "no-reply@hall.example"}
SMS: dict[str, Any] = {
    "sms_url": "https://sms.example/send?key=s3cr3t",
    "sms_headers": '{"Content-Type": "application/json", "X-Key": "s3cr3t"}',
    "sms_body": '{"to": "{phone}", "text": "{text}"}',
}
EVERYTHING: dict[str, Any] = {
    **MAIL,
    **SMS,
    "robots": "feishu, wecom",
    "webhook_url": "https://gateway.example/hook",
}


def settings(**given: Any) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg]


def test_without_settings_nobody_is_reached_outside() -> None:
    assert settings().offered_means() == ()


def test_a_means_is_offered_where_its_settings_are() -> None:
    assert settings(**EVERYTHING).offered_means() == (
        Means.EMAIL,
        Means.SMS,
        Means.WECOM,
        Means.FEISHU,
    )


@pytest.mark.parametrize("given", [{}, EVERYTHING])
async def test_heads_are_counted_for_the_outlets_that_the_worker_has(
    given: dict[str, Any], tmp_path: Path
) -> None:
    chosen = settings(**given, data_dir=tmp_path)
    async with outside(chosen, SetClock()) as ways:
        names = (FileOutlet.name, *(outlet.name for outlet in ways.outlets))
    assert build_services(chosen).outlets == names


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"smtp_host": "mail"}, "SMTP_SENDER"),
        ({**MAIL, "smtp_sender": "a@b.cn\nBcc: c@d.cn"}, "SMTP_SENDER"),
        ({**MAIL, "smtp_username": "x"}, "go together"),
        (
            {**MAIL, "smtp_username": "x", "smtp_password": "s3cr3t", "smtp_security": "none"},
            "SMTP_SECURITY",
        ),
        ({**MAIL, "smtp_security": "ssl"}, "smtp_security"),
        ({**SMS, "sms_url": "file:///etc/passwd?s3cr3t"}, "http"),
        ({**SMS, "sms_headers": "X-Key: s3cr3t"}, "SMS_HEADERS"),
        ({**SMS, "sms_headers": '{"X-Key": "s3cr3t\\r\\nX: y"}'}, "SMS_HEADERS"),
        ({**SMS, "sms_headers": '["s3cr3t"]'}, "SMS_HEADERS"),
        ({**SMS, "sms_body": '{"to": {phone}, "text": "{text}", "k": "s3cr3t"}'}, "JSON"),
        ({**SMS, "sms_method": "DELETE"}, "method"),
        ({"robots": "wecom,telegram"}, "telegram"),
        ({"webhook_url": "gateway.example"}, "webhook_url"),
        ({"webhook_url": "https://user:s3cr3t@gateway.example"}, "webhook_url"),
        ({"webhook_secret": "s3cr3t"}, "webhook_secret"),
    ],
)
def test_a_faulty_setting_is_named_and_its_secret_never_shown(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words) as refused:
        settings(**given)
    assert "s3cr3t" not in str(refused.value)


def test_secrets_are_not_printed() -> None:
    given = settings(**SMS, smtp_password=None, webhook_secret="s3cr3t s3cr3t s3cr3t")
    assert "s3cr3t" not in repr(given)
    assert "s3cr3t" not in repr(given.sms_gateway())


def test_the_webhooks_secret_is_made_once_and_kept(tmp_path: Path) -> None:
    first = settings(data_dir=tmp_path).webhook_key()
    assert len(first) >= 32
    assert settings(data_dir=tmp_path).webhook_key() == first
    assert (tmp_path / "webhook_secret").stat().st_mode & 0o077 == 0
    assert settings(webhook_secret="a given secret of ours").webhook_key() == "a given secret of ours"


def test_a_rehearsal_reaches_nobody_outside_unless_told_to(tmp_path: Path) -> None:
    quiet = rehearsal_settings(settings(**EVERYTHING), tmp_path)
    assert (quiet.webhook_url, quiet.offered_means()) == ("", ())
    loud = rehearsal_settings(settings(**EVERYTHING, rehearsal_channels=True), tmp_path)
    assert loud.webhook_url and len(loud.offered_means()) == 4


async def test_the_channels_are_those_that_are_set_up(tmp_path: Path) -> None:
    clock: Clock = SetClock()
    async with outside(settings(data_dir=tmp_path), clock) as none:
        assert (none.channels, none.outlets, none.personal) == ([], [], [])
    async with outside(settings(data_dir=tmp_path, **EVERYTHING), clock) as ways:
        assert [channel.name for channel in ways.channels] == ["webhook"]
        assert [outlet.name for outlet in ways.outlets] == ["webhook"]
        assert [each.means for each in ways.personal] == ["email", "sms", "wecom", "feishu"]
        assert isinstance(ways.personal[1], SmsChannel)


def test_mail_is_secured_unless_said_else() -> None:
    assert settings(**MAIL).mail_server().security is Security.STARTTLS


def _snippet() -> Any:
    """The check of a signature, as the how-to gives it to receivers."""
    [code] = re.findall(r"```python\n(.*?)```", HOW_TO.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_ours"]


@pytest.mark.parametrize(
    ("age", "secret", "body", "ours"),
    [
        (0, "the secret of ours", b"{}", True),
        (299, "the secret of ours", b"{}", True),
        (302, "the secret of ours", b"{}", False),
        (-302, "the secret of ours", b"{}", False),
        (0, "another secret", b"{}", False),
        (0, "the secret of ours", b"{} ", False),
    ],
)
def test_the_documented_check_takes_ours_and_nothing_else(
    age: int, secret: str, body: bytes, ours: bool
) -> None:
    at = datetime.fromtimestamp(time.time(), UTC) - timedelta(seconds=age)
    headers = signed(b"the secret of ours", at, b"{}")
    assert _snippet()(secret, headers, body) is ours


def test_the_signature_is_that_of_timestamp_and_body() -> None:
    headers = signed(b"k", datetime(2026, 3, 9, 1, 20, 0, 999_999, tzinfo=UTC), "办".encode())
    expected = hmac.new(b"k", b"1773019200." + "办".encode(), hashlib.sha256).hexdigest()
    assert headers == {"X-Bancheng-Timestamp": "1773019200", "X-Bancheng-Signature": f"sha256={expected}"}
