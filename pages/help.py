"""`/help`: for citizens and for every role, with the limits that are in force; and the tour's end."""

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from casework.policy_view import shown_policies
from pages import guide
from pages.csrf import check_csrf
from pages.errors import SEE_OTHER
from pages.frame import framed_if_signed_in
from pages.navigation import PLACES, start_of
from pages.policy_words import POLICY, amount_words, source_words
from pages.rendering import render
from pages.sessions import PageViewer
from pages.tour import dismiss
from routes.dependencies import Given

router = APIRouter(prefix="/help", dependencies=[Depends(framed_if_signed_in), Depends(check_csrf)])


@router.get("")
async def read(request: Request, given: Given) -> Response:
    """Show the help; whoever is signed in finds the own role first."""
    viewer = getattr(request.state, "viewer", None)
    own = viewer.role if viewer else None
    policies = [
        (
            each.policy.title,
            [
                (POLICY[name], amount_words(value), source_words(value.source))
                for name, value in (each.sources or {}).items()
            ],
        )
        for each in await shown_policies(given)
    ]
    roles = sorted(guide.STAFF, key=lambda role: role is not own)
    return render(
        request, "help/help.html", own=own, roles=roles, guide=guide, places=PLACES, policies=policies
    )


@router.post("/tour/dismiss")
async def end_tour(request: Request, viewer: PageViewer) -> Response:
    """Take the card 第一次使用 away."""
    answer = RedirectResponse(start_of(viewer), SEE_OTHER)
    dismiss(request, answer, viewer.role)
    return answer
