"""Ed25519 signatures over heads of the ledger and over dossiers.

The private key comes from the settings and never reaches the database: who owns the database can
compute every hash anew, and still signs nothing. Source: design.md, Evidence.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

KEY_BYTES = 32
ID_LENGTH = 16  # hexadecimal digits of the public key's SHA-256


class SigningKey:
    """The key that signs now. Its repr shows no secret."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = PublicKey(private.public_key())

    def __repr__(self) -> str:
        return f"SigningKey(key_id={self.public.key_id!r})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key as `generate_signing_key` wrote it. Raises ValueError, which shows no key."""
        return cls(Ed25519PrivateKey.from_private_bytes(_bytes(text, "the signing key")))

    def sign(self, data: bytes) -> str:
        """Return the signature, base64."""
        return base64.b64encode(self._private.sign(data)).decode()


class PublicKey:
    """A key that signatures are checked with; ``text`` is how people hand it on, base64."""

    def __init__(self, public: Ed25519PublicKey) -> None:
        self._public = public
        raw = public.public_bytes_raw()
        self.text = base64.b64encode(raw).decode()
        self.key_id = hashlib.sha256(raw).hexdigest()[:ID_LENGTH]

    def __repr__(self) -> str:
        return f"PublicKey({self.text})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a public key. Raises ValueError."""
        return cls(Ed25519PublicKey.from_public_bytes(_bytes(text, "the public key")))

    def verifies(self, signature: str, data: bytes) -> bool:
        """Whether this key signed exactly these bytes."""
        try:
            self._public.verify(base64.b64decode(signature, validate=True), data)
        except (InvalidSignature, binascii.Error, ValueError):
            return False
        return True


class PublicKeys:
    """Every key that may have signed: the one of today and, after a rotation, those before it."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        self._keys = {key.key_id: key for key in keys}

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read keys with commas between; an empty text is none. Raises ValueError."""
        return cls(PublicKey.parse(part) for part in text.replace(",", " ").split())

    def __or__(self, other: PublicKey) -> "PublicKeys":
        return PublicKeys([*self._keys.values(), other])

    def knows(self, key_id: str) -> bool:
        """Whether a key of this id is here."""
        return key_id in self._keys

    def verifies(self, key_id: str, signature: str, data: bytes) -> bool:
        """Whether the key of this id is known here and signed exactly these bytes."""
        key = self._keys.get(key_id)
        return key is not None and key.verifies(signature, data)


def generate_signing_key() -> str:
    """Return a new private key as the settings write it: base64 of 32 bytes."""
    return base64.b64encode(Ed25519PrivateKey.generate().private_bytes_raw()).decode()


def _bytes(text: str, what: str) -> bytes:
    try:
        raw = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"{what} is not base64") from None
    if len(raw) != KEY_BYTES:
        raise ValueError(f"{what} has {len(raw)} bytes instead of {KEY_BYTES}")
    return raw
