"""A signing key for tests, and the folders that evidence is kept in."""

from pathlib import Path

from casework.evidence import Evidence
from models.signing import PublicKeys, SigningKey, generate_signing_key

SIGNER = SigningKey.parse(generate_signing_key())


def evidence_in(folder: Path, signer: SigningKey = SIGNER) -> Evidence:
    """What the services of a test sign and keep evidence with."""
    return Evidence(signer, PublicKeys([signer.public]), folder / "heads", folder / "histories")
