"""`/evidence`: the signed heads over the ledger, and what the latest verification found."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from casework.errors import NotFound
from casework.heads import head_file, overview
from casework.viewer import Viewer
from pages.frame import SIGNED_IN
from pages.rendering import render
from pages.sessions import page_only
from routes.dependencies import Given
from routes.evidence_words import finding_words
from rules.case.vocabulary import Role
from rules.evidence import HEAD_AT

router = APIRouter(dependencies=SIGNED_IN)

Inspector = Annotated[Viewer, Depends(page_only(Role.SUPERVISOR, Role.AUDITOR))]
OUTLETS = {"file": "文件", "webhook": "推送"}
LARGEST = 2**31  # a number that the database can compare


@router.get("/evidence")
async def heads(request: Request, given: Given, viewer: Inspector) -> Response:
    """Show the newest heads, how each left the house, the key, and the latest verification."""
    return render(
        request,
        "evidence.html",
        shown=await overview(given),
        outlets=OUTLETS,
        finding_words=finding_words,
        head_at=f"{HEAD_AT:%H:%M}",
    )


@router.get("/evidence/{head}.json")
async def head(head: int, given: Given, viewer: Inspector) -> Response:
    """Download a head with its leaves: ids of cases and hashes, nothing of what stands in them."""
    if not 0 < head < LARGEST:
        raise NotFound("head")
    file = await head_file(given, head)
    name = f"{file.head.day.isoformat()}-{file.head.number:05d}.json"
    return Response(
        file.write(),
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )
