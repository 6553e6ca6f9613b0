"""What stands around every page of a signed-in user: the unread count, and the rehearsal's time."""

from fastapi import Depends, Request

from casework.inbox import unread_of
from pages.csrf import check_csrf
from pages.sessions import PageViewer
from routes.dependencies import Given


async def framed(request: Request, given: Given, viewer: PageViewer) -> None:
    """Look up what the frame of a page shows."""
    request.state.unread = await unread_of(given, viewer)
    if request.app.state.in_rehearsal:
        request.state.rehearsal_now = await given.clock.now()


# Of every router whose pages need a sign-in, and of those that do not.
SIGNED_IN = [Depends(framed), Depends(check_csrf)]
OPEN_TO_ALL = [Depends(check_csrf)]
