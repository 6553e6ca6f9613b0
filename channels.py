"""Builds the channels outside from the settings; each of them is asked for by the worker only."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx

from activities.archiving import Outlet, WebhookOutlet
from activities.notification import Channel, WebhookChannel
from activities.webhooks import Webhook
from casework.mail import MailChannel
from casework.personal_channels import PersonalChannel
from casework.services import Clock
from casework.sms import SmsChannel
from rules.delivering import Means
from settings import Settings

WITHIN = 10.0  # seconds that a gateway may take


@dataclass(frozen=True)
class Outside:
    """The ways outside that are set up: for messages about a case, for heads, for each person."""

    channels: list[Channel] = field(default_factory=list)
    outlets: list[Outlet] = field(default_factory=list)
    personal: list[PersonalChannel] = field(default_factory=list)


@asynccontextmanager
async def outside(settings: Settings, wall: Clock) -> AsyncIterator[Outside]:
    """Give the ways outside that are set up; none without their settings.

    Raises OSError where a certificate cannot be read, ValueError where a kept secret cannot.
    """
    ways = Outside()
    # Never a redirect: it would take what is sent to a host that nobody chose.
    async with httpx.AsyncClient(timeout=WITHIN, follow_redirects=False) as client:
        if settings.webhook_url:
            webhook = Webhook(settings.webhook_url, client, settings.webhook_key(), wall.now)
            ways.channels.append(WebhookChannel(webhook))
            ways.outlets.append(WebhookOutlet(webhook))
        ways.personal.extend(_personal(settings, means, client) for means in settings.offered_means())
        yield ways


def _personal(settings: Settings, means: Means, client: httpx.AsyncClient) -> PersonalChannel:
    if means is Means.EMAIL:
        return MailChannel(settings.mail_server())
    if means is Means.SMS:
        gateway = settings.sms_gateway()
        assert gateway is not None  # it is offered with its settings only
        return SmsChannel(gateway, client)
    from casework.robots import RobotChannel  # heavy, and most installations have none

    return RobotChannel(means)
