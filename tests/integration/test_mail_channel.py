"""Mail against a real server: what goes out, what fails."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from casework import mail
from casework.mail import MailChannel, MailServer, Security
from casework.personal_channels import NotDelivered, Refused
from tests.support.processes import free_port
from tests.support.receivers import (
    ID,
    PASSWORD,
    TEXT,
    USERNAME,
    Mailbox,
    certified,
    mail_receiver,
    message,
)


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
