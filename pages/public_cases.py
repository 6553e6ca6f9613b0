"""`/public/cases`: typical cases (典型案例) that were reviewed and published, for everybody."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.typical import PER_PAGE
from casework.typical_public import published, published_one
from pages.frame import OPEN_TO_ALL
from pages.rendering import render
from routes.dependencies import Given
from routes.pages import Page

router = APIRouter(prefix="/public/cases", dependencies=OPEN_TO_ALL)


@router.get("")
async def listed(request: Request, given: Given, page: Page = 1) -> Response:
    """Show what was published, newest first."""
    items, total = await published(given, page)
    last = max(1, -(-total // PER_PAGE))
    return render(request, "public/cases.html", cases=items, total=total, page=page, last=last)


@router.get("/{item}")
async def one(request: Request, item: str, given: Given) -> Response:
    """Show one; what was withdrawn is not there."""
    return render(request, "public/typical.html", case=await published_one(given, item))
