"""The payload codec: everything that reaches Temporal is packed and sealed under our keys.

Replies may name people, so nothing in a history can be read without the keys (design.md,
Personal data). Rotation: the first key seals, all open.
"""

import functools
import zlib
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter
from temporalio.api.common.v1 import Payload
from temporalio.contrib.pydantic import PydanticJSONPlainPayloadConverter
from temporalio.converter import (
    CompositePayloadConverter,
    DataConverter,
    DefaultPayloadConverter,
    JSONPlainPayloadConverter,
    PayloadCodec,
)

from models.crypto import Keyring

ENCODING = b"binary/sealed"
PURPOSE = "temporal"
RAW, DEFLATED = b"\0", b"\1"

# What most payloads have in common: a short message packs to half with it. Histories kept for
# years were packed with it, so it never changes; a better one gets a mark of its own.
_COMMON = (
    b'","merged_into":null,"attachments":0,"excused":false,"archived_at":null,"co_units":[],'
    b'"convenings":0,"responses_owed":1,"response_since":"progress_at":"leader_since":null,'
    b'"due":{"days":3,"start":"due_set_at":"due_provisional":false,"due_epoch":1,'
    b'"original_due_at":"limit_days":3,"dispatches":1,"unit_signed":true,"light":"green",'
    b'"level":"contact","kind":"simple","cause":"other","outcome":"solved","closed_at":"'
    b'"rounds":[{"round":1,"started_at":"due_at":"late":false,"replied_at":null,"told_at":null,'
    b'"on_time":null,"resolved":true,"clerk_rating":null,"citizen_rating":null,"attempts":[],'
    b'"reached":false,"revisited":false}],"reply":{"at":"source":"handling"},'
    b'"judgement_since":null,"pending":null,"status":"dispatched","revisiting","closed",'
    b'encoding\x12\njson/plain{"rows":[{"seq":"command_id":"register","type":"registered","at":"2026-'
    b':00Z","changes":{"stage_since":"2026-","stage":2,"fired":[]}],"outside":[]}'
    b'{"command_id":"actor":{"role":"window_lead","clerk","contact","deputy_leader",'
    b'"username":"name":"hall":"guilin","unit":null},"body":{"text":"reason":"},"terms":null}'
)


class SealingCodec(PayloadCodec):
    """Seals whole payloads, metadata included."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads sealed."""
        return [
            Payload(
                metadata={"encoding": ENCODING},
                data=self._keyring.seal(_packed(payload.SerializeToString()), PURPOSE),
            )
            for payload in payloads
        ]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Return the payloads opened; what this codec did not seal passes as it is."""
        return list(map(self.opened, payloads))

    def opened(self, payload: Payload) -> Payload:
        """Return one payload opened. Raises `crypto.UnsealError`."""
        if payload.metadata.get("encoding") != ENCODING:
            return payload
        return Payload.FromString(_unpacked(self._keyring.open(payload.data, PURPOSE)))


def _packed(data: bytes) -> bytes:
    """Return the shorter of raw and deflated; the first byte says which."""
    # Messages are short: setting up a packer of the usual size costs more than packing them.
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS, memLevel=4, zdict=_COMMON)
    deflated = packer.compress(data) + packer.flush()
    return DEFLATED + deflated if len(deflated) < len(data) else RAW + data


def _unpacked(data: bytes) -> bytes:
    if data[:1] == DEFLATED:
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS, zdict=_COMMON)
        return unpacker.decompress(data[1:]) + unpacker.flush()
    return data[1:]


@functools.cache
def _adapter(hint: Any) -> TypeAdapter[Any]:
    return TypeAdapter(hint)


class _Json(PydanticJSONPlainPayloadConverter):
    """JSON by pydantic, with adapters shared by all."""

    def from_payload(self, payload: Payload, type_hint: type | None = None) -> Any:
        """Return the payload's value as `type_hint`. Raises `pydantic.ValidationError`."""
        return _adapter(Any if type_hint is None else type_hint).validate_json(payload.data)


# The SDK makes a converter for each workflow; making this part anew for each case, with its adapters,
# costs more than all the rules of the case do.
_JSON = _Json()


class JsonConverter(CompositePayloadConverter):
    """The SDK's converters, with our JSON in place of its own."""

    def __init__(self) -> None:
        defaults = DefaultPayloadConverter.default_encoding_payload_converters
        ours = (_JSON if isinstance(c, JSONPlainPayloadConverter) else c for c in defaults)
        super().__init__(*ours)


def data_converter(keyring: Keyring) -> DataConverter:
    """Return the converter of every client and worker: JSON by pydantic, sealed."""
    return DataConverter(payload_converter_class=JsonConverter, payload_codec=SealingCodec(keyring))
