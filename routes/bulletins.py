"""`/api/bulletins`: drafts of a 通报, which no machine ever issues."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from casework.bulletins import list_bulletins
from casework.moments import shown
from casework.viewer import Viewer
from models.case import Bulletin
from routes.dependencies import Given, only
from routes.openapi import refusals
from routes.pages import Page, PerPage
from rules.case.vocabulary import Ground, Role

router = APIRouter(prefix="/api/bulletins", tags=["bulletins"])

Overseer = Annotated[Viewer, Depends(only(Role.SUPERVISOR, Role.AUDITOR))]


class BulletinItem(BaseModel):
    """Material for a 通报: the unit and the person responsible, and on what ground."""

    id: int
    case_id: str
    case_number: str
    unit: str
    person: str | None
    ground: Ground
    status: Literal["draft", "issued", "rejected"]
    due: str | None
    created_at: str


class Bulletins(BaseModel):
    """One page, newest first."""

    items: list[BulletinItem]


@router.get("", responses=refusals(403))
async def get_bulletins(given: Given, viewer: Overseer, page: Page = 1, per_page: PerPage = 50) -> Bulletins:
    """Return the bulletins of the halls that the viewer oversees."""
    rows = await list_bulletins(given, viewer, page, per_page)
    return Bulletins(items=[_item(row) for row in rows])


def _item(row: Bulletin) -> BulletinItem:
    return BulletinItem.model_validate(
        {
            "id": row.id,
            "case_id": row.case_id,
            "case_number": row.case_number,
            "unit": row.unit,
            "person": row.person,
            "ground": row.ground,
            "status": row.status,
            "due": shown(row.due),
            "created_at": shown(row.created_at),
        }
    )
