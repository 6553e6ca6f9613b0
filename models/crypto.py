"""Sealing of personal data: AES-256-GCM under keys from the settings, or under a key per case.

A purpose (`"petitioner.phone"`) is bound into every token: a token moved to another column or
another case doesn't open. Source: design.md, Personal data.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Mapping
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32
NONCE_BYTES = 12
FORMAT = 1
KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_TO_STANDARD = str.maketrans("-_", "+/")  # keys may come in either alphabet of base64


class UnsealError(ValueError):
    """A token that doesn't open: changed, for another purpose, or under a key that is not there."""


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
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._ciphers[self._header[2:]]
        return self._header + nonce + cipher.encrypt(nonce, data, self._header + purpose.encode())

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

    def is_current(self, token: bytes) -> bool:
        """Say whether the token was sealed under the key that seals now (else: seal it again)."""
        return token.startswith(self._header)


class Keyring(Sealer):
    """The keys of the installation: the first seals, all open (to rotate, put a new one first)."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        super().__init__({key_id.encode(): key for key_id, key in keys.items()})
        self.key_ids = tuple(keys)
        self._index_keys = [_derived(key, b"bancheng blind index") for key in keys.values()]

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

    def blind_index(self, purpose: str, value: str) -> str:
        """Return the digest to store beside a sealed value, so that an equal value can be found.

        Width, case, spaces and punctuation don't matter (`0773-2800000` is `07732800000`).
        """
        return self._digest(self._index_keys[0], purpose, value)

    def blind_indexes(self, purpose: str, value: str) -> list[str]:
        """Return the digests to look a value up by: one for each key, the first one's first."""
        return [self._digest(key, purpose, value) for key in self._index_keys]

    @staticmethod
    def _digest(key: bytes, purpose: str, value: str) -> str:
        message = purpose.encode() + b"\0" + _bare(value).casefold().encode()
        return hmac.digest(key, message, "sha256").hex()


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


# Crockford's alphabet: no I, L, O and U, so that a code survives a phone call and a photocopy.
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 16  # 5 bits each: the 80 bits of contract.md
_LOOKALIKES = str.maketrans("OIL", "011")


def new_code() -> str:
    """Return a new query code: 80 random bits as four groups of four."""
    code = "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))
    return "-".join(code[i : i + 4] for i in range(0, CODE_LENGTH, 4))


def hash_code(code: str) -> str:
    """Return the digest of a query code as typed: case, width and separators don't matter.

    It has no key on purpose: 80 random bits need none, and a receipt outlives every key.
    """
    plain = _bare(code).upper().translate(_LOOKALIKES)
    return hashlib.sha256(b"bancheng query code\0" + plain.encode()).hexdigest()


def new_token() -> str:
    """Return a new bearer token or session id: 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return the digest under which a token is stored."""
    return hashlib.sha256(b"bancheng token\0" + token.encode()).hexdigest()


def _bare(text: str) -> str:
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))


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
