"""A petitioner in clear, and how it is sealed into its row and opened again."""

from dataclasses import dataclass

from models.crypto import CaseKey, Keyring
from models.filing import Petitioner

NAME_INDEX = "petitioner.name"
PHONE_INDEX = "petitioner.phone"


@dataclass(frozen=True, repr=False)
class PetitionerDetails:
    """Who brought the case. It has no repr: logs must not show it."""

    kind: str
    name: str
    phone: str
    id_number: str | None = None
    uscc: str | None = None


def seal_petitioner(details: PetitionerDetails, case_id: str, key: CaseKey, keyring: Keyring) -> Petitioner:
    """Return the row to store: sealed under the case key, found through the keyring's indexes."""

    def seal(column: str, value: str | None) -> str | None:
        return None if value is None else key.seal_text(value, _purpose(column, case_id))

    return Petitioner(
        case_id=case_id,
        kind=details.kind,
        name=seal("name", details.name),
        phone=seal("phone", details.phone),
        id_number=seal("id_number", details.id_number),
        uscc=seal("uscc", details.uscc),
        name_index=keyring.blind_index(NAME_INDEX, details.name),
        phone_index=keyring.blind_index(PHONE_INDEX, details.phone),
    )


def open_petitioner(row: Petitioner, key: CaseKey) -> PetitionerDetails | None:
    """Return the petitioner in clear, or None once erased. Raises `crypto.UnsealError`."""
    if row.name is None or row.phone is None:
        return None

    def opened(column: str, token: str | None) -> str | None:
        return None if token is None else key.open_text(token, _purpose(column, row.case_id))

    return PetitionerDetails(
        kind=row.kind,
        name=key.open_text(row.name, _purpose("name", row.case_id)),
        phone=key.open_text(row.phone, _purpose("phone", row.case_id)),
        id_number=opened("id_number", row.id_number),
        uscc=opened("uscc", row.uscc),
    )


def _purpose(column: str, case_id: str) -> str:
    return f"petitioner.{column}:{case_id}"
