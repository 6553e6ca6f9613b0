"""`/api/me`: who is signed in."""

from fastapi import APIRouter
from pydantic import BaseModel

from routes.dependencies import TokenViewer
from routes.openapi import refusals
from rules.case.vocabulary import Role

router = APIRouter(prefix="/api", tags=["me"])


class Me(BaseModel):
    """The signed-in user; no hall means all of them (or, for the admin, none of their cases)."""

    username: str
    name: str
    role: Role
    hall: str | None
    unit: str | None


@router.get("/me", responses=refusals())
async def get_me(viewer: TokenViewer) -> Me:
    """Return the signed-in user."""
    return Me(
        username=viewer.username,
        name=viewer.name,
        role=viewer.role,
        hall=viewer.hall,
        unit=viewer.unit,
    )
