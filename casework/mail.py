"""E-mail over SMTP."""

import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from enum import StrEnum
from pathlib import Path

import aiosmtplib

from casework.personal_channels import Message, NotDelivered, Refused, told
from rules.delivering import Means

WITHIN = 10.0  # seconds for each step of the conversation
NEVER = frozenset({550, 551, 553})
"""Answers to a recipient that no further attempt mends: no such mailbox, moved, not a name (RFC 5321)."""
FOOTER = "本邮件由系统自动发送，请勿回复。接收方式可在「我的账号 → 通知方式」中修改。"


class Security(StrEnum):
    """How the connection is protected: TLS from the start, STARTTLS (both verified), or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, repr=False)
class MailServer:
    """Where mail is handed over, and as whom. It has no repr: it holds a password."""

    host: str
    port: int
    security: Security
    sender: str
    username: str | None = None
    password: str | None = None
    authority: Path | None = None  # of the server's certificate; None: the system's


class MailChannel:
    """Sends plain text. The message's id is its Message-ID, so that a mailbox can tell a second copy."""

    means = Means.EMAIL

    def __init__(self, server: MailServer) -> None:
        """Take the server. Raises OSError where its authority cannot be read."""
        self._server = server
        self._tls = ssl.create_default_context(cafile=str(server.authority) if server.authority else None)

    async def send(self, message: Message) -> None:
        """Hand a mail over. Raises `NotDelivered`."""
        server = self._server
        secrets = (message.to, server.password or "")
        try:
            await aiosmtplib.send(
                self._mail(message),
                sender=server.sender,
                recipients=[message.to],
                hostname=server.host,
                port=server.port,
                username=server.username,
                password=server.password,
                use_tls=server.security is Security.TLS,
                # Never by chance: without it in the server's list the message is not sent.
                start_tls=server.security is Security.STARTTLS,
                tls_context=self._tls,
                timeout=WITHIN,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            first = error.recipients[0]
            kind = Refused if first.code in NEVER else NotDelivered
            raise kind(told(f"{first.code} {first.message}", *secrets)) from None
        except (aiosmtplib.SMTPException, OSError) as error:
            raise NotDelivered(told(f"{type(error).__name__}: {error}", *secrets)) from None

    def _mail(self, message: Message) -> EmailMessage:
        sender = Address(addr_spec=self._server.sender)
        mail = EmailMessage(policy=SMTP)
        mail["From"] = Address("办不成事", sender.username, sender.domain)
        mail["To"] = Address(addr_spec=message.to)
        mail["Subject"] = " ".join(message.subject.split())
        mail["Message-ID"] = f"<{message.id}@{sender.domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answers of absent people
        mail.set_content("\n".join((*message.lines, "", FOOTER)) + "\n", charset="utf-8")
        return mail
