"""What stands around every page of a signed-in user: the unread count, and the rehearsal's time."""

from fastapi import Depends, Request

from casework.inbox import unread_of
from pages.csrf import check_csrf
from pages.sessions import SessionViewer, SignInNeeded, page_viewer, session_viewer
from routes.dependencies import Given


async def framed(request: Request, given: Given, viewer: SessionViewer) -> None:
    """Look up what the frame of a page shows."""
    request.state.unread = await unread_of(given, viewer)
    await timed(request, given)


async def framed_if_signed_in(request: Request, given: Given) -> None:
    """Look up the frame for a page that others may see, too."""
    try:
        await framed(request, given, await session_viewer(request, given))
    except SignInNeeded:
        await timed(request, given)


async def timed(request: Request, given: Given) -> None:
    """Look up the time that the bar of a rehearsal shows."""
    if request.app.state.in_rehearsal:
        request.state.rehearsal_now = await given.clock.now()


# Of every router whose pages need a sign-in, of those that let one in who owes a new password or a
# second factor, and of those that ask for no sign-in.
SIGNED_IN = [Depends(page_viewer), Depends(framed), Depends(check_csrf)]
OWING = [Depends(framed), Depends(check_csrf)]
OPEN_TO_ALL = [Depends(timed), Depends(check_csrf)]
