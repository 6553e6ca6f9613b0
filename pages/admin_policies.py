"""`/admin/policies`: what the halls work by, every value with its source; read-only."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from casework.policy_view import shown_policies
from pages.admin_parts import Admin, show
from pages.frame import SIGNED_IN
from pages.policy_words import CHOICE, POLICY, UNIT, source_words
from routes.dependencies import Given

router = APIRouter(dependencies=SIGNED_IN)


@router.get("/admin/policies")
async def policies(request: Request, given: Given, viewer: Admin) -> Response:
    """Show every policy."""
    words: dict[str, Any] = {"names": POLICY, "units": UNIT, "choices": CHOICE, "source_words": source_words}
    return show(request, "policies.html", found=await shown_policies(given), **words)
