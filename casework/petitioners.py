"""The petitioner as staff see it: masked, and in clear only with a reason on the access log."""

from collections.abc import Collection
from typing import Any

from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from casework.scope import OF_A_UNIT
from casework.services import Services
from casework.viewer import Viewer
from models.access_log import append
from models.case import Case
from models.codes import hash_code, new_code
from models.crypto import CaseKey, Keyring
from models.filing import CaseSecret, Filing, Petitioner
from models.petitioner import PetitionerDetails, open_petitioner
from rules.case.vocabulary import Role

MAY_UNMASK = frozenset({Role.CLERK, Role.WINDOW_LEAD, Role.SUPERVISOR, Role.AUDITOR})
MAY_RENEW_CODE = frozenset({Role.CLERK, Role.WINDOW_LEAD})
_PREFIX = 3  # digits of a phone that may be shown


def masked(details: PetitionerDetails) -> dict[str, Any]:
    """Return a petitioner as it is shown: 张*, 138********; of other numbers both ends."""
    digits = "".join(filter(str.isdigit, details.phone))
    return {
        "kind": details.kind,
        "name": details.name[0] + "*",
        "phone": digits[:_PREFIX] + "*" * (len(digits) - _PREFIX),
        "id_number": _ends(details.id_number),
        "uscc": _ends(details.uscc),
    }


def in_clear(details: PetitionerDetails) -> dict[str, Any]:
    """Return a petitioner unmasked."""
    return {
        "kind": details.kind,
        "name": details.name,
        "phone": details.phone,
        "id_number": details.id_number,
        "uscc": details.uscc,
    }


def erased(kind: str) -> dict[str, Any]:
    """Return what is left once the personal data was erased."""
    return {"kind": kind, "name": None, "phone": None, "id_number": None, "uscc": None}


def _ends(number: str | None) -> str | None:
    return number and number[0] + "*" * (len(number) - 2) + number[-1]


def may_unmask(viewer: Viewer, case: Case) -> bool:
    """Whether a viewer who sees the case may see its petitioner; of units the handling one only."""
    if viewer.role in OF_A_UNIT:
        return viewer.unit == case.unit
    return viewer.role in MAY_UNMASK


async def read_petitioners(
    session: AsyncSession, keyring: Keyring, case_ids: Collection[str]
) -> dict[str, tuple[Petitioner, PetitionerDetails | None]]:
    """Return the petitioners of cases, in one query; details are None once erased."""
    wanted = (
        select(Petitioner, CaseSecret)
        .outerjoin(CaseSecret, col(CaseSecret.case_id) == Petitioner.case_id)
        .where(col(Petitioner.case_id).in_(case_ids))
    )
    found = {}
    for row, secret in (await session.exec(wanted)).all():
        details = None
        if secret is not None:
            details = open_petitioner(row, CaseKey.unwrap(keyring, row.case_id, secret.wrapped_key))
        found[row.case_id] = (row, details)
    return found


async def unmask(
    services: Services, viewer: Viewer, case_id: str, reason: str, address: str | None
) -> dict[str, Any]:
    """Return the petitioner in clear; who asked and why is on the access log first.

    Role and scope are the caller's to check.
    """
    at = await services.wall.now()
    async with services.database.begin() as session:
        row, details = (await read_petitioners(session, services.keyring, [case_id]))[case_id]
        await append(
            session,
            at=at,
            action="unmask",
            username=viewer.username,
            case_id=case_id,
            reason=reason,
            address=address,
        )
    return in_clear(details) if details else erased(row.kind)


async def renew_query_code(services: Services, viewer: Viewer, case_id: str, address: str | None) -> str:
    """Return a new query code for a citizen who lost the receipt; the old one ends at once."""
    at = await services.wall.now()
    code = new_code()
    async with services.database.begin() as session:
        mine = col(Filing.case_id) == case_id
        await session.exec(update(Filing).where(mine).values(query_code_hash=hash_code(code)))
        await append(
            session,
            at=at,
            action="query_code",
            username=viewer.username,
            case_id=case_id,
            address=address,
        )
    return code
