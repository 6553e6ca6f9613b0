"""The access log: who signed in, who was refused, who saw what. Kept apart from the ledger."""

from casework.services import Services
from models.access_log import append


async def record(
    services: Services,
    *,
    action: str,
    username: str | None = None,
    case_id: str | None = None,
    reason: str | None = None,
    address: str | None = None,
) -> None:
    """Append one row in a transaction of its own, at the real time.

    Where the act itself writes, call `models.access_log.append` last in that transaction instead.
    Raises DatabaseUnavailable.
    """
    at = await services.wall.now()
    async with services.database.begin() as session:
        await append(
            session,
            at=at,
            action=action,
            username=username,
            case_id=case_id,
            reason=reason,
            address=address,
        )
