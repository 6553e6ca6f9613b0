"""`/api/access-log`: who signed in, who was refused, who saw what."""

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from casework.access import list_access
from casework.moments import shown
from casework.viewer import Viewer
from routes.dependencies import Given, only
from routes.openapi import refusals
from routes.pages import Page, PerPage
from rules.case.vocabulary import Role

router = APIRouter(prefix="/api/access-log", tags=["access log"])

Overseer = Annotated[Viewer, Depends(only(Role.AUDITOR, Role.SUPERVISOR))]


class Access(BaseModel):
    """One entry; `address` is where the request came from."""

    at: str
    username: str | None
    action: str
    case_id: str | None
    reason: str | None
    address: str | None


class AccessItems(BaseModel):
    """One page, newest first."""

    items: list[Access]


@router.get("", responses=refusals(403))
async def get_access_log(
    given: Given, viewer: Overseer, page: Page = 1, per_page: PerPage = 100
) -> AccessItems:
    """Return the access log, as far as the viewer oversees it."""
    rows = await list_access(given, viewer, page, per_page)
    items = [
        Access(
            at=shown(row.at),
            username=row.username,
            action=row.action,
            case_id=row.case_id,
            reason=row.reason,
            address=row.address,
        )
        for row in rows
    ]
    return AccessItems(items=items)
