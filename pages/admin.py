"""`/admin`: the overview of the administration. No case and no personal data of citizens is in it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.overview import overview
from pages.admin_parts import Admin, show
from pages.frame import SIGNED_IN
from routes.dependencies import Given

router = APIRouter(dependencies=SIGNED_IN)


@router.get("/admin")
async def front(request: Request, given: Given, viewer: Admin) -> Response:
    """Show what there is and what needs somebody."""
    return show(request, "overview.html", found=await overview(given))
