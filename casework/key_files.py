"""The keys in a file of their own, apart from the backup: as settings, or sealed under a passphrase."""

import base64
import json
import os
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from models.crypto import Sealer, UnsealError

PREFIX = "BANCHENG_"
NAMES = ("PAYLOAD_KEYS", "SIGNING_KEY", "SECRET_KEY", "WEBHOOK_SECRET", "TRUSTED_KEYS")
SHORTEST = 12  # characters of a passphrase
_PURPOSE = "bancheng keys"
_COST, _BLOCK, _LANES = 2**15, 8, 1  # 32 MB and a tenth of a second for each guess


class BadKeyFile(Exception):
    """It holds no keys, or the passphrase is another one; the message says which and shows no key."""


def write_key_file(path: Path, secrets: Mapping[str, str], passphrase: str | None) -> None:
    """Write the keys, for the owner's eyes alone (mode 0600). Raises FileExistsError, OSError."""
    lines = "".join(f"{PREFIX}{name}={value}\n" for name, value in secrets.items())
    content = lines if passphrase is None else _sealed(lines, passphrase)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def read_key_file(path: Path, passphrase: str | None) -> dict[str, str]:
    """Return the keys by their settings' names. Raises `BadKeyFile`, OSError."""
    try:
        content = path.read_text(encoding="utf-8")
        if content.startswith("{"):
            if passphrase is None:
                raise BadKeyFile(f"{path} is sealed: a passphrase is needed")
            content = _opened(content, passphrase)
    except UnicodeDecodeError as error:
        raise BadKeyFile(f"{path} holds no keys") from error
    pairs = (line.strip().partition("=") for line in content.splitlines())
    found = {name.removeprefix(PREFIX): value for name, _, value in pairs if name.startswith(PREFIX)}
    if unknown := set(found) - set(NAMES):
        raise BadKeyFile(f"{path} holds {', '.join(sorted(unknown))}, which are no keys")
    if "PAYLOAD_KEYS" not in found:
        raise BadKeyFile(f"{path} holds no PAYLOAD_KEYS")
    return found


def _sealed(lines: str, passphrase: str) -> str:
    salt = os.urandom(16)
    token = _sealer(passphrase, salt).seal_text(lines, _PURPOSE)
    return json.dumps({"kdf": "scrypt", "salt": base64.b64encode(salt).decode(), "sealed": token}) + "\n"


def _opened(content: str, passphrase: str) -> str:
    try:
        read = json.loads(content)
        salt = base64.b64decode(read["salt"], validate=True)
        return _sealer(passphrase, salt).open_text(read["sealed"], _PURPOSE)
    except UnsealError as error:
        raise BadKeyFile("another passphrase, or the file was changed") from error
    except (ValueError, KeyError, TypeError) as error:
        raise BadKeyFile("not a file of keys") from error


def _sealer(passphrase: str, salt: bytes) -> Sealer:
    key = Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK, p=_LANES).derive(passphrase.encode())
    return Sealer({b"": key})
