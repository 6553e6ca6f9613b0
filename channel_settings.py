"""The settings of the channels outside: webhook, mail, short messages, robots of group chats.

How each is set up: docs/how-to/notifications.md.
"""

import json
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings

from casework.mail import MailServer, Security
from casework.sms import SmsGateway
from rules.delivering import Means
from rules.outside_addresses import read_address

SHORTEST_WEBHOOK_SECRET = 16  # characters; a shorter one can be guessed from a signed message
ROBOTS = (Means.WECOM, Means.DINGTALK, Means.FEISHU)

# Absolute, so that a later change of the working directory moves nothing.
Folder = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class ChannelSettings(BaseSettings):
    """What an operator may set of channels outside; without any of it the inbox is the only one."""

    webhook_url: str = ""
    webhook_secret: SecretStr | None = Field(default=None, min_length=SHORTEST_WEBHOOK_SECRET)
    smtp_host: str = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Security = Security.STARTTLS
    smtp_username: str = ""
    smtp_password: SecretStr | None = None
    smtp_sender: str = ""
    smtp_ca: Folder | None = None
    sms_url: SecretStr | None = None
    sms_method: str = "POST"
    sms_headers: SecretStr | None = None
    sms_body: SecretStr | None = None
    sms_success: str = ""
    robots: str = ""
    rehearsal_channels: bool = False

    @field_validator("webhook_url")
    @classmethod
    def _an_address(cls, url: str) -> str:
        if url:
            _check_http(url)
        return url

    @field_validator("robots")
    @classmethod
    def _known_robots(cls, text: str) -> str:
        if unknown := set(_split(text)) - {str(means) for means in ROBOTS}:
            raise ValueError(f"no such robot: {', '.join(sorted(unknown))}")
        return text

    @model_validator(mode="after")
    def _whole_mail_server(self) -> Self:
        if not self.smtp_host:
            return self
        try:
            read_address(Means.EMAIL, self.smtp_sender)
        except ValueError:
            raise ValueError("SMTP_HOST needs SMTP_SENDER, an address of its own") from None
        if bool(self.smtp_username) != (self.smtp_password is not None):
            raise ValueError("SMTP_USERNAME and SMTP_PASSWORD go together")
        if self.smtp_password and self.smtp_security is Security.NONE:
            raise ValueError("SMTP_PASSWORD would travel in clear: SMTP_SECURITY must be starttls or tls")
        return self

    @model_validator(mode="after")
    def _whole_gateway(self) -> Self:
        try:
            self.sms_gateway()
        except ValueError as error:
            # Its own message alone: the template holds secrets.
            raise ValueError(f"the SMS gateway: {error}") from None
        return self

    def offered_means(self) -> tuple[Means, ...]:
        """Return by which means users may be reached, in the order in which pages show them."""
        means = [Means.EMAIL] if self.smtp_host else []
        means += [Means.SMS] if self.sms_url else []
        chosen = _split(self.robots)
        return (*means, *(robot for robot in ROBOTS if robot in chosen))

    def mail_server(self) -> MailServer:
        """Return the mail server; asked only where SMTP_HOST is set."""
        password = self.smtp_password
        return MailServer(
            host=self.smtp_host,
            port=self.smtp_port,
            security=self.smtp_security,
            sender=self.smtp_sender,
            username=self.smtp_username or None,
            password=password.get_secret_value() if password else None,
            authority=self.smtp_ca,
        )

    def sms_gateway(self) -> SmsGateway | None:
        """Return the gateway, None without SMS_URL. Raises ValueError."""
        if self.sms_url is None:
            return None
        url = self.sms_url.get_secret_value()
        _check_http(url)
        return SmsGateway(
            url=url,
            method=self.sms_method.upper(),
            headers=_headers(self.sms_headers),
            body=self.sms_body.get_secret_value() if self.sms_body else "",
            success=self.sms_success,
        )


def without_channels(settings: ChannelSettings) -> dict[str, Any]:
    """Return the values under which nobody outside hears of anything."""
    if settings.rehearsal_channels:
        return {}
    return {"webhook_url": "", "smtp_host": "", "sms_url": None, "robots": ""}


def _check_http(url: str) -> None:
    asked = urlsplit(url)
    if asked.scheme not in ("http", "https") or not asked.hostname or asked.username:
        raise ValueError("an http:// or https:// address is needed, without a name in it")


def _headers(given: SecretStr | None) -> dict[str, str]:
    """Read headers, written as JSON: {"Content-Type": "application/json"}."""
    if given is None:
        return {}
    try:
        headers = json.loads(given.get_secret_value())
    except ValueError:
        headers = None
    plain = isinstance(headers, dict) and all(isinstance(value, str) for value in headers.values())
    if not plain or any(not text.isprintable() for pair in headers.items() for text in pair):
        raise ValueError("SMS_HEADERS is no JSON object of texts")
    return dict(headers)


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
