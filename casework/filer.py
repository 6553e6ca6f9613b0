"""Who filed a case: the clerk of the counter, or the citizen. The ledger's first event is the system's."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from models.directory import User
from models.filing import Filing
from rules.case.vocabulary import Role


async def filer_of(session: AsyncSession, case_id: str) -> dict[str, Any]:
    """Return `{username, name, role, unit}` of the clerk who registered it, or `{role: "citizen"}`.

    Read from the filing, since the number is given by the machine: the event names no person, and its
    hash covers that. The name is the user's present one. Source: S0, every act names the real person.
    """
    filing = await session.get_one(Filing, case_id)
    if not filing.clerk:
        return {"role": str(Role.CITIZEN)}
    user = await session.get(User, filing.clerk)
    # Who has another post by now filed as a clerk all the same: others cannot.
    role = user.role if user and user.role == Role.WINDOW_LEAD else Role.CLERK
    return {
        "username": filing.clerk,
        "name": user.name if user else filing.clerk,
        "role": str(role),
        "unit": None,
    }
