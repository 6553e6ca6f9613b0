"""`/`: to the start page of the signed-in role."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse

from pages.errors import SEE_OTHER
from pages.navigation import start_of
from pages.sessions import PageViewer

router = APIRouter()


@router.get("/")
async def home(viewer: PageViewer) -> RedirectResponse:
    """Lead on to where the role works."""
    return RedirectResponse(start_of(viewer), SEE_OTHER)
