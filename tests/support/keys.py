"""Rings of keys for rotations, over the house's own."""

from dataclasses import replace

from casework.house_keys import read_house_keys
from casework.services import Services
from models.crypto import Keyring, generate_key
from tests.support.house import KEYRING

NEW = generate_key("k2")
OLD = KEYRING.written()


async def with_keys(services: Services, *entries: str) -> Services:
    """The same services as a process has them that was started with these keys."""
    ring = Keyring.parse(",".join(entries))
    started = replace(services, keyring=ring)
    await read_house_keys(started)
    return started
