"""The payload codec: everything that reaches Temporal is sealed under the installation's keys.

Replies may name people, so nothing in a history can be read without the keys (design.md,
Personal data). Rotation: the first key seals, all open.
"""

from collections.abc import Sequence
from dataclasses import replace

from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter, PayloadCodec

from models.crypto import Keyring

ENCODING = b"binary/bancheng-sealed"
PURPOSE = "temporal"


class SealingCodec(PayloadCodec):
    """Seals whole payloads, metadata included."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads sealed."""
        return [
            Payload(
                metadata={"encoding": ENCODING},
                data=self._keyring.seal(payload.SerializeToString(), PURPOSE),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads opened; what this codec did not seal passes as it is."""
        return list(map(self._open, payloads))

    def _open(self, payload: Payload) -> Payload:
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(self._keyring.open(payload.data, PURPOSE))


def data_converter(keyring: Keyring) -> DataConverter:
    """Return the converter of every client and worker: JSON by pydantic, sealed."""
    return replace(pydantic_data_converter, payload_codec=SealingCodec(keyring))
