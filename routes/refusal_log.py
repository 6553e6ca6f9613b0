"""Refusals (403, 409) on the access log: who tried what, from where."""

import structlog
from fastapi import Request

from casework.access import record
from models.database import DatabaseUnavailable

_log = structlog.get_logger(__name__)


async def log_refusal(request: Request, status: int, reason: str) -> None:
    """Append a refusal; an outage of the database must not hide the refusal itself."""
    viewer = getattr(request.state, "viewer", None)
    if viewer is None:
        return
    try:
        await record(
            request.app.state.services,
            action=f"refused_{status}",
            username=viewer.username,
            case_id=getattr(request.state, "case_id", None),
            reason=reason,
            address=address(request),
        )
    except DatabaseUnavailable:
        _log.warning("refusal not logged", username=viewer.username, status=status)


def address(request: Request) -> str | None:
    """Return the address that a request came from."""
    return request.client.host[:64] if request.client else None
