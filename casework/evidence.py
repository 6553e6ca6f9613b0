"""What evidence rests on: who signs, whom we believe, and where heads and histories are kept."""

from dataclasses import dataclass
from pathlib import Path

from models.signing import PublicKeys, SigningKey


@dataclass(frozen=True)
class Evidence:
    """Given once by the entry point. `keys` are all that may have signed, today's among them."""

    signer: SigningKey
    keys: PublicKeys
    heads: Path
    histories: Path
