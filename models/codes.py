"""What people and browsers carry, and what is stored of it: query codes and tokens, by their digests."""

import hashlib
import secrets
import unicodedata

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
    plain = bare(code).upper().translate(_LOOKALIKES)
    return hashlib.sha256(b"bancheng query code\0" + plain.encode()).hexdigest()


def new_token() -> str:
    """Return a new bearer token or session id: 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """Return the digest under which a token is stored."""
    return hashlib.sha256(b"bancheng token\0" + token.encode()).hexdigest()


def bare(text: str) -> str:
    """Return letters and digits alone, in their plain width: what is left of a text however it is typed."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text)))
