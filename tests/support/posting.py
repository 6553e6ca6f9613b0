"""The post as a process that can be killed: `python -m tests.support.posting DATABASE KEYS GATEWAY`.

Short messages are on offer; whatever a dead one had in hand counts as lost after a second.
"""

import asyncio
import sys
from datetime import timedelta
from pathlib import Path

import httpx
from temporalio.client import Client

from casework import outbox
from casework.clocks import MachineClock
from casework.delivering import post
from casework.engine import Engine
from casework.services import Services
from casework.sms import SmsChannel, SmsGateway
from models.crypto import Keyring
from models.database import Database
from rules.delivering import Means


def gateway_at(url: str) -> SmsGateway:
    """A gateway that takes JSON and says so."""
    return SmsGateway(
        url,
        headers={"Content-Type": "application/json"},
        body='{"to": "{phone}", "text": "{text}", "id": "{id}"}',
        success='"errcode":0',
    )


async def _no_engine() -> Client:
    raise RuntimeError("the post needs no engine")


async def run(url: str, keys: str, gateway: str) -> None:
    """Lay out and send until somebody kills us."""
    outbox.CLAIMED = timedelta(seconds=1)
    clock = MachineClock()
    services = Services(
        Database(url),
        Keyring.parse(keys),
        Engine(_no_engine),
        clock,
        clock,
        {},
        Path(),
        means=(Means.SMS,),
    )
    async with httpx.AsyncClient(timeout=30) as client:
        channel = SmsChannel(gateway_at(gateway), client)
        async with post(services, [channel], every=timedelta(seconds=0.05)):
            await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
