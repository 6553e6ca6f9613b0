"""Sealing of personal data: AES-256-GCM under keys from the settings, or under a key per case.

A purpose (`"petitioner.phone"`) is bound into every token: a token moved to another column or
another case doesn't open. Source: design.md, Personal data.
"""

import base64
import binascii
import hmac
import os
import re
from collections.abc import Mapping
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from models.codes import bare
from models.outage import DatabaseUnavailable

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = 1
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TO_STANDARD = str.maketrans("-_", "+/")  # keys may come in either alphabet of base64


class UnsealError(ValueError):
    """A token that doesn't open: changed, for another purpose, or under a key that is not there."""


class KeysNotRead(DatabaseUnavailable):
    """The keys that the database keeps were not read yet: it could not be reached. Try again."""


class Sealer:
    """Seals under one key, opens under any; the token names its key.

    Token: format, length of the key id, key id, nonce, ciphertext with its tag; as text base64url.
    """

    def __init__(self, keys: Mapping[bytes, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        first = next(iter(keys))
        self._header = bytes((FORMAT, len(first))) + first

    def seal(self, data: bytes, purpose: str) -> bytes:
        """Return a token that opens with the same purpose only; no two calls give the same one."""
        header, nonce = self._header, os.urandom(NONCE_BYTES)  # read once: a rotation may replace it
        cipher = self._ciphers[header[2:]]
        return header + nonce + cipher.encrypt(nonce, data, header + purpose.encode())

    def open(self, token: bytes, purpose: str) -> bytes:
        """Return what was sealed. Raises UnsealError."""
        if len(token) < 2 or token[0] != FORMAT:
            raise UnsealError("not a sealed token")
        start = 2 + token[1]
        header, nonce = token[:start], token[start : start + NONCE_BYTES]
        cipher = self._ciphers.get(header[2:])
        if cipher is None:
            raise UnsealError("sealed under a key that is not in the keyring")
        try:
            return cipher.decrypt(nonce, token[start + NONCE_BYTES :], header + purpose.encode())
        except (InvalidTag, ValueError) as error:
            raise UnsealError("changed, or sealed for another purpose") from error

    def seal_text(self, text: str, purpose: str) -> str:
        """Seal a text; the token is base64url, fit for a column."""
        return _encoded(self.seal(text.encode(), purpose))

    def open_text(self, token: str, purpose: str) -> str:
        """Return the text that was sealed. Raises UnsealError."""
        return self.open(_decoded(token), purpose).decode()


class Keyring(Sealer):
    """The keys of the installation: the first seals, all open (to rotate, put a new one first).

    Beside those of the settings it knows keys that the database keeps, wrapped by them: the key of the
    blind indexes, which stays when the others rotate, and retired keys, which only open (ADR 30).
    """

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self.waits = False
        self._retired: dict[str, bytes] = {}
        self._index: bytes | None = None
        self._take(keys)

    def _take(self, keys: Mapping[str, bytes]) -> None:
        self._keys = dict(keys)
        self.key_ids = tuple(keys)
        self._index_keys = [_derived(key, b"bancheng blind index") for key in keys.values()]
        everything = {**self._retired, **self._keys}
        first = next(iter(keys))
        ordered = {first: keys[first], **everything}
        super().__init__({key_id.encode(): key for key_id, key in ordered.items()})

    def __repr__(self) -> str:
        return f"Keyring(key_ids={self.key_ids})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64key,…`; every key has 32 bytes.

        Raises ValueError; its message shows no key.
        """
        keys: dict[str, bytes] = {}
        for entry in filter(None, (part.strip() for part in text.split(","))):
            key_id, _, encoded = entry.partition(":")
            if not encoded or not KEY_ID.fullmatch(key_id):
                raise ValueError("keys are id:base64key,…; an id has letters, digits, - and _")
            if key_id in keys:
                raise ValueError(f"key {key_id} stands twice")
            keys[key_id] = _key(key_id, encoded)
        if not keys:
            raise ValueError("no key given")
        return cls(keys)

    def written(self, *key_ids: str) -> str:
        """Return keys of the settings as the settings write them: a secret. By default all of them."""
        wanted = key_ids or self.key_ids
        return ",".join(f"{each}:{base64.b64encode(self._keys[each]).decode()}" for each in wanted)

    @property
    def retired(self) -> tuple[str, ...]:
        """Ids of the keys that only the database keeps."""
        return tuple(key_id for key_id in self._retired if key_id not in self._keys)

    def open(self, token: bytes, purpose: str) -> bytes:
        """Return what was sealed. Raises UnsealError, `KeysNotRead`."""
        if self.waits and key_id_of(token) not in self._keys:
            raise KeysNotRead("the keys in the database were not read yet")
        return super().open(token, purpose)

    def sealed_anew(self, token: bytes, purpose: str) -> bytes:
        """Return the same content sealed under the first key. Raises UnsealError."""
        return self.seal(self.open(token, purpose), purpose)

    def text_sealed_anew(self, token: str, purpose: str) -> str:
        """Return the same for a token as text, whatever it holds. Raises UnsealError."""
        return _encoded(self.sealed_anew(_decoded(token), purpose))

    def replace(self, other: "Keyring") -> None:
        """Take the keys of the settings as another ring has them; what the database keeps stays."""
        self._take(other._keys)

    def joined(self, other: "Keyring") -> "Keyring":
        """Return a ring with these keys and, behind them, those of another."""
        return Keyring({**self._keys, **{k: v for k, v in other._keys.items() if k not in self._keys}})

    def learn(self, index: bytes, retired: Mapping[str, bytes]) -> None:
        """Take what the database keeps: the key of the blind indexes, and keys that only open."""
        self._index, self._retired, self.waits = index, dict(retired), False
        self._take(self._keys)

    def wrap_key(self, key_id: str) -> str:
        """Return a key of the settings or a retired one, sealed under the first."""
        return self.seal_text(
            base64.b64encode({**self._retired, **self._keys}[key_id]).decode(), kept(key_id)
        )

    def wrap_index(self, of: int = 0) -> str:
        """Return the key of the blind indexes sealed under the first.

        Until one was learnt, it is the one that the settings' key number `of` made before.
        """
        key = self._index or self._index_keys[of]
        return self.seal_text(base64.b64encode(key).decode(), kept(None))

    def unwrap_key(self, key_id: str | None, wrapped: str) -> bytes:
        """Return what `wrap_key`, or with None `wrap_index`, wrapped. Raises UnsealError."""
        return base64.b64decode(Sealer.open(self, _decoded(wrapped), kept(key_id)))

    def blind_index(self, purpose: str, value: str) -> str:
        """Return the digest to store beside a sealed value, so that an equal value can be found.

        Width, case, spaces and punctuation don't matter (`0773-2800000` is `07732800000`). It is the
        same before and after a rotation. Raises `KeysNotRead`.
        """
        return self.blind_indexes(purpose, value)[0]

    def blind_indexes(self, purpose: str, value: str) -> list[str]:
        """Return the digests to look a value up by, first the one that is stored now.

        Those of the settings' keys follow: rows from before the index had a key of its own have them.
        Raises `KeysNotRead`.
        """
        if self.waits:
            raise KeysNotRead("the key of the indexes was not read yet")
        keys = [self._index, *self._index_keys] if self._index else self._index_keys
        return [self._digest(key, purpose, value) for key in dict.fromkeys(keys)]

    def former_indexes(self, purpose: str, value: str) -> list[str]:
        """Return the digests as each key of the settings made them before the index had its own."""
        return [self._digest(key, purpose, value) for key in self._index_keys]

    @staticmethod
    def _digest(key: bytes, purpose: str, value: str) -> str:
        message = purpose.encode() + b"\0" + bare(value).casefold().encode()
        return hmac.digest(key, message, "sha256").hex()


def kept(key_id: str | None) -> str:
    """Return the purpose under which a key is wrapped for the database; None is that of the indexes."""
    return "house-key:index" if key_id is None else f"house-key:payload:{key_id}"


def key_id_of(token: bytes | str) -> str:
    """Return the id of the key that a token says it was sealed under. Raises UnsealError."""
    data = _decoded(token) if isinstance(token, str) else token
    if len(data) < 2 or data[0] != FORMAT:
        raise UnsealError("not a sealed token")
    return data[2 : 2 + data[1]].decode(errors="replace")


def token_starts(key_id: str) -> tuple[str, ...]:
    """Return every way in which a text token of this key may begin, all of one length.

    So a database can tell whose a token is: the bits of the header's last letter that belong to the
    nonce may be anything.
    """
    header = bytes((FORMAT, len(key_id))) + key_id.encode()
    length = -(-len(header) * 8 // 6)
    spare = length * 6 - len(header) * 8
    return tuple(_encoded(header + bytes((tail << (8 - spare),)))[:length] for tail in range(2**spare))


def byte_start(key_id: str) -> bytes:
    """Return how every token of this key begins, as bytes."""
    return bytes((FORMAT, len(key_id))) + key_id.encode()


class CaseKey(Sealer):
    """The key of one case: seals its petitioner, free texts and attachments.

    It is stored wrapped by the keyring; once that row is deleted, nothing of the case opens again.
    """

    def __init__(self, key: bytes) -> None:
        super().__init__({b"": key})
        self._key = key

    @classmethod
    def create(cls) -> Self:
        """Return a new random key."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def unwrap(cls, keyring: Keyring, case_id: str, wrapped: str) -> Self:
        """Return the key that `wrap` wrapped for this case. Raises UnsealError."""
        return cls(keyring.open(_decoded(wrapped), _wrapping(case_id)))

    def wrap(self, keyring: Keyring, case_id: str) -> str:
        """Return the key sealed under the keyring, for this case only."""
        return _encoded(keyring.seal(self._key, _wrapping(case_id)))


def generate_key(key_id: str = "k1") -> str:
    """Return a new key as the settings write it: `id:base64key`."""
    return f"{key_id}:{base64.b64encode(os.urandom(KEY_BYTES)).decode()}"


def _wrapping(case_id: str) -> str:
    return f"case-key:{case_id}"


def _encoded(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def _decoded(token: str) -> bytes:
    if "+" in token or "/" in token:
        raise UnsealError("not a sealed token")
    standard = token.replace("-", "+").replace("_", "/")
    try:
        data = binascii.a2b_base64(standard + "=" * (-len(token) % 4), strict_mode=True)
    except (binascii.Error, ValueError) as error:
        raise UnsealError("not a sealed token") from error
    # base64 ignores the spare bits of its last letter: a changed letter must not pass.
    if (spare := len(data) % 3) and _encoded(data[-spare:]) != token[-spare - 1 :]:
        raise UnsealError("not a sealed token")
    return data


def _key(key_id: str, encoded: str) -> bytes:
    standard = encoded.strip().rstrip("=").translate(_TO_STANDARD)
    try:
        key = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"key {key_id} is not base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"key {key_id} has {len(key)} bytes instead of {KEY_BYTES}")
    return key


def _derived(key: bytes, info: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=info).derive(key)
